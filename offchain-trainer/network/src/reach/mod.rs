//! How others reach this PC, and how it reaches them: port mapping, AutoNAT, relays, hole punching.
//!
//! A PC at home stands behind a router that lets nobody in by itself. In this order it
//! * asks the router to pass its port on (`mapping`),
//! * learns from whom it dials where it comes from (`observed`), and asks peers to try whether they get in there (`prober`; for
//!   others: `answerer`),
//! * as long as nobody does, has relays keep a place for it (`relays`; for others: `server`),
//! * and gets from each relayed connection to a direct one where both routers let it (`puncher`, `holes`, `reversals`, `ways`).
//!
//! What it knows becomes a `State` with a reason for people, and what they could do (`state`). `Reach` only passes on what happens to
//! these parts, and does what they say. Must never claim an address that nobody has confirmed, nor dial into our own network for a stranger.

mod announcer;
mod answerer;
pub(crate) mod behaviour;
mod budget;
mod circuits;
mod conclusions;
pub(crate) mod config;
mod evidence;
mod handle;
mod holes;
mod kept_for;
mod mapping;
mod observed;
mod prober;
mod puncher;
mod relays;
mod reversals;
mod server;
mod state;
mod ways;

use crate::{
    behaviour::{Behaviour as Swarmed, BehaviourEvent},
    common::Common,
    config::NetworkConfig,
    house::Outside,
    origin::Origin,
    relayed_addresses::PER_RELAY,
    reports::Fault,
    scope::{Scope, is_relayed},
};
use behaviour::BehaviourEvent as Happened;
pub use config::{Config, Wss};
use evidence::{Evidence, Voice};
use holes::Holes;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::{
        ConnectedPoint,
        transport::{ListenerId, PortUse},
    },
    identify,
    multiaddr::Protocol,
    relay,
    swarm::{
        ConnectionError, ConnectionId, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use mapping::{Mapped, Mapping};
use observed::{Observed, Seen, Witness};
use relays::Relays;
use reversals::Reversals;
pub use state::{Advice, Reachability, State};
use state::{Machine, patience_ends};
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use ways::{Way, Ways};

/// So many addresses that we dialled are remembered.
const DIALLED: usize = 1024;
/// How often the router's answers are looked at.
const MAPPING_LOOK: Duration = Duration::from_secs(2);
/// How often tries that hang are looked for, while there are any.
const SWEEP: Duration = Duration::from_secs(10);
/// Relays are kept so long after we are reached without them: others still know us by them.
const RELAYS_STAY: Duration = Duration::from_secs(60);
/// When candidates that failed are tried again, in minutes; then always after the last one. Those that others got in at as well.
const TRY_AGAIN: [u64; 6] = [1, 2, 4, 8, 16, 30];

/// What it shows to handles.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) reachability: watch::Receiver<Reachability>,
}

/// How a connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// From one PC to the other.
    Direct,
    /// From one PC to the other, after a relay had introduced them.
    Punched,
    /// Through a relay.
    Relayed,
}

impl Path {
    /// Its name in JSON and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Punched => "punched",
            Self::Relayed => "relayed",
        }
    }
}

/// The part beside the swarm.
pub(crate) struct Reach {
    common: Common,
    config: Config,
    outside: Outside,
    ways: Ways,
    observed: Observed,
    evidence: Evidence,
    relays: Relays,
    holes: Holes,
    reversals: Reversals,
    machine: Machine,
    mapping: Option<Mapping>,
    mapped: Mapped,
    /// Where we listen; not through relays.
    listening: BTreeSet<Multiaddr>,
    /// Where relays say that we are reached, by the listener there.
    relayed: HashMap<ListenerId, BTreeSet<Multiaddr>>,
    candidates: Vec<Multiaddr>,
    /// Whom we have dialled: our router lets them in for that reason.
    dialled: HashSet<Witness>,
    dialled_order: VecDeque<Witness>,
    /// Relays that we know from what they say of themselves.
    hops: HashMap<PeerId, ConnectionId>,
    /// Dials through relays that we began to try a hole again.
    redials: HashMap<ConnectionId, PeerId>,
    met: Option<Instant>,
    open_since: Option<Instant>,
    punched_at: Option<Instant>,
    tried_again: usize,
    try_again: Option<Instant>,
    look: Option<Instant>,
    sweep: Option<Instant>,
    /// Others are to be told where we are.
    tell: Option<Instant>,
    serving: bool,
    shown: watch::Sender<Reachability>,
}

