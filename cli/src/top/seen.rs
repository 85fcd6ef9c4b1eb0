//! What is seen of the chain and the trainer: typed, without words.

use hydra_primitives::{
    AccountBytes, Balance,
    status::{ElectorateStatus, ModelStatus, NodeStatus},
};
use std::time::{Duration, SystemTime};

use crate::{
    chain::{Block, Clock, News},
    report::own::{self, Me},
    target::Target,
    trainer::Status,
};

/// How somebody is who is asked again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Link {
    /// Not asked yet, or not known where.
    Starting,
    /// It answers.
    Up,
    /// It doesn't.
    Away {
        /// Since when.
        since: SystemTime,
        /// What it says, or what is said of it.
        reason: String,
    },
}

impl Link {
    /// The same, after another attempt failed.
    pub fn failed(&self, now: SystemTime, reason: String) -> Self {
        let since = match self {
            Self::Away { since, .. } => *since,
            Self::Starting | Self::Up => now,
        };
        Self::Away { since, reason }
    }

    /// Whether what was seen before is old.
    pub fn is_away(&self) -> bool {
        matches!(self, Self::Away { .. })
    }
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The node's address.
    pub url: String,
    /// How the node is.
    pub node: Link,
    /// What it said last.
    pub chain: Option<Snapshot>,
    /// How the trainer is; `None` if it isn't known where it is.
    pub trainer: Option<Link>,
    /// What it said last.
    pub status: Option<Status>,
    /// The account that is this PC's.
    pub account: Option<AccountBytes>,
}

impl Seen {
    /// Nothing yet.
    pub fn new(target: &Target) -> Self {
        Self {
            url: target.url.clone(),
            node: Link::Starting,
            chain: None,
            // A token file that can't be read still is a trainer's.
            trainer: match target.trainer() {
                Ok(None) => None,
                Ok(Some(_)) | Err(_) => Some(Link::Starting),
            },
            status: None,
            account: target.account(),
        }
    }

    /// Takes in what the trainer says: it works for the account that counts.
    pub fn heard(&mut self, status: Status) {
        self.account = own::account_of(&status).or(self.account);
        self.trainer = Some(Link::Up);
        self.status = Some(status);
    }
}

/// The chain at a block.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The chain's name.
    pub name: String,
    /// The newest block.
    pub best: Block,
    /// When it was made.
    pub time: SystemTime,
    /// How long a slot lasts.
    pub slot: Duration,
    /// The newest block that can't be undone.
    pub finalised: u64,
    /// The highest block that the node has heard of.
    pub highest: u64,
    /// How long the node still takes to catch up, where that can be told.
    pub left: Option<Duration>,
    /// Connected nodes.
    pub peers: usize,
    /// Whether the node is still catching up.
    pub syncing: bool,
    /// What the node says about this PC's clock, if it watches it.
    pub clock: Option<Clock>,
    /// The models.
    pub models: Vec<ModelStatus>,
    /// Who is drawn from, and how many are registered.
    pub electorate: ElectorateStatus,
    /// Some of the registered PCs: all where there are few.
    pub members: Vec<Member>,
    /// What taking part costs: the least stake, and fees.
    pub needed: Balance,
    /// What this PC's account has, if it has one.
    pub me: Option<Me>,
    /// The newest blocks, newest first.
    pub blocks: Vec<News>,
}

/// A registered PC.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Its account.
    pub account: AccountBytes,
    /// What the chain says of it.
    pub status: NodeStatus,
}
