//! Reads a [`Snapshot`] of the chain, and remembers what need not be read at every block.

use hydra_primitives::{AccountBytes, Balance, status::ElectorateStatus};
use std::time::Duration;
use tokio::time::Instant;

use super::seen::{Member, Snapshot};
use crate::{
    chain::{Block, Chain},
    error::Error,
    report::{blocks::Blocks, models, own::Books, pace::Pace},
    up::FEES,
};

/// How many other PCs are looked up by name: each is a question to the node.
const MEMBERS: usize = 64;
/// How often they are looked up again.
const MEMBERS_AGE: Duration = Duration::from_secs(30);

/// Reads one node.
pub struct Reader {
    chain: Chain,
    name: String,
    needed: Balance,
    slot: Duration,
    blocks: Blocks,
    members: Vec<Member>,
    members_read: Option<Instant>,
    books: Books,
    pace: Pace,
}

impl Reader {
    /// Of this node.
    pub async fn new(chain: Chain) -> Result<Self, Error> {
        let at = chain.best().await?.hash;
        let least = chain.least_stake(at).await?;
        Ok(Self {
            needed: least.saturating_add(FEES),
            slot: chain.slot(at).await?,
            name: chain.name().await?,
            chain,
            blocks: Blocks::default(),
            members: Vec::new(),
            members_read: None,
            books: Books::default(),
            pace: Pace::default(),
        })
    }

    /// The node.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The chain at its newest block.
    pub async fn look(&mut self, account: Option<AccountBytes>) -> Result<Snapshot, Error> {
        let best = self.chain.best().await?;
        let (peers, syncing) = self.chain.health().await?;
        let models = models::read(&self.chain, best.hash).await?;
        let electorate = self.chain.electorate(best.hash).await?;
        self.look_at_members(electorate, best).await?;
        let me = match account {
            Some(account) => Some(self.books.look(&self.chain, account, &models, best).await?),
            None => None,
        };
        let highest = self.chain.sync_target().await?;
        self.pace.note(Instant::now(), best.number);
        Ok(Snapshot {
            name: self.name.clone(),
            best,
            time: self.chain.time(best.hash).await?,
            slot: self.slot,
            finalised: self.chain.finalised().await?.number,
            highest,
            left: syncing.then(|| self.pace.left(highest)).flatten(),
            peers,
            syncing,
            clock: self.chain.clock().await?,
            models,
            electorate,
            members: self.members.clone(),
            needed: self.needed,
            me,
            // A node that catches up has a thousand blocks a second, and none of them is news.
            blocks: match syncing {
                true => Vec::new(),
                false => self.blocks.look(&self.chain, best).await?,
            },
        })
    }

    async fn look_at_members(&mut self, electorate: ElectorateStatus, at: Block) -> Result<(), Error> {
        let registered = usize::try_from(electorate.registered).unwrap_or(usize::MAX);
        let known = self.members.len() == registered.min(MEMBERS);
        if known && self.members_read.is_some_and(|read| read.elapsed() < MEMBERS_AGE) {
            return Ok(());
        }
        let mut members = Vec::new();
        for account in self.chain.registered(MEMBERS, at.hash).await? {
            members.push(Member {
                account,
                status: self.chain.node_status(&account, at.hash).await?,
            });
        }
        (self.members, self.members_read) = (members, Some(Instant::now()));
        Ok(())
    }
}
