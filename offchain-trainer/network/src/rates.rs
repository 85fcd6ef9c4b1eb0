//! How fast peers send, as far as is known: it decides who is asked for how much.

use libp2p::PeerId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Weight of the newest measurement.
const NEWEST: f64 = 0.3;
/// Peers whose rate is remembered: of the others, the one that was measured longest ago is forgotten first. Connections are bounded, too,
/// but something may still come of a peer that has just left.
const PEERS: usize = 1024;
/// Fewer bytes say more about how far away a peer is than about how fast.
const LEAST: u64 = 64 * 1024;

/// Bytes a second of each connected peer that has sent something: exponentially weighted means.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    peers: HashMap<PeerId, Rate>,
    /// Measurements so far.
    count: u64,
}

#[derive(Debug)]
struct Rate {
    mean: f64,
    /// The number of the last measurement.
    last: u64,
}

impl Rates {
    /// `peer` took `time` to send so many bytes, from when they were asked for or from when it had sent what was asked for before.
    pub(crate) fn note(&self, peer: PeerId, bytes: u64, time: Duration) {
        if bytes < LEAST {
            return;
        }
        let rate = bytes as f64 / time.as_secs_f64().max(1e-6);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Known { peers, count } = &mut *known;
        *count += 1;
        if peers.len() >= PEERS && !peers.contains_key(&peer) {
            let oldest = peers.iter().min_by_key(|(_, rate)| rate.last);
            if let Some(oldest) = oldest.map(|(peer, _)| *peer) {
                peers.remove(&oldest);
            }
        }
        let known = peers.entry(peer).or_insert(Rate { mean: rate, last: 0 });
        known.mean += NEWEST * (rate - known.mean);
        known.last = *count;
    }

    /// Bytes a second, once something has come.
    pub(crate) fn of(&self, peer: &PeerId) -> Option<f64> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .peers
            .get(peer)
            .map(|rate| rate.mean)
    }

    /// It isn't connected any more.
    pub(crate) fn forget(&self, peer: &PeerId) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .peers
            .remove(peer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_measurements_count_more() {
        let (rates, peer) = (Rates::default(), PeerId::random());
        assert_eq!(rates.of(&peer), None);
        rates.note(peer, 1_000_000, Duration::from_secs(1));
        assert_eq!(rates.of(&peer), Some(1_000_000.0));
        for _ in 0..20 {
            rates.note(peer, 100_000, Duration::from_secs(1));
        }
        assert!(rates.of(&peer).is_some_and(|rate| rate < 110_000.0));
        rates.forget(&peer);
        assert_eq!(rates.of(&peer), None);
    }

    #[test]
    fn little_says_nothing_about_the_rate() {
        let (rates, peer) = (Rates::default(), PeerId::random());
        rates.note(peer, LEAST - 1, Duration::from_millis(1));
        assert_eq!(rates.of(&peer), None);
        rates.note(peer, LEAST, Duration::from_secs(1));
        assert_eq!(rates.of(&peer), Some(LEAST as f64));
    }

    #[test]
    fn in_a_crowd_whoever_was_measured_longest_ago_is_forgotten() {
        let rates = Rates::default();
        let peers: Vec<_> = (0..PEERS + 2).map(|_| PeerId::random()).collect();
        let note = |peer: PeerId| rates.note(peer, LEAST, Duration::from_secs(1));
        peers[..PEERS].iter().for_each(|peer| note(*peer));
        note(peers[0]);
        peers[PEERS..].iter().for_each(|peer| note(*peer));
        let forgotten: Vec<_> = (0..peers.len())
            .filter(|at| rates.of(&peers[*at]).is_none())
            .collect();
        assert_eq!(forgotten, [1, 2]);
    }
}
