//! The bucket that new coin flows into, and that rewards are paid from. What is in it is not minted yet: it is what may be. Time
//! comes in as an argument; nothing has to happen in a block for it to fill.

use frame_support::pallet_prelude::*;
use hydra_primitives::{Balance, BlockNumber, rewards::Emission};

/// What is in the bucket, as of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Level {
    /// What was in it at block `at`, in 10⁻¹² HYDRA.
    pub has: Balance,
    /// All that ever flowed into it until then, in 10⁻¹² HYDRA.
    pub flowed: Balance,
    /// The block.
    pub at: BlockNumber,
    /// How new coin flows in.
    pub emission: Emission,
}

impl Default for Level {
    fn default() -> Self {
        let emission = Emission {
            per_block: 0,
            halving: 0,
        };
        Self::new(0, emission)
    }
}

impl Level {
    /// What genesis puts into it.
    pub fn new(has: Balance, emission: Emission) -> Self {
        Self {
            has,
            flowed: has,
            at: 0,
            emission,
        }
    }

    /// It at block `now`. No more than `cap` ever flows in.
    pub fn filled(self, now: BlockNumber, cap: Balance) -> Self {
        let more = self
            .emission
            .between(self.at, now)
            .min(cap.saturating_sub(self.flowed));
        Self {
            has: self.has.saturating_add(more),
            flowed: self.flowed.saturating_add(more),
            at: self.at.max(now),
            emission: self.emission,
        }
    }

    /// Takes up to `amount` out.
    pub fn take(&mut self, amount: Balance) -> Balance {
        let taken = amount.min(self.has);
        self.has = self.has.saturating_sub(taken);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whenever it is looked at, it has the same; and no schedule of looking gets past the cap.
        #[test]
        fn it_fills_alike_however_often_it_is_looked_at(
            start in 0u128..1_000, per_block in 0u128..100, halving in 0u32..50,
            mut at in prop::collection::vec(0u32..500, 1..10), cap in 1_000u128..20_000,
        ) {
            at.sort_unstable();
            let level = Level::new(start, Emission { per_block, halving });
            let often = at.iter().fold(level, |level, now| level.filled(*now, cap));
            prop_assert_eq!(often, level.filled(at[at.len() - 1], cap));
            prop_assert!(often.flowed <= cap && often.has == often.flowed);
        }
    }

    #[test]
    fn nothing_is_taken_that_is_not_in_it() {
        let mut level = Level {
            has: 5,
            ..Default::default()
        };
        assert_eq!((level.take(3), level.take(3), level.take(3)), (3, 2, 0));
    }

    #[test]
    fn an_earlier_block_changes_nothing() {
        let emission = Emission {
            per_block: 7,
            halving: 0,
        };
        let level = Level::new(0, emission).filled(10, 1_000);
        assert_eq!(level.has, 70);
        assert_eq!(level.filled(3, 1_000), level);
    }
}
