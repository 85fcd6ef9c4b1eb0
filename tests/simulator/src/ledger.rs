//! What is counted while the simulation runs.

use std::collections::BTreeMap;

use hydra_primitives::ModelId;
use hydra_runtime::{Balance, BlockNumber};

use crate::{
    duty::Kind,
    fact::{Fact, Verdict},
    symbol::Symbol,
};

/// A model that has ended no round for so many blocks is said to stand still.
pub const STANDSTILL: BlockNumber = 100;

/// What became of one account.
#[derive(Clone, Copy, Default, Debug)]
pub struct Account {
    /// What it was paid for its work.
    pub earned: Balance,
    /// What it paid for transactions.
    pub fees: Balance,
    /// Claims that were accepted, rejected, left undecided.
    pub claims: [u32; 3],
    /// How often it was blamed for something.
    pub blamed: u32,
}

/// The share of blocks that was used while the network waited for one kind of thing.
#[derive(Clone, Copy, Default, Debug)]
pub struct Use {
    /// How many blocks.
    pub blocks: u32,
    /// Shares of normal, operational and mandatory work, added up.
    pub sum: [f64; 3],
    /// The most that a block had of each.
    pub most: [f64; 3],
}

/// One model's rounds.
#[derive(Clone, Copy, Default, Debug)]
pub struct Rounds {
    /// Rounds that ended.
    pub ended: u32,
    /// Those of them in which nothing was accepted.
    pub void: u32,
    /// How often a round got more time.
    pub extended: u32,
    /// Versions that were confirmed, and those of them that were not what should have come out.
    pub confirmed: [u32; 2],
    /// How often it stood still.
    pub standstills: u32,
    /// The block in which the last round ended.
    pub ended_at: BlockNumber,
}

/// Scores of all accounts, after some rounds.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Rounds of the first model that had ended.
    pub rounds: u32,
    /// Each account's score.
    pub scores: Vec<f64>,
}

/// All of it.
#[derive(Default, Debug)]
pub struct Ledger {
    /// By account, in the simulation's order.
    pub accounts: Vec<Account>,
    /// By model.
    pub rounds: BTreeMap<ModelId, Rounds>,
    /// What blocks were used for.
    pub uses: BTreeMap<Kind, Use>,
    /// Right claims that were rejected.
    pub honest_rejected: u32,
    /// Wrong claims that were accepted.
    pub lies_accepted: u32,
    /// Claims that were left undecided.
    pub undecided: u32,
    /// Scores over time.
    pub samples: Vec<Sample>,
    /// Claims that aren't decided.
    open: BTreeMap<(ModelId, usize), Symbol>,
}

impl Ledger {
    /// Nothing yet, of so many accounts.
    pub fn new(accounts: usize) -> Self {
        Self {
            accounts: vec![Account::default(); accounts],
            ..Self::default()
        }
    }

    /// Notes a fact of the block `number`; `index` is that of the account it is about, if it is one of the simulation's.
    pub fn note(&mut self, number: BlockNumber, fact: &Fact, index: Option<usize>) {
        match fact {
            Fact::Claimed { model, claim, .. } => {
                if let Some(index) = index {
                    self.open.insert((*model, index), *claim);
                }
            }
            Fact::Decided {
                model, verdict, pay, ..
            } => self.decided(*model, index, *verdict, *pay),
            Fact::Blamed { .. } => {
                if let Some(account) = self.account(index) {
                    account.blamed += 1;
                }
            }
            Fact::FeePaid { fee, .. } => {
                if let Some(account) = self.account(index) {
                    account.fees += fee;
                }
            }
            Fact::RoundEnded { model, accepted } => {
                let rounds = self.rounds.entry(*model).or_default();
                rounds.ended += 1;
                rounds.void += u32::from(*accepted == 0);
                rounds.ended_at = number;
            }
            Fact::RoundExtended { model } => self.rounds.entry(*model).or_default().extended += 1,
            Fact::Confirmed { model, version } => {
                let [all, wrong] = &mut self.rounds.entry(*model).or_default().confirmed;
                *all += 1;
                *wrong += u32::from(*version != Symbol::Right);
            }
        }
    }

    fn account(&mut self, index: Option<usize>) -> Option<&mut Account> {
        self.accounts.get_mut(index?)
    }

    fn decided(&mut self, model: ModelId, index: Option<usize>, verdict: Verdict, pay: Balance) {
        let claim = index.and_then(|index| self.open.remove(&(model, index)));
        match (verdict, claim) {
            (Verdict::Rejected, Some(Symbol::Right)) => self.honest_rejected += 1,
            (Verdict::Accepted, Some(Symbol::Lie(_))) => self.lies_accepted += 1,
            (Verdict::Undecided, _) => self.undecided += 1,
            _ => {}
        }
        if let Some(account) = self.account(index) {
            account.earned += pay;
            let [accepted, rejected, undecided] = &mut account.claims;
            match verdict {
                Verdict::Accepted => *accepted += 1,
                Verdict::Rejected => *rejected += 1,
                Verdict::Undecided => *undecided += 1,
            }
        }
    }

    /// Notes how full a block was that was made while the network waited for `stage`, and whether models stand still.
    pub fn block(&mut self, number: BlockNumber, stage: Kind, shares: [f64; 3], models: ModelId) {
        let one = self.uses.entry(stage).or_default();
        one.blocks += 1;
        for ((sum, most), share) in one.sum.iter_mut().zip(&mut one.most).zip(shares) {
            *sum += share;
            *most = most.max(share);
        }
        for model in 0..models {
            let rounds = self.rounds.entry(model).or_default();
            let still = number.saturating_sub(rounds.ended_at);
            rounds.standstills += u32::from(still == STANDSTILL);
        }
    }

    /// A model's rounds.
    pub fn of(&self, model: ModelId) -> Rounds {
        self.rounds.get(&model).copied().unwrap_or_default()
    }
}