impl Reach {
    pub(crate) fn new(config: &NetworkConfig, common: Common, now: Instant) -> (Self, View) {
        let (shown, reachability) = watch::channel(Reachability::default());
        let reach = config.reach.clone();
        let this = Self {
            ways: Ways::new(common.local),
            observed: Observed::default(),
            evidence: Evidence::default(),
            relays: Relays::new(reach.relays, reach.pace * 2),
            holes: Holes::default(),
            reversals: Reversals::default(),
            machine: Machine::default(),
            mapping: None,
            mapped: Mapped::default(),
            listening: BTreeSet::new(),
            relayed: HashMap::new(),
            candidates: Vec::new(),
            dialled: HashSet::new(),
            dialled_order: VecDeque::new(),
            hops: HashMap::new(),
            redials: HashMap::new(),
            met: None,
            open_since: None,
            punched_at: None,
            tried_again: 0,
            try_again: None,
            // What a person said holds from the start.
            look: Some(now),
            sweep: None,
            tell: None,
            serving: false,
            outside: Outside::new(reach.internet, common.house.clone()),
            config: reach,
            common,
            shown,
        };
        (this, View { reachability })
    }

    /// Looks at everything that happens in the swarm. Returns whether what is shown of peers may have changed.
    pub(crate) fn on_event(
        &mut self,
        swarm: &mut Swarm<Swarmed>,
        event: &SwarmEvent<BehaviourEvent>,
    ) -> bool {
        let now = Instant::now();
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => self.opened(swarm, *peer_id, *connection_id, endpoint, now),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => self.closed(*peer_id, *connection_id, cause.as_ref(), now),
            SwarmEvent::OutgoingConnectionError { connection_id, .. } => {
                let Some(peer) = self.redials.remove(connection_id) else {
                    return false;
                };
                let connected = swarm.is_connected(&peer);
                self.holes.failed(&peer, connected, now);
                return false;
            }
            SwarmEvent::NewListenAddr { address, .. } if !is_relayed(address) => {
                self.listening.insert(address.clone());
                self.start_mapping();
            }
            SwarmEvent::ExpiredListenAddr { address, .. } if !is_relayed(address) => {
                self.listening.remove(address);
            }
            SwarmEvent::NewListenAddr { listener_id, address } => {
                let of_relay = self.relayed.entry(*listener_id).or_default();
                // It says what it likes.
                if of_relay.len() < PER_RELAY && self.config.is_internet(address) {
                    of_relay.insert(address.clone());
                }
            }
            SwarmEvent::ExpiredListenAddr { listener_id, address } => {
                if let Some(of_relay) = self.relayed.get_mut(listener_id) {
                    of_relay.remove(address);
                }
            }
            SwarmEvent::ListenerClosed {
                listener_id, reason, ..
            } => {
                self.relayed.remove(listener_id);
                if let Some(relay) = self.relays.lost(*listener_id, now) {
                    tracing::debug!(%relay, ?reason, "a relay keeps no place for us any more");
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                connection_id,
                info,
            })) => self.identified(*peer_id, *connection_id, info, now),
            SwarmEvent::Behaviour(BehaviourEvent::Reach(happened)) => {
                if let Some((relay, listener)) = self.happened(happened, now) {
                    // What it was asked goes on without a listener.
                    swarm.remove_listener(listener);
                    let _ = swarm.disconnect_peer_id(relay);
                    self.common.reports.fault(relay, Fault::Flood);
                }
            }
            _ => return false,
        }
        self.settle(swarm, now);
        true
    }

    fn opened(
        &mut self,
        swarm: &mut Swarm<Swarmed>,
        peer: PeerId,
        id: ConnectionId,
        endpoint: &ConnectedPoint,
        now: Instant,
    ) {
        let relayed = endpoint.is_relayed();
        let address = address_of(endpoint);
        let (dialled, from_our_port) = match endpoint {
            ConnectedPoint::Dialer { port_use, .. } => (true, *port_use == PortUse::Reuse),
            ConnectedPoint::Listener { .. } => (false, false),
        };
        let behaviour = &swarm.behaviour().reach;
        let attempt = if dialled {
            let answerer = behaviour.answerer.as_ref();
            answerer.is_some_and(|answerer| answerer.is_try(id))
        } else {
            let prober = behaviour.prober.as_ref();
            !relayed && prober.is_some_and(|prober| prober.expects(&peer, now))
        };
        if attempt {
            self.sweep.get_or_insert(now + SWEEP);
        }
        if !relayed && dialled {
            self.observed
                .met(Witness::of(peer, &address), observed::is_quic(&address));
        }
        if !relayed && !attempt {
            if dialled {
                self.remember_dialled(Witness::of(peer, &address));
            }
            if self.outside.has(&address) {
                self.met.get_or_insert(now);
            }
        }
        self.redials.remove(&id);
        if relayed {
            self.holes.relayed(peer, dialled.then(|| address.clone()), now);
        } else if !attempt {
            self.holes.direct(&peer);
            self.reversals.forget(&peer);
        }
        let way = Way {
            id,
            address,
            dialled,
            from_our_port,
            relayed,
            introduced: false,
            attempt,
            since: now,
        };
        for superseded in self.ways.opened(peer, way) {
            swarm.close_connection(superseded);
        }
        if self.ways.get(&peer, id).is_some_and(|way| way.introduced) {
            tracing::debug!(%peer, "connected directly, after a relay had introduced us");
            self.punched_at = Some(now);
        }
    }

    fn closed(&mut self, peer: PeerId, id: ConnectionId, cause: Option<&ConnectionError>, now: Instant) {
        let Some((way, last)) = self.ways.closed(&peer, id) else {
            return;
        };
        if way.dialled && !way.relayed {
            let quic = observed::is_quic(&way.address);
            self.observed.gone(Witness::of(peer, &way.address), quic);
        }
        if let Some(to) = socket(&way.address).filter(|_| way.dialled)
            && !self.ways.of(&peer).any(|other| other.dialled && !other.relayed)
        {
            self.common.strays.forget(to);
        }
        if self.hops.get(&peer) == Some(&id) {
            self.hops.remove(&peer);
        }
        if self.ways.direct(&peer).is_none() {
            self.relays.gone(&peer);
        }
        if last {
            self.reversals.forget(&peer);
        }
        if last && way.relayed {
            match cause {
                // The circuit came to its end, or the relay is gone.
                Some(ConnectionError::IO(_)) => self.holes.ended(&peer, now),
                _ => self.holes.forget(&peer),
            }
        }
    }

    fn remember_dialled(&mut self, witness: Witness) {
        if self.dialled.insert(witness) {
            self.dialled_order.push_back(witness);
            if self.dialled_order.len() > DIALLED
                && let Some(oldest) = self.dialled_order.pop_front()
            {
                self.dialled.remove(&oldest);
            }
        }
    }

    /// A peer says what it can, and where it sees us.
    fn identified(&mut self, peer: PeerId, id: ConnectionId, info: &identify::Info, now: Instant) {
        let Some(way) = self.ways.get(&peer, id).filter(|way| !way.attempt) else {
            return;
        };
        if way.relayed {
            let reached = |address: &&Multiaddr| {
                self.outside.has(address) && Scope::of(address) != Some(Scope::Name) && !is_relayed(address)
            };
            let addresses = info.listen_addrs.iter().filter(reached).cloned();
            self.reversals.said(peer, addresses, now);
            return;
        }
        if info.protocols.contains(&relay::HOP_PROTOCOL_NAME) {
            // Of one that came to us, only what it says of its listening, at the address that it came from.
            let origin = Origin::of(&way.address);
            let mut said = info.listen_addrs.iter();
            let address = match way.dialled {
                true => Some(&way.address),
                false => {
                    said.find(|said| !is_relayed(said) && Origin::of(said) == origin && origin.is_some())
                }
            };
            if let Some(address) = address {
                self.relays.met(peer, address.clone(), now);
                self.hops.insert(peer, id);
            }
        } else if self.hops.remove(&peer).is_some() {
            self.relays.gone(&peer);
        }
        let Some(seen) = Seen::of(&info.observed_addr) else {
            return;
        };
        // A neighbour sees our address in the network at home, and gets in where nobody else does.
        let observed = seen.address();
        if !self.config.is_internet(&observed) || !self.outside.has(&way.address) {
            return;
        }
        let witness = Witness::of(peer, &way.address);
        if way.dialled {
            let to = socket(&way.address);
            let stray = !seen.quic && !self.listens_at(seen.port) && self.common.strays.may_be(to, seen.port);
            if way.from_our_port && !stray && self.listens(seen) && self.observed.saw(witness, seen, now) {
                tracing::debug!(%peer, address = %observed, "a peer sees us there");
            }
        } else if !way.introduced && !self.dialled.contains(&witness) && self.candidates.contains(&observed) {
            let ours = self.has(seen.ip);
            self.evidence
                .visited(&observed, Voice::new(peer, witness), ours, now);
        }
    }

    /// Whether we listen on the transport and family of an address at all.
    fn listens(&self, seen: Seen) -> bool {
        let mut listening = self.listening.iter().filter_map(Seen::of);
        listening.any(|here| here.kind() == seen.kind())
    }

    /// Whether we listen at a port.
    fn listens_at(&self, port: u16) -> bool {
        let mut listening = self.listening.iter().filter_map(Seen::of);
        listening.any(|here| here.port == port)
    }

    /// Whether it is this computer's own.
    fn has(&self, ip: IpAddr) -> bool {
        let mut listening = self.listening.iter().filter_map(Seen::of);
        listening.any(|here| here.ip == ip)
    }

    /// Returns a relay that keeps us busy, and the listener at it.
    fn happened(&mut self, happened: &Happened, now: Instant) -> Option<(PeerId, ListenerId)> {
        match happened {
            Happened::Prober(tried) => {
                let witness = self.ways.direct(&tried.server);
                let witness = witness.map_or(Witness::Named(tried.server), |way| {
                    Witness::of(tried.server, &way.address)
                });
                let got_in = tried.result.is_ok();
                tracing::debug!(address = %tried.tested_addr, peer = %tried.server, got_in, "a peer tried to reach us");
                self.evidence
                    .tried(&tried.tested_addr, Voice::new(tried.server, witness), got_in);
            }
            Happened::Circuits(relay::client::Event::ReservationReqAccepted { relay_peer_id, .. }) => {
                let too_soon = self.relays.accepted(relay_peer_id, now);
                return too_soon.map(|listener| (*relay_peer_id, listener));
            }
            Happened::Puncher(event) => {
                tracing::debug!(peer = %event.remote_peer_id, result = ?event.result, "hole punching");
            }
            Happened::Circuits(_) | Happened::Answerer(_) | Happened::Relay(_) => {}
            Happened::Announcer(never) => match *never {},
        }
        None
    }

    /// Asks the router, if there may be one: not for who listens on this computer only.
    fn start_mapping(&mut self) {
        if !self.config.port_mapping || self.mapping.is_some() {
            return;
        }
        let at_home = self.listening.iter().find_map(|address| {
            let seen = Seen::of(address)?;
            let private = seen.ip.is_ipv4() && Scope::of_ip(seen.ip) == Some(Scope::Private);
            (private && !seen.quic).then_some(seen.port)
        });
        if let Some(port) = at_home.and_then(NonZeroU16::new) {
            self.mapping = Some(Mapping::start(port, self.config.quic, &self.config.map_ports));
        }
    }

    /// How a connection with this peer came about that leads to this address.
    pub(crate) fn path(&self, peer: &PeerId, address: &Multiaddr) -> Path {
        self.ways.path(peer, is_relayed(address))
    }

    /// Whether a connection only shows that one side is reached, and ends by itself.
    pub(crate) fn is_attempt(&self, peer: &PeerId, id: ConnectionId) -> bool {
        self.ways.get(peer, id).is_some_and(|way| way.attempt)
    }

    /// When [`tick`](Self::tick) is to be called, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        let open = self.open_since.is_some();
        let relays = match open {
            false if self.config.relay_client => self.relays.due(),
            true if self.relays.hold_any() => self.open_since.map(|since| since + RELAYS_STAY),
            _ => None,
        };
        let patience = self.met.map(patience_ends).filter(|at| *at > Instant::now());
        let due = [
            relays,
            patience,
            self.holes.due(),
            self.reversals.due(),
            self.ways.due(),
            self.machine.due(),
            self.try_again.filter(|_| !self.candidates.is_empty()),
            self.look,
            self.sweep,
            self.tell,
        ];
        due.into_iter().flatten().min()
    }

    /// Does what has become due by `now`. Returns as [`on_event`](Self::on_event).
    pub(crate) fn tick(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) -> bool {
        if take(&mut self.look, now) {
            if let Some(mapping) = &self.mapping {
                self.mapped = mapping.mapped();
            }
            self.look = self.mapping.as_ref().map(|_| now + MAPPING_LOOK);
        } else if self.mapping.is_some() {
            self.look.get_or_insert(now + MAPPING_LOOK);
        }
        if take(&mut self.sweep, now) {
            let answerer = swarm.behaviour_mut().reach.answerer.as_mut();
            let overdue = answerer.map_or(Vec::new(), |answerer| answerer.overdue(now));
            for id in overdue {
                swarm.close_connection(id);
            }
            self.sweep = self.ways.reconsider(now).then(|| now + SWEEP);
        }
        if take(&mut self.tell, now) {
            let peers: Vec<PeerId> = self.ways.peers().copied().collect();
            swarm.behaviour_mut().identify.push(peers);
        }
        if take(&mut self.try_again, now) && !self.candidates.is_empty() {
            if let Some(prober) = swarm.behaviour_mut().reach.prober.as_mut() {
                prober.start_over();
            }
            self.tried_again += 1;
            self.try_again = Some(now + again(self.tried_again));
        }
        for id in self.ways.needless(now) {
            swarm.close_connection(id);
        }
        for (peer, way) in self.holes.due_dials(now) {
            let options = DialOpts::peer_id(peer)
                .condition(PeerCondition::Always)
                .addresses(vec![way])
                .build();
            let id = options.connection_id();
            match swarm.dial(options) {
                Ok(()) => {
                    self.redials.insert(id, peer);
                }
                Err(_) => self.holes.failed(&peer, swarm.is_connected(&peer), now),
            }
        }
        for (peer, addresses) in self.reversals.due_dials(now) {
            let options = DialOpts::peer_id(peer)
                .condition(PeerCondition::Always)
                .addresses(addresses);
            // It is reached through the relay, if not there.
            let _ = swarm.dial(options.build());
        }
        self.settle(swarm, now);
        false
    }

    /// Gives back what the router passed on.
    pub(crate) async fn shut_down(&mut self) {
        if let Some(mapping) = self.mapping.take() {
            mapping.end().await;
        }
    }
}

