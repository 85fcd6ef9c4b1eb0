//! Whom we reach through a relay only, and when to try again to reach it directly.
//!
//! Without sockets and clock. Whoever dialled the relayed connection dials it anew, which makes the other side try to punch a hole
//! again; and anew at once when it ends, since relays end each after a while: a fetch may be going on. Must never dial for ever whom
//! nobody wants any more, so this happens a few times only; who is wanted later is dialled by who wants it.

use crate::reach::budget::Budget;
use libp2p::{Multiaddr, PeerId};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// After these pauses a hole is tried again, and then always after the last one.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1800),
];
/// So soon after a circuit ended it is dialled again, four times as late with each dial that fails.
const REDIAL: Duration = Duration::from_secs(1);
/// So often at once, and one more so often.
const REDIALS: (u32, Duration) = (4, Duration::from_secs(900));
/// So many peers at a time.
const MOST: usize = 128;

/// The peers.
pub(crate) struct Holes {
    peers: BTreeMap<PeerId, Hole>,
    redials: Budget<PeerId>,
}

impl Default for Holes {
    fn default() -> Self {
        Self {
            peers: BTreeMap::new(),
            redials: Budget::new(REDIALS.0, REDIALS.1, MOST),
        }
    }
}

#[derive(Debug)]
struct Hole {
    /// Through the relay; none if the other side dialled.
    way: Option<Multiaddr>,
    tried: usize,
    next: Option<Instant>,
    /// Dials in a row that failed.
    failures: u32,
}

impl Holes {
    /// A relayed connection stands; `way` if we dialled it.
    pub(crate) fn relayed(&mut self, peer: PeerId, way: Option<Multiaddr>, now: Instant) {
        if self.peers.len() >= MOST && !self.peers.contains_key(&peer) {
            return;
        }
        let hole = self.peers.entry(peer).or_insert(Hole {
            way: None,
            tried: 0,
            next: None,
            failures: 0,
        });
        hole.failures = 0;
        if way.is_some() {
            hole.way = way;
            let pause = PAUSES[hole.tried.min(PAUSES.len() - 1)];
            hole.tried += 1;
            hole.next = Some(now + pause);
        }
    }

    /// A direct connection stands.
    pub(crate) fn direct(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// The last connection is gone, without our doing.
    pub(crate) fn ended(&mut self, peer: &PeerId, now: Instant) {
        let Some(hole) = self.peers.get_mut(peer) else {
            return;
        };
        if hole.way.is_none() || !self.redials.take(*peer, now) {
            self.peers.remove(peer);
            return;
        }
        hole.next = Some(now + REDIAL * 4_u32.saturating_pow(hole.failures.min(3)));
    }

    /// Dialling it anew failed; `connected`: the way that there was still stands.
    pub(crate) fn failed(&mut self, peer: &PeerId, connected: bool, now: Instant) {
        let Some(hole) = self.peers.get_mut(peer) else {
            return;
        };
        if connected {
            let pause = PAUSES[hole.tried.min(PAUSES.len() - 1)];
            hole.tried += 1;
            hole.next = Some(now + pause);
        } else {
            hole.failures += 1;
            self.ended(peer, now);
        }
    }

    /// Nobody wants it any more: we have closed the connection ourselves.
    pub(crate) fn forget(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
    }

    /// We are seen at another address now, so all may work: they are tried soon, a little after one another.
    pub(crate) fn moved(&mut self, now: Instant) {
        let mut at = now + REDIAL;
        for hole in self.peers.values_mut().filter(|hole| hole.way.is_some()) {
            hole.tried = 0;
            hole.next = Some(hole.next.map_or(at, |next| next.min(at)));
            at += REDIAL;
        }
    }

    /// Whom to dial now, and how.
    pub(crate) fn due_dials(&mut self, now: Instant) -> Vec<(PeerId, Multiaddr)> {
        let mut due = Vec::new();
        for (peer, hole) in &mut self.peers {
            if hole.next.is_some_and(|next| next <= now) {
                hole.next = None;
                due.extend(hole.way.clone().map(|way| (*peer, way)));
            }
        }
        due
    }

    pub(crate) fn due(&self) -> Option<Instant> {
        self.peers.values().filter_map(|hole| hole.next).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> Option<Multiaddr> {
        "/ip4/198.51.100.1/tcp/1/p2p-circuit".parse().ok()
    }

    #[test]
    fn a_hole_is_tried_after_one_five_and_fifteen_minutes_and_then_each_half_hour() {
        let (mut holes, peer, mut now) = (Holes::default(), PeerId::random(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..6 {
            holes.relayed(peer, way(), now);
            let due = holes.due().unwrap();
            pauses.push((due - now).as_secs() / 60);
            now = due;
            assert_eq!(holes.due_dials(now), [(peer, way().unwrap())]);
            assert!(holes.due_dials(now).is_empty() && holes.due().is_none());
        }
        assert_eq!(pauses, [1, 5, 15, 30, 30, 30]);
        holes.relayed(peer, way(), now);
        holes.moved(now);
        assert_eq!(holes.due(), Some(now + REDIAL));
        holes.direct(&peer);
        assert_eq!(holes.due(), None);
    }

    #[test]
    fn a_circuit_that_ends_is_dialled_again_but_not_for_ever() {
        let (mut holes, peer, mut now) = (Holes::default(), PeerId::random(), Instant::now());
        for _ in 0..REDIALS.0 {
            holes.relayed(peer, way(), now);
            now += Duration::from_secs(30);
            holes.ended(&peer, now);
            assert_eq!(holes.due(), Some(now + REDIAL));
            now += REDIAL;
            assert_eq!(holes.due_dials(now).len(), 1);
        }
        holes.relayed(peer, way(), now);
        holes.ended(&peer, now);
        assert_eq!(holes.due(), None);
        now += REDIALS.1;
        holes.relayed(peer, way(), now);
        holes.ended(&peer, now);
        assert_eq!(holes.due(), Some(now + REDIAL), "a little later it may be again");
    }

    #[test]
    fn a_relay_that_is_away_is_waited_for() {
        let (mut holes, peer, mut now) = (Holes::default(), PeerId::random(), Instant::now());
        holes.relayed(peer, way(), now);
        holes.ended(&peer, now);
        let mut pauses = Vec::new();
        while let Some(due) = holes.due() {
            pauses.push((due - now).as_secs());
            now = due;
            holes.due_dials(now);
            holes.failed(&peer, false, now);
        }
        assert_eq!(pauses, [1, 4, 16, 64]);
    }

    #[test]
    fn a_hole_whose_relay_did_not_answer_once_is_tried_again() {
        let (mut holes, peer, now) = (Holes::default(), PeerId::random(), Instant::now());
        holes.relayed(peer, way(), now);
        let now = holes.due().unwrap();
        holes.due_dials(now);
        holes.failed(&peer, true, now);
        assert_eq!(holes.due(), Some(now + PAUSES[1]));
    }

    #[test]
    fn who_was_dialled_waits() {
        let (mut holes, peer, now) = (Holes::default(), PeerId::random(), Instant::now());
        holes.relayed(peer, None, now);
        assert_eq!(holes.due(), None);
        holes.ended(&peer, now);
        assert!(holes.peers.is_empty());
    }

    #[test]
    fn a_crowd_takes_no_memory() {
        let mut holes = Holes::default();
        for _ in 0..1000 {
            holes.relayed(PeerId::random(), way(), Instant::now());
        }
        assert_eq!(holes.peers.len(), MOST);
    }
}
