//! All connections, as far as it matters how they came about, and which of several with one peer is to stay.
//!
//! Without a swarm. A direct way ends the relayed one, at once and on both sides. Of two direct ones the newest stays, because an
//! older one may lead to a process that is gone; the side with the lower PeerId decides, or each would close the other's. A try, by which
//! a peer finds out whether one of us is reached, is no way: it ends by itself, and closes none.

use crate::reach::Path;
use libp2p::{Multiaddr, PeerId, swarm::ConnectionId};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// A relayed way beside a direct one is closed after so long, should it have come second.
const TOGETHER: Duration = Duration::from_secs(15);

/// For so long a relay has introduced two: both may dial, and the first of their connections may be gone before the second one is seen.
const LATELY: Duration = Duration::from_secs(30);
/// A try takes no longer.
const TRY: Duration = Duration::from_secs(20);

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) id: ConnectionId,
    /// Where the other side is; through a relay with the relay's address.
    pub(crate) address: Multiaddr,
    pub(crate) dialled: bool,
    /// We dialled it from the port that we listen on, as far as could be.
    pub(crate) from_our_port: bool,
    pub(crate) relayed: bool,
    /// Whether a relay introduced the two.
    pub(crate) introduced: bool,
    /// Not to be kept.
    pub(crate) attempt: bool,
    pub(crate) since: Instant,
}

/// All of them.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    local: Option<PeerId>,
    ways: BTreeMap<PeerId, Vec<Way>>,
    /// Whom a relay introduced lately.
    introduced: BTreeMap<PeerId, Instant>,
}

impl Ways {
    pub(crate) fn new(local: PeerId) -> Self {
        Self {
            local: Some(local),
            ways: BTreeMap::new(),
            introduced: BTreeMap::new(),
        }
    }

    /// One more. Returns which others are to be closed.
    pub(crate) fn opened(&mut self, peer: PeerId, mut way: Way) -> Vec<ConnectionId> {
        let we_decide = self.local.is_some_and(|local| local < peer);
        let now = way.since;
        self.introduced
            .retain(|_, at| now.saturating_duration_since(*at) < LATELY);
        if way.relayed {
            self.introduced.insert(peer, now);
        }
        let all = self.ways.entry(peer).or_default();
        let mut superseded = Vec::new();
        if !way.attempt {
            way.introduced |= !way.relayed && self.introduced.contains_key(&peer);
            for other in all.iter().filter(|other| !other.attempt) {
                let replaced = match (other.relayed, way.relayed) {
                    (true, false) => true,
                    (false, true) => false,
                    (true, true) | (false, false) => we_decide,
                };
                if replaced {
                    superseded.push(other.id);
                }
                way.introduced |= !way.relayed && (other.relayed || other.introduced);
            }
        }
        all.push(way);
        superseded
    }

    /// One less: which it was, and whether it was the peer's last.
    pub(crate) fn closed(&mut self, peer: &PeerId, id: ConnectionId) -> Option<(Way, bool)> {
        let all = self.ways.get_mut(peer)?;
        let at = all.iter().position(|way| way.id == id)?;
        let way = all.remove(at);
        let last = all.is_empty();
        if last {
            self.ways.remove(peer);
        }
        Some((way, last))
    }

    pub(crate) fn get(&self, peer: &PeerId, id: ConnectionId) -> Option<&Way> {
        self.of(peer).find(|way| way.id == id)
    }

    /// All ways to a peer.
    pub(crate) fn of(&self, peer: &PeerId) -> impl Iterator<Item = &Way> {
        self.ways.get(peer).into_iter().flatten()
    }

    /// The oldest direct one.
    pub(crate) fn direct(&self, peer: &PeerId) -> Option<&Way> {
        self.of(peer).find(|way| !way.relayed && !way.attempt)
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.ways.keys()
    }

    /// How a peer is reached, where the address says whether it is through a relay.
    pub(crate) fn path(&self, peer: &PeerId, relayed: bool) -> Path {
        if relayed {
            return Path::Relayed;
        }
        let punched = self.of(peer).any(|way| !way.relayed && way.introduced);
        if punched { Path::Punched } else { Path::Direct }
    }

    /// Whether a direct way came about through a relay.
    pub(crate) fn any_punched(&self) -> bool {
        self.ways
            .values()
            .flatten()
            .any(|way| way.introduced && !way.relayed)
    }

    /// Relayed ways that have stood beside direct ones for long enough.
    pub(crate) fn needless(&mut self, now: Instant) -> Vec<ConnectionId> {
        let all = self.ways.values_mut().filter(|all| has_direct(all));
        let relayed = all
            .flatten()
            .filter(|way| way.relayed && now >= way.since + TOGETHER);
        let needless = relayed.map(|way| {
            // Should closing it take long, it isn't asked for all the time.
            way.since = now;
            way.id
        });
        needless.collect()
    }

