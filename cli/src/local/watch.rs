//! Follows a local network through whichever of its nodes answers, and reports every change.
//!
//! Nodes come and go while it watches (tests kill them); it never gives up, it moves on to the next.

use hydra_primitives::{AccountBytes, ModelId, status::RoundSummary};
use std::time::Duration;
use tokio::{sync::watch, time::sleep};

use super::progress::Snapshot;
use crate::{
    chain::Chain,
    error::Error,
    output,
    report::{accounts, models},
};

/// Pause before the next node is tried. There is no event for "a node begins to listen".
const RETRY: Duration = Duration::from_millis(200);

/// Follows the network until nobody wants to know any more.
pub async fn follow(urls: Vec<String>, known: Vec<AccountBytes>, changes: watch::Sender<Option<Snapshot>>) {
    let mut told = false;
    for url in urls.iter().cycle() {
        // A node that is gone is reported where its process ends, and there is another one to try. One that is there
        // and can't be understood would leave everybody wondering.
        if let Err(error @ Error::NotHydra { .. }) = follow_one(url, &known, &changes).await
            && !told
        {
            output::note(&format!("can't follow the network: {error}"));
            told = true;
        }
        if changes.is_closed() {
            return;
        }
        sleep(RETRY).await;
    }
}

async fn follow_one(
    url: &str,
    known: &[AccountBytes],
    changes: &watch::Sender<Option<Snapshot>>,
) -> Result<(), Error> {
    let chain = Chain::connect(url).await?;
    let mut best = chain.new_heads().await?;
    let mut finalised = chain.finalised_heads().await?;
    let mut snapshot = Snapshot::default();
    loop {
        let final_changed = tokio::select! {
            () = changes.closed() => return Ok(()),
            head = best.next() => match head {
                Some(Ok(_)) => false,
                _ => return Ok(()),
            },
            head = finalised.next() => match head {
                Some(Ok(_)) => true,
                _ => return Ok(()),
            },
        };
        if final_changed || snapshot.final_models.is_empty() {
            let block = chain.finalised().await?;
            snapshot.finalised = block.number;
            snapshot.final_models = models::read(&chain, block.hash).await?;
        }
        let block = chain.best().await?;
        if block.number != snapshot.block {
            let mut shown = chain.registered(accounts::MOST, block.hash).await?;
            shown.extend(known);
            shown.sort_unstable();
            shown.dedup();
            snapshot.block = block.number;
            snapshot.models = models::read(&chain, block.hash).await?;
            snapshot.accounts = accounts::read(&chain, &shown, block.hash).await?;
        }
        if changes.send(Some(snapshot.clone())).is_err() {
            return Ok(());
        }
    }
}

/// A model and the records of its rounds.
pub type RoundsOf = (ModelId, Vec<RoundSummary<AccountBytes>>);

/// The records of all rounds of all models, from the first node that answers.
pub async fn rounds(urls: &[String]) -> Result<Vec<RoundsOf>, Error> {
    async fn read(url: &str) -> Result<Vec<RoundsOf>, Error> {
        let chain = Chain::connect(url).await?;
        let at = chain.best().await?.hash;
        let mut all = Vec::new();
        for model in chain.models(at).await? {
            all.push((model, chain.rounds(model, at).await?));
        }
        Ok(all)
    }
    let mut reason = String::from("no node is left running");
    for url in urls {
        match read(url).await {
            Ok(rounds) => return Ok(rounds),
            Err(error) => reason = error.to_string(),
        }
    }
    Err(Error::NoTable { reason })
}
