//! The simulation: a chain, a pool, and accounts that act after each block as their off-chain workers would.
//!
//! In a block only those are asked who may owe something, and those who send more than they owe: `acting`.

mod acting;
mod authors;

use hydra_primitives::{
    HYDRA, ModelId, dataset::DatasetManifest, digits, model::ModelSpec, poll::PollId, task::PlaceIndex,
};
use hydra_runtime::{AccountId, Balance, BlockNumber, Hash, Nonce, RuntimeCall, RuntimeEvent};
use std::collections::HashMap;

use crate::{
    chain::{Applied, Block, Chain, Genesis, Snapshot},
    dice,
    duty::Stage,
    fact::Fact,
    ledger::{Ledger, Sample},
    pool::{Pool, Transaction},
    protocol::{self, Sheet, Watch},
    strategy::Strategy,
    symbol::Answer,
};
use authors::Censors;

/// No round takes longer as long as it goes on at all, three draws and a pause of an hour included.
const LONGEST_ROUND: BlockNumber = 600;
/// Slots of a session, unless it is said otherwise: as on real networks.
const SESSION: u64 = 1_440;
/// A block's author looks at so many transactions that don't fit, and then leaves it at that.
const SKIPPED: u32 = 8;
/// So many authors in a row leave their slots empty at the most.
const MOST_WITHHELD: u32 = 4;

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
    /// Slots of a session.
    pub session: u64,
    /// Whether each version is better than the one before it.
    pub learns: bool,
}

impl Setup {
    /// These accounts train the digits.
    pub fn of(members: Vec<Member>) -> Self {
        Self {
            members,
            models: Vec::new(),
            seed: 1,
            session: SESSION,
            learns: true,
        }
    }
}

struct Account {
    id: AccountId,
    strategy: Box<dyn Strategy>,
    stake: Balance,
    done: u128,
    flight: Option<Flight>,
}

/// What an account has in flight.
struct Flight {
    nonce: Nonce,
    expires: BlockNumber,
}

/// What became of a transaction that a block could have taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is in the block.
    Included,
    /// It still waits.
    Left,
    /// No block takes it any more.
    Gone,
}

/// A state to go back to, and what was counted until then.
pub struct Fork {
    chain: Snapshot,
    ledger: Ledger,
}

