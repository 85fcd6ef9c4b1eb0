//! What those who play against the rules do with the blocks that they make: how often one of them makes a block is their share of the
//! nodes.

use super::{MOST_WITHHELD, Simulation};
use crate::{chain::Block, dice, pool::Transaction, protocol};

impl Simulation {
    /// Whether the block that was begun is made by one of so large a share of all nodes.
    pub(super) fn is_author_of(&self, share: f64, attempt: u32) -> bool {
        let numbers = [self.chain.branch(), self.chain.number(), attempt];
        share > 0.0 && dice::happens(share, self.seed, "author", &numbers)
    }

    /// Whether those who leave out what others owe would leave this out.
    pub(super) fn is_left_out(&self, transaction: &Transaction) -> bool {
        let index = self.index_of(&transaction.who);
        let account = index.and_then(|index| self.accounts.get(index));
        let is_theirs = account.is_some_and(|account| account.strategy.censors());
        !is_theirs && protocol::is_submission(&transaction.call)
    }

    /// Whether whoever's randomness this block draws by would rather have left its slot empty: with luck the next author's draws
    /// more seats for those who play alike.
    pub(super) fn is_withheld(&mut self, attempt: u32, block: &Block) -> bool {
        if attempt >= MOST_WITHHELD || !self.is_author_of(self.withholding, attempt) {
            return false;
        }
        let (mut own, mut all) = (0, 0);
        for (who, seats) in self.chain.read(|| protocol::drawn(&block.events)) {
            all += seats;
            if self.index_of(&who).is_some_and(|index| self.withholds(index)) {
                own += seats;
            }
        }
        f64::from(own) < self.withholding * f64::from(all)
    }

    fn withholds(&self, index: usize) -> bool {
        let account = self.accounts.get(index);
        account.is_some_and(|account| account.strategy.withholds())
    }
}
