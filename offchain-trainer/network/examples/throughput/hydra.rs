//! This protocol, as trainers use it.

use crate::{Outcome, process};
use hydra_blobs::{BlobStore, H256};
use hydra_network::{Keypair, Multiaddr, Network, NetworkConfig, Priority, SizeRule};
use libp2p::multiaddr::Protocol;
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
    println!("ready {address},{hash:?},{size}");
    tokio::task::spawn_blocking(process::until_input_ends).await?;
    Ok(())
}

/// From all of `providers`, as they said it.
pub async fn get(dir: &str, providers: &[String]) -> Outcome {
    let store = Arc::new(BlobStore::open(format!("{dir}/hydra"))?);
    let network = Network::start(NetworkConfig::new(Keypair::generate_ed25519()), store).await?;
    let (mut ids, mut blob) = (Vec::new(), None);
    for provider in providers {
        let mut parts = provider.split(',');
        let mut part = || parts.next().ok_or("an address has three parts");
        let address: Multiaddr = part()?.parse()?;
        blob = Some((part()?.parse::<H256>()?, part()?.parse::<u64>()?));
        if let Some(Protocol::P2p(peer)) = address.iter().last() {
            ids.push(peer);
        }
        network.dial(address).await?;
    }
    let (hash, size) = blob.ok_or("there is no provider")?;
    let began = Instant::now();
    let bytes = network
        .fetch_with(hash, SizeRule::Exact(size), ids, Priority::Round)
        .await?;
    process::got(bytes, began.elapsed());
    Ok(())
}
