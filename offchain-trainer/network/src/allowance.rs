//! How often somebody may do something: so many at once, and so many a second after that.

use std::{collections::HashMap, hash::Hash, time::Duration};
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

    /// Whether it is as good as new.
    fn is_full(&self, rate: Rate, now: Instant) -> bool {
        let rested = now.saturating_duration_since(self.at).as_secs_f64();
        self.left + rested * rate.each_second >= rate.burst
    }
}

/// How many have an allowance at a time.
const COUNTED: usize = 4096;

/// What is left of it for each of many, whether they are connected or not: who comes again goes on where it was.
#[derive(Debug)]
pub(crate) struct Allowances<K> {
    rate: Rate,
    counted: HashMap<K, Allowance>,
}

impl<K: Eq + Hash> Allowances<K> {
    pub(crate) fn new(rate: Rate) -> Self {
        Self {
            rate,
            counted: HashMap::new(),
        }
    }

    /// Takes one of what is left for `who`, if there is one.
    pub(crate) fn take(&mut self, who: K, now: Instant) -> bool {
        let rate = self.rate;
        if self.counted.len() >= COUNTED && !self.counted.contains_key(&who) {
            self.counted.retain(|_, allowance| !allowance.is_full(rate, now));
            // Somebody comes under ever new names: all begin anew, as those do.
            if self.counted.len() > COUNTED / 2 {
                self.counted.clear();
            }
        }
        self.counted
            .entry(who)
            .or_insert_with(|| Allowance::full(rate, now))
            .take(rate, now)
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

    #[test]
    fn a_crowd_takes_no_memory_and_those_who_rest_are_forgotten_first() {
        let rate = Rate {
            each_second: 1.0,
            burst: 2.0,
        };
        let (mut allowances, now) = (Allowances::new(rate), Instant::now());
        (1..COUNTED).for_each(|who| assert!(allowances.take(who, now)));
        let later = now + Duration::from_secs(5);
        assert_eq!(
            [(); 3].map(|()| allowances.take(0, later)),
            [true, true, false],
            "each has its own"
        );
        assert!(allowances.take(COUNTED, later));
        assert_eq!(allowances.counted.len(), 2);
        assert!(!allowances.take(0, later), "it is still remembered");
        (COUNTED..4 * COUNTED).for_each(|who| _ = allowances.take(who, later));
        assert!(allowances.counted.len() <= COUNTED);
    }
}
