//! Which peers keep a place for us as relays, and when to ask again.
//!
//! Without sockets and clock. A relay that is lost is asked again, with pauses that grow, and so is another one. Must never hang on
//! a single network where there are several, nor ask a relay that refuses over and over.

use crate::{origin::Origin, scope::Scope};
use libp2p::{Multiaddr, PeerId, core::transport::ListenerId, multiaddr::Protocol};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// After so many failures a pause grows no more: 2 s · 2⁷, some four minutes.
const LONGEST: u32 = 7;
/// A place that has to be asked for again so soon isn't worth the asking: relays keep one for an hour.
const SOONEST: Duration = Duration::from_secs(60);

/// What relays are, seen from us.
#[derive(Debug)]
pub(crate) struct Relays {
    wanted: usize,
    /// Before the first request, and the first pause.
    pause: Duration,
    known: BTreeMap<PeerId, Relay>,
}

#[derive(Debug)]
struct Relay {
    /// Where it is, without its PeerId.
    address: Multiaddr,
    scope: Option<Scope>,
    origin: Option<Origin>,
    since: Instant,
    place: Place,
    failures: u32,
    not_before: Instant,
    /// When it last said yes.
    accepted: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    None,
    Asked(ListenerId),
    Kept(ListenerId),
}

impl Relays {
    /// `wanted` at a time; `pause` before the first request.
    pub(crate) fn new(wanted: usize, pause: Duration) -> Self {
        Self {
            wanted,
            pause,
            known: BTreeMap::new(),
        }
    }

    /// A connected peer says that it is a relay. Connections are bounded, and so is this.
    pub(crate) fn met(&mut self, peer: PeerId, mut address: Multiaddr, now: Instant) {
        if let Some(Protocol::P2p(_)) = address.iter().last() {
            address.pop();
        }
        let pause = self.pause;
        let relay = self.known.entry(peer).or_insert_with(|| Relay {
            scope: Scope::of(&address),
            origin: Origin::of(&address),
            address,
            since: now,
            place: Place::None,
            failures: 0,
            not_before: now + pause,
            accepted: now,
        });
        // One that has come back.
        if relay.failures == 0 && relay.place == Place::None {
            relay.not_before = relay.not_before.min(now + pause);
        }
    }

    /// It isn't connected any more, or no relay. What the system says of our place there comes separately.
    pub(crate) fn gone(&mut self, peer: &PeerId) {
        self.known.remove(peer);
    }

    /// Whether a listener is at a relay that keeps a place.
    pub(crate) fn is_kept(&self, listener: ListenerId) -> bool {
        self.known
            .values()
            .any(|relay| relay.place == Place::Kept(listener))
    }

