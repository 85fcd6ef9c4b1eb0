//! Many nodes of the real discovery, slots and gossip in one process, some of them hostile: they start, settle, and are looked at.

use super::{
    draw::Draw,
    figures::{Figures, Honest, Log, Plan},
    hostile::{self, Kind, World},
    load::{BUSY, Load},
    measured::{announce, counts, look_up, middle, slots},
    memory_ip::{Hub, address},
    population::{hostile_nodes, name},
    talk::talk,
};
use hydra_blobs::BlobStore;
use hydra_network::{
    Keypair, Limits, Member, Multiaddr, Network, NetworkConfig, PeerId,
    discovery::{self, record},
    gossip::{GossipCounts, Heard},
    manager, reach,
};
use libp2p::Transport;
use std::{
    collections::HashSet,
    net::SocketAddrV4,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{task::AbortHandle, time::Instant};

/// Nodes that everybody is told of at the start.
const BOOT: usize = 8;
/// Honest nodes that the chain comes to know at a time.
const REGISTER: usize = 50;

/// Runs it.
pub async fn run(plan: Plan) -> Figures {
    let began = Instant::now();
    let mut draw = Draw::new(plan.seed);
    let hub = Hub::default();
    let mut taken = HashSet::new();
    let bad = plan.nodes * 3 / 10;
    let good = plan.nodes - bad;
    let honest: Vec<(Keypair, SocketAddrV4)> = (0..good)
        .map(|_| (draw.keypair(), draw.address(&mut taken)))
        .collect();
    let known: Vec<(PeerId, SocketAddrV4)> = honest
        .iter()
        .map(|(keypair, at)| (keypair.public().to_peer_id(), *at))
        .collect();
    // Two that are surrounded: no boot nodes.
    let victims: Vec<PeerId> = known.iter().skip(BOOT).take(2).map(|(peer, _)| *peer).collect();
    let hostile = hostile_nodes(bad, &victims, &mut draw, &mut taken);
    let circle: Vec<(PeerId, SocketAddrV4)> = hostile
        .iter()
        .filter(|(kind, ..)| *kind == Kind::Eclipse)
        .map(|(_, keypair, at)| (keypair.public().to_peer_id(), *at))
        .collect();
    let world = World {
        hub: hub.clone(),
        network: "thousand".into(),
        honest: Arc::new(known.clone()),
        circle: Arc::new(circle),
        flood: Arc::new(AtomicBool::new(false)),
    };

    let folder = tempfile::tempdir().ok();
    let path = folder
        .as_ref()
        .map_or_else(std::env::temp_dir, |folder| folder.path().to_owned());
    let store = match BlobStore::open(&path) {
        Ok(store) => Arc::new(store),
        Err(error) => panic!("no store in {}: {error}", path.display()),
    };
    let boot: Vec<Multiaddr> = known
        .iter()
        .take(BOOT)
        .map(|(peer, at)| address(*at).with_p2p(*peer).unwrap_or_else(|address| address))
        .collect();
    let members: Vec<Member> = known
        .iter()
        .map(|(peer, _)| Member {
            peer: *peer,
            weight: 1,
        })
        .collect();

    // Hostile ones come in between, so that some are there before most of the honest.
    let mut nodes = Vec::new();
    let mut tasks: Vec<(Kind, PeerId, SocketAddrV4, AbortHandle)> = Vec::new();
    let log = Log::default();
    let mut bad_ones = hostile.into_iter();
    let pause = Duration::from_secs_f64(1.0 / plan.starts);
    let mut next = Instant::now();
    let load = Load::watch(plan.slower);
    let handles = Arc::new(Mutex::new(Vec::new()));
    let talk = plan
        .talk
        .then(|| tokio::spawn(talk(handles.clone(), hub.clone(), plan.slower, began)));
    for (at, (keypair, socket)) in honest.into_iter().enumerate() {
        let node = start(
            &hub,
            &store,
            keypair,
            socket,
            &boot,
            plan.seed + at as u64,
            &mut draw,
        )
        .await;
        listen(&node, &log);
        handles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(node.net.clone());
        nodes.push(node);
        // The chain knows those who came, and some who are about to.
        let registered = (at / REGISTER + 1) * REGISTER;
        let newly = if at % REGISTER == 0 { 0 } else { at };
        for node in nodes.iter().skip(newly) {
            node.net.set_members(members.iter().take(registered).copied());
        }
        next = wait(next + pause, &load).await;
        while at >= BOOT && tasks.len() * good < bad * (at + 1) {
            let Some((kind, keypair, socket)) = bad_ones.next() else {
                break;
            };
            let peer = keypair.public().to_peer_id();
            let task = tokio::spawn(hostile::run(world.clone(), kind, keypair, socket, draw.number()));
            tasks.push((kind, peer, socket, task.abort_handle()));
            next = wait(next + pause, &load).await;
        }
    }
    let settled = settle(&nodes, plan.settle, &load).await;
    for (kind, peer, socket, task) in &tasks {
        if *kind == Kind::Vanishing {
            task.abort();
            hub.silence(*socket, *peer);
        }
    }
    if plan.talk {
        let how = if settled { "settled" } else { "not settled in time" };
        eprintln!("{} s: {how}", began.elapsed().as_secs());
    }

    let mut figures = Figures {
        honest: nodes.len(),
        settled,
        ..Figures::default()
    };
    for (kind, ..) in &tasks {
        *figures.hostile.entry(name(*kind)).or_default() += 1;
    }
    let mut tables: Vec<usize> = nodes.iter().map(|node| node.net.discovery().table).collect();
    tables.sort_unstable();
    figures.table = (tables.first().copied().unwrap_or(0), middle(&tables));

    look_up(&nodes, &victims, &plan, &load, &mut draw, &mut figures).await;
    if plan.talk {
        eprintln!(
            "{} s: {} of {} look-ups found their node",
            began.elapsed().as_secs(),
            figures.found,
            figures.pairs
        );
    }
    figures.quiet = announce(&nodes, &log, &plan, &mut draw).await;
    let before = counts(&nodes).await;
    world.flood.store(true, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(2)).await;
    figures.flooded = announce(&nodes, &log, &plan, &mut draw).await;
    world.flood.store(false, Ordering::Relaxed);
    let after = counts(&nodes).await;
    let honest: HashSet<PeerId> = nodes.iter().map(|node| node.peer).collect();
    figures.strange = log
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .filter(|((author, _), _)| !honest.contains(author))
        .map(|(_, heard)| heard.len() as u64)
        .sum();
    let ignored = |counts: &[GossipCounts]| counts.iter().map(|counts| counts.ignored).sum::<u64>();
    figures.ended = ignored(&after) - ignored(&before);
    if plan.talk {
        let rejected: u64 = after.iter().map(|counts| counts.rejected).sum();
        eprintln!(
            "{} s: announced; {} strange ones ended at once, {rejected} wrong ones",
            began.elapsed().as_secs(),
            figures.ended
        );
    }
    figures.slots = slots(&nodes);
    figures.took = began.elapsed();
    if let Some(talk) = talk {
        talk.abort();
    }
    for (.., task) in tasks {
        task.abort();
    }
    for node in &nodes {
        node.net.shutdown().await;
    }
    figures
}

/// Until `next`, and until the computer has time again; when that was, so that nobody who waited comes in a heap.
async fn wait(next: Instant, load: &Load) -> Instant {
    tokio::time::sleep_until(next).await;
    load.below(BUSY).await;
    next.max(Instant::now() - Duration::from_secs(1))
}

async fn start(
    hub: &Hub,
    store: &Arc<BlobStore>,
    keypair: Keypair,
    at: SocketAddrV4,
    boot: &[Multiaddr],
    seed: u64,
    draw: &mut Draw,
) -> Honest {
    let peer = keypair.public().to_peer_id();
    let mut some = Vec::new();
    for _ in 0..3 {
        some.extend(draw.one_of(boot).cloned());
    }
    let config = NetworkConfig {
        listen: vec![address(at)],
        bootstrap: some,
        limits: Limits {
            ask_time: Duration::from_secs(3600),
            ..Limits::default()
        },
        discovery: discovery::Config {
            network: Some("thousand".into()),
            server: Some(true),
            ..discovery::Config::default()
        },
        manager: manager::Config {
            // Nothing is encrypted here, so it costs little to connect again; and each connection that waits costs as much as at home.
            idle: Duration::from_secs(3),
            ..manager::Config::default()
        },
        // All of them are reached directly: relays and trials are for others to measure.
        reach: reach::Config {
            autonat: false,
            relay_client: false,
            relay_server: false,
            dcutr: false,
            port_mapping: false,
            ..reach::Config::default()
        },
        seed: Some(seed),
        ..NetworkConfig::new(keypair)
    };
    let transport = hub.transport(peer, *at.ip()).boxed();
    match Network::start_over(config, store.clone(), transport).await {
        Ok(net) => Honest { net, peer, at },
        Err(error) => panic!("{error}"),
    }
}

fn listen(node: &Honest, log: &Log) {
    let (mut announcements, log, own) = (node.net.announcements(), log.clone(), node.peer);
    tokio::spawn(async move {
        while let Ok(Heard {
            author,
            via,
            sequence,
            ..
        }) = announcements.recv().await
        {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.entry((author, sequence)).or_default().insert(own, via);
        }
    });
}

/// Waits until everybody has told where it is, knows some others and passes news on, and most of what they began is done, but no
/// longer than `most`; whether that is so.
async fn settle(nodes: &[Honest], most: Duration, load: &Load) -> bool {
    let until = Instant::now() + most;
    // The second telling comes half a minute after the first, when the table is full.
    while Instant::now() < until {
        let known = nodes.iter().all(|node| {
            let info = node.net.discovery();
            // Whoever is surrounded isn't taken in all places.
            info.published > u64::from(record::PLACES) && info.table >= 4.min(nodes.len() / 4)
        });
        if known && load.now() < BUSY && counts(nodes).await.iter().all(|counts| counts.mesh >= 3) {
            return true;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    false
}
