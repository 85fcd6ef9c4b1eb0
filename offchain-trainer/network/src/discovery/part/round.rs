//! When a search that is worth less each time is made again.

use std::time::Duration;
use tokio::time::Instant;

/// The first search of a kind comes after this at the latest, and the second as long after it: the first may have found few, of many that
/// came at once.
const FIRST: Duration = Duration::from_secs(30);
/// The longest pause.
const LATEST: Duration = Duration::from_secs(600);

/// Something that comes round less and less often.
pub(super) struct Round {
    pub(super) at: Instant,
    pause: Duration,
}

impl Round {
    /// `chance` is from 0 to 1: many PCs that start at once don't do everything at once.
    pub(super) fn first(now: Instant, chance: f64) -> Self {
        Self {
            at: now + FIRST.mul_f64(chance),
            pause: FIRST,
        }
    }

    /// It was made. Whoever knows many others already learns little by it.
    pub(super) fn next(&mut self, now: Instant, chance: f64, knows_many: bool) {
        self.at = now + self.pause.mul_f64(0.75 + chance / 2.0);
        self.pause = (self.pause * if knows_many { 4 } else { 2 }).min(LATEST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(knows_many: bool) -> Vec<u64> {
        let began = Instant::now();
        let mut round = Round::first(began, 0.5);
        let mut searched = Vec::new();
        while round.at < began + Duration::from_secs(1800) {
            searched.push((round.at - began).as_secs());
            round.next(round.at, 0.5, knows_many);
        }
        searched
    }

    #[test]
    fn searches_become_rare_and_sooner_so_where_many_are_known() {
        assert_eq!(searched(false), [15, 45, 105, 225, 465, 945, 1545]);
        assert_eq!(searched(true), [15, 45, 165, 645, 1245]);
    }
}
