//! Who was late lately, or broke off: it is asked again when nobody else is left, until some time has passed.
//!
//! One fetch finds out who keeps it waiting, and without this the next one would wait for the same peer again. Must never shut anybody
//! out: an honest PC may be busy for a moment.

use libp2p::PeerId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long it counts; doubles with each time, up to the longest.
const FIRST: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(600);
/// So many peers are remembered. Who is forgotten is asked like anybody else.
const PEERS: usize = 1024;

/// Those peers.
#[derive(Debug, Default)]
pub(crate) struct Late {
    known: Mutex<HashMap<PeerId, Known>>,
}

#[derive(Debug)]
struct Known {
    times: u32,
    until: Instant,
}

impl Late {
    /// It kept somebody waiting, or broke off. Several requests that are late together are late once.
    pub(crate) fn note(&self, peer: PeerId, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PEERS && !known.contains_key(&peer) {
            known.retain(|_, known| now < known.until + LONGEST);
            if known.len() >= PEERS {
                return;
            }
        }
        let entry = known.entry(peer).or_insert(Known { times: 0, until: now });
        if entry.until > now {
            return;
        }
        // Long ago is forgotten.
        if now >= entry.until + LONGEST {
            entry.times = 0;
        }
        entry.until = now + (FIRST * 2_u32.saturating_pow(entry.times.min(8))).min(LONGEST);
        entry.times = entry.times.saturating_add(1);
    }

    /// Whether it is asked when nobody else is left.
    pub(crate) fn is(&self, peer: &PeerId, now: Instant) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(peer).is_some_and(|known| now < known.until)
    }

    /// It delivers: it is asked like anybody else, but how often it was late is remembered.
    pub(crate) fn pardon(&self, peer: &PeerId, now: Instant) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get_mut(peer) {
            known.until = known.until.min(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_counts_for_longer_and_long_ago_is_forgotten() {
        let (late, peer, mut now) = (Late::default(), PeerId::random(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            late.note(peer, now);
            late.note(peer, now);
            let began = now;
            while late.is(&peer, now) {
                now += Duration::from_secs(1);
            }
            pauses.push((now - began).as_secs());
        }
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 600, 600]);
        now += LONGEST;
        late.note(peer, now);
        assert!(!late.is(&peer, now + FIRST));
    }

    #[test]
    fn who_delivers_is_asked_again_but_not_trusted_more() {
        let (late, peer, now) = (Late::default(), PeerId::random(), Instant::now());
        late.note(peer, now);
        late.pardon(&peer, now);
        assert!(!late.is(&peer, now));
        late.note(peer, now);
        assert!(late.is(&peer, now + FIRST), "the second time is longer");
        assert!(!late.is(&PeerId::random(), now));
    }

    #[test]
    fn a_crowd_takes_no_memory() {
        let (late, now) = (Late::default(), Instant::now());
        (0..2 * PEERS).for_each(|_| late.note(PeerId::random(), now));
        assert_eq!(late.known.lock().unwrap().len(), PEERS);
    }
}
