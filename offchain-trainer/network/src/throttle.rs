//! The limits of bytes a second that a person sets, shared by all transfers in one direction.
//!
//! Whoever wants to send or take some bytes waits for its turn, which goes round among peers (or by importance), and then until the
//! rate allows it. Without a limit nobody waits, not even for a lock.

use crate::{
    bucket::Bucket,
    turns::{Turn, Turns},
};
use std::{
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// One direction; `K` is among whom turns go round.
pub(crate) struct Throttle<K: Eq + Hash + Clone> {
    limit: Option<(Arc<Turns<K>>, Mutex<Bucket>)>,
}

impl<K: Eq + Hash + Clone> Throttle<K> {
    /// `rate` in bytes a second; none: as fast as it goes. `spare` as for [`Turns::new`].
    pub(crate) fn new(rate: Option<u64>, classes: usize) -> Self {
        let limit = rate.map(|rate| {
            let turns = Turns::new(1, &vec![0; classes]);
            (turns, Mutex::new(Bucket::new(rate, Instant::now())))
        });
        Self { limit }
    }

    /// How many bytes to ask for at a time, `most` at the most.
    pub(crate) fn step(&self, most: usize) -> usize {
        self.limit.as_ref().map_or(most, |(_, bucket)| {
            let bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.step().clamp(1, most.max(1))
        })
    }

    /// Waits until `bytes` may go; says for how long it waited.
    pub(crate) async fn pass(&self, class: usize, holder: K, bytes: u64) -> Duration {
        let Some((turns, bucket)) = &self.limit else {
            return Duration::ZERO;
        };
        let since = Instant::now();
        let turn: Turn<K> = Turns::wait(turns, class, holder).await;
        let pause = {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.take(bytes, Instant::now())
        };
        tokio::time::sleep(pause).await;
        drop(turn);
        since.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_who_wants_much_and_one_who_wants_little_get_the_same() {
        let throttle = Arc::new(Throttle::new(Some(10_000), 1));
        let sends = |who: char, at_once: usize| {
            let throttle = throttle.clone();
            async move {
                let all = (0..at_once).map(|_| async {
                    for _ in 0..20 {
                        throttle.pass(0, who, 1000).await;
                    }
                });
                futures::future::join_all(all).await;
                Instant::now()
            }
        };
        let start = Instant::now();
        let (greedy, modest) = tokio::join!(sends('a', 8), sends('b', 1));
        // 20 kB in turn with as many of the other's: 4 s; the other's 160 kB then take what is left.
        assert!((modest - start).as_secs_f64() < 4.5);
        assert!((greedy - start).as_secs_f64() > 17.0);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits() {
        let throttle = Throttle::new(None, 1);
        assert_eq!(throttle.pass(0, 'a', u64::MAX).await, Duration::ZERO);
        assert_eq!(throttle.step(100), 100);
    }
}
