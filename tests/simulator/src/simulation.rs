//! The simulation: a chain, a pool, and accounts that act after each block as their off-chain workers would.
//!
//! In a block only those are asked who owe something, and those who fill blocks. Whoever has sent something sends nothing else
//! until it is in a block or has expired, as in decision 003, unless its strategy has a program of its own.

use hydra_primitives::{HYDRA, dataset::DatasetManifest, digits, model::ModelSpec};
use hydra_runtime::{AccountId, Balance, BlockNumber, Hash, Nonce, RuntimeCall};
use std::collections::HashMap;

use crate::{
    chain::{Applied, Chain, Genesis, Snapshot},
    dice,
    duty::Kind,
    fact::Fact,
    ledger::{Ledger, Sample},
    pool::{Pool, Transaction},
    protocol::{self, Sheet},
    strategy::{Desk, Strategy},
};

/// No round takes longer as long as it goes on at all.
const LONGEST_ROUND: BlockNumber = 60;

/// An account that is to be.
pub struct Member {
    /// How it plays.
    pub strategy: Box<dyn Strategy>,
    /// What it has bonded, in 10⁻¹² HYDRA; nothing if it is no node.
    pub stake: Balance,
}

impl Member {
    /// A node with a stake of so many HYDRA.
    pub fn node(strategy: impl Strategy + 'static, hydra: u32) -> Self {
        Self {
            strategy: Box::new(strategy),
            stake: Balance::from(hydra) * HYDRA,
        }
    }
}

/// How a simulation begins.
pub struct Setup {
    /// The accounts.
    pub members: Vec<Member>,
    /// The models; the digits if there is none.
    pub models: Vec<(ModelSpec, DatasetManifest, Hash)>,
    /// What chance follows from.
    pub seed: u64,
}

impl Setup {
    /// These accounts train the digits.
    pub fn of(members: Vec<Member>) -> Self {
        Self {
            members,
            models: Vec::new(),
            seed: 1,
        }
    }
}

struct Account {
    id: AccountId,
    strategy: Box<dyn Strategy>,
    done: u128,
    flight: Option<Flight>,
}

/// What an account has in flight.
struct Flight {
    nonce: Nonce,
    expires: BlockNumber,
}

/// A chain with accounts that play.
pub struct Simulation {
    chain: Chain,
    pool: Pool,
    accounts: Vec<Account>,
    index: HashMap<AccountId, usize>,
    fillers: Vec<usize>,
    ledger: Ledger,
    models: u32,
    stage: Kind,
}

impl Simulation {
    /// The chain before its first block.
    pub fn new(setup: Setup) -> Self {
        let id = |index: usize| -> AccountId {
            let index = u32::try_from(index).expect("fewer accounts than that");
            dice::bytes(setup.seed, "account", &[index]).into()
        };
        let models = if setup.models.is_empty() {
            vec![(
                digits::digits_spec(),
                digits::digits_manifest(),
                digits::DIGITS_INITIAL_WEIGHTS,
            )]
        } else {
            setup.models
        };
        let count = u32::try_from(models.len()).expect("few models");
        let stakes: Vec<(AccountId, Balance)> = setup
            .members
            .iter()
            .enumerate()
            .map(|(index, member)| (id(index), member.stake))
            .collect();
        let (nodes, others): (Vec<_>, Vec<_>) = stakes.iter().cloned().partition(|(_, stake)| *stake > 0);
        let chain = Chain::new(Genesis {
            nodes,
            others: others.into_iter().map(|(who, _)| who).collect(),
            models,
            seed: setup.seed,
        });
        let accounts: Vec<Account> = setup
            .members
            .into_iter()
            .zip(stakes)
            .map(|(member, (id, _))| Account {
                id,
                strategy: member.strategy,
                done: 0,
                flight: None,
            })
            .collect();
        let mut simulation = Self {
            chain,
            pool: Pool::default(),
            index: accounts
                .iter()
                .enumerate()
                .map(|(index, account)| (account.id.clone(), index))
                .collect(),
            fillers: Vec::new(),
            ledger: Ledger::new(accounts.len()),
            accounts,
            models: count,
            stage: Kind::Task,
        };
        simulation.note_fillers();
        simulation.sample(0);
        simulation
    }

