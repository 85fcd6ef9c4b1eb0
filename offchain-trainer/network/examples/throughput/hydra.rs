//! This protocol, as trainers use it.

use crate::{Outcome, offer::Offer, process};
use hydra_blobs::BlobStore;
use hydra_network::{Keypair, Network, NetworkConfig, Priority, SizeRule};
use std::{sync::Arc, time::Instant};

/// `dir` is a store with one blob.
pub async fn provide(dir: &str) -> Outcome {
    let store = Arc::new(BlobStore::open(dir)?);
    let hash = store.hashes()?.into_iter().next().ok_or("there is no blob")?;
    let size = store.size(hash)?.ok_or("there is no blob")?;
    let config = NetworkConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse()?],
        ..NetworkConfig::new(Keypair::generate_ed25519())
    };
    let network = Network::start(config, store).await?;
    let address = network
        .listen_addresses()
        .into_iter()
        .next()
        .ok_or("it doesn't listen")?;
    println!(
        "ready {}",
        Offer::new(address, hash, size).ok_or("it has no PeerId")?
    );
    tokio::task::spawn_blocking(process::until_input_ends).await?;
    Ok(())
}

/// From all of `providers`, as they said it.
pub async fn get(dir: &str, providers: &[String]) -> Outcome {
    let store = Arc::new(BlobStore::open(format!("{dir}/hydra"))?);
    let network = Network::start(NetworkConfig::new(Keypair::generate_ed25519()), store).await?;
    let (mut ids, mut wanted) = (Vec::new(), None);
    for provider in providers {
        let offer: Offer = provider.parse()?;
        ids.push(offer.peer);
        wanted = Some((offer.blob, offer.size));
        network.dial(offer.address).await?;
    }
    let (hash, size) = wanted.ok_or("there is no provider")?;
    let began = Instant::now();
    let bytes = network
        .fetch_with(hash, SizeRule::Exact(size), ids, Priority::Round)
        .await?;
    process::got(bytes, began.elapsed());
    Ok(())
}
