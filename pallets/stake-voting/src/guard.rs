//! The guard: nothing is asked while the weight that takes part is not more than a third of the largest of the last day. Those who cut
//! themselves off with a third of the weight, or less, must not be able to decide among themselves.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::{BoundedVec, ConstU32, TypeInfo};
use hydra_primitives::electorate::SessionIndex;

/// Parts of a day of which the largest weight is remembered.
const PARTS: u32 = 24;
/// A day reaches into this many parts at most.
const REMEMBERED: u32 = PARTS + 1;

/// The largest weights of the sessions of the last day, one for each part of the day: the part's newest session, and the weight.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Largest(BoundedVec<(SessionIndex, u64), ConstU32<REMEMBERED>>);

impl Largest {
    /// Remembers the total weight of a session. Sessions come in order, and need not all come.
    pub fn note(&mut self, session: SessionIndex, total: u64, per_day: u32) {
        let length = per_day.div_ceil(PARTS).max(1);
        let part = |session: SessionIndex| session.checked_div(length);
        match self.0.last_mut() {
            Some((newest, largest)) if part(*newest) == part(session) => {
                *newest = session.max(*newest);
                *largest = total.max(*largest);
            }
            _ => {
                if self.0.is_full() {
                    self.0.remove(0);
                }
                // There is room now.
                let _ = self.0.try_push((session, total));
            }
        }
    }

    /// The largest weight of the sessions of the day before `session`.
    pub fn within_a_day(&self, session: SessionIndex, per_day: u32) -> u64 {
        self.0
            .iter()
            .filter(|(newest, _)| newest.saturating_add(per_day) >= session)
            .map(|(_, total)| *total)
            .max()
            .unwrap_or(0)
    }
}

/// Whether `total` is enough to ask anything, where `largest` took part within a day.
pub fn is_enough(total: u64, largest: u64) -> bool {
    u128::from(total).saturating_mul(3) > u128::from(largest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_third_of_the_largest_is_not_enough_and_a_unit_more_is() {
        assert!(!is_enough(33, 99));
        assert!(is_enough(34, 99));
        assert!(!is_enough(0, 0), "nobody");
        assert!(is_enough(u64::MAX, u64::MAX));
    }

    #[test]
    fn a_fall_is_forgotten_after_a_day() {
        let mut largest = Largest::default();
        for session in 0..10 {
            largest.note(session, 100, 48);
        }
        for session in 10..200 {
            largest.note(session, 20, 48);
            let expected = if session <= 9 + 48 { 100 } else { 20 };
            assert_eq!(largest.within_a_day(session, 48), expected, "session {session}");
        }
        // Nobody says anything for a day.
        assert_eq!(largest.within_a_day(400, 48), 0);
    }

    proptest! {
        /// Whatever happened, and however many sessions a day has: at least what a full record of the last day says, at most what one of a
        /// part more does, and a few hundred bytes.
        #[test]
        fn it_remembers_a_day_and_little_more(
            per_day in 1u32..2_000, sessions in prop::collection::vec((1u32..60, 0u64..1_000), 1..200),
        ) {
            let mut largest = Largest::default();
            let mut all = Vec::new();
            let mut session = 0;
            for (later, total) in sessions {
                session += later;
                largest.note(session, total, per_day);
                all.push((session, total));
                let since = |day: u32| {
                    let within = all.iter().filter(|(noted, _)| noted + day >= session);
                    within.map(|(_, total)| *total).max().unwrap_or(0)
                };
                let found = largest.within_a_day(session, per_day);
                prop_assert!(found >= since(per_day));
                prop_assert!(found <= since(per_day + per_day.div_ceil(PARTS)));
            }
            prop_assert!(largest.encode().len() <= 1 + 12 * usize::try_from(REMEMBERED).unwrap());
        }
    }
}
