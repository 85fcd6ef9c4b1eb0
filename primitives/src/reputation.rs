//! The one score: how reliably an account did its duties lately. It scales what a stake weighs in every draw.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{Balance, Perbill};

/// What a newcomer's score is, and the most that a wrong result leaves: 0.1.
pub const NEWCOMER: Perbill = Perbill::from_parts(100_000_000);
/// What genesis gives the accounts that it names: their founders vouch for them.
pub const FOUNDER: Perbill = Perbill::from_parts(900_000_000);
/// How far one duty moves the score: a 32nd of the way.
pub const STEP: u32 = 32;
/// Smallest units (10⁻¹² HYDRA) in one unit of weight, a millionth of a HYDRA.
const WEIGHT_UNIT: Balance = 1_000_000;

/// How a duty ended.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Deed {
    /// Done right.
    Right,
    /// Not done in the time everybody had.
    Missed,
    /// Its result was wrong.
    Wrong,
}

/// The score after one more deed.
pub fn after(score: Perbill, deed: Deed) -> Perbill {
    let parts = score.deconstruct();
    let missing = Perbill::one().deconstruct().saturating_sub(parts);
    let step = |distance: u32| distance.div_ceil(STEP);
    match deed {
        Deed::Right => Perbill::from_parts(parts.saturating_add(step(missing))),
        Deed::Missed => Perbill::from_parts(parts.saturating_sub(step(parts))),
        Deed::Wrong => score.min(NEWCOMER),
    }
}

/// What a stake weighs in draws, in millionths of a HYDRA: stake × score. Without a cap: one would only make the rich split.
pub fn weight(stake: Balance, score: Perbill) -> u64 {
    let units = stake.checked_div(WEIGHT_UNIT).unwrap_or(0);
    let weighed = units
        .saturating_mul(Balance::from(score.deconstruct()))
        .checked_div(Balance::from(Perbill::one().deconstruct()))
        .unwrap_or(0);
    u64::try_from(weighed).unwrap_or(u64::MAX)
}

/// Registered accounts beyond which the minimum stake grows with their number.
pub const STAKE_GROWS_FROM: u32 = 100_000;

/// The least that an account may bond where so many are registered: `least`, and beyond [`STAKE_GROWS_FROM`] accounts so much more as there
/// are more of them. It has no steps: at one, everybody who bonded just enough would be out at once.
pub fn minimum_stake(least: Balance, accounts: u32) -> Balance {
    let of = Balance::from(accounts.max(STAKE_GROWS_FROM));
    least
        .saturating_mul(of)
        .checked_div(STAKE_GROWS_FROM.into())
        .unwrap_or(least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HYDRA;
    use proptest::prelude::*;

    fn deed() -> impl Strategy<Value = Deed> {
        prop_oneof![Just(Deed::Right), Just(Deed::Missed), Just(Deed::Wrong)]
    }

    proptest! {
        /// Whatever the score: right raises or keeps it, anything else lowers or keeps it, and a wrong result costs at least as
        /// much as silence wherever there is anything to lose.
        #[test]
        fn no_bad_deed_ever_raises_a_score(parts in 0u32..=1_000_000_000) {
            let score = Perbill::from_parts(parts);
            prop_assert!(after(score, Deed::Right) >= score);
            prop_assert!(after(score, Deed::Missed) <= score);
            prop_assert!(after(score, Deed::Wrong) <= score);
            prop_assert!(after(score, Deed::Wrong) <= NEWCOMER);
        }

        #[test]
        fn the_order_of_two_accounts_never_changes_by_the_same_deed(a in 0u32..=1_000_000_000, b in 0u32..=1_000_000_000, deed in deed()) {
            let (low, high) = (Perbill::from_parts(a.min(b)), Perbill::from_parts(a.max(b)));
            prop_assert!(after(low, deed) <= after(high, deed));
        }

        #[test]
        fn weights_add_up_over_split_stakes_to_the_last_unit(stake in 0u128..1_000_000_000_000_000_000, part in 0u128..1_000_000_000_000_000_000, parts in 0u32..=1_000_000_000) {
            let score = Perbill::from_parts(parts);
            let part = part.min(stake);
            let whole = weight(stake, score);
            let split = weight(part, score) + weight(stake - part, score);
            // Rounding goes down, so whoever splits never gains.
            prop_assert!(split <= whole && whole - split <= 2);
        }
    }

    #[test]
    fn a_newcomer_needs_about_fifty_duties_for_most_of_its_weight() {
        let mut score = NEWCOMER;
        let mut duties = 0;
        while score < Perbill::from_percent(80) {
            score = after(score, Deed::Right);
            duties += 1;
        }
        assert!((45..=50).contains(&duties), "{duties}");
    }

    #[test]
    fn the_minimum_stake_grows_with_the_accounts_beyond_100_000_and_without_steps() {
        let minimum = |accounts| minimum_stake(HYDRA, accounts);
        assert_eq!([0, 1, 100_000].map(minimum), [HYDRA; 3]);
        assert_eq!(minimum(150_000), HYDRA * 3 / 2);
        assert_eq!([200_000, 250_000].map(minimum), [2 * HYDRA, 5 * HYDRA / 2]);
        for accounts in 99_990..262_144 {
            let step = minimum(accounts + 1) - minimum(accounts);
            assert!(step <= HYDRA / 100_000, "{accounts}");
        }
    }

    #[test]
    fn a_hydra_of_a_perfect_account_weighs_a_million() {
        assert_eq!(weight(HYDRA, Perbill::one()), 1_000_000);
        assert_eq!(weight(HYDRA, NEWCOMER), 100_000);
        assert_eq!(weight(Balance::MAX, Perbill::one()), u64::MAX);
    }
}
