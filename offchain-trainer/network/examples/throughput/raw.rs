//! The same transport (TCP, Noise, Yamux with our frames) and the same disk work in the same threads, with nothing verified: what there is to lose by
//! verifying.

use crate::{Outcome, process};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_network::{Keypair, Multiaddr, buffered::Buffered, muxer};
use libp2p::{
    Stream, StreamProtocol, Swarm, SwarmBuilder, Transport, core::upgrade::Version, multiaddr::Protocol,
    noise, swarm::SwarmEvent, tcp,
};
use std::{fs::File, os::unix::fs::FileExt, path::PathBuf, sync::Arc, time::Instant};

const PROTOCOL: StreamProtocol = StreamProtocol::new("/hydra/raw/1");
/// As many as a fetch uses with one peer.
const STREAMS: u64 = 2;
const PIECE: usize = 1 << 20;

fn swarm() -> Outcome<Swarm<libp2p_stream::Behaviour>> {
    let keypair = Keypair::generate_ed25519();
    let noise = noise::Config::new(&keypair)?;
    let tcp = tcp::tokio::Transport::new(tcp::Config::default().nodelay(true))
        .map(|stream, _| Buffered::new(stream))
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(muxer::Config::new(64, 32 << 20));
    let swarm = SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_other_transport(|_| tcp)?
        .with_behaviour(|_| libp2p_stream::Behaviour::new())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(std::time::Duration::MAX))
        .build();
    Ok(swarm)
}

pub async fn provide(path: PathBuf) -> Outcome {
    let file = Arc::new(File::open(path)?);
    let mut swarm = swarm()?;
    swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse()?)?;
    let mut incoming = swarm.behaviour().new_control().accept(PROTOCOL)?;
    let id = *swarm.local_peer_id();
    tokio::spawn(async move {
        loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                println!("ready {}", address.with(Protocol::P2p(id)));
            }
        }
    });
    tokio::spawn(async move {
        while let Some((_, stream)) = incoming.next().await {
            tokio::spawn(send(stream, file.clone()));
        }
    });
    tokio::task::spawn_blocking(process::until_input_ends).await?;
    Ok(())
}

/// Is told which of so many streams it is, and sends that part of the file.
async fn send(mut stream: Stream, file: Arc<File>) -> Outcome {
    let mut nth = [0];
    stream.read_exact(&mut nth).await?;
    let size = file.metadata()?.len();
    let part = size.div_ceil(STREAMS);
    let (mut at, end) = (
        u64::from(nth[0]) * part,
        ((u64::from(nth[0]) + 1) * part).min(size),
    );
    stream.write_all(&at.to_le_bytes()).await?;
    stream.write_all(&(end - at).to_le_bytes()).await?;
    let read = |at: u64| {
        let file = file.clone();
        let len = (end - at).min(PIECE as u64) as usize;
        tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; len];
            file.read_exact_at(&mut piece, at).map(|()| piece)
        })
    };
    let mut next = (at < end).then(|| read(at));
    while let Some(piece) = next.take() {
        let piece = piece.await??;
        at += piece.len() as u64;
        if at < end {
            next = Some(read(at));
        }
        stream.write_all(&piece).await?;
    }
    stream.close().await?;
    Ok(())
}

pub async fn get(dir: PathBuf, address: &str) -> Outcome {
    let address: Multiaddr = address.parse()?;
    let file = Arc::new(File::create(dir.join("raw"))?);
    let mut swarm = swarm()?;
    let Some(Protocol::P2p(peer)) = address.iter().last() else {
        return Err("the address names nobody".into());
    };
    let control = swarm.behaviour().new_control();
    swarm.dial(address)?;
    while !matches!(
        swarm.select_next_some().await,
        SwarmEvent::ConnectionEstablished { .. }
    ) {}
    tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    let began = Instant::now();
    let mut parts = tokio::task::JoinSet::new();
    for nth in 0..STREAMS {
        let stream = control
            .clone()
            .open_stream(peer, PROTOCOL)
            .await
            .map_err(|e| e.to_string())?;
        parts.spawn(receive(stream, nth, file.clone()));
    }
    let mut bytes = 0;
    while let Some(part) = parts.join_next().await {
        bytes += part??;
    }
    file.sync_data()?;
    process::got(bytes, began.elapsed());
    Ok(())
}

async fn receive(mut stream: Stream, nth: u64, file: Arc<File>) -> Outcome<u64> {
    stream.write_all(&[nth as u8]).await?;
    stream.flush().await?;
    let (mut start, mut len) = ([0; 8], [0; 8]);
    stream.read_exact(&mut start).await?;
    stream.read_exact(&mut len).await?;
    let (start, len) = (u64::from_le_bytes(start), u64::from_le_bytes(len));
    let mut done = 0;
    let mut spare = Vec::new();
    let mut before: Option<tokio::task::JoinHandle<std::io::Result<Vec<u8>>>> = None;
    while done < len {
        let mut piece: Vec<u8> = std::mem::take(&mut spare);
        piece.resize((len - done).min(PIECE as u64) as usize, 0);
        stream.read_exact(&mut piece).await?;
        if let Some(before) = before.take() {
            spare = before.await??;
        }
        let (file, at) = (file.clone(), start + done);
        done += piece.len() as u64;
        before = Some(tokio::task::spawn_blocking(move || {
            file.write_all_at(&piece, at).map(|()| piece)
        }));
    }
    if let Some(before) = before {
        before.await??;
    }
    Ok(len)
}