    /// Those who keep a place.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &PeerId> {
        let kept = self
            .known
            .iter()
            .filter(|(_, relay)| matches!(relay.place, Place::Kept(_)));
        kept.map(|(peer, _)| peer)
    }

    /// Whom to ask now: with their addresses, to listen on.
    pub(crate) fn to_ask(&self, now: Instant) -> Vec<(PeerId, Multiaddr)> {
        let taken = self.known.values().filter(|relay| relay.place != Place::None);
        let mut origins: Vec<Option<Origin>> = taken.map(|relay| relay.origin).collect();
        let mut free: Vec<(&PeerId, &Relay)> = self
            .known
            .iter()
            .filter(|(_, relay)| relay.place == Place::None && relay.not_before <= now)
            .collect();
        // The widest known first, then those who have been here longest.
        free.sort_by_key(|(_, relay)| (std::cmp::Reverse(relay.scope), relay.failures, relay.since));
        let mut chosen = Vec::new();
        // First such as share no address with another, then any.
        for distinct in [true, false] {
            for (peer, relay) in &free {
                if origins.len() >= self.wanted {
                    break;
                }
                let asked = chosen.iter().any(|(asked, _)| asked == *peer);
                let shared = relay.origin.is_some() && origins.contains(&relay.origin);
                if asked || (distinct && shared) {
                    continue;
                }
                origins.push(relay.origin);
                let address = relay.address.clone().with(Protocol::P2p(**peer));
                chosen.push((**peer, address.with(Protocol::P2pCircuit)));
            }
        }
        chosen
    }

    /// It has been asked: this listener is what comes of it. It closes if nothing does.
    pub(crate) fn asked(&mut self, peer: &PeerId, listener: ListenerId) {
        if let Some(relay) = self.known.get_mut(peer) {
            relay.place = Place::Asked(listener);
        }
    }

    /// It keeps a place, for the first time or again. Returns what to close: one that has to be asked again within a minute keeps none.
    pub(crate) fn accepted(&mut self, peer: &PeerId, now: Instant) -> Option<ListenerId> {
        let pause = self.pause;
        let relay = self.known.get_mut(peer)?;
        match relay.place {
            Place::Asked(listener) => relay.place = Place::Kept(listener),
            Place::Kept(listener) if now.saturating_duration_since(relay.accepted) < SOONEST => {
                relay.failures = LONGEST;
                relay.fail(pause, now);
                return Some(listener);
            }
            Place::Kept(_) | Place::None => {}
        }
        relay.accepted = now;
        relay.failures = 0;
        None
    }

    /// It can't be asked, or said no, or the place is lost. Returns whose it was.
    pub(crate) fn lost(&mut self, listener: ListenerId, now: Instant) -> Option<PeerId> {
        let (peer, relay) = self.known.iter_mut().find(|(_, relay)| match relay.place {
            Place::Asked(of) | Place::Kept(of) => of == listener,
            Place::None => false,
        })?;
        relay.fail(self.pause, now);
        Some(*peer)
    }

    /// Listening couldn't even begin.
    pub(crate) fn failed(&mut self, peer: &PeerId, now: Instant) {
        let pause = self.pause;
        if let Some(relay) = self.known.get_mut(peer) {
            relay.fail(pause, now);
        }
    }

    /// All places, which aren't needed any more: they are forgotten, their listeners returned.
    pub(crate) fn give_up(&mut self) -> Vec<ListenerId> {
        let held = self.known.values_mut().filter_map(|relay| {
            match std::mem::replace(&mut relay.place, Place::None) {
                Place::Asked(listener) | Place::Kept(listener) => Some(listener),
                Place::None => None,
            }
        });
        held.collect()
    }

    /// Whether a place is held or asked for.
    pub(crate) fn hold_any(&self) -> bool {
        self.known.values().any(|relay| relay.place != Place::None)
    }

    /// When to look again.
    pub(crate) fn due(&self) -> Option<Instant> {
        let held = self
            .known
            .values()
            .filter(|relay| relay.place != Place::None)
            .count();
        let due = self.known.values().filter_map(|relay| match relay.place {
            Place::None => (held < self.wanted).then_some(relay.not_before),
            Place::Asked(_) | Place::Kept(_) => None,
        });
        due.min()
    }
}