/// A chain with accounts that play.
pub struct Simulation {
    chain: Chain,
    pool: Pool,
    accounts: Vec<Account>,
    index: HashMap<AccountId, usize>,
    /// Those who send more than they owe.
    senders: Vec<usize>,
    /// The share of all nodes that would leave a slot empty.
    withholding: f64,
    /// The share of all nodes that would leave out what others owe.
    censoring: f64,
    /// The share of all nodes that hold their claims back.
    holding_back: f64,
    /// What those know who do, and make the next block: the seats that their claims would meet, and those of them that are theirs.
    foreseen: HashMap<(ModelId, PlaceIndex), [u32; 2]>,
    watch: Watch,
    ledger: Ledger,
    /// Plain copies that were seen in the pool.
    shown: HashMap<PollId, Answer>,
    models: ModelId,
    seed: u64,
    stage: Stage,
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
        let count = ModelId::try_from(models.len()).expect("few models");
        let members = setup.members.into_iter().enumerate();
        let accounts: Vec<Account> = members
            .map(|(index, member)| Account {
                id: id(index),
                strategy: member.strategy,
                stake: member.stake,
                done: 0,
                flight: None,
            })
            .collect();
        let stakes = accounts.iter().map(|account| (account.id.clone(), account.stake));
        let (nodes, others): (Vec<_>, Vec<_>) = stakes.partition(|(_, stake)| *stake > 0);
        let mut chain = Chain::new(Genesis {
            nodes,
            others: others.into_iter().map(|(who, _)| who).collect(),
            models,
            session: setup.session,
            seed: setup.seed,
        });
        let all = accounts.iter().map(|account| account.id.clone()).collect();
        let mut simulation = Self {
            watch: chain.read(|| Watch::load(all, setup.learns, 0)),
            chain,
            pool: Pool::default(),
            index: accounts
                .iter()
                .enumerate()
                .map(|(index, account)| (account.id.clone(), index))
                .collect(),
            senders: Vec::new(),
            withholding: 0.0,
            censoring: 0.0,
            holding_back: 0.0,
            foreseen: HashMap::new(),
            ledger: Ledger::new(accounts.len()),
            accounts,
            shown: HashMap::new(),
            models: count,
            seed: setup.seed,
            stage: Stage::Pause,
        };
        simulation.note_strategies();
        simulation.sample(0);
        simulation
    }

    fn note_strategies(&mut self) {
        let all = self.accounts.iter().enumerate();
        self.senders = all
            .filter(|(_, account)| account.strategy.sends_extras())
            .map(|(index, _)| index)
            .collect();
        let nodes = self.accounts.iter().filter(|account| account.stake > 0);
        let all = nodes.clone().count().max(1) as f64;
        let share = |does: fn(&dyn Strategy) -> bool| {
            nodes.clone().filter(|account| does(&*account.strategy)).count() as f64 / all
        };
        self.withholding = share(|strategy| strategy.withholds());
        self.censoring = share(|strategy| strategy.censors());
        self.holding_back = share(|strategy| strategy.holds_back());
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
        let ready = self.pool.ready(self.chain.number() + 1);
        let mut attempt = 0;
        let (applied, fates, block) = loop {
            self.chain.begin(attempt);
            let call = first.clone();
            let applied = call.map(|(who, call)| self.chain.apply(&who, call, 0));
            let fates = self.fill_block(&ready, self.censors(attempt));
            let block = self.chain.end();
            if !self.is_withheld(attempt, &block) {
                break (applied, fates, block);
            }
            self.chain.undo();
            self.ledger.withheld += 1;
            attempt += 1;
        };
        self.chain.keep(&block);
        for (transaction, fate) in ready.into_iter().zip(fates) {
            match fate {
                Fate::Included => self.pool.included(block.number, transaction),
                Fate::Left => self.pool.add(transaction),
                Fate::Gone => {}
            }
        }
        self.note(&block);
        self.act();
        applied
    }

    /// Puts what waits into the block, as long as there is room, and as far as its author wants it there.
    fn fill_block(&mut self, ready: &[Transaction], censors: Censors) -> Vec<Fate> {
        let mut skipped = 0;
        let mut take = |transaction: &Transaction| {
            if skipped >= SKIPPED {
                return Fate::Left;
            }
            if self.is_left_out(transaction, censors) {
                self.ledger.left_out += 1;
                return Fate::Left;
            }
            let call = transaction.call.clone();
            match self.chain.apply(&transaction.who, call, transaction.tip) {
                Applied::Included(_) => Fate::Included,
                Applied::Full => {
                    skipped += 1;
                    Fate::Left
                }
                Applied::Invalid(_) => Fate::Gone,
            }
        };
        ready.iter().map(&mut take).collect()
    }

    fn index_of(&self, who: &AccountId) -> Option<usize> {
        self.index.get(who).copied()
    }

    /// Whether whoever this is plays like that.
    fn plays(&self, who: &AccountId, so: impl Fn(&dyn Strategy) -> bool) -> bool {
        let account = self.index_of(who).and_then(|index| self.accounts.get(index));
        account.is_some_and(|account| so(&*account.strategy))
    }

    /// Counts what happened in a block.
    fn note(&mut self, block: &Block) {
        let (number, ended) = (block.number, self.ledger.of(0).ended);
        for fact in self.learn(number, &block.events) {
            let index = about(&fact).and_then(|who| self.index_of(who));
            self.ledger.note(number, &fact, index);
        }
        self.ledger.block(number, self.stage, block.shares, self.models);
        let now = self.ledger.of(0).ended;
        if now > ended && now.is_power_of_two() {
            self.sample(now);
        }
    }

    fn learn(&mut self, number: BlockNumber, events: &[RuntimeEvent]) -> Vec<Fact> {
        let (chain, watch) = (&mut self.chain, &mut self.watch);
        chain.read(|| watch.note(number, events))
    }

    /// The state to go back to.
    pub fn snapshot(&self) -> Fork {
        Fork {
            chain: self.chain.snapshot(),
            ledger: self.ledger.clone(),
        }
    }

    /// Goes back to a state, as in a reorganisation: what was in the blocks that are gone is in the pool again, but for what is of
    /// those whose program doesn't wait, who have replaced it; and everyone acts on the new best block.
    pub fn reorganise(&mut self, to: &Fork) {
        self.chain.restore(&to.chain);
        let (index, accounts) = (&self.index, &self.accounts);
        let waits = |who: &AccountId| {
            let account = index.get(who).and_then(|index| accounts.get(*index));
            account.is_none_or(|account| account.strategy.waits())
        };
        self.pool.retract(to.chain.number(), |who| !waits(who));
        self.begin_anew(to);
    }

    /// Goes back to a state as if nothing had been sent since: the blocks that follow have the same randomness again.
    pub fn replay(&mut self, from: &Fork) {
        self.chain.replay(&from.chain);
        self.pool = Pool::default();
        for account in &mut self.accounts {
            account.flight = None;
        }
        self.begin_anew(from);
    }

    fn begin_anew(&mut self, from: &Fork) {
        self.ledger = from.ledger.clone();
        self.watch = self.reload();
        self.act();
    }

    /// What everybody owes, read anew.
    pub fn reload(&mut self) -> Watch {
        let now = self.chain.number();
        let (chain, watch) = (&mut self.chain, &self.watch);
        chain.read(|| watch.reload(now))
    }

    /// What everybody owes, with what the chain says of whose turn it is.
    pub fn owed(&mut self, watch: Option<&mut Watch>) -> Vec<Sheet> {
        let (chain, watch) = (&mut self.chain, watch.unwrap_or(&mut self.watch));
        chain.read(|| {
            let mut sheets = watch.sheets();
            for Sheet { who, owed } in &mut sheets {
                owed.retain(|one| one.is_due(who));
            }
            sheets.retain(|sheet| !sheet.owed.is_empty());
            sheets
        })
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
        self.note_strategies();
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

    /// Writes into the chain's state, as no transaction could.
    pub fn change<R>(&mut self, change: impl FnOnce() -> R) -> R {
        self.chain.change(change)
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
    pub fn stage(&self) -> Stage {
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

    /// What an account had bonded at the beginning, in 10⁻¹² HYDRA.
    pub fn stake(&self, account: usize) -> Balance {
        self.accounts.get(account).map_or(0, |account| account.stake)
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
        Fact::Decided { who, .. }
        | Fact::Seated { who, .. }
        | Fact::Wrong { who }
        | Fact::Missed { who }
        | Fact::Paid { who, .. }
        | Fact::Forfeited { who, .. }
        | Fact::Received { who, .. }
        | Fact::FeePaid { who, .. } => Some(who),
        Fact::Claimed { .. }
        | Fact::Answered { .. }
        | Fact::Burnt { .. }
        | Fact::RoundEnded { .. }
        | Fact::RoundDropped { .. }
        | Fact::Confirmed { .. }
        | Fact::GivenUp { .. } => None,
    }
}
