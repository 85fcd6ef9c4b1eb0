//! The pool of transactions that every node has, as one: who sends what, when it has arrived everywhere, and what a block takes
//! first. It is ordered as the real one is, by the priority that the runtime gives, then by age.

use hydra_runtime::{AccountId, Balance, BlockNumber, RuntimeCall};
use sp_runtime::transaction_validity::TransactionPriority;
use std::collections::VecDeque;

/// For how many blocks it is remembered what was in them: no reorganisation is deeper.
const REMEMBERED: BlockNumber = 16;

/// A transaction under way.
#[derive(Clone)]
pub struct Transaction {
    /// Who sent it.
    pub who: AccountId,
    /// What it does.
    pub call: RuntimeCall,
    /// What its sender pays for being first.
    pub tip: Balance,
    /// What the runtime makes of that.
    pub priority: TransactionPriority,
    /// The first block that can have it.
    pub arrives_at: BlockNumber,
    /// The first block that can't have it any more.
    pub dies_at: BlockNumber,
}

/// What was sent and is in no block yet.
#[derive(Default)]
pub struct Pool {
    /// Oldest first.
    waiting: Vec<Transaction>,
    /// What was in the last blocks.
    included: VecDeque<(BlockNumber, Transaction)>,
}

impl Pool {
    /// Takes a transaction in.
    pub fn add(&mut self, transaction: Transaction) {
        self.waiting.push(transaction);
    }

    /// Hands over what the block `number` may take, in the order in which it should; what is too old is gone.
    pub fn ready(&mut self, number: BlockNumber) -> Vec<Transaction> {
        let all = std::mem::take(&mut self.waiting).into_iter();
        let (mut ready, early): (Vec<_>, Vec<_>) = all
            .filter(|one| number < one.dies_at)
            .partition(|one| one.arrives_at <= number);
        self.waiting = early;
        sort(&mut ready);
        ready
    }

    /// What the block `number` may take, in that order, left where it is.
    pub fn seen(&self, number: BlockNumber) -> Vec<Transaction> {
        let waiting = self.waiting.iter();
        let seen = waiting.filter(|one| (one.arrives_at..one.dies_at).contains(&number));
        let mut seen: Vec<_> = seen.cloned().collect();
        sort(&mut seen);
        seen
    }

    /// The block `number` has this one.
    pub fn included(&mut self, number: BlockNumber, transaction: Transaction) {
        self.included.push_back((number, transaction));
        while self
            .included
            .front()
            .is_some_and(|(block, _)| block + REMEMBERED < number)
        {
            self.included.pop_front();
        }
    }

    /// Blocks above `number` are gone. What was in them comes again, no sooner than it did there, unless `dropped` says that its
    /// sender has replaced it.
    pub fn retract(&mut self, number: BlockNumber, dropped: impl Fn(&AccountId) -> bool) {
        let all = std::mem::take(&mut self.included);
        let (gone, kept): (VecDeque<_>, VecDeque<_>) =
            all.into_iter().partition(|(block, _)| *block > number);
        self.included = kept;
        let again = gone.into_iter().map(|(block, mut transaction)| {
            transaction.arrives_at = block;
            transaction
        });
        let mut waiting: Vec<_> = again.chain(std::mem::take(&mut self.waiting)).collect();
        waiting.retain(|one| !dropped(&one.who));
        self.waiting = waiting;
    }

    /// Loses what an account has under way, as a network may; how many that were.
    pub fn lose(&mut self, who: &AccountId) -> usize {
        let before = self.waiting.len();
        self.waiting.retain(|one| one.who != *who);
        before - self.waiting.len()
    }

    /// How many transactions of an account are under way.
    pub fn of(&self, who: &AccountId) -> usize {
        self.waiting.iter().filter(|one| one.who == *who).count()
    }
}

/// A stable sort: of equals the oldest stays first.
fn sort(transactions: &mut [Transaction]) {
    transactions.sort_by_key(|one| std::cmp::Reverse(one.priority));
}
