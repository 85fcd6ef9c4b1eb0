//! Reads a [`Snapshot`] of the chain, and remembers what need not be read at every block.

use hydra_primitives::{
    AccountBytes, Balance, ModelId, RoundNumber,
    status::{ModelStatus, RoundSummary},
};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use tokio::time::Instant;

use super::{
    happened::Happened,
    seen::{Earned, Me, Member, Snapshot},
};
use crate::{
    chain::{Block, Chain},
    error::Error,
    report::{earned, models},
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
    happened: Happened,
    members: Vec<Member>,
    members_read: Option<Instant>,
    today: BTreeMap<ModelId, Today>,
}

/// Rounds of a model that were settled today.
struct Today {
    /// When today began.
    start: SystemTime,
    /// The model's round when they were read.
    read_in: RoundNumber,
    rounds: Vec<RoundSummary<AccountBytes>>,
    /// Whether the records do not go back to midnight.
    partly: bool,
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
            happened: Happened::default(),
            members: Vec::new(),
            members_read: None,
            today: BTreeMap::new(),
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
        let registered = self.chain.registered(best.hash).await?;
        self.look_at_members(&registered, best).await?;
        let me = match account {
            Some(account) => Some(self.me(account, &models, best).await?),
            None => None,
        };
        Ok(Snapshot {
            name: self.name.clone(),
            best,
            time: self.chain.time(best.hash).await?,
            slot: self.slot,
            finalised: self.chain.finalised().await?.number,
            highest: self.chain.sync_target().await?,
            peers,
            syncing,
            clock: self.chain.clock().await?,
            models,
            registered: registered.len(),
            members: self.members.clone(),
            needed: self.needed,
            me,
            // A node that catches up has a thousand blocks a second, and none of them is news.
            blocks: match syncing {
                true => Vec::new(),
                false => self.happened.look(&self.chain, best).await?,
            },
        })
    }

    async fn look_at_members(&mut self, registered: &[AccountBytes], at: Block) -> Result<(), Error> {
        let known = self.members.len() == registered.len().min(MEMBERS);
        if known && self.members_read.is_some_and(|read| read.elapsed() < MEMBERS_AGE) {
            return Ok(());
        }
        let mut members = Vec::new();
        for account in registered.iter().take(MEMBERS) {
            members.push(Member {
                account: *account,
                status: self.chain.node_status(account, at.hash).await?,
            });
        }
        (self.members, self.members_read) = (members, Some(Instant::now()));
        Ok(())
    }

    async fn me(&mut self, account: AccountBytes, models: &[ModelStatus], at: Block) -> Result<Me, Error> {
        let mut parts = Vec::new();
        let mut sum = Earned::default();
        for model in models {
            parts.push(self.chain.part(model.model, &account, at.hash).await?);
            let today = self.today(model, at).await?;
            let amount = earned::earned(&today.rounds, &account);
            sum.amount = sum.amount.saturating_add(amount);
            sum.partly |= today.partly;
        }
        Ok(Me {
            account,
            funds: self.chain.funds(&account, at.hash).await?,
            status: self.chain.node_status(&account, at.hash).await?,
            parts,
            earned: sum,
        })
    }

    /// What was settled today, read again only where a round or a day has passed.
    async fn today(&mut self, model: &ModelStatus, at: Block) -> Result<&Today, Error> {
        let start = earned::start_of_day(SystemTime::now());
        let before = self
            .today
            .remove(&model.model)
            .filter(|today| today.start == start);
        let today = match before {
            Some(today) if today.read_in == model.round => today,
            Some(today) => {
                let first = today.rounds.first().map_or(today.read_in, |round| round.round);
                Today {
                    read_in: model.round,
                    rounds: self.chain.rounds_from(model.model, first, at.hash).await?,
                    ..today
                }
            }
            None => {
                let mut rounds = self.chain.rounds(model.model, at.hash).await?;
                let before = earned::settled_before(&self.chain, &rounds, start, at.hash).await?;
                let all = rounds.first().is_none_or(|first| first.round == 0);
                rounds.drain(..before.min(rounds.len()));
                Today {
                    start,
                    read_in: model.round,
                    rounds,
                    partly: before == 0 && !all,
                }
            }
        };
        Ok(&*self.today.entry(model.model).or_insert(today))
    }
}
