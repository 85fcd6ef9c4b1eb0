//! The honest one: it gets the same blob again and again.

use crate::{Outcome, besieged};
use hydra_blobs::H256;
use hydra_network::{Multiaddr, Priority, SizeRule};
use libp2p::multiaddr::Protocol;
use std::{
    io::Read,
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How often whom it knows is dialled, and how long after a failure.
const TRIES: usize = 40;
const AGAIN: Duration = Duration::from_millis(250);

/// For so long, from all of `providers`, as they said it; the first one is honest. Says how many bytes came, and how long it took.
pub async fn run(dir: &str, time: Duration, providers: &[String]) -> Outcome {
    let (network, store) = besieged::network(Path::new(dir)).await?;
    let (mut ids, mut blob) = (Vec::new(), None);
    for provider in providers {
        let mut parts = provider.split(',');
        let mut part = || parts.next().ok_or("an address has three parts");
        let address: Multiaddr = part()?.parse()?;
        blob = Some((part()?.parse::<H256>()?, part()?.parse::<u64>()?));
        if let Some(Protocol::P2p(peer)) = address.iter().last() {
            ids.push(peer);
        }
        // A trainer tries again, too.
        let mut tries = 1;
        while let Err(error) = network.dial(address.clone()).await {
            if tries == TRIES {
                return Err(error.into());
            }
            tries += 1;
            sleep(AGAIN).await;
        }
    }
    let (hash, size) = blob.ok_or("there is no provider")?;
    // The way is there, and the disk's cache is warm.
    let get = async || {
        let got = network.fetch_with(hash, SizeRule::Exact(size), ids.clone(), Priority::Round);
        let bytes = got.await?;
        store.remove(hash)?;
        Outcome::Ok(bytes)
    };
    get().await?;
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < time {
        bytes += get().await?;
    }
    let connected = network.peers();
    let liars = ids.iter().skip(1);
    let kept = liars.filter(|id| connected.iter().any(|peer| peer.peer_id == **id));
    println!("got {bytes} {} {}", began.elapsed().as_secs_f64(), kept.count());
    // What it has taken is looked at from outside.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
