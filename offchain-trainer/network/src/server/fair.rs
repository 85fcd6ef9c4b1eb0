//! Who is in the way: where others wait for a place, whoever takes its slice far more slowly than slices go out on the average gives its
//! place up.
//!
//! The average says what our line can do: on a slow one all are slow, and nobody is in the way. Nor is anybody while nobody waits.

use crate::origin::Holder;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Whoever takes less than this part of the average is slow: lines differ, and connections don't share one evenly.
const PART: f64 = 1.0 / 8.0;
/// How often it is looked whether somebody has come to wait.
pub(super) const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Fair {
    places: usize,
    /// So long a slice may take whatever others do.
    grace: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Bytes that went out to all, the older ones faded.
    gone: f64,
    at: Instant,
    waiting: HashMap<Holder, usize>,
}

/// Somebody waits for a place, until this is dropped.
#[derive(Debug)]
pub(super) struct Waits<'a> {
    all: &'a Fair,
    holder: Holder,
}

impl Fair {
    pub(super) fn new(places: usize, grace: Duration, now: Instant) -> Self {
        Self {
            places,
            grace,
            state: Mutex::new(State {
                gone: 0.0,
                at: now,
                waiting: HashMap::new(),
            }),
        }
    }

    pub(super) fn wait(&self, holder: Holder) -> Waits<'_> {
        *self.state().waiting.entry(holder).or_default() += 1;
        Waits { all: self, holder }
    }

    /// So much has gone out to somebody.
    pub(super) fn sent(&self, bytes: usize, now: Instant) {
        let over = self.over();
        let mut state = self.state();
        state.fade(over, now);
        state.gone += bytes as f64;
    }

    /// Whether `holder`, to whom a slice has brought so many bytes in the time that it `took`, keeps others waiting.
    pub(super) fn is_in_the_way(&self, holder: Holder, bytes: usize, took: Duration, now: Instant) -> bool {
        if took < self.grace {
            return false;
        }
        let over = self.over();
        let mut state = self.state();
        if !state.waiting.keys().any(|other| *other != holder) {
            return false;
        }
        state.fade(over, now);
        let share = state.gone / over / self.places.max(1) as f64;
        (bytes as f64) / took.as_secs_f64() < share * PART
    }

    /// The seconds that the average is over: long enough for it to tell of those who were served before all places were taken.
    fn over(&self) -> f64 {
        (3.0 * self.grace.as_secs_f64()).max(1.0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fade(&mut self, over: f64, now: Instant) {
        self.gone *= (-now.saturating_duration_since(self.at).as_secs_f64() / over).exp();
        self.at = self.at.max(now);
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut state = self.all.state();
        match state.waiting.get_mut(&self.holder) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = state.waiting.remove(&self.holder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::PeerId;

    const GRACE: Duration = Duration::from_secs(20);
    const KIB: usize = 1024;

    fn holders() -> [Holder; 2] {
        [(); 2].map(|()| Holder::Peer(PeerId::random()))
    }

    #[test]
    fn who_is_slow_is_in_the_way_of_others_who_wait_and_not_before_its_time() {
        let (start, [slow, other]) = (Instant::now(), holders());
        let fair = Fair::new(4, GRACE, start);
        fair.sent(60_000 * KIB, start);
        let is_in_the_way = |seconds| {
            let took = Duration::from_secs(seconds);
            fair.is_in_the_way(slow, 400 * KIB, took, start + took)
        };
        assert!(!is_in_the_way(25), "nobody waits");
        let own = fair.wait(slow);
        assert!(!is_in_the_way(25), "it waits for itself");
        let waits = [(); 2].map(|()| fair.wait(other));
        assert!(!is_in_the_way(19));
        assert!(is_in_the_way(20));
        let [first, second] = waits;
        drop(first);
        assert!(is_in_the_way(21));
        drop((second, own));
        assert!(!is_in_the_way(22));
        assert!(fair.state().waiting.is_empty());
    }

    #[test]
    fn on_a_slow_line_nobody_is_in_the_way() {
        let (start, [one, other]) = (Instant::now(), holders());
        let fair = Fair::new(4, GRACE, start);
        let _waits = fair.wait(other);
        // Four at a time, 10 KiB a second each.
        for second in 1..=300 {
            fair.sent(40 * KIB, start + Duration::from_secs(second));
        }
        let (now, took) = (start + Duration::from_secs(300), Duration::from_secs(60));
        assert!(!fair.is_in_the_way(one, 600 * KIB, took, now));
        assert!(!fair.is_in_the_way(one, 400 * KIB, took, now));
        assert!(
            !fair.is_in_the_way(one, 100 * KIB, took, now),
            "the others take what it leaves"
        );
        assert!(fair.is_in_the_way(one, 60 * KIB, took, now));
    }
}
