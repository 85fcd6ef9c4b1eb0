//! How far this PC's clock is from the network's, from when other PCs' blocks arrive.
//!
//! A block belongs to a slot, and an honest author makes it when its own clock says that the slot begins. So the time
//! from there until it arrives is a small delay plus what this clock is ahead. Each author has one voice, the median of
//! its last blocks, and the median of the voices counts: no minority of authors with wrong clocks can move it, and where
//! they are divided in halves, this PC's own clock has the casting vote. While the chain is being fetched, old blocks may be
//! announced as new; what follows them drives them out.
//!
//! Pure: both clocks are read by the caller.

use std::collections::{BTreeMap, VecDeque};

/// How many of an author's blocks are remembered.
const PER_AUTHOR: usize = 9;
/// How many blocks it takes for a judgement.
const ENOUGH: usize = 5;
/// What is older says nothing about now.
const KEEP_MS: i64 = 15 * 60 * 1000;
/// Making, sending and checking a block takes about this long.
const USUAL_DELAY_MS: i64 = 500;
/// When the clock moves this much against the steady one, it was set.
const STEP_MS: i64 = 1000;

/// Both of a PC's clocks, read together, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// The time of day since 1970, which may be wrong and may be set.
    pub wall: i64,
    /// A clock that only ever runs on, from any beginning.
    pub steady: i64,
}

#[derive(Debug)]
struct Arrival {
    steady: i64,
    delay: i64,
}

/// What the last blocks said.
#[derive(Debug, Default)]
pub struct Estimator {
    authors: BTreeMap<u32, VecDeque<Arrival>>,
    last: Option<Reading>,
}

impl Estimator {
    /// A block by another PC, of a slot that begins at `slot_start` on the network's clock, has arrived.
    pub fn arrived(&mut self, at: Reading, author: u32, slot_start: i64) {
        self.forget(at);
        let arrivals = self.authors.entry(author).or_default();
        if arrivals.len() == PER_AUTHOR {
            arrivals.pop_front();
        }
        arrivals.push_back(Arrival {
            steady: at.steady,
            delay: at.wall.saturating_sub(slot_start),
        });
    }

    /// By how much this PC's clock is ahead, in milliseconds, if enough blocks came lately.
    pub fn offset(&mut self, at: Reading) -> Option<i64> {
        self.forget(at);
        if self.authors.values().map(VecDeque::len).sum::<usize>() < ENOUGH {
            return None;
        }
        let voices = self.authors.values().filter_map(|arrivals| {
            let [lower, _] = middle(arrivals.iter().map(|arrival| arrival.delay))?;
            Some(lower.saturating_sub(USUAL_DELAY_MS))
        });
        // Where two halves say different things, this clock's own voice decides.
        middle(voices)?
            .into_iter()
            .min_by_key(|offset| offset.saturating_abs())
    }

    /// Drops what the clock's being set, or time, has made untrue.
    fn forget(&mut self, now: Reading) {
        if let Some(last) = self.last.replace(now) {
            let walked = now.wall.saturating_sub(last.wall);
            let passed = now.steady.saturating_sub(last.steady);
            if walked.saturating_sub(passed).saturating_abs() > STEP_MS {
                self.authors.clear();
            }
        }
        self.authors.retain(|_, arrivals| {
            arrivals.retain(|arrival| now.steady.saturating_sub(arrival.steady) <= KEEP_MS);
            !arrivals.is_empty()
        });
    }
}

