//! Nodes that mean harm, or nothing: they speak the protocols with libp2p's own parts, and answer as they like.

use super::{
    draw::Draw,
    memory_ip::{Hub, address},
};
use codec::Encode;
use futures::StreamExt;
use hydra_network::{
    Keypair, PeerId,
    discovery::record::{Capabilities, PeerRecord, key},
};
use libp2p::{
    StreamProtocol, Swarm, Transport,
    gossipsub::{self, IdentTopic, MessageAuthenticity},
    identify,
    kad::{
        self, BucketInserts, ProviderRecord, QueryResult, Quorum, Record, RecordKey,
        store::{MemoryStore, RecordStore, Result},
    },
    swarm::{self, NetworkBehaviour, SwarmEvent, behaviour::toggle::Toggle},
};
use std::{
    borrow::Cow,
    net::SocketAddrV4,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What a node is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is there like others, and then it isn't any more: who dials it waits.
    Vanishing,
    /// It says that it answers, and doesn't.
    Mute,
    /// It gives damaged, stolen and forged records, and spreads them.
    Liar,
    /// One of many around a victim's place: it takes the victim's record, and knows only its like.
    Eclipse,
    /// One of many in one neighbourhood of addresses: it wants to be everybody's peer, and passes nothing on.
    Sybil,
    /// It announces without end.
    Flooder,
}

/// How often a hostile node goes to honest ones again. What hostile nodes do costs the two cores that honest ones live on as well: a storm
/// of searches would only measure these.
const APPROACH: Duration = Duration::from_secs(60);
/// How often a liar spreads another lie. Each is a search.
const LIE: Duration = Duration::from_secs(30);
const SOON: Duration = Duration::from_secs(2);
/// How often it looks for whoever is near it, and shows itself to them.
const WALK: Duration = Duration::from_secs(600);
/// How long it stays where it went to, with a slot or without.
const STAYS: Duration = Duration::from_secs(120);
/// Five announcements each time while it is flooded.
const FLOOD: Duration = Duration::from_millis(50);

/// What hostile nodes know.
#[derive(Clone)]
pub struct World {
    pub hub: Hub,
    pub network: String,
    /// Honest nodes to approach.
    pub honest: Arc<Vec<(PeerId, SocketAddrV4)>>,
    /// Those that stand around a victim, each knows all.
    pub circle: Arc<Vec<(PeerId, SocketAddrV4)>>,
    /// Whether it is time to flood.
    pub flood: Arc<AtomicBool>,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    kad: Toggle<kad::Behaviour<Lying>>,
    identify: identify::Behaviour,
    gossip: Toggle<gossipsub::Behaviour>,
    streams: libp2p_stream::Behaviour,
}

/// A store that gives others what it likes.
struct Lying {
    inner: MemoryStore,
    kind: Kind,
    stolen: Option<Record>,
}

impl RecordStore for Lying {
    type RecordsIter<'a> = <MemoryStore as RecordStore>::RecordsIter<'a>;
    type ProvidedIter<'a> = <MemoryStore as RecordStore>::ProvidedIter<'a>;

    fn get(&self, key: &RecordKey) -> Option<Cow<'_, Record>> {
        match self.kind {
            Kind::Eclipse => None,
            Kind::Liar => {
                let mut record = self
                    .inner
                    .get(key)
                    .map(Cow::into_owned)
                    .or_else(|| self.stolen.clone())?;
                record.key = key.clone();
                // A bit of an address.
                if let Some(byte) = record.value.get_mut(45) {
                    *byte ^= 1;
                }
                Some(Cow::Owned(record))
            }
            _ => self.inner.get(key),
        }
    }

    fn put(&mut self, record: Record) -> Result<()> {
        self.stolen = Some(record.clone());
        self.inner.put(record)
    }

    fn remove(&mut self, key: &RecordKey) {
        self.inner.remove(key);
    }

    fn records(&self) -> Self::RecordsIter<'_> {
        self.inner.records()
    }

    fn add_provider(&mut self, record: ProviderRecord) -> Result<()> {
        self.inner.add_provider(record)
    }

    fn providers(&self, key: &RecordKey) -> Vec<ProviderRecord> {
        self.inner.providers(key)
    }

    fn provided(&self) -> Self::ProvidedIter<'_> {
        self.inner.provided()
    }

    fn remove_provider(&mut self, key: &RecordKey, provider: &PeerId) {
        self.inner.remove_provider(key, provider);
    }
}

