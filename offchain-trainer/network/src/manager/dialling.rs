//! Dialling: for slots that are free, whom somebody wants, and through relays; and what follows when nobody answers.
//!
//! Whom, when and why is kept by `dial`; this looks up where they are and tells the swarm.

use super::{
    FILL_LATEST, Manager, Slot,
    dial::{Failed, Why},
    place::{Place, Prefix},
};
use crate::{behaviour::Behaviour as Swarmed, book::Dialable, scope::is_relayed};
use libp2p::{
    Multiaddr, PeerId, Swarm,
    swarm::{
        ConnectionId, DialError,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Whom we didn't reach while nobody else was connected is tried again after this.
const ALONE: Duration = Duration::from_secs(30);

impl Manager {
    /// Dials for slots that are free.
    pub(super) fn fill(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) {
        self.fill_at = now + self.fill_pause;
        self.fill_pause = (self.fill_pause * 2).min(FILL_LATEST);
        self.situation = self.look_around(swarm, now);
        let lacking = self.slots.lacking(self.situation);
        let room = self.config.dials.saturating_sub(self.dials.running());
        let wanted = lacking.saturating_sub(self.dials.for_slots()).min(room);
        if wanted == 0 || !self.situation.others {
            return;
        }
        let door = &swarm.behaviour().manager;
        let others = self.common.book.dialable(now, |peer| {
            self.connected.contains(peer) || self.dials.is_dialling(peer) || door.is_banned(peer, now)
        });
        let chosen = self.choose(others, wanted, now);
        if !chosen.is_empty() {
            // More may be needed soon: some of them are away.
            self.hurry(now);
        }
        for peer in chosen {
            self.dial(swarm, peer, Why::Slot, now);
        }
    }

    /// Whom to dial: members first, then those that were reached before, and by chance among these; but of no network that has its
    /// share already, while there are others, and of no address that has all its slots.
    fn choose(&mut self, others: Vec<Dialable>, wanted: usize, now: Instant) -> Vec<PeerId> {
        let candidates = self.candidates(now);
        let share = (self.config.long_term / 4).max(1);
        let mut prefixes: BTreeMap<Prefix, usize> = BTreeMap::new();
        for candidate in &candidates {
            if matches!(self.slots.of(&candidate.peer), Slot::LongTerm | Slot::Exploratory)
                && let Some(prefix) = candidate.prefix
            {
                *prefixes.entry(prefix).or_default() += 1;
            }
        }
        let mut order: Vec<(u8, bool, u64, Dialable)> = others
            .into_iter()
            .filter(|one| self.slots.has_room(Place::dialled(&one.address), &candidates))
            .map(|one| (self.standing(&one.peer), one.reached, 0, one))
            .collect();
        for (_, _, chance, _) in &mut order {
            *chance = self.random.next();
        }
        order.sort_by_key(|(standing, reached, chance, _)| std::cmp::Reverse((*standing, *reached, *chance)));
        let (mut chosen, mut crowded) = (Vec::new(), Vec::new());
        for (_, _, _, one) in order {
            if chosen.len() >= wanted {
                break;
            }
            let count = Prefix::of(&one.address).map(|prefix| prefixes.entry(prefix).or_default());
            match count {
                Some(count) if *count >= share => crowded.push(one.peer),
                count => {
                    count.into_iter().for_each(|count| *count += 1);
                    chosen.push(one.peer);
                }
            }
        }
        chosen.extend(crowded);
        chosen.truncate(wanted);
        chosen
    }

    /// Dials who is wanted.
    pub(super) fn visit(&mut self, swarm: &mut Swarm<Swarmed>, now: Instant) {
        // First: they take no further place.
        loop {
            let book = &self.common.book;
            let Some((peer, new)) = self.dials.found_meanwhile(now, |peer| book.addresses(peer)) else {
                break;
            };
            self.dial_also(swarm, peer, new, now);
        }
        // Fetches wait for these, and for no slots: they may take twice as many.
        loop {
            if self.dials.running() >= 2 * self.config.dials {
                self.dials.put_off(now);
                break;
            }
            let book = &self.common.book;
            let Some(peer) = self.dials.next_wanted(now, |peer| book.addresses(peer)) else {
                break;
            };
            self.dial(swarm, peer, Why::Visit, now);
        }
        for peer in self.dials.asks_due(now) {
            self.look_up(&peer);
        }
        self.dials.expire(now, self.connected.len() == 0);
    }

    fn dial(&mut self, swarm: &mut Swarm<Swarmed>, peer: PeerId, why: Why, now: Instant) {
        let (relayed, direct): (Vec<Multiaddr>, Vec<Multiaddr>) = self
            .common
            .book
            .addresses(&peer)
            .into_iter()
            .partition(is_relayed);
        let (first, later) = match direct.is_empty() {
            true => (relayed, Vec::new()),
            false => (direct, relayed),
        };
        let new_port = !self.common.book.failures(&peer).is_multiple_of(2);
        let condition = match why {
            Why::Slot => PeerCondition::DisconnectedAndNotDialing,
            // Another part of us may be at it, but elsewhere, and a fetch doesn't wait.
            Why::Visit => PeerCondition::Disconnected,
        };
        match start(swarm, peer, first.clone(), condition, new_port) {
            Ok(attempt) => self.dials.began(peer, why, attempt, first, later, now),
            // Another part of us is at it.
            Err(DialError::DialPeerConditionFalse(_)) => {}
            Err(error) => {
                tracing::debug!(%peer, %error, "a peer can't be dialled");
                self.common.book.failed(&peer, now);
            }
        }
    }

    /// Dials a peer that is being dialled at further addresses: through its relays, or where it was found meanwhile.
    pub(super) fn dial_also(
        &mut self,
        swarm: &mut Swarm<Swarmed>,
        peer: PeerId,
        addresses: Vec<Multiaddr>,
        now: Instant,
    ) {
        match start(swarm, peer, addresses, PeerCondition::Disconnected, false) {
            Ok(attempt) => self.dials.also(&peer, attempt),
            Err(error) => {
                tracing::debug!(%peer, %error, "a peer can't be dialled at further addresses");
                if self.dials.is_idle(&peer) {
                    let failed = self.dials.give_up(peer);
                    self.gave_up(failed, now);
                }
            }
        }
    }

    pub(super) fn dial_failed(&mut self, id: ConnectionId, error: &DialError, now: Instant) {
        let failed = self.dials.failed(id, now);
        if let Some(failed) = failed {
            tracing::debug!(peer = %failed.peer, %error, "a peer couldn't be reached");
            if let DialError::WrongPeerId { address, .. } = error {
                self.common.book.is_not_at(&failed.peer, address);
            }
            self.gave_up(failed, now);
        }
    }

    fn gave_up(&mut self, failed: Failed, now: Instant) {
        if self.connected.len() == 0 {
            // It may be our line that is down: nobody is to be left alone for hours because of that.
            self.common.book.rest(&failed.peer, now + ALONE);
        } else {
            self.common.book.failed(&failed.peer, now);
        }
        if failed.wanted {
            self.look_up(&failed.peer);
        }
    }

    /// Somebody else may know where it is by now.
    pub(super) fn look_up(&self, peer: &PeerId) {
        if self.connected.len() > 0 {
            self.common.book.want(*peer);
        }
    }
}

/// From the port that we listen on, as others need it to find out where they could reach us; unless that failed, since two that dial each
/// other at the same moment collide then, in TCP.
fn start(
    swarm: &mut Swarm<Swarmed>,
    peer: PeerId,
    addresses: Vec<Multiaddr>,
    condition: PeerCondition,
    new_port: bool,
) -> Result<ConnectionId, DialError> {
    let options = DialOpts::peer_id(peer).condition(condition).addresses(addresses);
    let options = match new_port {
        true => options.allocate_new_port().build(),
        false => options.build(),
    };
    let id = options.connection_id();
    swarm.dial(options)?;
    Ok(id)
}
