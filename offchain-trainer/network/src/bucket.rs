//! A token bucket: how many bytes may go through in a time.
//!
//! It is told the time, and says how long to wait. So it holds a bound over any stretch of time: what the rate gives, and one burst.

use std::time::Duration;
use tokio::time::Instant;

/// Bytes a second, and what may go at once after a pause.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    burst: f64,
    /// Negative: that many bytes have gone that weren't due yet.
    level: f64,
    at: Instant,
}

impl Bucket {
    /// `rate` in bytes a second. A quarter of a second's bytes may go at once.
    pub(crate) fn new(rate: u64, now: Instant) -> Self {
        let rate = rate.max(1) as f64;
        Self {
            rate,
            burst: rate / 4.0,
            level: rate / 4.0,
            at: now,
        }
    }

    /// Takes `bytes`, and says how long to wait before they may go.
    pub(crate) fn take(&mut self, bytes: u64, now: Instant) -> Duration {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.level = (self.level + passed * self.rate).min(self.burst) - bytes as f64;
        Duration::try_from_secs_f64((-self.level / self.rate).max(0.0)).unwrap_or(Duration::MAX)
    }

    /// How many bytes to take at a time: what a tenth of a second brings, so that nobody waits long for others.
    pub(crate) fn step(&self) -> usize {
        (self.rate / 10.0) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_any_time_no_more_goes_than_the_rate_and_a_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1000, start);
        let mut now = start;
        for round in 1..100u32 {
            now += bucket.take(300, now);
            let allowed = 250.0 + 1000.0 * (now - start).as_secs_f64() + 1.0;
            assert!(f64::from(round) * 300.0 <= allowed, "round {round}");
        }
        // Nobody had to wait longer than the rate asks for.
        let took = (now - start).as_secs_f64();
        assert!((29.0..30.0).contains(&took), "{took} s");
    }

    #[test]
    fn a_pause_saves_no_more_than_a_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(1000, start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(bucket.take(250, later), Duration::ZERO);
        assert_eq!(bucket.take(100, later), Duration::from_millis(100));
    }
}
