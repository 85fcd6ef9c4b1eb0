//! Keeps what is [`Seen`] up to date: the chain with every new block, the trainer every few seconds.
//!
//! Neither ever gives up: a node or a trainer that is away is something to show, and it may come back.

use std::{
    convert::Infallible,
    future::pending,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::watch::Sender,
    time::{sleep, timeout},
};

use super::{
    node::Reader,
    seen::{Link, Seen},
};
use crate::{error::Error, target::Target, trainer::Status};

/// How often somebody is asked who has no event for it: a trainer, and a node that is away.
const TICK: Duration = Duration::from_secs(2);
/// How long no block may come before the node is asked anyway: it may be catching up, or alone.
const QUIET: Duration = Duration::from_secs(6);

/// One look at everything. A trainer that is away is shown; a node that is away is an error.
pub async fn once(target: &Target) -> Result<Seen, Error> {
    let mut seen = Seen::new(target);
    match ask(target).await {
        Ok(Some(status)) => seen.heard(status),
        Ok(None) => {}
        Err(error) => seen.trainer = Some(Link::Starting.failed(SystemTime::now(), error.to_string())),
    }
    let mut reader = Reader::new(target.chain().await?).await?;
    seen.chain = Some(reader.look(seen.account).await?);
    seen.node = Link::Up;
    Ok(seen)
}

/// Follows the node, for ever.
pub async fn node(target: &Target, seen: &Sender<Seen>) {
    loop {
        let Err(error) = follow(target, seen).await;
        seen.send_modify(|seen| seen.node = seen.node.failed(SystemTime::now(), error.to_string()));
        sleep(TICK).await;
    }
}

async fn follow(target: &Target, seen: &Sender<Seen>) -> Result<Infallible, Error> {
    let chain = target.chain().await?;
    let mut heads = chain.new_heads().await?;
    let mut reader = Reader::new(chain).await?;
    loop {
        let account = seen.borrow().account;
        let snapshot = reader.look(account).await?;
        seen.send_modify(|seen| {
            seen.node = Link::Up;
            seen.chain = Some(snapshot);
        });
        match timeout(QUIET, heads.next()).await {
            Ok(Some(Ok(_))) | Err(_) => {}
            Ok(_) => {
                return Err(Error::NodeLost {
                    url: reader.chain().url().into(),
                    reason: "it closed the connection".into(),
                });
            }
        }
    }
}

/// Asks the trainer, for ever.
pub async fn trainer(target: &Target, seen: &Sender<Seen>) {
    loop {
        match ask(target).await {
            Ok(Some(status)) => seen.send_modify(|seen| seen.heard(status)),
            // It isn't known where it is, and that doesn't change.
            Ok(None) => pending().await,
            Err(error) => seen.send_modify(|seen| {
                let link = seen.trainer.take().unwrap_or(Link::Starting);
                seen.trainer = Some(link.failed(SystemTime::now(), error.to_string()));
            }),
        }
        sleep(TICK).await;
    }
}

async fn ask(target: &Target) -> Result<Option<Status>, Error> {
    match target.trainer()? {
        Some(trainer) => trainer.status().await.map(Some),
        None => Ok(None),
    }
}
