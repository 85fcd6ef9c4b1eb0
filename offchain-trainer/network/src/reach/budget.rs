//! How often somebody may ask for something that costs us: a bucket of tokens for each, which fills again slowly.

use std::{collections::HashMap, hash::Hash, time::Duration};
use tokio::time::Instant;

/// The buckets. Bounded: who has a full one is forgotten.
pub(crate) struct Budget<K> {
    burst: u32,
    every: Duration,
    most: usize,
    spent: HashMap<K, Bucket>,
}

struct Bucket {
    left: u32,
    /// When it was last filled.
    at: Instant,
}

impl<K: Hash + Eq> Budget<K> {
    /// `burst` at once, and one more `every` so often; for `most` at a time.
    pub(crate) fn new(burst: u32, every: Duration, most: usize) -> Self {
        Self {
            burst,
            every,
            most,
            spent: HashMap::new(),
        }
    }

    /// Takes one; `false` if there is none left, or too many others ask.
    pub(crate) fn take(&mut self, who: K, now: Instant) -> bool {
        let Self {
            burst, every, spent, ..
        } = self;
        if !spent.contains_key(&who) && spent.len() >= self.most {
            spent.retain(|_, bucket| {
                bucket.fill(*burst, *every, now);
                bucket.left < *burst
            });
            if spent.len() >= self.most {
                return false;
            }
        }
        let bucket = spent.entry(who).or_insert(Bucket {
            left: *burst,
            at: now,
        });
        bucket.fill(*burst, *every, now);
        let granted = bucket.left > 0;
        bucket.left = bucket.left.saturating_sub(1);
        granted
    }
}

impl Bucket {
    fn fill(&mut self, burst: u32, every: Duration, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        let new = passed.as_nanos() / every.as_nanos().max(1);
        if let Some(new) = u32::try_from(new).ok().filter(|new| *new < burst) {
            self.left = self.left.saturating_add(new).min(burst);
            self.at += every * new;
        } else {
            self.left = burst;
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_spent_comes_back_slowly_and_for_each_alone() {
        let now = Instant::now();
        let mut budget = Budget::new(2, SECOND * 10, 8);
        assert!(budget.take('a', now) && budget.take('a', now) && !budget.take('a', now));
        assert!(budget.take('b', now));
        assert!(!budget.take('a', now + SECOND * 9));
        assert!(budget.take('a', now + SECOND * 10) && !budget.take('a', now + SECOND * 19));
        let later = now + SECOND * 1000;
        assert!(budget.take('a', later) && budget.take('a', later) && !budget.take('a', later));
    }

    #[test]
    fn a_crowd_takes_no_memory_and_those_who_are_even_make_room() {
        let now = Instant::now();
        let mut budget = Budget::new(1, SECOND, 3);
        assert!((0..3).all(|who| budget.take(who, now)));
        assert!((3..100).all(|who| !budget.take(who, now)));
        assert_eq!(budget.spent.len(), 3);
        assert!(budget.take(3, now + SECOND));
        assert_eq!(budget.spent.len(), 1);
    }
}
