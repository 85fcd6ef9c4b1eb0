//! The task that owns the swarm.
//!
//! Everything that needs the swarm happens here, one event at a time; the rest of the program sees it through
//! [`NetworkHandle`](crate::NetworkHandle). It ends when told to, or when the last handle is gone.

use crate::{
    behaviour::{Behaviour, BehaviourEvent},
    bootstrap::{AwayPeer, Bootstrap, Dialled, peer_in},
    chosen_names::ChosenNames,
    command::Command,
    common::Common,
    config::NetworkConfig,
    discovery::{self, Discovery},
    error::{DialError, innermost},
    gossip::{self, Gossip},
    manager::{self, Manager},
    peers::{Carrier, PeerInfo, Peers},
    pool::{KEEP, Pool},
    reach::{self, Reach},
    reports::Report,
    scope::is_relayed,
};
use futures::StreamExt;
use libp2p::{
    Multiaddr, PeerId, Swarm, identify, ping,
    swarm::{
        self, ConnectionId, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::AbortHandle,
    time::{Instant, MissedTickBehavior, interval},
};

/// Who comes and who goes is shown at once, what else changes so long after the last time: a search brings and takes dozens of peers.
const SHOW: Duration = Duration::from_millis(250);
/// The same when only a round trip was measured again, of each peer every few seconds.
const SHOW_LATENCY: Duration = Duration::from_secs(2);

/// A task that ends with its owner.
#[derive(Debug)]
pub(crate) struct AbortOnDrop(pub(crate) AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) struct Service {
    swarm: Swarm<Behaviour>,
    bootstrap: Bootstrap,
    parts: Parts,
    peers: Peers,
    pool: Arc<Pool>,
    /// Who waits for which dial.
    dials: HashMap<ConnectionId, (Multiaddr, oneshot::Sender<Result<PeerId, DialError>>)>,
    shown: Shown,
    /// When the list of peers was last shown, and when it has to be since.
    peers_shown: Option<Instant>,
    show_peers_at: Option<Instant>,
}

/// The parts, each beside the swarm; see their own folders.
pub(crate) struct Parts {
    manager: Manager,
    discovery: Discovery,
    gossip: Gossip,
    reach: Reach,
    /// What of peers is to be told to the manager.
    reported: mpsc::Receiver<(PeerId, Report)>,
    /// Those in addresses that somebody here asks to dial are added.
    names: ChosenNames,
}

/// What the parts show to handles.
pub(crate) struct PartViews {
    pub(crate) manager: manager::View,
    pub(crate) discovery: discovery::View,
    pub(crate) gossip: gossip::View,
    pub(crate) reach: reach::View,
}

impl Parts {
    pub(crate) fn new(
        config: &NetworkConfig,
        common: &Common,
        reported: mpsc::Receiver<(PeerId, Report)>,
        now: Instant,
    ) -> (Self, PartViews) {
        let (manager, manager_view) = Manager::new(config, common.clone(), now);
        let (discovery, discovery_view) = Discovery::new(config, common.clone(), now);
        let (gossip, gossip_view) = Gossip::new(config, common.clone(), now);
        let (reach, reach_view) = Reach::new(config, common.clone(), now);
        let parts = Self {
            manager,
            discovery,
            gossip,
            reach,
            reported,
            names: common.names.clone(),
        };
        let views = PartViews {
            manager: manager_view,
            discovery: discovery_view,
            gossip: gossip_view,
            reach: reach_view,
        };
        (parts, views)
    }

    /// Every part sees every event. Returns whether what is shown of peers may have changed.
    fn on_event(&mut self, swarm: &mut Swarm<Behaviour>, event: &SwarmEvent<BehaviourEvent>) -> bool {
        // All of them, whatever the first says.
        let changed = [
            self.manager.on_event(swarm, event),
            self.reach.on_event(swarm, event),
            self.discovery.on_event(swarm, event),
            self.gossip.on_event(swarm, event),
        ];
        changed.contains(&true)
    }

    fn due(&self) -> Option<Instant> {
        let due = [
            self.manager.due(),
            self.reach.due(),
            self.discovery.due(),
            self.gossip.due(),
        ];
        due.into_iter().flatten().min()
    }

    fn tick(&mut self, swarm: &mut Swarm<Behaviour>, now: Instant) -> bool {
        let changed = [
            self.manager.tick(swarm, now),
            self.reach.tick(swarm, now),
            self.discovery.tick(swarm, now),
            self.gossip.tick(swarm, now),
        ];
        changed.contains(&true)
    }
}

/// Where the service shows what it knows.
pub(crate) struct Shown {
    pub(crate) peers: watch::Sender<Vec<PeerInfo>>,
    pub(crate) listening: watch::Sender<Vec<Multiaddr>>,
    pub(crate) away: watch::Sender<Vec<AwayPeer>>,
}

impl Service {
    pub(crate) fn new(
        swarm: Swarm<Behaviour>,
        bootstrap: Bootstrap,
        parts: Parts,
        pool: Arc<Pool>,
        shown: Shown,
    ) -> Self {
        Self {
            swarm,
            bootstrap,
            parts,
            peers: Peers::default(),
            pool,
            dials: HashMap::new(),
            shown,
            peers_shown: None,
            show_peers_at: None,
        }
    }

    /// `commands` is dropped last: that its channel is closed tells the handles that everything has ended.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>, tasks: Vec<AbortOnDrop>) {
        let mut sweep = interval(KEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let due = self.bootstrap.next_due();
            let parts_due = self.parts.due();
            let show_peers_at = self.show_peers_at;
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some((peer, report)) = self.parts.reported.recv() => {
                    if self.parts.manager.on_report(&mut self.swarm, peer, report) {
                        self.peers_changed();
                    }
                }
                command = commands.recv() => match command {
                    Some(Command::Dial { address, reply }) => self.dial(address, reply),
                    Some(Command::Manager(command)) => self.parts.manager.on_command(&mut self.swarm, command),
                    Some(Command::Discovery(command)) => {
                        self.parts.discovery.on_command(&mut self.swarm, command);
                    }
                    Some(Command::Gossip(command)) => self.parts.gossip.on_command(&mut self.swarm, command),
                    Some(Command::ShutDown) | None => break,
                },
                () = sleep_until(due) => self.dial_bootstrap(),
                // An idle stream keeps its connection.
                _ = sweep.tick() => self.pool.sweep(),
                () = sleep_until(parts_due) => {
                    if self.parts.tick(&mut self.swarm, Instant::now()) {
                        self.peers_changed();
                        self.publish_away();
                    }
                }
                () = sleep_until(show_peers_at) => self.publish_peers(),
            }
        }
        drop(tasks);
        self.parts.reach.shut_down().await;
        self.parts.manager.close().await;
        drop(self);
        drop(commands);
    }

    pub(crate) fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let changed = self.parts.on_event(&mut self.swarm, &event);
        self.on_own_event(event);
        if changed {
            self.peers_changed();
        }
    }

    fn on_own_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.connected(peer_id, connection_id, reach::address_of(&endpoint));
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                if self.peers.disconnected(peer_id, connection_id) {
                    self.pool.forget(peer_id);
                    self.bootstrap.disconnected(peer_id, Instant::now());
                }
                self.show_peer(peer_id);
                self.peers_changed();
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id, error, ..
            } => {
                self.dial_failed(connection_id, &error);
            }
            SwarmEvent::NewListenAddr { .. } | SwarmEvent::ExpiredListenAddr { .. } => {
                self.publish_listening();
            }
            SwarmEvent::ListenerClosed {
                addresses, reason, ..
            } => {
                self.publish_listening();
                // What ends at a relay begins again there, or at another one.
                if addresses.iter().all(is_relayed) {
                    return;
                }
                tracing::error!(
                    ?addresses,
                    ?reason,
                    "stopped listening; restart the trainer to be reachable again"
                );
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener has trouble"),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                self.peers.set_agent(&peer_id, &info.agent_version);
                self.peers_changed();
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result,
            })) => {
                match result {
                    Ok(latency) => {
                        if self.peers.set_latency(&peer, latency) {
                            self.peers_changed();
                        } else {
                            let at = Instant::now() + SHOW_LATENCY;
                            self.show_peers_at.get_or_insert(at);
                        }
                    }
                    Err(ping::Failure::Unsupported) => {}
                    // A host that lost power never says goodbye.
                    Err(error) => {
                        tracing::debug!(%peer, %error, "no answer to ping, closing the connection");
                        self.swarm.close_connection(connection);
                    }
                }
            }
            _ => {}
        }
    }

    fn connected(&mut self, peer: PeerId, id: ConnectionId, address: Multiaddr) {
        let lasting = !self.parts.reach.is_attempt(&peer, id);
        self.peers.connected(peer, id, address, lasting);
        self.bootstrap.connected(id, peer, Instant::now());
        self.publish_away();
        // Before anybody hears that it isn't on its way any more.
        self.show_peer(peer);
        self.parts.manager.show_coming();
        if let Some((_, reply)) = self.dials.remove(&id) {
            let _ = reply.send(Ok(peer));
        }
        self.peers_changed();
    }

    fn dial(&mut self, address: Multiaddr, reply: oneshot::Sender<Result<PeerId, DialError>>) {
        if let Some(peer) = peer_in(&address).filter(|peer| self.peers.is_connected(peer)) {
            let _ = reply.send(Ok(peer));
            return;
        }
        self.parts.names.add(&address);
        let options = dial_options(&address, 0, PeerCondition::Always);
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(id, (address, reply));
            }
            Err(error) => {
                let _ = reply.send(Err(explain(address, &error)));
            }
        }
    }

    fn dial_bootstrap(&mut self) {
        if self.parts.manager.has_enough() {
            // Whoever finds its way without them leaves them to others.
            self.bootstrap.rest(Instant::now());
            self.publish_away();
            return;
        }
        let Self { bootstrap, swarm, .. } = self;
        let away = bootstrap.away();
        // Several addresses of one peer are dialled at once; but not one that the peer manager is dialling: two connections can't both
        // leave from our port, and which of them did can't be told from what the peer sees.
        let mut begun = Vec::new();
        let named = bootstrap.dial_due(Instant::now(), |address| {
            let failed = away.iter().find(|peer| peer.address == *address);
            let peer = peer_in(address);
            let condition = match begun.contains(&peer) {
                true => PeerCondition::Always,
                false => PeerCondition::NotDialing,
            };
            begun.push(peer);
            let options = dial_options(address, failed.map_or(0, |peer| peer.attempts), condition);
            let id = options.connection_id();
            match swarm.dial(options) {
                Ok(()) => Dialled::Started(id),
                Err(swarm::DialError::DialPeerConditionFalse(_)) => Dialled::Busy,
                Err(error) => match explain(address.clone(), &error) {
                    DialError::Ourselves { .. } => Dialled::Ourselves,
                    error => Dialled::Failed(error.to_string()),
                },
            }
        });
        named.iter().for_each(name);
        self.publish_away();
    }

    fn dial_failed(&mut self, id: ConnectionId, error: &swarm::DialError) {
        if let Some((address, reply)) = self.dials.remove(&id) {
            let _ = reply.send(Err(explain(address, error)));
        }
        if matches!(error, swarm::DialError::LocalPeerId { .. }) {
            self.bootstrap.is_ourselves(id, Instant::now());
        } else if let Some(address) = self.bootstrap.dialling(id) {
            let reason = explain(address.clone(), error).to_string();
            let named = self.bootstrap.failed(id, Instant::now(), reason);
            named.iter().for_each(name);
        }
        self.publish_away();
    }

    fn publish_away(&self) {
        // Whoever has enough others misses nobody.
        let now = match self.parts.manager.has_enough() {
            true => Vec::new(),
            false => self.bootstrap.away(),
        };
        self.shown.away.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    /// Shows at once whether a peer is connected, and how.
    fn show_peer(&mut self, peer: PeerId) {
        let Self { peers, parts, .. } = self;
        let now = peers.info(&peer, |peer, address| {
            (parts.reach.path(peer, address), parts.manager.slot(peer))
        });
        self.shown.peers.send_if_modified(|list| {
            match (list.binary_search_by_key(&peer, |info| info.peer_id), now) {
                (Ok(at), Some(now)) => {
                    let changed = list[at] != now;
                    list[at] = now;
                    changed
                }
                (Ok(at), None) => {
                    list.remove(at);
                    true
                }
                (Err(at), Some(now)) => {
                    list.insert(at, now);
                    true
                }
                (Err(_), None) => false,
            }
        });
    }

    /// Shows the list of peers at once, or a moment later if that has just been done.
    fn peers_changed(&mut self) {
        let now = Instant::now();
        let at = self.peers_shown.map_or(now, |shown| shown + SHOW);
        match at <= now {
            true => self.publish_peers(),
            false => self.show_peers_at = Some(self.show_peers_at.map_or(at, |other| other.min(at))),
        }
    }

    fn publish_peers(&mut self) {
        (self.peers_shown, self.show_peers_at) = (Some(Instant::now()), None);
        let Self { peers, parts, .. } = self;
        let now = peers.list(|peer, address| (parts.reach.path(peer, address), parts.manager.slot(peer)));
        // Whoever waits for changes isn't woken for none.
        self.shown.peers.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }

    fn publish_listening(&self) {
        let local = *self.swarm.local_peer_id();
        let addresses = self.swarm.listeners().map(|address| {
            let address = address.clone();
            address.with_p2p(local).unwrap_or_else(|address| address)
        });
        let mut addresses: Vec<Multiaddr> = addresses.collect();
        // TCP first, relays last.
        addresses.sort_by_cached_key(|address| (is_relayed(address), Carrier::of(address), address.clone()));
        self.shown.listening.send_replace(addresses);
    }
}

