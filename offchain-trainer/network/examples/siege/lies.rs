//! What a hostile peer may do to whoever gets a blob from it.

use crate::{
    Outcome,
    hostile::{Hostile, hostile},
    offer::Offer,
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_blobs::{Availability, SliceSet, slice_len};
use hydra_network::{
    Keypair,
    wire::{
        PROTOCOL, REQUEST_HEAD, RequestHead, decode_head, decode_ranges, encode_availability, encode_found,
        ranges_len,
    },
};
use libp2p::{Stream, multiaddr::Protocol};
use std::{io, time::Duration};
use tokio::time::sleep;

/// One of them.
pub struct Kind {
    pub name: &'static str,
    /// "while 3 of 4 providers …"
    pub what: &'static str,
    /// It is banned: the rest looks like a bad line.
    pub banned: bool,
}

pub const KINDS: [Kind; 4] = [
    Kind {
        name: "wrong",
        what: "send other bytes",
        banned: true,
    },
    Kind {
        name: "trickle",
        what: "send 1 KiB a second",
        banned: false,
    },
    Kind {
        name: "mute",
        what: "take questions and never answer",
        banned: false,
    },
    Kind {
        name: "leave",
        what: "close the stream in the middle of an answer",
        banned: false,
    },
];

/// Until its input ends.
pub async fn run(name: &str, ready: &str) -> Outcome {
    let mut swarm = hostile(Keypair::generate_ed25519()).await?;
    let mut incoming = swarm.behaviour().streams.new_control().accept(PROTOCOL)?;
    let Offer { blob, size, .. } = ready.parse()?;
    let offer = listening(&mut swarm).and_then(|address| Offer::new(address, blob, size));
    println!("ready {}", offer.ok_or("it doesn't listen")?);
    let name = name.to_owned();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = swarm.select_next_some() => {}
                Some((_, stream)) = incoming.next() => {
                    let name = name.clone();
                    tokio::spawn(async move { answer(stream, &name, size).await });
                }
            }
        }
    });
    tokio::task::spawn_blocking(|| io::Read::read_to_end(&mut io::stdin(), &mut Vec::new())).await??;
    Ok(())
}

fn listening(swarm: &mut Hostile) -> Option<libp2p::Multiaddr> {
    let address = swarm.listeners().next()?.clone();
    Some(address.with(Protocol::P2p(*swarm.local_peer_id())))
}

/// It has everything, as it says.
async fn answer(mut stream: Stream, name: &str, size: u64) -> Outcome {
    loop {
        let mut head = [0; REQUEST_HEAD];
        stream.read_exact(&mut head).await?;
        if let RequestHead::Have { .. } = decode_head(&head)? {
            let mut all = SliceSet::empty(size)?;
            (0..size.div_ceil(1 << 20)).for_each(|slice| all.insert(slice));
            stream
                .write_all(&encode_availability(&Availability::of(all)))
                .await?;
            stream.flush().await?;
            continue;
        }
        let mut count = [0];
        stream.read_exact(&mut count).await?;
        let mut ranges = vec![0; ranges_len(count[0])?];
        stream.read_exact(&mut ranges).await?;
        let slice = vec![7; 1 << 20];
        match name {
            "wrong" => {
                for range in decode_ranges(&ranges)? {
                    stream.write_all(&encode_found(size)).await?;
                    stream.write_all(&vec![7; slice_len(size, range)?]).await?;
                }
                stream.flush().await?;
            }
            "trickle" => {
                stream.write_all(&encode_found(size)).await?;
                for part in slice.chunks(1024) {
                    stream.write_all(part).await?;
                    stream.flush().await?;
                    sleep(Duration::from_secs(1)).await;
                }
            }
            "leave" => {
                stream.write_all(&encode_found(size)).await?;
                stream.write_all(slice.get(..100_000).unwrap_or_default()).await?;
                stream.close().await?;
                return Ok(());
            }
            _ => {
                // Until the other side has had enough.
                stream.read_exact(&mut [0]).await?;
            }
        }
    }
}
