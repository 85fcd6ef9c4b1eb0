//! Many nodes of the real discovery, slots and gossip in one process, some of them hostile, and what is seen of them from outside.

use super::{
    draw::Draw,
    hostile::{self, Kind, World},
    load::{Load, busy},
    memory_ip::{Hub, address},
};
use hydra_blobs::BlobStore;
use hydra_network::{
    Keypair, Limits, Member, Multiaddr, Network, NetworkConfig, NetworkHandle, PeerId,
    discovery::{self, Begun, record},
    gossip::{Announcement, GossipCounts, Heard},
    manager::{self, Slot},
    reach,
};
use libp2p::{Transport, kad::KBucketKey};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::{Ipv4Addr, SocketAddrV4},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::{AbortHandle, JoinSet},
    time::Instant,
};

/// What is to be made and measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// All of them, the hostile ones included.
    pub nodes: usize,
    /// Keys, addresses, who is hostile and who looks for whom follow from it.
    pub seed: u64,
    /// Nodes that start each second, at the most: while the computer is busy with those that are there, nobody comes.
    pub starts: f64,
    /// Time for the honest nodes to settle, after all have started, at the most.
    pub settle: Duration,
    /// Pairs of honest nodes: the first looks for the second.
    pub pairs: usize,
    /// Announcements in quiet, and as many again in a flood.
    pub announcements: usize,
    /// Announcements each second.
    pub rate: f64,
    /// Whether to say how far it is.
    pub talk: bool,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
#[allow(dead_code)] // The test prints it; the program reads all of it.
pub struct Figures {
    pub honest: usize,
    pub hostile: BTreeMap<&'static str, usize>,
    /// Peers in tables: least, median.
    pub table: (usize, usize),
    pub pairs: usize,
    /// The record was found, and says where the node is.
    pub found: usize,
    /// Of those that stand in an eclipse.
    pub victims: (usize, usize),
    /// A record was found that isn't the node's newest.
    pub wrong: usize,
    /// Seconds for a look-up: median, 99 of 100, longest.
    pub look_up_s: (f64, f64, f64),
    pub quiet: Reach,
    pub flooded: Reach,
    /// Announcements of hostile nodes that honest ones passed on.
    pub strange: u64,
    /// Those that ended at once where they came, in the flood.
    pub ended: u64,
    pub slots: Slots,
    pub took: Duration,
}

/// How far announcements came.
#[derive(Debug, Clone, Default)]
#[allow(dead_code)] // As above.
pub struct Reach {
    pub announcements: usize,
    /// Of all pairs of announcement and honest node: heard at all, and within 8 hops.
    pub heard: f64,
    pub within_8: f64,
    /// The announcement that fewest heard.
    pub worst: f64,
    pub hops: BTreeMap<usize, usize>,
    /// Copies of an announcement that a node got, on average, beginning with the first.
    pub copies: f64,
}

/// Who has slots at honest nodes.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// Slots of honest nodes: least, median, most.
    pub count: (usize, usize, usize),
    /// Hostile ones among those that nodes chose (long-term and exploratory).
    pub hostile_chosen: f64,
    /// The most of one address, and of one /24, at any node.
    pub one_address: usize,
    pub one_neighbourhood: usize,
    /// Different /16 among a node's slots, in hundredths of its slots: least.
    pub different_16: f64,
}

struct Honest {
    net: NetworkHandle,
    peer: PeerId,
    at: SocketAddrV4,
}

/// Who heard what of whom: author and number, then who heard it, and from whom.
type Log = Arc<Mutex<HashMap<(PeerId, u64), HashMap<PeerId, PeerId>>>>;