/// Where the other side is, with the relay's address if there is one between.
pub(crate) fn address_of(endpoint: &ConnectedPoint) -> Multiaddr {
    match endpoint {
        // What came through a relay only has a name.
        ConnectedPoint::Listener {
            local_addr,
            send_back_addr,
        } if endpoint.is_relayed() && !is_relayed(send_back_addr) => {
            let ours = |part: &Protocol| !matches!(part, Protocol::P2pCircuit);
            let relay: Multiaddr = local_addr.iter().take_while(ours).collect();
            let rest = send_back_addr.iter();
            rest.fold(relay.with(Protocol::P2pCircuit), |address, part| {
                address.with(part)
            })
        }
        other => other.get_remote_address().clone(),
    }
}

/// Of an address with an IP.
fn socket(address: &Multiaddr) -> Option<SocketAddr> {
    Seen::of(address).map(|seen| SocketAddr::new(seen.ip, seen.port))
}

fn again(times: usize) -> Duration {
    let minutes = TRY_AGAIN.get(times).or(TRY_AGAIN.last()).copied();
    Duration::from_secs(60 * minutes.unwrap_or(30))
}

/// Whether something is due; then it isn't any more.
fn take(due: &mut Option<Instant>, now: Instant) -> bool {
    let is_due = due.is_some_and(|at| at <= now);
    if is_due {
        *due = None;
    }
    is_due
}
