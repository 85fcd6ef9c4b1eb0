//! What is counted while the simulation runs.

use std::collections::BTreeMap;

use hydra_primitives::{ModelId, task::PlaceIndex};
use hydra_runtime::{Balance, BlockNumber};

use crate::{
    duty::Stage,
    fact::{Ending, Fact, Verdict},
    symbol::Symbol,
};

/// A model that has ended no round for so many blocks is said to stand still. Pauses that double are shorter, at first.
pub const STANDSTILL: BlockNumber = 500;

/// Claims by what became of them.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Claims {
    /// Taken for right.
    pub accepted: u32,
    /// Taken for wrong.
    pub rejected: u32,
    /// Neither.
    pub undecided: u32,
    /// Nobody looked at them.
    pub dropped: u32,
}

impl Claims {
    fn note(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Accepted => &mut self.accepted,
            Verdict::Rejected => &mut self.rejected,
            Verdict::Undecided => &mut self.undecided,
            Verdict::Dropped => &mut self.dropped,
        } += 1;
    }

    /// The share of those that somebody looked at about which something was found; all if there are none.
    pub fn decided(&self) -> f64 {
        let decided = self.accepted + self.rejected;
        let all = decided + self.undecided;
        if all == 0 {
            1.0
        } else {
            f64::from(decided) / f64::from(all)
        }
    }
}

/// What became of one account.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Account {
    /// What it was paid for its work.
    pub paid: Balance,
    /// What it got of what others lost.
    pub received: Balance,
    /// What it lost of its stake.
    pub forfeited: Balance,
    /// What it paid for transactions.
    pub fees: Balance,
    /// Its claims.
    pub claims: Claims,
    /// How often it gave something wrong.
    pub wrong: u32,
    /// How often it gave nothing though most did.
    pub missed: u32,
    /// Seats that it had in first draws.
    pub seats: u32,
}

impl Account {
    /// What it has more than at the beginning, or less, in 10⁻¹² HYDRA.
    pub fn net(&self) -> i128 {
        let signed = |amount: Balance| i128::try_from(amount).unwrap_or(i128::MAX);
        signed(self.paid) + signed(self.received) - signed(self.forfeited) - signed(self.fees)
    }
}

/// The share of blocks that was used while the network waited for one kind of thing.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Use {
    /// How many blocks.
    pub blocks: u32,
    /// Shares of normal, operational and mandatory work, added up.
    pub sum: [f64; 3],
    /// The most that a block had of each.
    pub most: [f64; 3],
    /// The most that a block had of all together.
    pub fullest: f64,
}

impl Use {
    /// Takes in what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.blocks += other.blocks;
        for (sum, more) in self.sum.iter_mut().zip(other.sum) {
            *sum += more;
        }
        for (most, more) in self.most.iter_mut().zip(other.most) {
            *most = most.max(more);
        }
        self.fullest = self.fullest.max(other.fullest);
    }
}

/// One model's rounds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Rounds {
    /// Rounds that ended.
    pub ended: u32,
    /// Those of them in which nothing was accepted.
    pub void: u32,
    /// How often a round began anew, since a version was given up.
    pub dropped: u32,
    /// Versions that were confirmed, and those of them that were not what should have come out.
    pub confirmed: [u32; 2],
    /// Versions that were given up.
    pub given_up: u32,
    /// How often it stood still.
    pub standstills: u32,
    /// The block in which the last round ended.
    pub ended_at: BlockNumber,
    /// What was burnt for the room that its rounds take.
    pub burnt: Balance,
}

/// Plain copies that were sent by those who don't look whether they decide.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Rash {
    /// How many.
    pub sent: u32,
    /// Those of them whose sender's turn it was.
    pub in_turn: u32,
    /// Those of them that the pool took.
    pub taken: u32,
}

/// Scores of all accounts, after some rounds.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// Rounds of the first model that had ended.
    pub rounds: u32,
    /// Each account's score.
    pub scores: Vec<f64>,
}

