//! Streams that are turned away: who is told that we are busy, and who opens so many that it is a flood.

use crate::{
    allowance::{Allowance, Rate},
    slots::{Slot, Slots},
};
use libp2p::PeerId;
use std::{collections::HashMap, sync::Arc};
use tokio::time::Instant;

/// Streams that a peer may open in vain: it doesn't know how many it may have here, and others may have taken all.
const REFUSABLE: Rate = Rate {
    each_second: 2.0,
    burst: 64.0,
};
/// So many peers' refusals are counted; then all of them begin anew.
const COUNTED: usize = 1024;
/// How many refusals are told at a time; the others just see their stream close.
const TOLD: usize = 32;
/// And to one peer: it may let us wait.
const TOLD_EACH: usize = 2;

pub(crate) struct Refusals {
    counted: HashMap<PeerId, Allowance>,
    told: Arc<Slots<PeerId, ()>>,
}

/// The right to tell somebody.
pub(crate) type Telling = Slot<PeerId, ()>;

impl Refusals {
    pub(crate) fn new() -> Self {
        Self {
            counted: HashMap::new(),
            told: Arc::new(Slots::new(TOLD_EACH, TOLD, || ())),
        }
    }

    /// A stream of `peer` is turned away. `false`: it opens more than it may.
    pub(crate) fn count(&mut self, peer: PeerId, now: Instant) -> bool {
        if self.counted.len() >= COUNTED && !self.counted.contains_key(&peer) {
            self.counted.clear();
        }
        self.counted
            .entry(peer)
            .or_insert_with(|| Allowance::full(REFUSABLE, now))
            .take(REFUSABLE, now)
    }

    /// Whether it is told so.
    pub(crate) fn tell(&self, peer: PeerId) -> Option<Telling> {
        Slots::take(&self.told, peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_counts_though_nobody_is_told_any_more() {
        let (mut refusals, now) = (Refusals::new(), Instant::now());
        let (peer, others) = (
            PeerId::random(),
            [(); TOLD / TOLD_EACH].map(|()| PeerId::random()),
        );
        let told: Vec<_> = [others, others]
            .concat()
            .into_iter()
            .map(|other| refusals.tell(other))
            .collect();
        assert!(told.iter().all(Option::is_some));
        assert!(refusals.tell(peer).is_none());
        let allowed = (0..100).filter(|_| refusals.count(peer, now)).count();
        assert_eq!(allowed, REFUSABLE.burst as usize);
    }

    #[test]
    fn one_peer_leaves_others_their_refusals() {
        let (refusals, peer) = (Refusals::new(), PeerId::random());
        let told: Vec<_> = (0..TOLD).map(|_| refusals.tell(peer)).collect();
        assert_eq!(told.iter().flatten().count(), TOLD_EACH);
        assert!(refusals.tell(PeerId::random()).is_some());
    }

    #[test]
    fn a_crowd_takes_no_memory() {
        let (mut refusals, now) = (Refusals::new(), Instant::now());
        (0..3 * COUNTED).for_each(|_| {
            refusals.count(PeerId::random(), now);
        });
        assert!(refusals.counted.len() <= COUNTED);
    }
}
