//! Those who came to us and have no slot: a bounded number may stay while something moves, and who is registered goes before who
//! isn't.
//!
//! An idle one ends by itself after a moment, so who has been here for longest keeps it busy for longest.

use super::place::Place;
use libp2p::PeerId;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Somebody who came to us and has no slot.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) peer: PeerId,
    pub(super) place: Option<Place>,
    /// As in `slots`.
    pub(super) standing: u8,
    pub(super) since: Instant,
}

/// Who has to go, so that no more than `bound` stay: first those that aren't registered, of these those whose address has most here,
/// of these the one that has been here for longest.
pub(super) fn excess(mut guests: Vec<Guest>, bound: usize) -> Vec<PeerId> {
    let mut go = Vec::new();
    while guests.len() > bound {
        let mut counts: BTreeMap<Place, usize> = BTreeMap::new();
        for place in guests.iter().filter_map(|guest| guest.place) {
            *counts.entry(place).or_default() += 1;
        }
        let crowd = |guest: &Guest| guest.place.and_then(|place| counts.get(&place)).copied();
        let next = guests
            .iter()
            .enumerate()
            .min_by_key(|(_, guest)| {
                let crowd = std::cmp::Reverse(crowd(guest).unwrap_or(1));
                (guest.standing, crowd, guest.since, guest.peer)
            })
            .map(|(index, _)| index);
        let Some(next) = next else { break };
        go.push(guests.swap_remove(next).peer);
    }
    go
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;
    use std::time::Duration;

    fn guest(last: u8, standing: u8, since: Instant) -> Guest {
        Guest {
            peer: PeerId::random(),
            place: Some(Place::Direct(Origin::V4([192, 0, 2, last].into()))),
            standing,
            since,
        }
    }

    #[test]
    fn unregistered_ones_of_the_most_crowded_address_go_first_and_of_these_the_oldest() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let member = guest(1, 2, now);
        let (old, new) = (guest(1, 0, now), guest(1, 0, later));
        let alone = guest(2, 0, now);
        let all = vec![member.clone(), new.clone(), old.clone(), alone.clone()];
        assert!(excess(all.clone(), 4).is_empty());
        assert_eq!(excess(all.clone(), 3), [old.peer]);
        assert_eq!(excess(all.clone(), 0).last(), Some(&member.peer));
        assert_eq!(excess(all, 1).len(), 3);
    }
}
