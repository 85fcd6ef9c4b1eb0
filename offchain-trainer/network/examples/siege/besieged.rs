//! Whoever is under siege: it gives blobs away as a trainer does, its whole network included.

use crate::{Outcome, offer::Offer};
use hydra_blobs::BlobStore;
use hydra_network::{
    Keypair, Limits, Network, NetworkConfig, NetworkHandle, OwnNode, PeerId, discovery, reach,
};
use std::{collections::HashMap, net::TcpListener, path::Path, sync::Arc, thread};
use tokio::io::{AsyncBufReadExt, BufReader};

/// The name of the network that all are of.
pub const NETWORK: &str = "siege";

/// A trainer's network on this computer, in both families. Honest ones come by IPv6 and hostile ones by IPv4: then it is seen that what
/// one address may have is all that they take.
pub async fn network(dir: &Path) -> Outcome<(NetworkHandle, Arc<BlobStore>)> {
    let store = Arc::new(BlobStore::open(dir)?);
    let config = NetworkConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse()?, "/ip6/::1/tcp/0".parse()?],
        discovery: discovery::Config {
            network: Some(NETWORK.into()),
            server: Some(true),
            ..discovery::Config::default()
        },
        reach: reach::Config {
            port_mapping: false,
            quic: false,
            ..reach::Config::default()
        },
        limits: Limits::default(),
        ..NetworkConfig::new(Keypair::generate_ed25519())
    };
    let network = Network::start(config, store.clone()).await?;
    Ok((network, store))
}

/// `dir` is a store with one blob. Until its input ends; for each line of it, which names hostile ones, says how many of them it has banned since the last, how
/// often, and how many others.
pub async fn run(dir: &str) -> Outcome {
    let (network, store) = network(Path::new(dir)).await?;
    let hash = store.hashes()?.into_iter().next().ok_or("there is no blob")?;
    let size = store.size(hash)?.ok_or("there is no blob")?;
    network.set_own_node(Some(node()?));
    let listening = network.listen_addresses();
    let at = |family: &str| {
        let address = listening
            .iter()
            .find(|address| address.to_string().starts_with(family));
        address
            .and_then(|address| Offer::new(address.clone(), hash, size))
            .ok_or(format!("it doesn't listen on {family}"))
    };
    println!("ready {} {}", at("/ip6/")?, at("/ip4/")?);
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let mut before: HashMap<PeerId, u32> = HashMap::new();
    while let Some(line) = input.next_line().await? {
        let hostile: Vec<&str> = line.split_whitespace().collect();
        let (mut peers, mut times, mut others) = (0, 0, 0);
        for banned in network.banned().await {
            let before = before.insert(banned.peer, banned.times).unwrap_or(0);
            let more = banned.times.saturating_sub(before);
            match hostile.contains(&banned.peer.to_string().as_str()) {
                true => {
                    peers += u32::from(more > 0);
                    times += more;
                }
                false => others += u32::from(more > 0),
            }
        }
        println!("banned {peers} {times} {others}");
    }
    Ok(())
}

/// Stands for the node beside it: keeps every connection until the other side ends it.
fn node() -> Outcome<OwnNode> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            thread::spawn(move || drop(std::io::copy(&mut connection, &mut std::io::sink())));
        }
    });
    Ok(OwnNode {
        peer: PeerId::random(),
        port,
    })
}
