//! Beta reputation with decay (Jøsang & Ismail 2002): how much of what an account did lately turned out well.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::Perbill;

/// One unit of evidence, in the fixed-point scale of [`Beta`].
pub const UNIT: u64 = 1_000_000;
/// Old evidence keeps this share of its weight when new evidence arrives (λ = 0.98).
pub const DECAY_PERCENT: u64 = 98;
/// Prior evidence, successes : failures = 1 : 9, so that a newcomer's score is 0.1.
pub const PRIOR_SUCCESSES: u64 = UNIT;
/// See [`PRIOR_SUCCESSES`].
pub const PRIOR_FAILURES: u64 = 9 * UNIT;

/// Something an account did, as settlement judges it.
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
    /// Its proposal was accepted.
    ProposalAccepted,
    /// Its proposal was rejected: the work was not done as claimed.
    ProposalRejected,
    /// It voted as the poll was decided.
    VotedWithOutcome,
    /// It voted against what the poll decided.
    VotedAgainstOutcome,
    /// It committed a vote and did not reveal it.
    DidNotReveal,
}

impl Deed {
    /// Evidence this deed adds: (successes, failures), in [`UNIT`]s.
    pub fn evidence(self) -> (u64, u64) {
        match self {
            Self::ProposalAccepted => (2, 0),
            Self::VotedWithOutcome => (1, 0),
            Self::DidNotReveal => (0, 1),
            Self::VotedAgainstOutcome => (0, 5),
            Self::ProposalRejected => (0, 10),
        }
    }
}

/// Evidence about one account, in millionths of a [`UNIT`] of evidence.
#[derive(
    Clone,
    Copy,
    Default,
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
pub struct Beta {
    /// Decayed successes.
    pub successes: u64,
    /// Decayed failures.
    pub failures: u64,
}

fn decay(evidence: u64) -> u64 {
    u64::try_from(
        u128::from(evidence)
            .saturating_mul(u128::from(DECAY_PERCENT))
            .saturating_div(100),
    )
    .unwrap_or(u64::MAX)
}

impl Beta {
    /// The evidence after one more deed.
    pub fn record(self, deed: Deed) -> Self {
        let (good, bad) = deed.evidence();
        Self {
            successes: decay(self.successes).saturating_add(good.saturating_mul(UNIT)),
            failures: decay(self.failures).saturating_add(bad.saturating_mul(UNIT)),
        }
    }

    /// Expected share of good deeds, the mean of the Beta distribution: 0.1 for a newcomer, never 0 or 1.
    pub fn score(&self) -> Perbill {
        let good = u128::from(self.successes).saturating_add(u128::from(PRIOR_SUCCESSES));
        let bad = u128::from(self.failures).saturating_add(u128::from(PRIOR_FAILURES));
        Perbill::from_rational(good, good.saturating_add(bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: [Deed; 2] = [Deed::ProposalAccepted, Deed::VotedWithOutcome];
    const BAD: [Deed; 3] = [
        Deed::ProposalRejected,
        Deed::VotedAgainstOutcome,
        Deed::DidNotReveal,
    ];

    #[test]
    fn a_newcomer_weighs_a_tenth() {
        assert_eq!(Beta::default().score(), Perbill::from_percent(10));
    }

    #[test]
    fn lasting_good_work_earns_most_of_the_weight_and_one_cheat_costs_a_lot_of_it() {
        let mut beta = Beta::default();
        for _ in 0..200 {
            beta = beta.record(Deed::ProposalAccepted).record(Deed::VotedWithOutcome);
        }
        assert!(beta.score() > Perbill::from_percent(85), "{:?}", beta.score());
        let cheated = beta.record(Deed::ProposalRejected);
        assert!(
            cheated.score() < beta.score() - Perbill::from_percent(8),
            "{:?}",
            cheated.score()
        );
    }

    proptest! {
        #[test]
        fn good_deeds_raise_and_bad_deeds_lower_the_score(
            successes in 0u64..50_000_000, failures in 1u64..500_000_000, good in 0usize..2, bad in 0usize..3,
        ) {
            let beta = Beta { successes, failures };
            prop_assert!(beta.record(GOOD[good]).score() >= beta.score());
            // Decay forgives old failures by 2 %, so only a bad deed that outweighs that lowers the score.
            let (_, cost) = BAD[bad].evidence();
            prop_assume!(cost * UNIT > (failures - successes.min(failures)) / 50 + successes / 50 + UNIT / 5);
            prop_assert!(beta.record(BAD[bad]).score() <= beta.score());
        }

        #[test]
        fn evidence_is_bounded(deeds in prop::collection::vec(0usize..2, 0..400)) {
            let mut beta = Beta::default();
            for d in deeds {
                beta = beta.record([Deed::ProposalAccepted, Deed::ProposalRejected][d]);
            }
            prop_assert!(beta.successes <= 100 * UNIT && beta.failures <= 500 * UNIT);
            prop_assert!(beta.score() > Perbill::zero() && beta.score() < Perbill::one());
        }

        #[test]
        fn no_evidence_panics(successes: u64, failures: u64) {
            let beta = Beta { successes, failures };
            let _ = (beta.score(), beta.record(Deed::ProposalAccepted), beta.record(Deed::ProposalRejected));
        }
    }
}
