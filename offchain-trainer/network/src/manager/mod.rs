//! The peer manager: who is dialled, who has a slot, who is shown the door.
//!
//! `slots` says who of the connected stays, `score` and `ban` who did too much wrong, `dial` who is being dialled (`dialling` does it),
//! and `door`, the part in the swarm, keeps and refuses connections accordingly. This file tells them what happens, and does what they
//! say.
//!
//! Must never let strangers take what peers with a slot need.

mod ban;
pub(crate) mod config;
mod connected;
mod crowd;
mod dial;
mod dialling;
pub(crate) mod door;
mod handle;
mod keep;
mod pinned;
mod place;
mod random;
mod score;
mod slots;

pub(crate) use self::handle::{Command, View};
pub use self::{ban::Banned, config::Config};

use self::{
    connected::{Connected, Met},
    crowd::Guest,
    dial::{Dials, Why},
    pinned::Pinned,
    place::{Place, leads_to},
    random::Random,
    score::Scores,
    slots::{Candidate, Situation, Slots, merit},
};
use crate::{
    behaviour::{Behaviour as Swarmed, BehaviourEvent},
    book::Source,
    common::Common,
    config::NetworkConfig,
    reports::{Fault, Report},
    scope::Scope,
};
use libp2p::{
    PeerId, Swarm,
    core::ConnectedPoint,
    identify, ping,
    swarm::{ConnectionId, SwarmEvent},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::{sync::watch, time::Instant};

/// So often the book is written, if it has changed.
const SAVE: Duration = Duration::from_secs(60);
/// The shortest pause between two rounds of dialling for slots; it doubles while nobody is found.
const FILL: Duration = Duration::from_secs(1);
/// The longest.
const FILL_LATEST: Duration = Duration::from_secs(16);
/// So soon slots are looked at again when peers come and go: a search brings dozens of them, and each look is one at all.
const REVIEW: Duration = Duration::from_millis(500);
/// So long a peer that gave its slot to another is left alone.
const REST: Duration = Duration::from_secs(30 * 60);
/// What a peer can do, as its protocols show; the lower bits are for what its record says.
const RELAYS: u32 = 1 << 31;
/// As above.
const ANSWERS_LOOK_UPS: u32 = 1 << 30;

/// What a peer is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// One of those we stay with.
    LongTerm,
    /// One of those we try out, to find better ones.
    Exploratory,
    /// It came to us and may stay.
    Inbound,
    /// It is here for as long as something moves.
    None,
}

/// The part beside the swarm.
pub(crate) struct Manager {
    common: Common,
    config: Config,
    pinned: Pinned,
    connected: Connected,
    slots: Slots,
    scores: Scores,
    dials: Dials,
    random: Random,
    coming: watch::Sender<BTreeSet<PeerId>>,
    /// What was last known of the world outside.
    situation: Situation,
    fill_at: Instant,
    fill_pause: Duration,
    save_at: Instant,
    /// When slots were last looked at, and when they have to be since.
    reviewed: Option<Instant>,
    review_at: Option<Instant>,
}

