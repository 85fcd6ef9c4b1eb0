//! Discovery beside the swarm: is told what happens there, and says what Kademlia is to do.

mod brought;
mod round;

use super::{
    Command, DiscoveryInfo, View,
    behaviour::{Behaviour, BehaviourEvent, Bounded, protocol},
    lookups::Lookups,
    mdns,
    providing::{self, Providing, Searches},
    publisher::Publisher,
    reachable::few,
    record::{self, Capabilities, LONGEST_LIFE, MOST_ADDRESSES, PLACES, PeerRecord},
    table::{self, Table},
};
use crate::{
    allowance::Allowances,
    behaviour::{Behaviour as Swarmed, BehaviourEvent as Event},
    book::Source,
    clock::Clock,
    common::Common,
    config::NetworkConfig,
    random::Random,
    scope::{Scope, is_relayed},
};
use libp2p::{
    Multiaddr, PeerId, StreamProtocol, Swarm, identify,
    identity::Keypair,
    kad::{self, InboundRequest, QueryId, Quorum, Record},
    mdns as libp2p_mdns,
    swarm::{
        ConnectionId, DialError, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use round::Round;
use std::{collections::HashMap, num::NonZeroUsize, time::Duration};
use tokio::{sync::watch, time::Instant};

/// How often it is looked whom others want.
const WANTED: Duration = Duration::from_millis(500);
/// Whoever has so many in its table walks and looks for members more rarely.
const MANY: usize = 32;
/// So many of those nearest to a random key are asked at least, on each path of a walk, and connected with: it is to show who is there, and
/// needs no more.
const WALKED: NonZeroUsize = NonZeroUsize::new(4).expect("not zero");
const TIDY: Duration = Duration::from_secs(300);

/// The part beside the swarm.
pub(crate) struct Discovery {
    common: Common,
    clock: Clock,
    keypair: Keypair,
    config: super::Config,
    /// From where on an address makes this PC a relay for others; none: it is none.
    relays_from: Option<Scope>,
    network: String,
    protocol: StreamProtocol,
    random: Random,
    table: Table,
    lookups: Lookups<QueryId>,
    publisher: Publisher,
    providing: Providing<QueryId>,
    searches: Searches<QueryId>,
    /// Where each connection leads.
    remotes: HashMap<ConnectionId, Remote>,
    /// What peers may bring yet.
    brings: Allowances<PeerId>,
    due: Due,
    info: DiscoveryInfo,
    shown: watch::Sender<DiscoveryInfo>,
}

/// Where a connection leads, and how far.
struct Remote {
    peer: PeerId,
    address: Multiaddr,
    scope: Option<Scope>,
}

/// What comes round.
struct Due {
    wanted: Instant,
    walk: Round,
    member: Round,
    tidy: Instant,
}

fn kad_of(swarm: &mut Swarm<Swarmed>) -> Option<&mut Bounded> {
    let behaviour: &mut Behaviour = &mut swarm.behaviour_mut().discovery;
    behaviour.kad.as_mut()
}

impl Discovery {
    pub(crate) fn new(config: &NetworkConfig, common: Common, now: Instant) -> (Self, View) {
        let (shown, info) = watch::channel(DiscoveryInfo::default());
        let network = config.discovery.network();
        let mut random = Random::new(common.seed, b"discovery");
        let due = Due {
            wanted: now + WANTED.mul_f64(random.fraction()),
            walk: Round::first(now, random.fraction()),
            member: Round::first(now, random.fraction()),
            tidy: now + TIDY.mul_f64(random.fraction()),
        };
        let discovery = Self {
            clock: config.clock.clone(),
            keypair: config.keypair.clone(),
            config: config.discovery.clone(),
            relays_from: config.reach.relay_server.then_some(config.reach.internet),
            protocol: protocol(&network),
            network,
            random,
            common,
            table: Table::default(),
            lookups: Lookups::new(),
            publisher: Publisher::default(),
            providing: Providing::new(),
            searches: Searches::new(),
            remotes: HashMap::new(),
            brings: Allowances::new(brought::BRINGS),
            due,
            info: DiscoveryInfo::default(),
            shown,
        };
        (discovery, View { info })
    }

    /// Looks at everything that happens in the swarm. Returns whether what is shown of peers may have changed.
    pub(crate) fn on_event(&mut self, swarm: &mut Swarm<Swarmed>, event: &SwarmEvent<Event>) -> bool {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(Event::Discovery(BehaviourEvent::Mdns(
                libp2p_mdns::Event::Discovered(list),
            ))) => {
                for (peer, addresses) in mdns::found(list, &self.common.house) {
                    self.common.book.learn(peer, addresses, Source::Neighbour);
                }
            }
            SwarmEvent::Behaviour(Event::Discovery(BehaviourEvent::Kad(event))) => {
                let Some(kad) = kad_of(swarm) else {
                    return false;
                };
                // Most of what happens are questions of others, and changes nothing.
                if let kad::Event::InboundRequest { request } = event
                    && !matches!(
                        request,
                        InboundRequest::PutRecord { .. } | InboundRequest::AddProvider { .. }
                    )
                {
                    return false;
                }
                let found = self.on_kad(kad, event, now);
                self.work(kad, now);
                dial(swarm, &found);
            }
            SwarmEvent::Behaviour(Event::Identify(identify::Event::Received {
                peer_id,
                connection_id,
                info,
            })) => {
                if let (Some(kad), Some(Remote { address: seen, .. })) =
                    (kad_of(swarm), self.remotes.get(connection_id))
                {
                    if info.protocols.contains(&self.protocol) {
                        let addresses = &info.listen_addrs;
                        self.table
                            .admit(kad, &self.common.members, *peer_id, seen, addresses);
                    } else {
                        self.table.remove(kad, *peer_id);
                    }
                }
            }
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                let address = endpoint.get_remote_address().clone();
                self.lookups.met(peer_id);
                // As far as this one none was: this PC is in that network anew.
                let scope = Scope::of(&address);
                if !self.remotes.values().any(|other| other.scope == scope) {
                    self.publisher.back(now);
                    self.due.walk = Round::first(now, self.random.fraction());
                    self.due.member = Round::first(now, self.random.fraction());
                }
                let remote = Remote {
                    peer: *peer_id,
                    address,
                    scope,
                };
                self.remotes.insert(*connection_id, remote);
                self.look_around(swarm, now);
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.remotes.remove(connection_id);
                self.look_around(swarm, now);
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error: DialError::Transport(_) | DialError::WrongPeerId { .. },
                ..
            } => {
                if let Some(kad) = kad_of(swarm) {
                    self.table.failed(kad, *peer);
                }
            }
            SwarmEvent::NewListenAddr { .. }
            | SwarmEvent::ExpiredListenAddr { .. }
            | SwarmEvent::ListenerClosed { .. }
            | SwarmEvent::ExternalAddrConfirmed { .. }
            | SwarmEvent::ExternalAddrExpired { .. } => self.look_around(swarm, now),
            _ => return false,
        }
        self.show(swarm);
        false
    }

    /// Does what a handle asks for.
    pub(crate) fn on_command(&mut self, swarm: &mut Swarm<Swarmed>, command: Command) {
        let now = Instant::now();
        let Some(kad) = kad_of(swarm) else {
            // Whoever asked hears nothing, at once.
            return;
        };
        match command {
            Command::LookUp { peer, reply } => {
                self.info.begun.asked += u64::from(self.lookups.want(peer, Some(reply), now));
            }
            Command::Provide(blob) => {
                if let Some(dropped) = self.providing.add(blob, now) {
                    kad.inner.stop_providing(&providing::key(dropped));
                }
            }
            Command::StopProviding(blob) => {
                self.providing.remove(blob);
                kad.inner.stop_providing(&providing::key(blob));
            }
            Command::FindProviders { blob, reply } => self.searches.ask(blob, reply),
        }
        self.work(kad, now);
    }

    /// When [`tick`](Self::tick) is to be called, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        if !self.config.kademlia {
            return None;
        }
        let Due {
            wanted,
            walk,
            member,
            tidy,
        } = &self.due;
        let always = [*wanted, walk.at, member.at, *tidy].into_iter();
        let sometimes = [self.publisher.due(), self.providing.due()];
        always.chain(sometimes.into_iter().flatten()).min()
    }

    /// Does what has become due by `now`. Returns as [`on_event`](Self::on_event).
    pub(crate) fn tick(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) -> bool {
        let Some(kad) = kad_of(swarm) else {
            return false;
        };
        if self.due.wanted <= now {
            self.due.wanted = now + WANTED;
            for peer in self.common.book.take_wanted() {
                self.info.begun.wanted += u64::from(self.lookups.want(peer, None, now));
            }
        }
        if self.due.member.at <= now {
            let many = table::count(kad) >= MANY;
            self.due.member.next(now, self.random.fraction(), many);
            self.look_for_a_member(now);
        }
        if self.due.walk.at <= now {
            let known = table::count(kad);
            self.due.walk.next(now, self.random.fraction(), known >= MANY);
            if known > 0 {
                self.info.begun.walks += 1;
                kad.inner
                    .get_n_closest_peers(self.random.bytes().to_vec(), WALKED);
            }
        }
        if self.due.tidy <= now {
            self.due.tidy = now + TIDY;
            kad.inner.store_mut().tidy();
            self.table.tidy(kad);
        }
        self.publish(kad, now);
        self.work(kad, now);
        self.show(swarm);
        false
    }

    /// Looks at where this PC is, and who is there.
    fn look_around(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) {
        let external: Vec<Multiaddr> = swarm.external_addresses().cloned().collect();
        let listening: Vec<Multiaddr> = swarm.listeners().cloned().collect();
        self.common.house.is_at(&listening);
        let scopes = || self.remotes.values().map(|remote| remote.scope);
        let local_only = !self.remotes.is_empty()
            && scopes().all(|scope| !matches!(scope, Some(Scope::Public | Scope::Name)));
        let beside = scopes().any(|scope| scope == Some(Scope::Loopback));
        let reached = external.iter().any(|address| !is_relayed(address));
        let server = self.config.server.unwrap_or(reached || local_only);
        // What was confirmed; and where this PC listens, if a person says that it is reached there, or no stranger is about.
        let named = listening.iter().filter(|address| match Scope::of(address) {
            Some(Scope::Loopback) => local_only && beside,
            Some(Scope::Private) => local_only,
            Some(Scope::Public) => local_only || self.config.server == Some(true),
            Some(Scope::Name) | None => false,
        });
        let own = few(external.iter().chain(named).cloned().map(bare), MOST_ADDRESSES);
        self.publisher.addresses(own, now);
        let Some(kad) = kad_of(swarm) else {
            return;
        };
        kad.surroundings.local_only = local_only;
        let mode = if server {
            kad::Mode::Server
        } else {
            kad::Mode::Client
        };
        if kad.inner.mode() != mode {
            kad.inner.set_mode(Some(mode));
        }
        self.info.server = server;
    }

    /// Tells where this PC is, if it is time.
    fn publish(&mut self, kad: &mut Bounded, now: Instant) {
        let first = self.publisher.is_first();
        let Some((addresses, sequence)) = self.publisher.take(now, self.clock.ms()) else {
            return;
        };
        if first {
            // Another run of this PC may have told something newer, by a clock that was ahead.
            self.info.begun.told += 1;
            kad.inner.get_record(record::key(&self.common.local, 0));
        }
        let reached = |address: &Multiaddr| !is_relayed(address) && Scope::of(address) >= self.relays_from;
        let record = PeerRecord {
            peer: self.common.local,
            capabilities: Capabilities {
                relay: self.relays_from.is_some() && addresses.iter().any(reached),
                ..self.config.capabilities
            },
            addresses,
            sequence,
            expires: self.now_s().saturating_add(LONGEST_LIFE.as_secs()),
        };
        let bytes = match record.sign(&self.keypair, &self.network) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(%error, "others can't be told where this PC is");
                return;
            }
        };
        for place in 0..PLACES {
            self.info.begun.told += 1;
            let record = Record::new(record::key(&self.common.local, place), bytes.clone());
            if let Err(error) = kad.inner.put_record(record, Quorum::All) {
                tracing::debug!(%error, "can't keep this PC's own record");
            }
        }
    }

    /// Starts what waits, as far as it may run at the same time.
    fn work(&mut self, kad: &mut Bounded, now: Instant) {
        while let Some((peer, place)) = self.lookups.next() {
            self.info.begun.records += 1;
            let id = kad.inner.get_record(record::key(&peer, place));
            self.lookups.started(id, peer, place);
        }
        while let Some((blob, asker)) = self.searches.next() {
            self.info.begun.blobs += 1;
            let id = kad.inner.get_providers(providing::key(blob));
            self.searches.started(id, asker);
        }
        while let Some(blob) = self.providing.next(now) {
            self.info.begun.blobs += 1;
            match kad.inner.start_providing(providing::key(blob)) {
                Ok(id) => self.providing.started(id, blob),
                Err(error) => tracing::debug!(%error, "can't tell that this PC has a blob"),
            }
        }
    }

    /// One registered peer of which nobody has told anything, by chance: in time they are all known, or at least looked for.
    fn look_for_a_member(&mut self, now: Instant) {
        let members = self.common.members.list();
        for _ in 0..8 {
            let Some(peer) = self.random.one_of(&members) else {
                break;
            };
            let connected = self.remotes.values().any(|remote| remote.peer == *peer);
            if *peer != self.common.local && !connected && self.common.book.addresses(peer).is_empty() {
                self.info.begun.members += u64::from(self.lookups.want(*peer, None, now));
                break;
            }
        }
    }

    fn now_s(&self) -> u64 {
        self.clock.ms() / 1000
    }

    fn show(&mut self, swarm: &mut Swarm<Swarmed>) {
        if let Some(kad) = kad_of(swarm) {
            self.info.table = table::count(kad);
            self.info.records = kad.inner.store_mut().records_kept();
        }
        let info = self.info;
        self.shown.send_if_modified(|before| {
            let changed = *before != info;
            *before = info;
            changed
        });
    }
}

/// Kademlia adds where it has just heard that they are.
fn dial(swarm: &mut Swarm<Swarmed>, peers: &[PeerId]) {
    for peer in peers
        .iter()
        .filter(|peer| **peer != *swarm.local_peer_id())
        .copied()
        .collect::<Vec<_>>()
    {
        let condition = PeerCondition::DisconnectedAndNotDialing;
        let options = DialOpts::peer_id(peer).condition(condition).build();
        if let Err(error) = swarm.dial(options) {
            tracing::trace!(%peer, %error, "a provider isn't dialled");
        }
    }
}

/// Without a PeerId at the end, unless a relay's circuit needs it.
fn bare(mut address: Multiaddr) -> Multiaddr {
    if let Some(libp2p::multiaddr::Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}
