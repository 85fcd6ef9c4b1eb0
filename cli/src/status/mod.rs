//! `hydra status`: the chain, its models and accounts, this PC's wallet and trainer, and what happened.
//!
//! It only reads. Start with [`Report`], which is the JSON; `page` makes it a page for people.

mod page;
mod wallet;

pub use wallet::{Part, Wallet};

use schemars::JsonSchema;
use serde::Serialize;
use std::time::{Duration, SystemTime};

use crate::{
    args::StatusArgs,
    chain::{Clock, News},
    error::Error,
    output,
    report::{
        accounts::{self, Account},
        blocks::Blocks,
        happenings::{Weight, say},
        health,
        models::{self, Model},
        own::{self, Books},
        polls::Poll,
    },
    target::Target,
    trainer,
};

/// Everything `hydra status` shows.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The node's address.
    pub url: String,
    /// The chain's name.
    pub chain: String,
    /// The newest block.
    pub block: u64,
    /// The newest block that can't be undone.
    pub finalised: u64,
    /// Age of the newest block by this PC's clock, in seconds; negative if it lies ahead.
    pub block_age: f64,
    /// How long a slot lasts.
    #[serde(skip)]
    pub slot: Duration,
    /// Connected nodes.
    pub peers: usize,
    /// Whether the node is still catching up.
    pub syncing: bool,
    /// What the node says about this PC's clock, if it watches it.
    pub clock: Option<Clock>,
    /// The session, which everybody who takes part says once to be there in.
    pub session: u32,
    /// How many accounts are drawn from in this session.
    pub taking_part: u32,
    /// How many will be in the next one, so far.
    pub taking_part_next: u32,
    /// How many accounts are registered.
    pub registered: u32,
    /// The models.
    pub models: Vec<Model>,
    /// The registered accounts, or 64 of them: this PC's and the first ones.
    pub accounts: Vec<Account>,
    /// What this PC's account has; null if it isn't known which that is.
    pub wallet: Option<Wallet>,
    /// What happened in the newest blocks, newest first. Empty while the node is catching up.
    pub happened: Vec<Happened>,
    /// The local trainer, if it is known where it is and answers.
    pub trainer: Option<trainer::Status>,
    /// The node's port for other nodes, if it is known whose node it is.
    #[serde(skip)]
    pub node_port: Option<u16>,
    /// Why there is nothing about the trainer.
    pub trainer_error: Option<String>,
    /// What has ended of a local network, each as a sentence.
    pub stopped: Vec<String>,
}

/// What happened in a block.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Happened {
    /// The block.
    pub block: u64,
    /// Its age by this PC's clock, in seconds; negative if it lies ahead.
    pub age: f64,
    /// What happened in it, as people read it. The words change.
    pub words: String,
    /// Whether that is more than a round's ordinary course.
    pub is_news: bool,
}

impl Happened {
    /// Of a block; `None` if nothing happened in it.
    fn new(news: &News, now: SystemTime) -> Option<Self> {
        let said = say(&news.happenings);
        (said.weight > Weight::Nothing).then(|| Self {
            block: news.block.number,
            age: health::age(now, news.time),
            words: said.words,
            is_news: said.weight >= Weight::News,
        })
    }
}

/// Runs the command.
pub async fn run(args: StatusArgs, json: bool) -> Result<(), Error> {
    let target = Target::new(&args.target)?;
    let chain = target.chain().await?;
    let best = chain.best().await?;
    let finalised = chain.finalised().await?;
    let (peers, syncing) = chain.health().await?;
    let electorate = chain.electorate(best.hash).await?;
    let mut registered = chain.registered(accounts::MOST, best.hash).await?;
    // The trainer may be down while the chain is fine: that is something to show, not to fail for.
    let (trainer, trainer_error) = match target.trainer() {
        Ok(Some(trainer)) => match trainer.status().await {
            Ok(status) => (Some(status), None),
            Err(error) => (None, Some(error.to_string())),
        },
        Ok(None) => (None, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let read = models::read(&chain, best.hash).await?;
    let mut shown = Vec::new();
    for model in &read {
        let poll = match model.version_poll {
            Some(poll) => Poll::read(&chain, poll, best.hash).await?,
            None => None,
        };
        shown.push(Model::new(model, best.number).with_poll(poll));
    }
    let said = trainer.as_ref().and_then(own::account_of);
    let account = said.or_else(|| target.account());
    let wallet = match account {
        // Like the trainer's, what can't be read is left out.
        Some(account) => match Books::default().look(&chain, account, &read, best).await {
            Ok(me) => Some(Wallet::new(me, &read)),
            Err(error) => {
                output::note(&format!("this PC's account can't be read: {error}"));
                None
            }
        },
        None => None,
    };
    if wallet.as_ref().is_some_and(Wallet::is_registered)
        && let Some(account) = account
        && !registered.contains(&account)
    {
        registered.truncate(accounts::MOST.saturating_sub(1));
        registered.push(account);
    }
    let now = SystemTime::now();
    let blocks = match syncing {
        true => Vec::new(),
        false => Blocks::default().look(&chain, best).await?,
    };
    let report = Report {
        url: chain.url().into(),
        chain: chain.name().await?,
        block: best.number,
        finalised: finalised.number,
        block_age: health::age(now, chain.time(best.hash).await?),
        slot: chain.slot(best.hash).await?,
        peers,
        syncing,
        clock: chain.clock().await?,
        session: electorate.session,
        taking_part: electorate.accounts,
        taking_part_next: electorate.next_accounts,
        registered: electorate.registered,
        models: shown,
        accounts: accounts::read(&chain, &registered, best.hash).await?,
        wallet,
        happened: blocks
            .iter()
            .filter_map(|news| Happened::new(news, now))
            .collect(),
        trainer,
        node_port: target.node_port(),
        trainer_error,
        stopped: target.stopped(),
    };
    if json {
        output::json(&report)
    } else {
        output::data(&report.text())
    }
}