/// Runs a hostile node for as long as the task is let.
pub async fn run(world: World, kind: Kind, keypair: Keypair, at: SocketAddrV4, seed: u64) {
    let peer = keypair.public().to_peer_id();
    let mut draw = Draw::new(seed);
    let Some(mut swarm) = build(&world, kind, &keypair, at) else {
        return;
    };
    if swarm.listen_on(address(at)).is_err() {
        return;
    }
    swarm.add_external_address(address(at));
    let mut control = swarm.behaviour().streams.new_control();
    let protocol = protocol(&world);
    let mut held = Vec::new();
    let mut mute = (kind == Kind::Mute)
        .then(|| control.accept(protocol).ok())
        .flatten();
    approach(&mut swarm, &world, kind, &mut draw);
    // Of the first ones some weren't there yet.
    let mut approach_again = every(5 * SOON, APPROACH);
    // As soon as it may know somebody.
    let mut walk_again = every(SOON, WALK);
    let mut lie_again = every(SOON, LIE);
    let mut flood_again = every(FLOOD, FLOOD);
    // Liars don't all begin with the same one.
    let mut count = draw.number() % 1000;
    loop {
        tokio::select! {
            event = swarm.select_next_some() => match event {
                SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                    if let Some(kad) = swarm.behaviour_mut().kad.as_mut()
                        && (kind != Kind::Eclipse || world.circle.iter().any(|(other, _)| *other == peer_id))
                        && endpoint.is_dialer()
                    {
                        kad.add_address(&peer_id, endpoint.get_remote_address().clone());
                    }
                }
                // Each is ten searches otherwise; honest nodes go without most of them, too.
                SwarmEvent::Behaviour(BehaviourEvent::Kad(kad::Event::OutboundQueryProgressed {
                    id,
                    result: QueryResult::Bootstrap(_),
                    ..
                })) => {
                    if let Some(kad) = swarm.behaviour_mut().kad.as_mut()
                        && let Some(mut query) = kad.query_mut(&id)
                    {
                        query.finish();
                    }
                }
                _ => {}
            },
            Some((_, stream)) = next(&mut mute) => {
                // Taken, and never answered.
                held.push(stream);
                if held.len() > 1000 {
                    held.clear();
                }
            }
            _ = approach_again.tick() => approach(&mut swarm, &world, kind, &mut draw),
            _ = lie_again.tick(), if kind == Kind::Liar => {
                count += 1;
                lie(&mut swarm, &world, &keypair, peer, count, &mut draw);
            }
            _ = walk_again.tick() => walk(&mut swarm),
            _ = flood_again.tick(), if kind == Kind::Flooder => {
                if world.flood.load(Ordering::Relaxed) {
                    count += 1;
                    flood(&mut swarm, &world, count);
                }
            }
        }
    }
}

/// The first after that time.
fn every(first: Duration, period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + first, period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    ticks
}

async fn next(streams: &mut Option<libp2p_stream::IncomingStreams>) -> Option<(PeerId, libp2p::Stream)> {
    match streams {
        Some(streams) => streams.next().await,
        None => std::future::pending().await,
    }
}

fn protocol(world: &World) -> StreamProtocol {
    let name = format!("/hydra/{}/kad/1", world.network);
    StreamProtocol::try_from_owned(name).unwrap_or(StreamProtocol::new("/hydra"))
}