/// The two in the middle, lower first: of an odd number, the same one twice.
fn middle(values: impl Iterator<Item = i64>) -> Option<[i64; 2]> {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    let lower = values.get(values.len().checked_sub(1)? / 2)?;
    let upper = values.get(values.len() / 2)?;
    Some([*lower, *upper])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SLOT_MS: i64 = 10_000;
    const START: i64 = 1_800_000_000_000;

    /// One slot after the other, each author in turn, heard by a PC whose clock is ahead by `offset`.
    fn network(offset: i64, authors: u32, delays: &[i64]) -> (Estimator, Reading) {
        let mut estimator = Estimator::default();
        let mut at = Reading {
            wall: START + offset,
            steady: 0,
        };
        for (slot, delay) in (0..).zip(delays) {
            let begins = START + slot * SLOT_MS;
            at = Reading {
                wall: begins + offset + delay,
                steady: slot * SLOT_MS + delay,
            };
            estimator.arrived(at, slot as u32 % authors, begins);
        }
        (estimator, at)
    }

    #[test]
    fn says_nothing_before_enough_blocks_came_or_after_they_stopped() {
        let (mut estimator, at) = network(35_000, 3, &[400; 4]);
        assert_eq!(estimator.offset(at), None);
        let (mut estimator, at) = network(35_000, 3, &[400; 5]);
        assert!(estimator.offset(at).is_some());
        let later = Reading {
            wall: at.wall + KEEP_MS + SLOT_MS * 5,
            steady: at.steady + KEEP_MS + SLOT_MS * 5,
        };
        assert_eq!(estimator.offset(later), None);
    }

    #[test]
    fn setting_the_clock_begins_anew() {
        let (mut estimator, at) = network(35_000, 3, &[400; 12]);
        assert_eq!(estimator.offset(at), Some(34_900));
        let set = Reading {
            wall: at.wall - 35_000,
            steady: at.steady + 10,
        };
        assert_eq!(estimator.offset(set), None);
        for slot in 12..17 {
            let begins = START + slot * SLOT_MS;
            let at = Reading {
                wall: begins + 400,
                steady: slot * SLOT_MS + 400,
            };
            estimator.arrived(at, 0, begins);
        }
        let at = Reading {
            wall: START + 17 * SLOT_MS,
            steady: 17 * SLOT_MS,
        };
        assert_eq!(estimator.offset(at), Some(-100));
    }

    #[test]
    fn one_author_with_a_wrong_clock_does_not_make_ours_wrong() {
        let mut estimator = Estimator::default();
        let mut at = Reading {
            wall: START,
            steady: 0,
        };
        for slot in 0..30 {
            let begins = START + slot * SLOT_MS;
            at = Reading {
                wall: begins + 300,
                steady: slot * SLOT_MS + 300,
            };
            // The first author's slots lie an hour ahead, and it is heard twice as often as the others.
            let author = [0, 1, 0, 2][slot as usize % 4];
            let said = if author == 0 { begins + 3_600_000 } else { begins };
            estimator.arrived(at, author, said);
        }
        assert_eq!(estimator.offset(at), Some(-200));
    }

    #[test]
    fn of_two_other_authors_who_disagree_the_one_that_agrees_with_us_is_believed() {
        for wrong in [35_000, -35_000] {
            let mut estimator = Estimator::default();
            let mut at = Reading {
                wall: START,
                steady: 0,
            };
            for slot in 0..10 {
                let begins = START + slot * SLOT_MS;
                at = Reading {
                    wall: begins + 500,
                    steady: slot * SLOT_MS + 500,
                };
                let author = slot as u32 % 2;
                estimator.arrived(at, author, if author == 0 { begins } else { begins + wrong });
            }
            assert_eq!(estimator.offset(at), Some(0), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn the_offset_is_found_whatever_it_is_and_however_late_blocks_are(
            offset in -86_400_000i64..86_400_000,
            authors in 1u32..6,
            delays in prop::collection::vec(50i64..3_000, 5..60),
        ) {
            let (mut estimator, at) = network(offset, authors, &delays);
            let found = estimator.offset(at).expect("five blocks are enough");
            prop_assert!((found - offset).abs() <= 3_000, "{found} for {offset}");
        }

        #[test]
        fn a_minority_of_authors_can_not_move_it(
            lies in prop::collection::vec(any::<i64>(), 40),
            liars in 0u32..3,
        ) {
            let mut estimator = Estimator::default();
            let mut at = Reading { wall: START, steady: 0 };
            for (slot, lie) in (0i64..).zip(&lies) {
                let begins = START + slot * SLOT_MS;
                at = Reading { wall: begins + 400, steady: slot * SLOT_MS + 400 };
                // Five authors, of whom up to two say anything.
                let author = slot as u32 % 5;
                estimator.arrived(at, author, if author < liars { *lie } else { begins });
            }
            prop_assert_eq!(estimator.offset(at), Some(-100));
        }

        #[test]
        fn no_reading_of_the_clocks_is_too_odd(
            readings in prop::collection::vec((any::<i64>(), any::<i64>(), any::<u32>(), any::<i64>()), 0..50),
        ) {
            let mut estimator = Estimator::default();
            for (wall, steady, author, slot_start) in readings {
                let at = Reading { wall, steady };
                estimator.arrived(at, author, slot_start);
                estimator.offset(at);
            }
        }
    }
}
