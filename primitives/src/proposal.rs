//! What the holder of a place claims, and the names of the two kinds of polls: on a claim, and on a version.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{
    AccountBytes, BlobRef, H256, ModelId, RoundNumber, Version, domain_hash, poll::PollId, task::PlaceIndex,
};

// What polls find is named here, too: claims and scores are read together.
pub use crate::poll::Score;

const PROPOSAL: &str = "hydraai 2026 proposal poll v2";
const VERSION: &str = "hydraai 2026 version poll v2";

/// A place of a round of a model.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct PlaceKey {
    /// The model.
    pub model: ModelId,
    /// The round.
    pub round: RoundNumber,
    /// The place.
    pub place: PlaceIndex,
}

/// What a trainer claims of its work, and all it claims: what can't be forged because it isn't there needs no check.
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
pub struct Claim {
    /// The weights it was trained from: BLAKE3 of the model's safetensors file.
    pub base: H256,
    /// The update blob.
    pub update: BlobRef,
}

/// Names the poll on a claim: by the chain, the place, who holds it, its task and the claim itself. On another branch of the
/// chain, where any of them differs, it is another poll.
pub fn proposal_poll(
    genesis: &H256,
    key: &PlaceKey,
    proposer: &AccountBytes,
    task_seed: &H256,
    claim: &Claim,
) -> PollId {
    (genesis, key, proposer, task_seed, claim).using_encoded(|bytes| domain_hash(PROPOSAL, &[bytes]))
}

/// Names the poll on a version: by the chain, the model, and the recipe ([`crate::duty::recipe_id`]).
pub fn version_poll(genesis: &H256, model: ModelId, version: Version, recipe: &H256) -> PollId {
    (genesis, model, version, recipe).using_encoded(|bytes| domain_hash(VERSION, &[bytes]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_s_name_depends_on_all_that_it_asks() {
        let genesis = H256::zero();
        let key = PlaceKey {
            model: 1,
            round: 2,
            place: 3,
        };
        let claim = Claim {
            base: H256::zero(),
            update: BlobRef {
                hash: H256::zero(),
                size: 4,
            },
        };
        let name = |genesis: &H256, key: &PlaceKey, who: u8, seed: u8, claim: &Claim| {
            proposal_poll(genesis, key, &[who; 32], &H256::repeat_byte(seed), claim)
        };
        let base = name(&genesis, &key, 1, 1, &claim);
        assert_ne!(base, name(&H256::repeat_byte(9), &key, 1, 1, &claim));
        assert_ne!(base, name(&genesis, &PlaceKey { place: 4, ..key }, 1, 1, &claim));
        assert_ne!(base, name(&genesis, &key, 2, 1, &claim));
        assert_ne!(base, name(&genesis, &key, 1, 2, &claim));
        let other = Claim {
            base: H256::repeat_byte(1),
            ..claim
        };
        assert_ne!(base, name(&genesis, &key, 1, 1, &other));
        assert_ne!(
            version_poll(&genesis, 1, 2, &H256::zero()),
            version_poll(&genesis, 1, 3, &H256::zero())
        );
    }
}
