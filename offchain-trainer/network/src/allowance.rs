//! How often somebody may do something: so many at once, and so many a second after that.

use std::time::Duration;
use tokio::time::Instant;

/// A rate, and how much of it may be saved up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Per second.
    pub(crate) each_second: f64,
    /// At once, after a long rest.
    pub(crate) burst: f64,
}

/// What is left of it for somebody.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    left: f64,
    at: Instant,
}

impl Allowance {
    /// All that can be saved up.
    pub(crate) fn full(rate: Rate, now: Instant) -> Self {
        Self {
            left: rate.burst,
            at: now,
        }
    }

    /// Takes one, if there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Instant) -> bool {
        let rested: Duration = now.saturating_duration_since(self.at);
        self.left = (self.left + rested.as_secs_f64() * rate.each_second).min(rate.burst);
        self.at = now;
        let granted = self.left >= 1.0;
        if granted {
            self.left -= 1.0;
        }
        granted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_the_rate() {
        let rate = Rate {
            each_second: 2.0,
            burst: 3.0,
        };
        let now = Instant::now();
        let mut allowance = Allowance::full(rate, now);
        assert_eq!(
            [(); 4].map(|()| allowance.take(rate, now)),
            [true, true, true, false]
        );
        let later = now + Duration::from_millis(500);
        assert_eq!([(); 2].map(|()| allowance.take(rate, later)), [true, false]);
        // Rest is saved up, but no more than a burst.
        let much_later = now + Duration::from_secs(3600);
        assert_eq!(
            [(); 4].map(|()| allowance.take(rate, much_later)),
            [true, true, true, false]
        );
        // Time that goes back gives nothing and breaks nothing.
        assert!(!allowance.take(rate, now));
    }
}