    fn note_fillers(&mut self) {
        let all = self.accounts.iter().enumerate();
        self.fillers = all
            .filter(|(_, account)| account.strategy.fills())
            .map(|(index, _)| index)
            .collect();
    }

    /// Makes a block, and lets everyone act on it.
    pub fn step(&mut self) {
        self.make_block(None);
    }

    /// Makes so many blocks.
    pub fn steps(&mut self, blocks: BlockNumber) {
        for _ in 0..blocks {
            self.step();
        }
    }

    /// Makes a block that has this call first, and says what became of it.
    pub fn include(&mut self, who: usize, call: RuntimeCall) -> Applied {
        let first = (self.id(who), call);
        self.make_block(Some(first)).expect("it was asked for")
    }

    /// Makes blocks until the first model has ended so many more rounds; false if it doesn't.
    pub fn rounds(&mut self, rounds: u32) -> bool {
        let goal = self.ledger.of(0).ended + rounds;
        self.until(rounds.saturating_mul(LONGEST_ROUND), |simulation| {
            simulation.ledger.of(0).ended >= goal
        })
    }

    /// Makes blocks until something is so; false if it isn't within `limit` blocks.
    pub fn until(&mut self, limit: BlockNumber, is_so: impl Fn(&mut Self) -> bool) -> bool {
        for _ in 0..limit {
            if is_so(self) {
                return true;
            }
            self.step();
        }
        is_so(self)
    }

    fn make_block(&mut self, first: Option<(AccountId, RuntimeCall)>) -> Option<Applied> {
        self.chain.begin();
        let number = self.chain.number();
        let applied = first.map(|(who, call)| self.chain.apply(&who, call, 0));
        for transaction in self.pool.ready(number) {
            let call = transaction.call.clone();
            match self.chain.apply(&transaction.who, call, transaction.tip) {
                Applied::Included(_) => self.pool.included(number, transaction),
                Applied::Full => self.pool.add(transaction),
                Applied::Invalid(_) => {}
            }
        }
        let block = self.chain.end();
        let facts = self.chain.read(|| protocol::facts(&block.events));
        let ended = self.ledger.of(0).ended;
        for fact in &facts {
            let index = about(fact).and_then(|who| self.index.get(who).copied());
            self.ledger.note(number, fact, index);
        }
        self.ledger.block(number, self.stage, block.shares, self.models);
        let now = self.ledger.of(0).ended;
        if now > ended && now.is_power_of_two() {
            self.sample(now);
        }
        self.act();
        applied
    }

    /// Lets everyone act who owes something, on the newest block.
    fn act(&mut self) {
        let (stage, sheets) = self.chain.read(|| (protocol::stage(), protocol::sheets()));
        self.stage = stage;
        for sheet in sheets {
            self.answer(&sheet);
        }
        for index in self.fillers.clone() {
            self.fill(index);
        }
    }

    fn answer(&mut self, sheet: &Sheet) {
        let now = self.chain.number();
        let Some(&index) = self.index.get(&sheet.who) else {
            return;
        };
        let Some(account) = self.accounts.get_mut(index) else {
            return;
        };
        let is_locked = account
            .flight
            .as_ref()
            .is_some_and(|flight| flight.nonce >= sheet.nonce && now < flight.expires);
        if is_locked && account.strategy.waits() {
            return;
        }
        let mut desk = Desk {
            block: now,
            branch: self.chain.branch(),
            stage: self.stage,
            under_way: 0,
            done: &mut account.done,
        };
        let (mut results, mut latency) = (Vec::new(), 0);
        for owed in &sheet.owed {
            if let Some(answer) = account.strategy.answer(&owed.duty, &mut desk) {
                latency = account.strategy.latency(owed.duty.kind).max(latency);
                results.push(protocol::result(&sheet.who, owed, answer));
            }
        }
        if results.is_empty() {
            return;
        }
        account.flight = Some(Flight {
            nonce: sheet.nonce,
            expires: now + protocol::IN_FLIGHT,
        });
        self.send(&sheet.who, protocol::batch(results), 0, latency);
    }

