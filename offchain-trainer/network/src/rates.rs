//! How fast peers send, as far as is known: it decides who is asked for how much.

use libp2p::PeerId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Weight of the newest measurement.
const NEWEST: f64 = 0.3;
/// Peers whose rate is remembered. Connections are bounded, too; this only says that nothing grows.
const PEERS: usize = 1024;

/// Bytes a second of each connected peer that has sent something: exponentially weighted means.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    known: Mutex<HashMap<PeerId, f64>>,
}

impl Rates {
    /// `peer` took `time` to send so many bytes, from when they were asked for or from when it had sent what was asked for before.
    pub(crate) fn note(&self, peer: PeerId, bytes: u64, time: Duration) {
        let rate = bytes as f64 / time.as_secs_f64().max(1e-6);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= PEERS && !known.contains_key(&peer) {
            return;
        }
        known
            .entry(peer)
            .and_modify(|mean| *mean += NEWEST * (rate - *mean))
            .or_insert(rate);
    }

    /// Bytes a second, once something has come.
    pub(crate) fn of(&self, peer: &PeerId) -> Option<f64> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(peer)
            .copied()
    }

    /// It isn't connected any more.
    pub(crate) fn forget(&self, peer: &PeerId) {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
        rates.note(peer, 1000, Duration::from_secs(1));
        assert_eq!(rates.of(&peer), Some(1000.0));
        for _ in 0..20 {
            rates.note(peer, 100, Duration::from_secs(1));
        }
        assert!(rates.of(&peer).is_some_and(|rate| rate < 110.0));
        rates.forget(&peer);
        assert_eq!(rates.of(&peer), None);
    }
}