impl Manager {
    pub(crate) fn new(config: &NetworkConfig, common: Common, now: Instant) -> (Self, View) {
        let (coming, shown) = watch::channel(BTreeSet::new());
        let view = View::new(common.members.clone(), shown);
        let pinned = Pinned::new(&config.bootstrap);
        for (peer, address) in pinned.named() {
            common.book.learn(peer, [address], Source::Bootstrap);
        }
        let manager = Self {
            random: Random::new(common.seed ^ 0x6D61_6E61_6765_7273),
            common,
            slots: Slots::new(config.manager.clone(), now),
            config: config.manager.clone(),
            pinned,
            connected: Connected::default(),
            scores: Scores::default(),
            dials: Dials::default(),
            coming,
            situation: Situation {
                small: true,
                others: true,
            },
            fill_at: now,
            fill_pause: FILL,
            save_at: now + SAVE,
            reviewed: None,
            review_at: None,
        };
        (manager, view)
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
            } => {
                self.opened(*peer_id, *connection_id, endpoint, now);
                self.review_soon(swarm, now)
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                ..
            } => {
                if let Some((endpoint, last)) = self.connected.closed(peer_id, *connection_id) {
                    self.common.book.is_near(leads_to(&endpoint).0, false);
                    if last {
                        self.hurry(now);
                    }
                    // Others ask at once whether there are enough.
                    if last && matches!(self.slots.of(peer_id), Slot::LongTerm | Slot::Exploratory) {
                        return self.review(swarm, now);
                    }
                }
                self.review_soon(swarm, now)
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id, error, ..
            } => {
                self.dial_failed(*connection_id, error, now);
                self.show_coming();
                false
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                peer_id,
                info,
            })) => {
                self.identified(peer_id, *connection_id, info);
                false
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                result: Ok(latency),
                ..
            })) => {
                self.connected.set_latency(peer, *latency);
                false
            }
            _ => false,
        }
    }

    /// Hears what another part says of a peer. Returns as [`on_event`](Self::on_event).
    pub(crate) fn on_report(&mut self, swarm: &mut Swarm<Swarmed>, peer: PeerId, report: Report) -> bool {
        let now = Instant::now();
        let door = &mut swarm.behaviour_mut().manager;
        // What waited in the queue is no further reason.
        if door.is_banned(&peer, now) || !self.config.bans {
            return false;
        }
        if report == Report::Fault(Fault::Unreachable) {
            self.common.book.failed(&peer, now);
        }
        let before = self.scores.of(&peer, now);
        if self.scores.report(peer, report, now) {
            let place = self.connected.get(&peer).and_then(Met::place);
            let origin = match place {
                Some(Place::Direct(origin)) => Some(origin),
                _ => None,
            };
            if let Some(sentence) = door.ban(peer, origin, now) {
                tracing::info!(
                    %peer,
                    ?report,
                    seconds = sentence.lasts.as_secs(),
                    with_its_address = sentence.with_origin.is_some(),
                    "a peer did wrong too often and is banned for a while"
                );
            }
            self.common.book.failed(&peer, now);
            return self.review(swarm, now);
        }
        let lost = before > score::DISGRACED && self.scores.of(&peer, now) <= score::DISGRACED;
        lost && self.review(swarm, now)
    }

    /// How the peer stands with us, for what is shown of peers.
    pub(crate) fn slot(&self, peer: &PeerId) -> Slot {
        self.slots.of(peer)
    }

    /// There are enough peers to do without those that are dialled for ever.
    pub(crate) fn has_enough(&self) -> bool {
        self.slots.is_settled()
    }

    /// Does what a handle asks for.
    pub(crate) fn on_command(&mut self, swarm: &mut Swarm<Swarmed>, command: Command) {
        let now = Instant::now();
        match command {
            Command::Want { peers, noted } => {
                for peer in peers {
                    let here = self.connected.contains(&peer) || peer == self.common.local;
                    if !here && self.dials.want(peer, now) {
                        self.look_up(&peer);
                    }
                }
                self.visit(swarm, now);
                self.show_coming();
                // Whoever asked may have gone.
                let _ = noted.send(());
            }
            Command::Banned(reply) => {
                // As above.
                let _ = reply.send(swarm.behaviour().manager.banned(now));
            }
        }
    }

    /// When [`tick`](Self::tick) is to be called, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        let fill = (self.slots.lacking(self.situation) > self.dials.for_slots()).then_some(self.fill_at);
        let fixed = [self.save_at, self.slots.due()];
        let others = [fill, self.dials.due(), self.review_at];
        fixed.into_iter().chain(others.into_iter().flatten()).min()
    }

    /// Does what has become due by `now`. Returns as [`on_event`](Self::on_event).
    pub(crate) fn tick(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) -> bool {
        if self.save_at <= now {
            self.save_at = now + SAVE;
            if self.common.book.is_changed() {
                let book = self.common.book.clone();
                tokio::task::spawn_blocking(move || book.save());
            }
        }
        for (peer, relayed) in self.dials.relays_due(now) {
            self.dial_also(swarm, peer, relayed, now);
        }
        self.visit(swarm, now);
        self.show_coming();
        let review = self.slots.due() <= now || self.review_at.is_some_and(|at| at <= now);
        let changed = review && self.review(swarm, now);
        if self.fill_at <= now && self.slots.lacking(self.situation) > self.dials.for_slots() {
            self.fill(swarm, now);
        }
        changed
    }

    /// Writes down what is to be remembered.
    pub(crate) async fn close(&self) {
        let book = self.common.book.clone();
        // Fails only if it panicked.
        let _ = tokio::task::spawn_blocking(move || book.save()).await;
    }

    fn opened(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint, now: Instant) {
        if let ConnectedPoint::Dialer { address, .. } = endpoint {
            self.pinned.is_at(address, peer);
            self.common.book.reached(peer, address.clone());
        }
        let why = self.dials.connected(&peer, id);
        // Bootstrap peers are dialled elsewhere, and a person chose them.
        let why = match self.pinned.contains(&peer) {
            true => Some(Why::Slot),
            false => why,
        };
        self.connected.opened(peer, id, endpoint.clone(), why, now);
        let (address, _) = leads_to(endpoint);
        self.common.book.is_near(address, true);
        self.hurry(now);
    }

    /// Other peers may be of use soon.
    fn hurry(&mut self, now: Instant) {
        self.fill_pause = FILL;
        self.fill_at = self.fill_at.min(now + FILL);
    }

    fn identified(&mut self, peer: &PeerId, id: ConnectionId, info: &identify::Info) {
        let Some(met) = self.connected.get(peer) else {
            return;
        };
        let Some(endpoint) = met.endpoint(id) else { return };
        // An address reaches no further than the connection over which it was told.
        let (here, relayed) = leads_to(endpoint);
        let reach = Scope::of(here).filter(|_| !relayed).unwrap_or(Scope::Public);
        let addresses = info.listen_addrs.iter().filter(|address| {
            Scope::of(address).is_some_and(|scope| match scope {
                Scope::Loopback => reach == Scope::Loopback,
                Scope::Private => reach == Scope::Private,
                Scope::Name | Scope::Public => true,
            })
        });
        let book = &self.common.book;
        let source = match !relayed && self.common.house.holds(here) {
            true => Source::Neighbour,
            false => Source::Identify,
        };
        book.learn(*peer, addresses.cloned(), source);
        let speaks = |name: &str| {
            info.protocols
                .iter()
                .any(|protocol| protocol.as_ref().ends_with(name))
        };
        let mut capabilities = 0;
        if speaks("/circuit/relay/0.2.0/hop") {
            capabilities |= RELAYS;
        }
        if speaks("/kad/1") || speaks("/kad/1.0.0") {
            capabilities |= ANSWERS_LOOK_UPS;
        }
        book.set_capabilities(peer, capabilities, RELAYS | ANSWERS_LOOK_UPS);
    }

    fn candidate(&self, peer: &PeerId, met: &Met, now: Instant) -> Candidate {
        let score = self.scores.of(peer, now);
        let here = now.saturating_duration_since(met.since);
        Candidate {
            peer: *peer,
            place: met.place(),
            prefix: met.prefix(),
            capabilities: self.common.book.capabilities(peer),
            chosen: met.chosen,
            visit: met.visit,
            pinned: self.pinned.contains(peer),
            standing: self.standing(peer),
            // How good it is beside its score says nothing of one that did wrong.
            merit: match score > score::DISGRACED {
                true => merit(score, met.latency, here).max(score::DISGRACED + 1.0),
                false => score,
            },
        }
    }

    fn candidates(&self, now: Instant) -> Vec<Candidate> {
        let connected = self.connected.iter();
        connected
            .map(|(peer, met)| self.candidate(peer, met, now))
            .collect()
    }

    /// Registered and staked, registered, or neither.
    fn standing(&self, peer: &PeerId) -> u8 {
        match self.common.members.weight(peer) {
            None => 0,
            Some(0) => 1,
            Some(_) => 2,
        }
    }

    /// [Reviews](Self::review) at once, or a moment later if it has just been done.
    fn review_soon(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) -> bool {
        let at = self.reviewed.map_or(now, |reviewed| reviewed + REVIEW);
        // Where those without a slot crowd, each further one has to go before all places are taken.
        let crowded = self.connected.len() >= self.config.guests.saturating_add(self.config.inbound);
        if at <= now || crowded {
            return self.review(swarm, now);
        }
        self.review_at = Some(at);
        false
    }

    /// Gives and takes slots, and sends away who is too much.
    fn review(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) -> bool {
        (self.reviewed, self.review_at) = (Some(now), None);
        let candidates = self.candidates(now);
        self.situation = self.look_around(swarm, now);
        let review = self.slots.review(&candidates, self.situation, now);
        for peer in &review.dismissed {
            self.common.book.rest(peer, now + REST);
        }
        let door = &mut swarm.behaviour_mut().manager;
        if review.changed {
            door.keep(self.slots.holders());
        }
        let guests = candidates
            .iter()
            .filter(|one| !one.chosen && self.slots.of(&one.peer) == Slot::None);
        let guests = guests.filter_map(|one| {
            Some(Guest {
                peer: one.peer,
                place: one.place,
                standing: one.standing,
                since: self.connected.get(&one.peer)?.since,
            })
        });
        for peer in crowd::excess(guests.collect(), self.config.guests) {
            tracing::debug!(%peer, "too many peers without a slot, closing the connection");
            door.close(peer);
        }
        review.changed
    }

    fn look_around(&self, swarm: &Swarm<Swarmed>, now: Instant) -> Situation {
        let door = &swarm.behaviour().manager;
        let book = &self.common.book;
        let here = self.connected.len();
        let small = self.config.small;
        let small = here <= small && {
            let others = book.alive(small + 1, |peer| self.connected.contains(peer));
            here + others <= small
        };
        let others = book.any_dialable(now, |peer| {
            self.connected.contains(peer) || self.dials.is_dialling(peer) || door.is_banned(peer, now)
        });
        Situation { small, others }
    }

    /// Shows who is on its way.
    pub(crate) fn show_coming(&self) {
        let now = self.dials.coming();
        self.coming.send_if_modified(|before| {
            let changed = *before != now;
            *before = now;
            changed
        });
    }
}

#[cfg(test)]
mod tests;