/// Says who is away, and that this isn't the end of it.
fn name(away: &AwayPeer) {
    let AwayPeer { reason, attempts, .. } = away;
    tracing::warn!(
        attempts,
        "a bootstrap peer is away and is tried again until it comes back: {reason}"
    );
}

/// From the port that we listen on: so a router shows others the port at which it may let them in, and holes can be punched. Two
/// trainers that dial each other at the same moment may collide then, in TCP: every second attempt leaves from a port of its own.
fn dial_options(address: &Multiaddr, failures: u32, condition: PeerCondition) -> DialOpts {
    let new_port = !failures.is_multiple_of(2);
    match peer_in(address) {
        Some(peer) => {
            let options = DialOpts::peer_id(peer)
                .condition(condition)
                .addresses(vec![address.clone()]);
            match new_port {
                true => options.allocate_new_port().build(),
                false => options.build(),
            }
        }
        None => {
            let options = DialOpts::unknown_peer_id().address(address.clone());
            match new_port {
                true => options.allocate_new_port().build(),
                false => options.build(),
            }
        }
    }
}

fn explain(address: Multiaddr, error: &swarm::DialError) -> DialError {
    match error {
        // The swarm strikes our own listening addresses from those it was given, and then has none.
        swarm::DialError::LocalPeerId { .. } | swarm::DialError::NoAddresses => {
            DialError::Ourselves { address }
        }
        swarm::DialError::WrongPeerId { obtained, .. } => DialError::WrongPeer {
            address,
            obtained: *obtained,
        },
        swarm::DialError::Transport(attempts) => {
            let reasons: Vec<_> = attempts.iter().map(|(_, error)| innermost(error)).collect();
            DialError::Unreachable {
                address,
                reason: reasons.join("; "),
            }
        }
        other => DialError::Unreachable {
            address,
            reason: innermost(other),
        },
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