/// Nodes that everybody is told of at the start.
const BOOT: usize = 8;
/// Sybils that share an address, each at a port of its own.
const SYBILS_AT_ONE: u16 = 5;
/// Honest nodes that the chain comes to know at a time.
const REGISTER: usize = 50;
/// Look-ups at a time, in all nodes together.
const LOOK_UPS: usize = 8;
/// How long an announcement may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Parts of the computer that may be busy when the next node starts or the next look-up begins. What isn't answered in time is asked
/// again: above this, a computer that can't keep up is measured, and not the network.
const BUSY: f64 = 0.75;

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
    let load = Load::watch();
    let handles = Arc::new(Mutex::new(Vec::new()));
    let talk = plan.talk.then(|| tokio::spawn(talk(handles.clone(), began)));
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
    settle(&nodes, plan.settle, &load).await;
    for (kind, peer, socket, task) in &tasks {
        if *kind == Kind::Vanishing {
            task.abort();
            hub.silence(*socket, *peer);
        }
    }
    if plan.talk {
        eprintln!("{} s: settled", began.elapsed().as_secs());
    }

    let mut figures = Figures {
        honest: nodes.len(),
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

/// Says again and again what the honest nodes search for, and how busy the computer is with all of them.
async fn talk(nodes: Arc<Mutex<Vec<NetworkHandle>>>, began: Instant) {
    const EACH: Duration = Duration::from_secs(20);
    let mut before = (HashMap::<PeerId, Begun>::new(), busy());
    loop {
        tokio::time::sleep(EACH).await;
        let nodes = nodes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = (
            nodes
                .iter()
                .map(|net| (net.local_peer_id(), net.discovery().begun))
                .collect::<HashMap<_, _>>(),
            busy(),
        );
        let sum = |what: fn(&Begun) -> u64| {
            let all = |begun: &HashMap<_, Begun>| begun.values().map(what).sum::<u64>();
            all(&now.0) - all(&before.0)
        };
        let connected: usize = nodes.iter().map(|net| net.peers().len()).sum();
        let table: usize = nodes.iter().map(|net| net.discovery().table).sum();
        eprintln!(
            "{} s: {} honest nodes, {connected} connections, {table} in tables; in {} s {:.0} % busy; peers {} asked for, {} wanted, {} \
             members; searches {} for records, {} for ways, {} walks, {} refreshes, {} tellings, {} for blobs",
            began.elapsed().as_secs(),
            nodes.len(),
            EACH.as_secs(),
            100.0 * (now.1 - before.1) / EACH.as_secs_f64(),
            sum(|begun| begun.asked),
            sum(|begun| begun.wanted),
            sum(|begun| begun.members),
            sum(|begun| begun.records),
            sum(|begun| begun.ways),
            sum(|begun| begun.walks),
            sum(|begun| begun.refreshes),
            sum(|begun| begun.told),
            sum(|begun| begun.blobs),
        );
        before = now;
    }
}

/// Until `next`, and until the computer has time again; when that was, so that nobody who waited comes in a heap.
async fn wait(next: Instant, load: &Load) -> Instant {
    tokio::time::sleep_until(next).await;
    load.below(BUSY).await;
    next.max(Instant::now() - Duration::from_secs(1))
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Vanishing => "vanish after a while",
        Kind::Mute => "never answer",
        Kind::Liar => "give wrong records",
        Kind::Eclipse => "stand around a victim",
        Kind::Sybil => "are of one /24 and pass nothing on",
        Kind::Flooder => "flood",
    }
}

/// As many of each kind as the plan has, mixed.
fn hostile_nodes(
    count: usize,
    victims: &[PeerId],
    draw: &mut Draw,
    taken: &mut HashSet<Ipv4Addr>,
) -> Vec<(Kind, Keypair, SocketAddrV4)> {
    const TURNS: [Kind; 10] = [
        Kind::Vanishing,
        Kind::Eclipse,
        Kind::Liar,
        Kind::Sybil,
        Kind::Mute,
        Kind::Eclipse,
        Kind::Vanishing,
        Kind::Sybil,
        Kind::Liar,
        Kind::Flooder,
    ];
    let mut sybils = 0u16;
    let turns = TURNS.iter().cycle().take(count).enumerate();
    let nodes = turns.map(|(at, kind)| {
        let keypair = match kind {
            // Half of them around where the first record of a victim lies, half around its PeerId.
            Kind::Eclipse => near(victims.get(at % victims.len().max(1)), at % 4 < 2, draw),
            _ => draw.keypair(),
        };
        let at = match kind {
            Kind::Sybil => {
                // More at each address than may have slots.
                let at = (sybils / SYBILS_AT_ONE % 256) as u8;
                let port = 1 + sybils % SYBILS_AT_ONE + sybils / (256 * SYBILS_AT_ONE) * SYBILS_AT_ONE;
                sybils += 1;
                SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, at), port)
            }
            _ => draw.address(taken),
        };
        (*kind, keypair, at)
    });
    nodes.collect()
}

