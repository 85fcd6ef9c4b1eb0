//! What a verifier says of a proposal, and the commitment that hides it until all have spoken.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{AccountBytes, H256, domain_hash};

const CONTEXT: &str = "hydraai 2026 vote commitment v1";

/// A verifier's verdict.
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
pub enum Vote {
    /// Every check passed: the work was done as claimed.
    Accept,
    /// A check failed.
    Reject(RejectReason),
    /// Something that is needed to check could not be had from anyone.
    Unavailable(Missing),
}

/// The check that failed, cheapest first.
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
pub enum RejectReason {
    /// It was not trained from the round's base weights.
    WrongBase,
    /// The update's size is not what the model's spec implies.
    WrongSize,
    /// The update does not decode, or not to this model's shape.
    Undecodable,
    /// The update has a value that is not a finite number.
    NotFinite,
    /// The report's number of steps is not the task's.
    WrongSteps,
    /// The loss before training, recomputed, differs from the claim.
    LossBeforeDiffers,
    /// The loss after training, recomputed, differs from the claim.
    LossAfterDiffers,
    /// The validation score, recomputed, differs from the claim.
    ScoreDiffers,
    /// The trace has the wrong number of states, or does not start at the base weights.
    TraceMalformed,
    /// The trace's last state is not the base weights plus the update.
    TraceEndDiffers,
    /// A segment of the trace, recomputed, ends in another state.
    SegmentDiffers,
}

/// What could not be had.
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
pub enum Missing {
    /// The update blob.
    Update,
    /// The list of the trace's state hashes.
    Trace,
    /// A state of the trace.
    State,
    /// A shard or the validation set.
    Data,
}

/// What a verifier puts on chain first: it binds the vote to the verifier and the proposal, and hides it.
pub fn commitment(vote: &Vote, salt: &H256, verifier: &AccountBytes, proposal: &H256) -> H256 {
    vote.using_encoded(|vote| domain_hash(CONTEXT, &[vote, salt.as_bytes(), verifier, proposal.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_binds_vote_salt_verifier_and_proposal() {
        let base = commitment(&Vote::Accept, &H256::zero(), &[1; 32], &H256::zero());
        assert_ne!(
            base,
            commitment(
                &Vote::Reject(RejectReason::NotFinite),
                &H256::zero(),
                &[1; 32],
                &H256::zero()
            )
        );
        assert_ne!(
            base,
            commitment(&Vote::Accept, &H256::repeat_byte(1), &[1; 32], &H256::zero())
        );
        assert_ne!(
            base,
            commitment(&Vote::Accept, &H256::zero(), &[2; 32], &H256::zero())
        );
        assert_ne!(
            base,
            commitment(&Vote::Accept, &H256::zero(), &[1; 32], &H256::repeat_byte(1))
        );
    }
}
