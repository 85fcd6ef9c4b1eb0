//! The randomness that the protocol draws with: seats by that of a block, places and the committee by that of a session.

use crate::{Hash, Runtime, System};
use codec::Encode;
use frame_support::traits::{Get, Randomness};
use pallet_babe::{ParentBlockRandomness, RandomnessFromOneEpochAgo};
use sp_runtime::traits::{BlakeTwo256, Hash as _};

/// A value that was not public while transactions for the parent block could still be sent, and another one in every
/// block.
///
/// The epoch's randomness (made of a whole epoch's VRF outputs, known long before) is mixed with the VRF output of the
/// parent's author and the block's number. The author can't choose its output: no hash of anything that it puts into a
/// block goes in. But it knows it before everyone else, for all its slots from the session's first block on, and can withhold its block.
/// So nothing that is drawn from may change within a session: see decision 016.
pub struct BlockRandomness;

impl Get<Hash> for BlockRandomness {
    fn get() -> Hash {
        const SUBJECT: &[u8] = b"HydraAI block randomness";
        let (epoch, _) = RandomnessFromOneEpochAgo::<Runtime>::random(SUBJECT);
        let (parent, _) = ParentBlockRandomness::<Runtime>::random(SUBJECT);
        BlakeTwo256::hash(&(SUBJECT, epoch, parent, System::block_number()).encode())
    }
}

/// A value that is the same for the whole session, made of a session's VRF outputs and fixed with its last block: no author steers it
/// from block to block. Places and the committee are drawn from it; while a session begins it is still that of the session before
/// (see `committee`).
pub struct EpochRandomness;

impl Get<Hash> for EpochRandomness {
    fn get() -> Hash {
        const SUBJECT: &[u8] = b"HydraAI epoch randomness";
        let (epoch, _) = RandomnessFromOneEpochAgo::<Runtime>::random(SUBJECT);
        BlakeTwo256::hash(&(SUBJECT, epoch).encode())
    }
}
