//! When an update is accepted. Exact verification makes honest verifiers agree, which allows a rule that neither
//! stalls while a third of the weight is silent nor yields while a third of it lies.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// What became of a proposal.
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Outcome {
    /// The work was done as claimed: the update is folded in and paid.
    Accepted,
    /// The work was not done as claimed.
    Rejected,
    /// Too few revealed, or no majority: not folded in, nobody is paid or blamed.
    Undecided,
}

/// Voting weight of a committee, by what it revealed.
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
pub struct Tally {
    /// Weight of the whole committee and of the proposer.
    pub committee: u128,
    /// Weight that revealed `Accept`, and the proposer's: its claim is its vote.
    pub accept: u128,
    /// Weight that revealed `Reject`.
    pub reject: u128,
    /// Weight that revealed `Unavailable`.
    pub unavailable: u128,
}

impl Tally {
    /// Weight that revealed anything.
    pub fn revealed(&self) -> u128 {
        self.accept
            .saturating_add(self.reject)
            .saturating_add(self.unavailable)
    }

    /// The rule for a committee that is the whole network. The proposer is part of it, so that a third of the network is
    /// never more than a third of those who decide:
    /// 1. at once: more than half of the weight revealed, and all of it says the same;
    /// 2. otherwise the majority of the revealed weight, if at least 2/3 of the weight revealed;
    /// 3. otherwise undecided.
    ///
    /// `Unavailable` never decides anything: it only counts as revealed.
    pub fn decide(&self) -> Outcome {
        let revealed = self.revealed();
        let unanimous = (self.accept == revealed || self.reject == revealed)
            && revealed > self.committee.saturating_sub(revealed);
        let quorum = revealed.saturating_mul(3) >= self.committee.saturating_mul(2);
        if revealed == 0 || !(unanimous || quorum) {
            return Outcome::Undecided;
        }
        if self.accept > revealed.saturating_sub(self.accept) {
            Outcome::Accepted
        } else if self.reject > revealed.saturating_sub(self.reject) {
            Outcome::Rejected
        } else {
            Outcome::Undecided
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(committee: u128, accept: u128, reject: u128, unavailable: u128) -> Outcome {
        Tally {
            committee,
            accept,
            reject,
            unavailable,
        }
        .decide()
    }

    #[test]
    fn more_than_half_of_one_mind_decides() {
        assert_eq!(tally(3, 2, 0, 0), Outcome::Accepted);
        assert_eq!(tally(3, 0, 2, 0), Outcome::Rejected);
        assert_eq!(tally(4, 2, 0, 0), Outcome::Undecided);
        assert_eq!(tally(4, 0, 0, 0), Outcome::Undecided);
        assert_eq!(tally(0, 0, 0, 0), Outcome::Undecided);
    }

    #[test]
    fn a_dispute_is_decided_by_majority_when_two_thirds_revealed() {
        assert_eq!(tally(6, 3, 1, 0), Outcome::Accepted);
        assert_eq!(tally(6, 2, 1, 0), Outcome::Undecided);
        assert_eq!(tally(6, 2, 2, 0), Outcome::Undecided);
        assert_eq!(tally(6, 1, 4, 1), Outcome::Rejected);
    }

    #[test]
    fn missing_data_alone_blames_nobody() {
        assert_eq!(tally(3, 0, 0, 3), Outcome::Undecided);
        assert_eq!(tally(4, 1, 1, 2), Outcome::Undecided);
    }

    proptest! {
        /// Hostile weight up to a third, against honest verifiers who agree and of whom any number is silent.
        #[test]
        fn a_hostile_third_never_gets_a_bad_update_accepted_once_half_of_all_weight_speaks_honestly(
            honest in 2u128..1_000_000, hostile_of_honest in 0u128..=500, silent in 0u128..=250,
        ) {
            let hostile = honest * hostile_of_honest / 1000; // at most a third of the whole
            let speaking = honest - honest * silent / 1000;
            let committee = honest + hostile;
            prop_assume!(hostile * 3 <= committee);
            prop_assert_ne!(tally(committee, hostile, speaking, 0), Outcome::Accepted);
            prop_assert_ne!(tally(committee, speaking, hostile, 0), Outcome::Rejected);
        }

        #[test]
        fn one_more_vote_for_a_side_never_decides_for_the_other(
            committee in 1u128..10_000, accept in 0u128..5_000, reject in 0u128..5_000, more in 1u128..100,
        ) {
            prop_assume!(accept + reject + more <= committee);
            if tally(committee, accept, reject, 0) == Outcome::Accepted {
                prop_assert_ne!(tally(committee, accept + more, reject, 0), Outcome::Rejected);
            }
            prop_assert_eq!(
                tally(committee, accept, reject, 0) == Outcome::Accepted,
                tally(committee, reject, accept, 0) == Outcome::Rejected
            );
        }

        #[test]
        fn no_tally_panics(committee: u128, accept: u128, reject: u128, unavailable: u128) {
            let _ = tally(committee, accept, reject, unavailable);
        }
    }
}
