//! How fast a model's rounds follow each other: without delay while they bring something new, and ever more slowly while they don't,
//! so that neither block space nor coin is spent on what leads nowhere.

use codec::{Decode, Encode, MaxEncodedLen};
use hydra_primitives::BlockNumber;
use scale_info::TypeInfo;

/// So many confirmed versions may go by without progress before rounds slow down.
pub const PATIENCE: u32 = 16;
/// Hours of a day: the longest rest.
const DAY: BlockNumber = 24;

/// What decides how long a model pauses between rounds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Pace {
    /// Blocks to pause since rounds bring no version: doubles with each such round, up to an hour.
    pub pause: BlockNumber,
    /// Blocks to pause since versions bring no progress: doubles with each such version after the sixteenth, up to a day.
    pub rest: BlockNumber,
    /// Confirmed versions since the last progress.
    pub stale: u32,
    /// The best validation loss so far, in millionths of a nat.
    pub best_loss: Option<u32>,
}

impl Pace {
    /// Blocks until the next round after one that made no version.
    pub fn longest(&self) -> BlockNumber {
        self.pause.max(self.rest)
    }

    /// A round made no version, or the one it made was given up.
    pub fn without_version(&mut self, hour: BlockNumber) {
        self.pause = doubled(self.pause, hour);
    }

    /// A version is confirmed. Says whether it is progress: its loss is lower than the best by a thousandth at least.
    pub fn confirmed(&mut self, loss: u32, hour: BlockNumber) -> bool {
        self.pause = 0;
        let progress = self.best_loss.is_none_or(|best| is_progress(loss, best));
        if progress {
            self.best_loss = Some(loss);
            self.stale = 0;
            self.rest = 0;
        } else {
            self.stale = self.stale.saturating_add(1);
            if self.stale >= PATIENCE {
                self.rest = doubled(self.rest, hour.saturating_mul(DAY));
            }
        }
        progress
    }
}

fn doubled(pause: BlockNumber, most: BlockNumber) -> BlockNumber {
    pause.saturating_mul(2).clamp(1, most.max(1))
}

/// Small losses differ by less than a thousandth and a unit; the same loss again is never progress.
fn is_progress(loss: u32, best: u32) -> bool {
    loss < best && u64::from(loss).saturating_mul(1_000) <= u64::from(best).saturating_mul(999)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: BlockNumber = 360;

    #[test]
    fn pauses_double_up_to_an_hour_and_a_version_ends_them() {
        let mut pace = Pace::default();
        let pauses: Vec<_> = (0..11)
            .map(|_| {
                pace.without_version(HOUR);
                pace.longest()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
        assert!(pace.confirmed(1_000, HOUR));
        assert_eq!(pace.longest(), 0);
    }

    #[test]
    fn sixteen_versions_without_a_thousandth_less_loss_slow_rounds_down_to_one_a_day() {
        let mut pace = Pace::default();
        assert!(pace.confirmed(1_000_000, HOUR));
        for _ in 1..PATIENCE {
            assert!(!pace.confirmed(999_500, HOUR));
            assert_eq!(pace.rest, 0);
        }
        assert!(!pace.confirmed(1_200_000, HOUR));
        assert_eq!(pace.rest, 1);
        for _ in 0..20 {
            assert!(!pace.confirmed(999_001, HOUR));
        }
        assert_eq!(pace.longest(), 24 * HOUR);
        assert!(pace.confirmed(999_000, HOUR));
        assert_eq!(
            (pace.longest(), pace.stale, pace.best_loss),
            (0, 0, Some(999_000))
        );
    }

    #[test]
    fn a_model_that_can_not_get_better_slows_down_however_small_its_loss() {
        for best in [0, 1, 500] {
            let mut pace = Pace::default();
            assert!(pace.confirmed(best, HOUR));
            for _ in 0..PATIENCE {
                assert!(!pace.confirmed(best, HOUR));
            }
            assert_eq!(pace.rest, 1);
        }
    }

    proptest! {
        #[test]
        fn no_pause_is_ever_longer_than_a_day(deeds in prop::collection::vec(any::<Option<u32>>(), 0..100), hour: u32) {
            let mut pace = Pace::default();
            for deed in deeds {
                match deed {
                    Some(loss) => { pace.confirmed(loss, hour); }
                    None => pace.without_version(hour),
                }
                prop_assert!(pace.longest() <= hour.max(1).saturating_mul(24));
            }
        }
    }
}