/// A key whose PeerId is nearer to the victim than those of some thousand others.
fn near(victim: Option<&PeerId>, record: bool, draw: &mut Draw) -> Keypair {
    const TRIES: usize = 1500;
    let Some(victim) = victim else {
        return draw.keypair();
    };
    let target = match record {
        true => KBucketKey::new(record::key(victim, 0).to_vec()),
        false => KBucketKey::new(victim.to_bytes()),
    };
    let tries = (0..TRIES).map(|_| draw.keypair());
    let nearest =
        tries.min_by_key(|keypair| target.distance(&KBucketKey::from(keypair.public().to_peer_id())));
    nearest.unwrap_or_else(Keypair::generate_ed25519)
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
/// longer than `most`.
async fn settle(nodes: &[Honest], most: Duration, load: &Load) {
    let until = Instant::now() + most;
    // The second telling comes half a minute after the first, when the table is full.
    while Instant::now() < until {
        let known = nodes.iter().all(|node| {
            let info = node.net.discovery();
            info.published >= 2 * u64::from(record::PLACES) && info.table >= 4.min(nodes.len() / 4)
        });
        if known && load.now() < BUSY && counts(nodes).await.iter().all(|counts| counts.mesh >= 3) {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn counts(nodes: &[Honest]) -> Vec<GossipCounts> {
    let mut all = Vec::new();
    for node in nodes {
        all.push(node.net.gossip_counts().await);
    }
    all
}

async fn look_up(
    nodes: &[Honest],
    victims: &[PeerId],
    plan: &Plan,
    load: &Load,
    draw: &mut Draw,
    figures: &mut Figures,
) {
    // Each looks, and each is looked for, about as often as the others; victims by some more.
    let mut pairs = Vec::new();
    let offset = |draw: &mut Draw| 1 + usize::try_from(draw.number() % (nodes.len() as u64 - 1)).unwrap_or(0);
    let mut by = offset(draw);
    for at in 0..plan.pairs {
        if at % nodes.len() == 0 {
            by = offset(draw);
        }
        pairs.push((at % nodes.len(), (at + by) % nodes.len()));
    }
    for victim in victims {
        let target = nodes.iter().position(|node| node.peer == *victim).unwrap_or(0);
        for at in (0..nodes.len())
            .step_by((nodes.len() / 20).max(1))
            .filter(|at| *at != target)
        {
            pairs.push((at, target));
        }
    }
    let permits = Arc::new(Semaphore::new(LOOK_UPS));
    let mut running = JoinSet::new();
    for (from, to) in pairs {
        let (Some(from), Some(to)) = (nodes.get(from), nodes.get(to)) else {
            continue;
        };
        let (net, peer, at) = (from.net.clone(), to.peer, to.at);
        let (permits, load) = (permits.clone(), load.clone());
        running.spawn(async move {
            let _permit = permits.acquire().await;
            load.below(BUSY).await;
            let began = Instant::now();
            let record = net.look_up(peer).await;
            (
                peer,
                record.map(|record| record.addresses.contains(&address(at))),
                began.elapsed(),
            )
        });
    }
    let mut times = Vec::new();
    while let Some(ended) = running.join_next().await {
        let Ok((peer, right, time)) = ended else { continue };
        figures.pairs += 1;
        figures.found += usize::from(right == Some(true));
        figures.wrong += usize::from(right == Some(false));
        if victims.contains(&peer) {
            figures.victims.1 += 1;
            figures.victims.0 += usize::from(right == Some(true));
        }
        times.push(time.as_secs_f64());
        if plan.talk && times.len().is_multiple_of(250) {
            eprintln!(
                "{} look-ups, the last in {:.1} s",
                times.len(),
                time.as_secs_f64()
            );
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| {
        times
            .get(((times.len() as f64 - 1.0) * part) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    figures.look_up_s = (at(0.5), at(0.99), at(1.0));
}

async fn announce(nodes: &[Honest], log: &Log, plan: &Plan, draw: &mut Draw) -> Reach {
    log.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let copies_before: u64 = counts(nodes).await.iter().map(|counts| counts.copies).sum();
    let pause = Duration::from_secs_f64(1.0 / plan.rate);
    let mut next = Instant::now();
    for at in 0..plan.announcements {
        if let Some(node) = draw.one_of(nodes) {
            node.net
                .announce(Announcement::Pausing { paused: at % 2 == 0 })
                .await;
        }
        next += pause;
        tokio::time::sleep_until(next).await;
    }
    // Until all have heard all, or no longer.
    let honest: HashSet<PeerId> = nodes.iter().map(|node| node.peer).collect();
    let until = Instant::now() + PATIENCE;
    loop {
        let done = {
            let log = log.lock().unwrap_or_else(PoisonError::into_inner);
            let all = log.iter().filter(|((author, _), _)| honest.contains(author));
            let full = all.filter(|(_, heard)| heard.len() + 1 >= nodes.len());
            full.count() >= plan.announcements
        };
        if done || Instant::now() >= until {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let copies: u64 = counts(nodes)
        .await
        .iter()
        .map(|counts| counts.copies)
        .sum::<u64>()
        - copies_before;
    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
    let mut reach = Reach {
        announcements: plan.announcements,
        worst: 1.0,
        ..Reach::default()
    };
    let (mut heard, mut near) = (0, 0);
    let others = (nodes.len() - 1) as f64;
    for ((author, _), by) in log.iter().filter(|((author, _), _)| honest.contains(author)) {
        heard += by.len();
        reach.worst = reach.worst.min(by.len() as f64 / others);
        for node in by.keys() {
            // Hostile ones pass on, too; what they did before isn't seen, and counts as one hop.
            let hops = hops(node, author, by);
            near += usize::from(hops <= 8);
            *reach.hops.entry(hops).or_default() += 1;
        }
    }
    let all = plan.announcements as f64 * others;
    reach.heard = heard as f64 / all;
    reach.within_8 = near as f64 / all;
    if log.keys().filter(|(author, _)| honest.contains(author)).count() < plan.announcements {
        reach.worst = 0.0;
    }
    reach.copies = copies as f64 / (heard as f64).max(1.0);
    reach
}

fn hops(node: &PeerId, author: &PeerId, by: &HashMap<PeerId, PeerId>) -> usize {
    let (mut hops, mut at) = (0, node);
    while at != author && hops < 100 {
        hops += 1;
        match by.get(at) {
            Some(via) => at = via,
            // The author is the next one of somebody unseen.
            None => break,
        }
    }
    hops
}

fn slots(nodes: &[Honest]) -> Slots {
    let honest: HashSet<PeerId> = nodes.iter().map(|node| node.peer).collect();
    let mut slots = Slots {
        different_16: 1.0,
        ..Slots::default()
    };
    let (mut counts, mut chosen, mut hostile) = (Vec::new(), 0usize, 0usize);
    for node in nodes {
        let with_slot: Vec<_> = node
            .net
            .peers()
            .into_iter()
            .filter(|peer| peer.slot != Slot::None)
            .collect();
        let mut addresses: HashMap<Ipv4Addr, usize> = HashMap::new();
        let mut neighbourhoods: HashMap<u32, usize> = HashMap::new();
        let mut wide: HashSet<u32> = HashSet::new();
        for peer in &with_slot {
            if matches!(peer.slot, Slot::LongTerm | Slot::Exploratory) {
                chosen += 1;
                hostile += usize::from(!honest.contains(&peer.peer_id));
            }
            if let Some(libp2p::multiaddr::Protocol::Ip4(ip)) = peer.address.iter().next() {
                *addresses.entry(ip).or_default() += 1;
                *neighbourhoods.entry(u32::from(ip) >> 8).or_default() += 1;
                wide.insert(u32::from(ip) >> 16);
            }
        }
        counts.push(with_slot.len());
        slots.one_address = slots
            .one_address
            .max(addresses.values().copied().max().unwrap_or(0));
        slots.one_neighbourhood = slots
            .one_neighbourhood
            .max(neighbourhoods.values().copied().max().unwrap_or(0));
        if !with_slot.is_empty() {
            slots.different_16 = slots.different_16.min(wide.len() as f64 / with_slot.len() as f64);
        }
    }
    counts.sort_unstable();
    slots.count = (
        counts.first().copied().unwrap_or(0),
        middle(&counts),
        counts.last().copied().unwrap_or(0),
    );
    slots.hostile_chosen = hostile as f64 / (chosen as f64).max(1.0);
    slots
}

fn middle(sorted: &[usize]) -> usize {
    sorted.get(sorted.len() / 2).copied().unwrap_or(0)
}