fn build(world: &World, kind: Kind, keypair: &Keypair, at: SocketAddrV4) -> Option<Swarm<Behaviour>> {
    let peer = keypair.public().to_peer_id();
    let kad = (kind != Kind::Mute).then(|| {
        let mut config = kad::Config::new(protocol(world));
        config
            .set_kbucket_inserts(BucketInserts::Manual)
            .set_replication_interval(None)
            .set_publication_interval(None)
            .set_periodic_bootstrap_interval(None);
        let store = Lying {
            inner: MemoryStore::new(peer),
            kind,
            stolen: None,
        };
        let mut kad = kad::Behaviour::with_config(peer, store, config);
        kad.set_mode(Some(kad::Mode::Server));
        kad
    });
    let gossip = match kind {
        Kind::Sybil | Kind::Flooder => {
            let mut config = gossipsub::ConfigBuilder::default();
            config.max_transmit_size(4096).flood_publish(true);
            if kind == Kind::Sybil {
                // It waits for a word that never comes, and passes nothing on.
                config.validate_messages();
            }
            let author = MessageAuthenticity::Signed(keypair.clone());
            let mut gossip: gossipsub::Behaviour =
                gossipsub::Behaviour::new(author, config.build().ok()?).ok()?;
            for topic in ["blobs", "trainers"] {
                gossip
                    .subscribe(&IdentTopic::new(format!("hydra/{}/{topic}/1", world.network)))
                    .ok()?;
            }
            Some(gossip)
        }
        _ => None,
    };
    let behaviour = Behaviour {
        kad: kad.into(),
        identify: identify::Behaviour::new(identify::Config::new("/hydra/1".into(), keypair.public())),
        gossip: gossip.into(),
        streams: libp2p_stream::Behaviour::new(),
    };
    let transport = world.hub.transport(peer, *at.ip()).boxed();
    let config = swarm::Config::with_tokio_executor().with_idle_connection_timeout(STAYS);
    Some(Swarm::new(transport, behaviour, peer, config))
}

/// Goes to those it wants something of.
fn approach(swarm: &mut Swarm<Behaviour>, world: &World, kind: Kind, draw: &mut Draw) {
    let count = match kind {
        Kind::Sybil => 20,
        Kind::Flooder => 12,
        _ => 6,
    };
    let mut whom = Vec::new();
    for _ in 0..count {
        whom.extend(draw.one_of(&world.honest).copied());
    }
    if kind == Kind::Eclipse {
        whom.extend(world.circle.iter().copied());
    }
    for (peer, at) in whom {
        if peer != *swarm.local_peer_id() && !swarm.is_connected(&peer) {
            let dial = swarm::dial_opts::DialOpts::peer_id(peer)
                .addresses(vec![address(at)])
                .build();
            // It may be taken, or gone.
            let _ = swarm.dial(dial);
        }
    }
}

/// Shows itself to those near it, and sees who they are.
fn walk(swarm: &mut Swarm<Behaviour>) {
    let own = *swarm.local_peer_id();
    if let Some(kad) = swarm.behaviour_mut().kad.as_mut() {
        kad.get_closest_peers(own);
    }
}

/// Spreads wrong records of an honest node, of another kind each time.
fn lie(
    swarm: &mut Swarm<Behaviour>,
    world: &World,
    keypair: &Keypair,
    peer: PeerId,
    count: u64,
    draw: &mut Draw,
) {
    let Some((victim, at)) = draw.one_of(&world.honest).copied() else {
        return;
    };
    let record = |peer, expires| PeerRecord {
        peer,
        addresses: vec![address(SocketAddrV4::new(*at.ip(), 9))],
        capabilities: Capabilities::default(),
        sequence: u64::MAX,
        expires,
    };
    let far = u64::MAX / 2;
    let value = match count % 3 {
        // Signed by somebody else.
        0 => record(victim, far).sign(keypair, &world.network),
        // Its own, where the victim's belongs.
        1 => record(peer, far).sign(keypair, &world.network),
        // Long expired.
        _ => record(peer, 1).sign(keypair, &world.network),
    };
    let (Ok(value), Some(kad)) = (value, swarm.behaviour_mut().kad.as_mut()) else {
        return;
    };
    let record = Record::new(key(&victim, u8::try_from(count % 3).unwrap_or(0)), value);
    // It may have no room, or know nobody.
    let _ = kad.put_record(record, Quorum::One);
}

/// Announces what nobody asked for: well made by a stranger, or no announcement at all.
fn flood(swarm: &mut Swarm<Behaviour>, world: &World, count: u64) {
    let Some(gossip) = swarm.behaviour_mut().gossip.as_mut() else {
        return;
    };
    let topic = IdentTopic::new(format!("hydra/{}/trainers/1", world.network));
    for n in 0..5u64 {
        let message = match n {
            // Version 1, a number, `coming`.
            0..4 => (1u8, count * 10 + n, 1u8).encode(),
            _ => vec![1; 200],
        };
        // Nobody may be there.
        let _ = gossip.publish(topic.hash(), message);
    }
}