/// All of it.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Ledger {
    /// By account, in the simulation's order.
    pub accounts: Vec<Account>,
    /// By model.
    pub rounds: BTreeMap<ModelId, Rounds>,
    /// What blocks were used for.
    pub uses: BTreeMap<Stage, Use>,
    /// Claims of what is right.
    pub right: Claims,
    /// Claims of something else.
    pub wrong: Claims,
    /// Questions by how they ended: by the first draw, the second, the third, not.
    pub endings: [u32; 4],
    /// How often an author left its slot empty.
    pub withheld: u32,
    /// How often an author left out of its block what somebody else owes.
    pub left_out: u32,
    /// Plain copies that nobody had looked at before.
    pub rash: Rash,
    /// Scores over time.
    pub samples: Vec<Sample>,
    /// Claims of which it isn't known what becomes.
    open: BTreeMap<(ModelId, PlaceIndex), Symbol>,
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
            Fact::Claimed { model, place, claim } => {
                self.open.insert((*model, *place), *claim);
            }
            Fact::Decided {
                model,
                place,
                verdict,
                ..
            } => {
                self.settled((*model, *place), *verdict);
                self.change(index, |account| account.claims.note(*verdict));
            }
            Fact::Seated { seats, first, .. } => {
                if *first {
                    self.change(index, |account| account.seats += seats);
                }
            }
            Fact::Answered { ending } => {
                let [first, appeal, last, open] = &mut self.endings;
                *match ending {
                    Ending::First => first,
                    Ending::Appeal => appeal,
                    Ending::Last => last,
                    Ending::Open => open,
                } += 1;
            }
            Fact::Wrong { .. } => self.change(index, |account| account.wrong += 1),
            Fact::Missed { .. } => self.change(index, |account| account.missed += 1),
            Fact::Paid { amount, .. } => self.change(index, |account| account.paid += amount),
            Fact::Forfeited { amount, .. } => self.change(index, |account| account.forfeited += amount),
            Fact::Received { amount, .. } => self.change(index, |account| account.received += amount),
            Fact::FeePaid { fee, .. } => self.change(index, |account| account.fees += fee),
            Fact::Burnt { model, amount } => self.model(*model).burnt += amount,
            Fact::RoundEnded { model, accepted } => {
                let rounds = self.model(*model);
                rounds.ended += 1;
                rounds.void += u32::from(*accepted == 0);
                rounds.ended_at = number;
            }
            Fact::RoundDropped { model } => {
                self.model(*model).dropped += 1;
                let gone: Vec<_> = self.open.keys().filter(|(of, _)| of == model).copied().collect();
                for key in gone {
                    self.settled(key, Verdict::Dropped);
                }
            }
            Fact::Confirmed { model, version } => {
                let [all, wrong] = &mut self.model(*model).confirmed;
                *all += 1;
                *wrong += u32::from(*version != Symbol::Right);
            }
            Fact::GivenUp { model } => self.model(*model).given_up += 1,
        }
    }

    fn change(&mut self, index: Option<usize>, change: impl FnOnce(&mut Account)) {
        if let Some(account) = index.and_then(|index| self.accounts.get_mut(index)) {
            change(account);
        }
    }

    fn model(&mut self, model: ModelId) -> &mut Rounds {
        self.rounds.entry(model).or_default()
    }

    fn settled(&mut self, key: (ModelId, PlaceIndex), verdict: Verdict) {
        match self.open.remove(&key) {
            Some(Symbol::Right) => self.right.note(verdict),
            Some(Symbol::Lie(_)) => self.wrong.note(verdict),
            None => {}
        }
    }

    /// Notes how full a block was that was made while the network waited for `stage`, and whether models stand still.
    pub fn block(&mut self, number: BlockNumber, stage: Stage, shares: [f64; 3], models: ModelId) {
        let one = Use {
            blocks: 1,
            sum: shares,
            most: shares,
            fullest: shares.iter().sum(),
        };
        self.uses.entry(stage).or_default().add(&one);
        for model in 0..models {
            let rounds = self.model(model);
            let still = number.saturating_sub(rounds.ended_at);
            rounds.standstills += u32::from(still == STANDSTILL);
        }
    }

    /// A model's rounds.
    pub fn of(&self, model: ModelId) -> Rounds {
        self.rounds.get(&model).copied().unwrap_or_default()
    }
}
