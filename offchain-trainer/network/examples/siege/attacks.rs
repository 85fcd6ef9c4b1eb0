//! What a hostile peer may do to whoever gives blobs away, each of it as fast as it can.

use crate::{
    Outcome,
    hostile::{Hostile, gets_in, hostile, kademlia_protocol, may_stay, trainers},
    kademlia,
    offer::Offer,
};
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt, future::try_join_all};
use hydra_blobs::{H256, nth_slice};
use hydra_network::{
    Keypair, Limits, Multiaddr, PeerId,
    wire::{PROTOCOL, Request, encode_request},
};
use libp2p::{Stream, StreamProtocol, multiaddr::Protocol, swarm::SwarmEvent};
use libp2p_stream::Control;
use std::{
    io::{Read, Write as _},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// One of them.
pub struct Kind {
    pub name: &'static str,
    /// "while somebody …"
    pub what: &'static str,
    /// It is banned, however slow the computer: the rest asks for more than it may only if that is fast enough, or looks like a bad line.
    pub banned: bool,
}

pub const KINDS: [Kind; 10] = [
    kind("silent", "opens connections and never says a word"),
    kind("newcomers", "comes with a new name again and again"),
    kind("halves", "begins questions and doesn't end them"),
    kind("unread", "asks for slices and doesn't read them"),
    kind("absent", "asks for blobs that don't exist"),
    banned("garbage", "sends bytes without meaning to every protocol"),
    kind("time", "asks for the time"),
    kind("nodes", "has itself connected with the node behind"),
    banned("records", "stores records that mean nothing, and asks for places"),
    banned("news", "announces what nobody wants to know"),
];

const fn kind(name: &'static str, what: &'static str) -> Kind {
    Kind {
        name,
        what,
        banned: false,
    }
}

const fn banned(name: &'static str, what: &'static str) -> Kind {
    Kind {
        name,
        what,
        banned: true,
    }
}

impl Kind {
    /// How many seconds it lasts, where others last `usual` ones: what is about the stall has to see it end.
    pub fn seconds(&self, usual: u64) -> u64 {
        match self.name {
            "unread" => usual.max(Limits::default().stall.as_secs() + 5),
            _ => usual,
        }
    }
}

/// Where one is led to the node behind.
const NODES: StreamProtocol = StreamProtocol::new("/hydra/node/1");
/// Names that one attack has, but for those that come with a new one each time.
const NAMES: usize = 8;
/// Streams that each of them keeps busy.
const STREAMS: usize = 8;
/// A connection that was closed is made again after so long.
const AGAIN: Duration = Duration::from_millis(100);
/// Connections of whoever has left are known to be gone after so long.
const GONE: Duration = Duration::from_millis(500);
/// Whoever was turned away comes once more after so long: less than the shortest ban.
const ONCE_MORE: Duration = Duration::from_secs(2);

/// How often something came of it.
#[derive(Default)]
struct Counts {
    done: AtomicU64,
    closed: AtomicU64,
}

impl Counts {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Until its input ends.
pub async fn run(name: &str, ready: &str) -> Outcome {
    let target: Offer = ready.parse()?;
    let counts = Arc::new(Counts::default());
    let keys: Vec<Keypair> = (0..NAMES).map(|_| Keypair::generate_ed25519()).collect();
    let mut tasks = JoinSet::new();
    match name {
        "silent" => silent(target.address.clone(), counts.clone())?,
        "newcomers" => {
            for _ in 0..NAMES {
                tasks.spawn(newcomers(target.clone(), counts.clone()));
            }
        }
        _ => {
            for key in &keys {
                let mut swarm = hostile(key.clone()).await?;
                gets_in(&mut swarm, target.peer, &target.address).await;
                let control = swarm.behaviour().streams.new_control();
                tasks.spawn(keep(swarm, target.clone(), name.to_owned(), counts.clone()));
                if name != "news" {
                    for nth in 0..STREAMS {
                        let (control, target) = (control.clone(), target.clone());
                        tasks.spawn(ask(control, target, name.to_owned(), nth, counts.clone()));
                    }
                }
            }
        }
    }
    let names: Vec<String> = keys
        .iter()
        .map(|key| key.public().to_peer_id().to_string())
        .collect();
    println!("ready {}", names.join(" "));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    let done = counts.done.load(Ordering::Relaxed);
    let closed = counts.closed.load(Ordering::Relaxed);
    let end = match name {
        "silent" => format!("{done} connections, {closed} closed"),
        "newcomers" => format!("{done} came, {closed} didn't get in"),
        _ => {
            // They would come back in between, and of two connections of one name the older one is closed, too.
            tasks.shutdown().await;
            sleep(GONE).await;
            match kept_out(&keys, &target).await? {
                Some(kept_out) => format!("{done} times; {kept_out} of {NAMES} kept out"),
                None => format!("{done} times; a stranger isn't let in, either"),
            }
        }
    };
    println!("ended {end}");
    std::io::stdout().flush()?;
    // Threads may still read; nobody waits for them.
    std::process::exit(0)
}

/// How many of them are banned, as far as that is seen from outside. `None` if somebody who has done nothing can't stay, either: then it
/// isn't seen.
async fn kept_out(keys: &[Keypair], target: &Offer) -> Outcome<Option<usize>> {
    let stranger = Keypair::generate_ed25519();
    let all = keys.iter().chain([&stranger]);
    let mut all = try_join_all(all.map(|key| is_kept_out(key.clone(), target))).await?;
    let stranger = all.pop();
    let kept_out = all.into_iter().filter(|kept_out| *kept_out).count();
    Ok((stranger == Some(false)).then_some(kept_out))
}

/// Whether its connection is refused or closed at once, and the next one as well.
async fn is_kept_out(key: Keypair, target: &Offer) -> Outcome<bool> {
    let mut swarm = hostile(key).await?;
    for pause in [Duration::ZERO, ONCE_MORE] {
        sleep(pause).await;
        if may_stay(&mut swarm, target.peer, &target.address).await {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps a connection, and does what needs more than streams.
async fn keep(mut swarm: Hostile, target: Offer, name: String, counts: Arc<Counts>) {
    let mut count: u64 = 0;
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    swarm
        .behaviour_mut()
        .kad
        .add_address(&target.peer, target.address.clone());
    loop {
        tokio::select! {
            event = swarm.select_next_some() => {
                if let SwarmEvent::ConnectionClosed { peer_id, num_established: 0, .. } = event
                    && peer_id == target.peer
                {
                    Counts::add(&counts.closed);
                    while !gets_in(&mut swarm, target.peer, &target.address).await {
                        sleep(AGAIN).await;
                    }
                }
            }
            _ = tick.tick(), if name == "news" => {
                count += 1;
                // A stranger's, well made, and one that is none.
                let message = match count % 5 {
                    0 => vec![1; 200],
                    _ => codec::Encode::encode(&(1u8, count, 1u8)),
                };
                let gossip = &mut swarm.behaviour_mut().gossip;
                if gossip.publish(trainers().hash(), message).is_ok() {
                    Counts::add(&counts.done);
                }
            }
        }
    }
}

/// One stream after the other.
async fn ask(mut control: Control, target: Offer, name: String, nth: usize, counts: Arc<Counts>) {
    for turn in nth.. {
        let protocol = match name.as_str() {
            "time" => StreamProtocol::new("/hydra/time/1"),
            "nodes" => NODES,
            "garbage" => any_protocol(turn),
            "records" => kademlia_protocol().unwrap_or(PROTOCOL),
            _ => PROTOCOL,
        };
        match control.open_stream(target.peer, protocol).await {
            Ok(stream) => {
                // However it ends, the next one follows.
                let _ = on_stream(stream, &target, &name, &counts).await;
            }
            Err(_) => sleep(AGAIN).await,
        }
    }
}

fn any_protocol(turn: usize) -> StreamProtocol {
    match turn % 9 {
        0 => PROTOCOL,
        1 => NODES,
        2 => StreamProtocol::new("/hydra/time/1"),
        3 => kademlia_protocol().unwrap_or(PROTOCOL),
        4 => StreamProtocol::new("/meshsub/1.1.0"),
        5 => StreamProtocol::new("/ipfs/id/push/1.0.0"),
        6 => StreamProtocol::new("/libp2p/circuit/relay/0.2.0/hop"),
        7 => StreamProtocol::new("/libp2p/autonat/2/dial-request"),
        _ => StreamProtocol::new("/libp2p/autonat/2/dial-back"),
    }
}

async fn on_stream(mut stream: Stream, target: &Offer, name: &str, counts: &Counts) -> std::io::Result<()> {
    match name {
        "halves" => {
            let request = encode_request(&Request::Have { hash: target.blob });
            stream.write_all(request.get(..10).unwrap_or_default()).await?;
            stream.flush().await?;
            Counts::add(&counts.done);
            // Until the other side has had enough.
            stream.read_exact(&mut [0]).await
        }
        "unread" => {
            let ranges = (0..8).filter_map(nth_slice).collect();
            let hash = target.blob;
            stream
                .write_all(&encode_request(&Request::Get { hash, ranges }))
                .await?;
            stream.flush().await?;
            Counts::add(&counts.done);
            // One byte now and then, to seem alive.
            loop {
                sleep(Duration::from_secs(1)).await;
                stream.read_exact(&mut [0]).await?;
            }
        }
        "absent" => loop {
            let hash = H256(*blake3::hash(&PeerId::random().to_bytes()).as_bytes());
            stream.write_all(&encode_request(&Request::Have { hash })).await?;
            stream.flush().await?;
            stream.read_exact(&mut [0]).await?;
            Counts::add(&counts.done);
        },
        "garbage" => {
            let mut bytes = vec![0; 64 << 10];
            blake3::Hasher::new()
                .update(&PeerId::random().to_bytes())
                .finalize_xof()
                .fill(&mut bytes);
            Counts::add(&counts.done);
            stream.write_all(&bytes).await?;
            stream.close().await?;
            // What it says to that.
            let answer = stream.read_to_end(&mut bytes);
            timeout(Duration::from_secs(1), answer)
                .await
                .ok()
                .transpose()
                .map(drop)
        }
        "records" => loop {
            let place = PeerId::random().to_bytes();
            kademlia::ask(&mut stream, &kademlia::put_value(&place, &[1; 900])).await?;
            kademlia::ask(&mut stream, &kademlia::find_node(&place)).await?;
            Counts::add(&counts.done);
        },
        "nodes" => {
            stream.write_all(&[1]).await?;
            stream.flush().await?;
            stream.read_exact(&mut [0]).await?;
            Counts::add(&counts.done);
            Ok(())
        }
        _ => {
            stream.write_all(&[0]).await?;
            stream.flush().await?;
            stream.read_exact(&mut [0; 8]).await?;
            Counts::add(&counts.done);
            Ok(())
        }
    }
}

/// Comes as somebody new, and leaves.
async fn newcomers(target: Offer, counts: Arc<Counts>) {
    loop {
        let Ok(mut swarm) = hostile(Keypair::generate_ed25519()).await else {
            return;
        };
        Counts::add(match gets_in(&mut swarm, target.peer, &target.address).await {
            true => &counts.done,
            false => &counts.closed,
        });
    }
}

/// Two hundred connections without a word, each made again when it is closed.
fn silent(address: Multiaddr, counts: Arc<Counts>) -> Outcome {
    let mut parts = address.iter();
    let (Some(Protocol::Ip4(ip)), Some(Protocol::Tcp(port))) = (parts.next(), parts.next()) else {
        return Err("the address isn't one of TCP".into());
    };
    for _ in 0..200 {
        let counts = counts.clone();
        std::thread::spawn(move || {
            loop {
                if let Ok(mut stream) = TcpStream::connect((ip, port)) {
                    Counts::add(&counts.done);
                    // Closed or reset, whichever the system says.
                    let _ = stream.read_to_end(&mut Vec::new());
                    Counts::add(&counts.closed);
                }
                std::thread::sleep(AGAIN);
            }
        });
    }
    Ok(())
}
