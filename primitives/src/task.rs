//! What the holder of a place has to do: pure functions of the round's seed, so that no list is stored and nobody picks
//! their own data.

use crate::{H256, ModelId, RoundNumber, domain_hash};

const SHARD: &str = "hydraai 2026 place shard v2";
const TASK: &str = "hydraai 2026 place task seed v2";
const WITNESS: &str = "hydraai 2026 task witness v2";

/// A place's number in its round, from 0. A round has as many as the model's roster.
pub type PlaceIndex = u16;

fn reduce(hash: H256, modulus: u32) -> u32 {
    let (low, _) = hash.as_fixed_bytes().split_at(8);
    let mut bytes = [0u8; 8];
    bytes.copy_from_slice(low);
    // 64 bits against a modulus of 32: the bias is under 2⁻³².
    u64::from_le_bytes(bytes)
        .checked_rem(u64::from(modulus))
        .and_then(|r| u32::try_from(r).ok())
        .unwrap_or(0)
}

/// The shard that this place trains on: `0..shards`, or 0 when there are none. Whose place it is doesn't matter: a place is a
/// task.
pub fn shard_of(seed: &H256, model: ModelId, round: RoundNumber, place: PlaceIndex, shards: u32) -> u32 {
    reduce(place_hash(SHARD, seed, model, round, place), shards)
}

/// The seed of the order in which this place sees its shard's samples.
pub fn task_seed(seed: &H256, model: ModelId, round: RoundNumber, place: PlaceIndex) -> H256 {
    place_hash(TASK, seed, model, round, place)
}

fn place_hash(context: &str, seed: &H256, model: ModelId, round: RoundNumber, place: PlaceIndex) -> H256 {
    let (model, round, place) = (model.to_le_bytes(), round.to_le_bytes(), place.to_le_bytes());
    domain_hash(context, &[seed.as_bytes(), &model, &round, &place])
}

/// The witness of a training task: BLAKE3 over bits that only the computation shows and nobody publishes. `losses` are the
/// bits of each step's loss (F32), in order; `momentum` is the optimizer's buffers after the last step as little-endian F32,
/// in canonical order (empty without momentum).
pub fn task_witness(losses: &[u32], momentum: &[u8]) -> H256 {
    losses_hash(WITNESS, losses, momentum)
}

const VALIDATION: &str = "hydraai 2026 validation witness v2";

/// The witness of a version: the bits of the validation loss (F32) of each batch, in order.
pub fn version_witness(losses: &[u32]) -> H256 {
    losses_hash(VALIDATION, losses, &[])
}

fn losses_hash(context: &str, losses: &[u32], rest: &[u8]) -> H256 {
    let mut bytes = alloc::vec::Vec::with_capacity(losses.len().saturating_mul(4));
    for loss in losses {
        bytes.extend_from_slice(&loss.to_le_bytes());
    }
    domain_hash(context, &[&bytes, rest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn shards_stay_in_range(seed: [u8; 32], place: u16, n in 1u32..5000) {
            prop_assert!(shard_of(&H256(seed), 1, 2, place, n) < n);
        }
    }

    #[test]
    fn an_empty_range_gives_zero_instead_of_a_panic() {
        assert_eq!(shard_of(&H256::zero(), 0, 0, 0, 0), 0);
    }

    #[test]
    fn shards_are_spread_over_places_and_change_with_the_round() {
        let mut seen = [0u32; 16];
        for place in 0..256 {
            seen[shard_of(&H256::zero(), 0, 0, place, 16) as usize] += 1;
        }
        assert!(seen.iter().all(|n| *n >= 4), "{seen:?}");
        let moved = (0..256)
            .filter(|p| shard_of(&H256::zero(), 0, 0, *p, 16) != shard_of(&H256::zero(), 0, 1, *p, 16))
            .count();
        assert!(moved > 200, "{moved}");
    }

    #[test]
    fn a_witness_depends_on_every_loss_and_on_the_buffers() {
        let witness = task_witness(&[1, 2, 3], &[4]);
        assert_ne!(witness, task_witness(&[1, 2, 4], &[4]));
        assert_ne!(witness, task_witness(&[1, 2], &[4]));
        assert_ne!(witness, task_witness(&[1, 2, 3], &[5]));
        assert_ne!(version_witness(&[1]), task_witness(&[1], &[]));
    }
}