    fn fill(&mut self, index: usize) {
        let Some(account) = self.accounts.get_mut(index) else {
            return;
        };
        let who = account.id.clone();
        let desk = Desk {
            block: self.chain.number(),
            branch: self.chain.branch(),
            stage: self.stage,
            under_way: self.pool.of(&who),
            done: &mut account.done,
        };
        let fillers = account.strategy.filler(&desk);
        for filler in fillers {
            self.send(&who, protocol::filler(&who, filler), filler.tip, 0);
        }
    }

    /// Hands a transaction to the pool; one that no block would take is forgotten.
    fn send(&mut self, who: &AccountId, call: RuntimeCall, tip: Balance, latency: BlockNumber) {
        if let Ok(priority) = self.chain.priority(who, &call, tip) {
            let now = self.chain.number();
            self.pool.add(Transaction {
                who: who.clone(),
                call,
                tip,
                priority,
                arrives_at: now + 1 + latency,
                dies_at: now + protocol::IN_FLIGHT,
            });
        }
    }

    /// The state to go back to.
    pub fn snapshot(&self) -> Snapshot {
        self.chain.snapshot()
    }

    /// Goes back to a state, as in a reorganisation: what was in the blocks that are gone is in the pool again, but for what is of
    /// those whose program doesn't wait, who have replaced it; and everyone acts on the new best block. What was counted stays.
    pub fn reorganise(&mut self, to: &Snapshot) {
        self.chain.restore(to);
        let (index, accounts) = (&self.index, &self.accounts);
        let waits = |who: &AccountId| {
            let account = index.get(who).and_then(|index| accounts.get(*index));
            account.is_none_or(|account| account.strategy.waits())
        };
        self.pool.retract(to.number(), |who| !waits(who));
        self.act();
    }

    /// Notes everyone's score.
    fn sample(&mut self, rounds: u32) {
        let accounts = &self.accounts;
        let scores = self.chain.read(|| {
            let scores = accounts.iter().map(|account| protocol::score(&account.id));
            scores.collect()
        });
        self.ledger.samples.push(Sample { rounds, scores });
    }

    /// From now on the account plays otherwise.
    pub fn play(&mut self, account: usize, strategy: impl Strategy + 'static) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.strategy = Box::new(strategy);
        }
        self.note_fillers();
    }

    /// Loses what the account has under way; how many transactions that were.
    pub fn lose(&mut self, account: usize) -> usize {
        let who = self.id(account);
        self.pool.lose(&who)
    }

    /// Reads the chain's state.
    pub fn read<R>(&mut self, read: impl FnOnce() -> R) -> R {
        self.chain.read(read)
    }

    /// What was counted.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The height of the newest block.
    pub fn number(&self) -> BlockNumber {
        self.chain.number()
    }

    /// What the network waits for in the first model.
    pub fn stage(&self) -> Kind {
        self.stage
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// An account's name on chain.
    ///
    /// # Panics
    ///
    /// If there is no such account.
    pub fn id(&self, account: usize) -> AccountId {
        self.accounts
            .get(account)
            .expect("an account of the simulation")
            .id
            .clone()
    }

    /// What an account's strategy is called.
    pub fn name(&self, account: usize) -> &'static str {
        self.accounts
            .get(account)
            .map_or("", |account| account.strategy.name())
    }

    /// The work that an account has done, in sample-parameters.
    pub fn work(&self, account: usize) -> u128 {
        self.accounts.get(account).map_or(0, |account| account.done)
    }

    /// What an account's voice weighs now.
    pub fn weight(&mut self, account: usize) -> u128 {
        let who = self.id(account);
        self.chain.read(|| protocol::weight(&who))
    }

    /// An account's score now.
    pub fn score(&mut self, account: usize) -> f64 {
        let who = self.id(account);
        self.chain.read(|| protocol::score(&who))
    }
}

fn about(fact: &Fact) -> Option<&AccountId> {
    match fact {
        Fact::Claimed { who, .. }
        | Fact::Decided { who, .. }
        | Fact::Blamed { who }
        | Fact::FeePaid { who, .. } => Some(who),
        Fact::RoundEnded { .. } | Fact::RoundExtended { .. } | Fact::Confirmed { .. } => None,
    }
}
