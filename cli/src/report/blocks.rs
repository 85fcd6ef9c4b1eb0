//! The newest blocks of the best branch, kept from look to look.

use crate::{
    chain::{Block, Chain, News},
    error::Error,
};

/// How many are kept.
const KEPT: usize = 200;
/// How many are read at most in one look: each costs a few questions.
const PER_LOOK: usize = 24;

/// The newest blocks, newest first.
#[derive(Debug, Default)]
pub struct Blocks {
    blocks: Vec<News>,
}

impl Blocks {
    /// Reads what is new on the branch of `best`, and forgets what isn't on it.
    pub async fn look(&mut self, chain: &Chain, best: Block) -> Result<Vec<News>, Error> {
        let mut new = Vec::new();
        let mut block = best;
        while block.number > 0 && new.len() < PER_LOOK && !self.knows(block) {
            match chain.news(block).await {
                Ok(news) => new.push(news),
                Err(error @ Error::NodeLost { .. }) => return Err(error),
                // The node has no state of it: it fetched the chain from the middle, or has dropped what is old.
                Err(_) => break,
            }
            block = chain.parent(block).await?;
        }
        self.join(new, block);
        Ok(self.blocks.clone())
    }

    fn knows(&self, block: Block) -> bool {
        self.blocks.iter().any(|known| known.block == block)
    }

    /// Puts `new` before what is known from `base` on, the block before them. What isn't joined to it is another branch, or
    /// has a gap before it.
    fn join(&mut self, new: Vec<News>, base: Block) {
        let at = self.blocks.iter().position(|known| known.block == base);
        let old = at.map_or_else(Vec::new, |at| self.blocks.split_off(at));
        self.blocks = new;
        self.blocks.extend(old);
        self.blocks.truncate(KEPT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn block(number: u64, branch: u8) -> Block {
        Block {
            number,
            hash: [branch.wrapping_add(u8::try_from(number).unwrap()); 32].into(),
        }
    }

    fn news(number: u64, branch: u8) -> News {
        News {
            block: block(number, branch),
            time: SystemTime::UNIX_EPOCH,
            transactions: 0,
            happenings: vec![],
        }
    }

    fn numbers(happened: &Blocks) -> Vec<u64> {
        happened.blocks.iter().map(|news| news.block.number).collect()
    }

    #[test]
    fn new_blocks_come_first_and_those_of_another_branch_go() {
        let mut happened = Blocks::default();
        happened.join(vec![news(3, 0), news(2, 0), news(1, 0)], block(0, 0));
        happened.join(vec![news(4, 0)], block(3, 0));
        assert_eq!(numbers(&happened), [4, 3, 2, 1]);
        // Another branch begins after block 2.
        happened.join(vec![news(4, 100), news(3, 100)], block(2, 0));
        assert_eq!(numbers(&happened), [4, 3, 2, 1]);
        assert!(happened.knows(block(3, 100)) && !happened.knows(block(3, 0)));
        // After a long pause there is a gap.
        happened.join(vec![news(99, 100)], block(98, 100));
        assert_eq!(numbers(&happened), [99]);
    }

    #[test]
    fn nothing_new_changes_nothing() {
        let mut happened = Blocks::default();
        happened.join(vec![news(2, 0), news(1, 0)], block(0, 0));
        happened.join(vec![], block(2, 0));
        assert_eq!(numbers(&happened), [2, 1]);
    }
}
