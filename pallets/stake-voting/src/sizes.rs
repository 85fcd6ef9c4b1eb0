//! How much of an electorate's weight takes on tasks of which size: sums beside the tree, since a model runs only while nearly all
//! of the weight has room for it. Else those who claim any room would be the many. It is room that was declared, with each heartbeat: how busy
//! an account is doesn't count here, and what its PC can do nobody knows.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::TypeInfo;
use hydra_primitives::{
    electorate::SessionIndex,
    model::{MAX_SIZE_CLASS, SizeClass},
};

const CLASSES: usize = MAX_SIZE_CLASS as usize + 1;

/// The weight of each size class in a session's electorate. Of another session it counts as nothing.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Sizes {
    session: SessionIndex,
    weights: [u64; CLASSES],
}

impl Sizes {
    /// An account with this weight was appended to the electorate of `session`. A class beyond the largest counts as the largest.
    pub fn add(&mut self, session: SessionIndex, size: SizeClass, weight: u64) {
        if self.session != session {
            *self = Self {
                session,
                weights: [0; CLASSES],
            };
        }
        if let Some(sum) = self.weights.get_mut(usize::from(size.min(MAX_SIZE_CLASS))) {
            *sum = sum.saturating_add(weight);
        }
    }

    /// What the accounts weigh together that take on tasks of this size.
    pub fn taking(&self, session: SessionIndex, size: SizeClass) -> u64 {
        if self.session != session {
            return 0;
        }
        self.weights
            .iter()
            .skip(usize::from(size))
            .fold(0, |sum: u64, weight| sum.saturating_add(*weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_takes_large_tasks_takes_small_ones_and_no_session_counts_for_another() {
        let mut sizes = Sizes::default();
        sizes.add(4, 0, 10);
        sizes.add(4, 3, 20);
        sizes.add(4, MAX_SIZE_CLASS + 9, 40);
        let taking = |sizes: &Sizes, size| sizes.taking(4, size);
        assert_eq!(
            [0, 1, 3, 4, 15, 16].map(|size| taking(&sizes, size)),
            [70, 60, 60, 40, 40, 0]
        );
        assert_eq!(sizes.taking(2, 0), 0);
        sizes.add(6, 1, 5);
        assert_eq!((sizes.taking(6, 0), sizes.taking(4, 0)), (5, 0));
    }
}
