//! How long a transfer may take before the peer loses it.
//!
//! It must go on all the time, and over all of its time reach a rate; what we ourselves make it wait for isn't held against it.

use crate::{config::Limits, error::PeerFault};
use std::time::Duration;
use tokio::time::Instant;

/// One slice on its way.
#[derive(Debug)]
pub(crate) struct Pace {
    since: Instant,
    /// How long it had to wait for us.
    excused: Duration,
    stall: Duration,
    request: Duration,
    min_rate: u64,
}

impl Pace {
    /// From now on it is the peer's turn.
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            since: now,
            excused: Duration::ZERO,
            stall: limits.stall,
            request: limits.request,
            min_rate: limits.min_rate.max(1),
        }
    }

    /// It had to wait for us.
    pub(crate) fn excuse(&mut self, waited: Duration) {
        self.excused = self.excused.saturating_add(waited);
    }

    /// How long the next byte may take when so many have gone.
    pub(crate) fn left(&self, gone: u64, now: Instant) -> Duration {
        let by_rate =
            Duration::from_millis(gone.saturating_mul(1000) / self.min_rate).saturating_add(self.stall);
        let allowed = by_rate.min(self.request);
        allowed.saturating_sub(self.taken(now)).min(self.stall)
    }

    /// How long the peer has had.
    pub(crate) fn taken(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
            .saturating_sub(self.excused)
    }

    /// What is wrong with a peer that let the time run out after so many bytes.
    pub(crate) fn fault(&self, gone: u64) -> PeerFault {
        match gone {
            0 => PeerFault::Stalled(self.stall),
            _ => PeerFault::Trickle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_up_has_time_and_who_trickles_runs_out_of_it() {
        let limits = Limits {
            stall: Duration::from_secs(10),
            request: Duration::from_secs(100),
            min_rate: 1000,
            ..Limits::default()
        };
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(&limits, start);
        assert_eq!(pace.left(0, start), Duration::from_secs(10));
        // 5 kB in 12 s: 10 s of grace and 5 s for the bytes.
        assert_eq!(pace.left(5000, after(12)), Duration::from_secs(3));
        assert_eq!(pace.left(5000, after(16)), Duration::ZERO);
        pace.excuse(Duration::from_secs(4));
        assert_eq!(pace.left(5000, after(16)), Duration::from_secs(3));
        assert_eq!(
            pace.left(1_000_000, after(104)),
            Duration::ZERO,
            "the whole takes too long"
        );
        assert_eq!(pace.fault(0), PeerFault::Stalled(limits.stall));
        assert_eq!(pace.fault(1), PeerFault::Trickle);
    }
}
