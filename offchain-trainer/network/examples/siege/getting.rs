//! The honest one: it gets the same blob again and again.

use crate::{Outcome, besieged, offer::Offer};
use hydra_network::{PeerId, Priority, SizeRule};
use std::{
    io::Read,
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// How often whom it knows is dialled, and how long after a failure.
const TRIES: usize = 40;
const AGAIN: Duration = Duration::from_millis(250);

/// For so long, from all of `providers`, as they said it; the first one is honest. Says how many bytes came, how long it took, how
/// many liars were banned, and how often.
pub async fn run(dir: &str, time: Duration, providers: &[String]) -> Outcome {
    let (network, store) = besieged::network(Path::new(dir)).await?;
    let providers: Vec<Offer> = providers
        .iter()
        .map(|provider| provider.parse())
        .collect::<Outcome<_>>()?;
    for provider in &providers {
        // A trainer tries again, too.
        let mut tries = 1;
        while let Err(error) = network.dial(provider.address.clone()).await {
            if tries == TRIES {
                return Err(error.into());
            }
            tries += 1;
            sleep(AGAIN).await;
        }
    }
    let &Offer { blob, size, .. } = providers.last().ok_or("there is no provider")?;
    let ids: Vec<PeerId> = providers.iter().map(|provider| provider.peer).collect();
    // The way is there, and the disk's cache is warm.
    let get = async || {
        let got = network.fetch_with(blob, SizeRule::Exact(size), ids.clone(), Priority::Round);
        let bytes = got.await?;
        store.remove(blob)?;
        Outcome::Ok(bytes)
    };
    get().await?;
    let (began, mut bytes) = (Instant::now(), 0);
    while began.elapsed() < time {
        bytes += get().await?;
    }
    let took = began.elapsed().as_secs_f64();
    let banned = network.banned().await;
    let of_liars = banned.iter().filter(|banned| ids[1..].contains(&banned.peer));
    let (count, times) = of_liars.fold((0, 0), |(count, times), banned| (count + 1, times + banned.times));
    if banned.iter().any(|banned| banned.peer == ids[0]) {
        return Err("the honest one was banned".into());
    }
    println!("got {bytes} {took} {count} {times}");
    // What it has taken is looked at from outside.
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(())
}
