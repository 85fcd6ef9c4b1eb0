//! A round of small updates from many peers over a slow line: how long it takes, and how often something goes to and fro.
//!
//! There is no slow line on one computer, so between every two peers stands one who passes on what he gets a little later.

use crate::Outcome;
use hydra_blobs::BlobStore;
use hydra_network::{Keypair, Multiaddr, Network, NetworkConfig, NetworkHandle, Priority, SizeRule};
use libp2p::multiaddr::Protocol;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const PEERS: usize = 32;
const UPDATE: usize = 19_000;

pub async fn run() -> Outcome {
    println!();
    println!("A round of {PEERS} updates of {UPDATE} bytes from {PEERS} peers:");
    println!();
    println!("| round trip | first updates | round trips | next updates | round trips |");
    println!("|---|---|---|---|---|");
    for trip in [0, 50, 150] {
        let (first, next) = measure(Duration::from_millis(trip)).await?;
        let trips = |time: Duration| match trip {
            0 => "–".into(),
            trip => format!("{:.1}", time.as_secs_f64() * 1000.0 / trip as f64),
        };
        let ms = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1000.0);
        println!(
            "| {trip} ms | {} | {} | {} | {} |",
            ms(first),
            trips(first),
            ms(next),
            trips(next)
        );
    }
    Ok(())
}

/// How long the first update of each takes, and the next one, when `trip` is the time there and back.
async fn measure(trip: Duration) -> Outcome<(Duration, Duration)> {
    let mut dirs = Vec::new();
    let mut start = async |listen: Vec<Multiaddr>| -> Outcome<(NetworkHandle, Arc<BlobStore>)> {
        let dir = TempDir::new()?;
        let store = Arc::new(BlobStore::open(dir.path())?);
        dirs.push(dir);
        let config = NetworkConfig {
            listen,
            ..NetworkConfig::new(Keypair::generate_ed25519())
        };
        Ok((Network::start(config, store.clone()).await?, store))
    };
    let (target, _) = start(vec![]).await?;
    let mut peers = Vec::new();
    for peer in 0..PEERS {
        let (network, store) = start(vec!["/ip4/127.0.0.1/tcp/0".parse()?]).await?;
        let address = network
            .listen_addresses()
            .into_iter()
            .next()
            .ok_or("it doesn't listen")?;
        let hashes = [0, 1].map(|update| {
            let mut bytes = vec![0; UPDATE];
            blake3::Hasher::new()
                .update(&[update, peer as u8])
                .finalize_xof()
                .fill(&mut bytes);
            store.put(&bytes)
        });
        let [first, next] = hashes;
        target.dial(slowed(address, trip / 2).await?).await?;
        peers.push((network, first?, next?));
    }
    let mut times = Vec::new();
    for update in 0..2 {
        let began = Instant::now();
        let fetches = peers.iter().map(|(peer, first, next)| {
            let hash = if update == 0 { *first } else { *next };
            let from = vec![peer.local_peer_id()];
            target.fetch_with(hash, SizeRule::Exact(UPDATE as u64), from, Priority::Round)
        });
        for fetched in futures::future::join_all(fetches).await {
            fetched?;
        }
        times.push(began.elapsed());
    }
    Ok((times[0], times[1]))
}

/// An address that leads to `address`, `later` in each direction.
async fn slowed(address: Multiaddr, later: Duration) -> Outcome<Multiaddr> {
    let mut port = None;
    for part in &address {
        if let Protocol::Tcp(tcp) = part {
            port = Some(tcp);
        }
    }
    let to = SocketAddr::from(([127, 0, 0, 1], port.ok_or("an address without a port")?));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let at = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let Ok(far) = TcpStream::connect(to).await else {
                continue;
            };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pass_on(near_in, far_out, later));
            tokio::spawn(pass_on(far_in, near_out, later));
        }
    });
    let slowed = address.iter().map(|part| match part {
        Protocol::Tcp(_) => Protocol::Tcp(at),
        other => other,
    });
    Ok(slowed.collect())
}

async fn pass_on(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    later: Duration,
) {
    let (queue, mut queued) = mpsc::channel::<(tokio::time::Instant, Vec<u8>)>(4096);
    tokio::spawn(async move {
        while let Some((due, bytes)) = queued.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let due = tokio::time::Instant::now() + later;
        if queue.send((due, buffer[..read].to_vec())).await.is_err() {
            return;
        }
    }
}