impl Relay {
    fn fail(&mut self, pause: Duration, now: Instant) {
        self.place = Place::None;
        self.not_before = now + pause * (1 << self.failures.min(LONGEST));
        self.failures = self.failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAUSE: Duration = Duration::from_secs(2);

    fn relays() -> (Relays, Instant) {
        (Relays::new(2, PAUSE), Instant::now())
    }

    fn address(n: u8) -> Multiaddr {
        format!("/ip4/198.51.100.{n}/tcp/30400").parse().unwrap()
    }

    fn meet(relays: &mut Relays, address: Multiaddr, now: Instant) -> PeerId {
        let peer = PeerId::random();
        relays.met(peer, address, now);
        peer
    }

    fn asked(relays: &mut Relays, now: Instant) -> Vec<PeerId> {
        let asked = relays.to_ask(now);
        for (peer, _) in &asked {
            relays.asked(peer, ListenerId::next());
        }
        asked.into_iter().map(|(peer, _)| peer).collect()
    }

    #[test]
    fn two_of_different_networks_are_asked_the_oldest_first_after_a_moment() {
        let (mut relays, now) = relays();
        let old = meet(&mut relays, address(1), now);
        let same = meet(&mut relays, address(1), now);
        let other = meet(&mut relays, address(2), now + Duration::from_millis(1));
        meet(&mut relays, "/ip4/192.168.1.1/tcp/1".parse().unwrap(), now);
        assert!(asked(&mut relays, now).is_empty());
        let later = relays.due().unwrap() + PAUSE;
        let chosen = asked(&mut relays, later);
        assert!(chosen.contains(&other) && chosen.len() == 2, "{chosen:?}");
        assert!(chosen.contains(&old) || chosen.contains(&same));
        assert!(asked(&mut relays, later).is_empty(), "two are enough");
    }

    #[test]
    fn where_there_is_one_network_only_it_does_for_both() {
        let (mut relays, now) = relays();
        let all = [1, 1].map(|n| meet(&mut relays, address(n), now));
        let chosen = asked(&mut relays, now + PAUSE);
        assert!(all.iter().all(|peer| chosen.contains(peer)));
    }

    #[test]
    fn what_is_listened_on_leads_through_the_relay() {
        let (mut relays, now) = relays();
        let peer = PeerId::random();
        relays.met(peer, address(1).with(Protocol::P2p(peer)), now);
        let expected: Multiaddr = format!("/ip4/198.51.100.1/tcp/30400/p2p/{peer}/p2p-circuit")
            .parse()
            .unwrap();
        assert_eq!(relays.to_ask(now + PAUSE), [(peer, expected)]);
    }

    #[test]
    fn one_that_refuses_is_asked_less_and_less_and_one_that_answers_is_as_new() {
        let (mut relays, mut now) = relays();
        let peer = meet(&mut relays, address(1), now);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            now = relays.due().unwrap();
            assert_eq!(asked(&mut relays, now), [peer]);
            let Place::Asked(listener) = relays.known[&peer].place else {
                panic!()
            };
            assert_eq!(relays.lost(listener, now), Some(peer));
            pauses.push((relays.due().unwrap() - now).as_secs());
        }
        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
        now = relays.due().unwrap();
        asked(&mut relays, now);
        assert_eq!(relays.accepted(&peer, now), None);
        assert!(relays.kept().eq([&peer]) && relays.due().is_none());
        let Place::Kept(listener) = relays.known[&peer].place else {
            panic!()
        };
        relays.lost(listener, now);
        assert_eq!(relays.due(), Some(now + PAUSE));
    }

    #[test]
    fn a_place_that_has_to_be_asked_for_all_the_time_is_given_up() {
        let (mut relays, mut now) = relays();
        let peer = meet(&mut relays, address(1), now);
        now += PAUSE;
        asked(&mut relays, now);
        assert_eq!(relays.accepted(&peer, now), None);
        now += SOONEST;
        assert_eq!(relays.accepted(&peer, now), None, "a minute is enough");
        assert!(relays.accepted(&peer, now + Duration::from_secs(1)).is_some());
        assert!(!relays.hold_any());
    }

    proptest! {
        #[test]
        fn never_more_than_wanted_are_held(steps in prop::collection::vec((0_u8..5, 0_u8..6), 0..100)) {
            let (mut relays, mut now) = relays();
            let peers: Vec<PeerId> = (0..6).map(|_| PeerId::random()).collect();
            for (action, n) in steps {
                let peer = peers[usize::from(n)];
                match action {
                    0 => relays.met(peer, address(n % 3), now),
                    1 => relays.gone(&peer),
                    2 => { asked(&mut relays, now); }
                    3 => _ = relays.accepted(&peer, now),
                    _ => relays.failed(&peer, now),
                }
                now += PAUSE;
                let held = relays.known.values().filter(|relay| relay.place != Place::None).count();
                prop_assert!(held <= 2);
                prop_assert_eq!(held > 0, relays.hold_any());
            }
        }
    }
}