    /// What was taken for a try and lasts longer than one isn't one. Returns whether others are left.
    pub(crate) fn reconsider(&mut self, now: Instant) -> bool {
        let mut left = false;
        for way in self.ways.values_mut().flatten().filter(|way| way.attempt) {
            way.attempt = now.saturating_duration_since(way.since) < TRY;
            left |= way.attempt;
        }
        left
    }

    /// When to ask for them.
    pub(crate) fn due(&self) -> Option<Instant> {
        let all = self.ways.values().filter(|all| has_direct(all));
        let relayed = all.flatten().filter(|way| way.relayed);
        relayed.map(|way| way.since + TOGETHER).min()
    }
}

fn has_direct(ways: &[Way]) -> bool {
    ways.iter().any(|way| !way.relayed && !way.attempt)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(id: usize, relayed: bool) -> Way {
        Way {
            id: ConnectionId::new_unchecked(id),
            address: Multiaddr::empty(),
            dialled: true,
            from_our_port: true,
            relayed,
            introduced: false,
            attempt: false,
            since: Instant::now(),
        }
    }

    fn pair() -> (Ways, PeerId, Ways, PeerId) {
        let (a, b) = (PeerId::random(), PeerId::random());
        (Ways::new(a), b, Ways::new(b), a)
    }

    #[test]
    fn a_direct_way_ends_the_relayed_one_on_both_sides_and_is_punched() {
        let (mut a, b, mut other, of_a) = pair();
        for (ways, peer) in [(&mut a, b), (&mut other, of_a)] {
            assert!(ways.opened(peer, way(1, true)).is_empty());
            assert_eq!(ways.path(&peer, true), Path::Relayed);
            assert_eq!(ways.opened(peer, way(2, false)), [way(1, true).id]);
            assert_eq!(ways.path(&peer, false), Path::Punched);
            assert!(ways.any_punched());
            assert!(matches!(ways.closed(&peer, way(1, true).id), Some((_, false))));
            assert!(matches!(ways.closed(&peer, way(2, true).id), Some((_, true))));
            assert!(ways.closed(&peer, way(2, true).id).is_none());
        }
    }

    #[test]
    fn of_two_that_both_sides_dialled_one_side_keeps_the_newest() {
        let (mut a, b, mut other, of_a) = pair();
        let mut closed = 0;
        for (ways, peer) in [(&mut a, b), (&mut other, of_a)] {
            ways.opened(peer, way(1, true));
            closed += ways.opened(peer, way(2, false)).len();
            closed += ways.opened(peer, way(3, false)).len();
            assert_eq!(ways.path(&peer, false), Path::Punched);
        }
        // Each side closes the relayed one, which one of them still has when the second direct one comes.
        assert!(closed == 4 || closed == 5, "{closed}");
    }

    #[test]
    fn the_second_of_two_is_punched_even_if_the_first_has_gone_already() {
        let (mut a, b, ..) = pair();
        a.opened(b, way(1, true));
        a.opened(b, way(2, false));
        for gone in [1, 2] {
            a.closed(&b, way(gone, true).id);
        }
        a.opened(b, way(3, false));
        assert_eq!(a.path(&b, false), Path::Punched);
        a.closed(&b, way(3, true).id);
        let late = Way {
            since: Instant::now() + LATELY,
            ..way(4, false)
        };
        a.opened(b, late);
        assert_eq!(a.path(&b, false), Path::Direct);
        assert!(a.introduced.is_empty());
    }

    #[test]
    fn a_try_closes_nothing_and_stands_for_nothing() {
        let (mut a, b, mut other, of_a) = pair();
        for (ways, peer) in [(&mut a, b), (&mut other, of_a)] {
            ways.opened(peer, way(1, true));
            let attempt = Way {
                attempt: true,
                ..way(2, false)
            };
            assert!(ways.opened(peer, attempt).is_empty());
            assert!(ways.direct(&peer).is_none() && ways.due().is_none());
            assert_eq!(ways.path(&peer, false), Path::Direct);
        }
    }

    #[test]
    fn a_try_that_lasts_is_none() {
        let (mut a, b, ..) = pair();
        a.opened(
            b,
            Way {
                attempt: true,
                ..way(1, false)
            },
        );
        let now = Instant::now();
        assert!(a.reconsider(now) && a.direct(&b).is_none());
        assert!(!a.reconsider(now + TRY) && a.direct(&b).is_some());
    }

    #[test]
    fn a_relayed_way_that_comes_second_ends_after_a_while() {
        let (mut a, b, ..) = pair();
        a.opened(b, way(1, false));
        assert!(a.opened(b, way(2, true)).is_empty(), "the first may be dead");
        let due = a.due().unwrap();
        assert!(a.needless(due - TOGETHER).is_empty());
        assert_eq!(a.needless(due), [way(2, true).id]);
    }
}
