//! The trace of a training task: what a proposer commits to, and a verifier recomputes a piece of.
//!
//! State k is the weights followed by the optimizer's buffers after step k, each tensor in canonical order, values as
//! little-endian IEEE-754. Its leaf is the BLAKE3 of those bytes, so a state is a blob that can be fetched by its leaf.
//! The list of leaves (0, c, 2c, …, last step) is a blob, too, and the trace root is its BLAKE3: BLAKE3 is a Merkle
//! tree, and verified streaming of the list is its inclusion proof.

use alloc::vec::Vec;

use crate::{H256, content_hash, model::TaskSpec};

/// Bytes of one leaf.
pub const LEAF_SIZE: u64 = 32;

/// The leaf of a state.
pub fn leaf(state: &[u8]) -> H256 {
    content_hash(state)
}

/// How many leaves a task's trace has: the initial state and the end of every segment.
pub fn leaf_count(task: &TaskSpec) -> u32 {
    task.segments().saturating_add(1)
}

/// Size of a task's list of leaves in bytes.
pub fn leaves_size(task: &TaskSpec) -> u64 {
    u64::from(leaf_count(task)).saturating_mul(LEAF_SIZE)
}

/// The list of leaves as bytes: the blob whose BLAKE3 is the trace root.
pub fn encode_leaves(leaves: &[H256]) -> Vec<u8> {
    leaves.iter().flat_map(|leaf| leaf.0).collect()
}

/// The leaves in `bytes`, if they are exactly as many as the task's trace has.
pub fn decode_leaves(task: &TaskSpec, bytes: &[u8]) -> Option<Vec<H256>> {
    if u64::try_from(bytes.len()).ok()? != leaves_size(task) {
        return None;
    }
    Some(bytes.chunks_exact(32).map(H256::from_slice).collect())
}

/// The root that a proposal commits to.
pub fn root(leaves: &[H256]) -> H256 {
    content_hash(&encode_leaves(leaves))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Permill;
    use proptest::prelude::*;

    fn task(steps: u32, every: u32) -> TaskSpec {
        TaskSpec {
            steps,
            batch_size: 1,
            learning_rate: Permill::one(),
            momentum: Permill::zero(),
            checkpoint_every: every,
        }
    }

    proptest! {
        #[test]
        fn segments_cover_every_step_once(steps in 1u32..500, every in 1u32..600) {
            let task = task(steps, every);
            let mut next = 0;
            for s in 0..task.segments() {
                let range = task.segment(s);
                prop_assert_eq!(range.start, next);
                prop_assert!(range.end > range.start);
                next = range.end;
            }
            prop_assert_eq!(next, steps);
        }

        #[test]
        fn hostile_bytes_decode_only_as_the_exact_number_of_leaves(steps in 1u32..50, every in 1u32..60, len in 0usize..2000) {
            let task = task(steps, every);
            let ok = decode_leaves(&task, &alloc::vec![0u8; len]).is_some();
            prop_assert_eq!(ok, len as u64 == leaves_size(&task));
        }
    }

    #[test]
    fn leaves_survive_the_round_trip_and_the_root_depends_on_each() {
        let leaves: Vec<H256> = (0..4).map(H256::repeat_byte).collect();
        assert_eq!(
            decode_leaves(&task(3, 1), &encode_leaves(&leaves)),
            Some(leaves.clone())
        );
        for i in 0..4 {
            let mut other = leaves.clone();
            other[i] = H256::repeat_byte(9);
            assert_ne!(root(&other), root(&leaves));
        }
    }
}
