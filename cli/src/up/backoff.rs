//! How long to wait before something that failed is tried again: longer each time, and short again after it went well.

use std::time::Duration;

/// The next wait.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

/// What ran this long ran well.
const WELL: Duration = Duration::from_secs(600);

impl Backoff {
    /// Waits `first`, then twice as long each time, up to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            next: first,
        }
    }

    /// How long to wait after something failed that had gone well for `lived`.
    pub fn after(&mut self, lived: Duration) -> Duration {
        if lived >= WELL {
            self.next = self.first;
        }
        let wait = self.next;
        self.next = wait.saturating_mul(2).min(self.longest);
        wait
    }

    /// It went well.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_grows_up_to_its_end_and_is_short_again_after_a_long_life() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        let short = Duration::from_secs(3);
        let waits: Vec<u64> = (0..8).map(|_| backoff.after(short).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.after(WELL).as_secs(), 1);
        assert_eq!(backoff.after(short).as_secs(), 2);
        backoff.reset();
        assert_eq!(backoff.after(short).as_secs(), 1);
    }
}
