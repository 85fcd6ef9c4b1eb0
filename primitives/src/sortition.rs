//! Who trains on what, and who checks which part: pure functions of public seeds, so that no list is stored and
//! nobody picks their own data.

use crate::{AccountBytes, H256, ModelId, RoundNumber, domain_hash};

const SHARD: &str = "hydraai 2026 shard assignment v1";
const TASK: &str = "hydraai 2026 training task seed v1";
const SEGMENT: &str = "hydraai 2026 trace segment assignment v1";

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

/// The shard that `account` trains on in this round: `0..shards`, or 0 when there are none.
pub fn shard_of(seed: &H256, model: ModelId, round: RoundNumber, account: &AccountBytes, shards: u32) -> u32 {
    reduce(
        domain_hash(
            SHARD,
            &[
                seed.as_bytes(),
                &model.to_le_bytes(),
                &round.to_le_bytes(),
                account,
            ],
        ),
        shards,
    )
}

/// The seed of the order in which `account` sees its shard's samples in this round.
pub fn task_seed(seed: &H256, model: ModelId, round: RoundNumber, account: &AccountBytes) -> H256 {
    domain_hash(
        TASK,
        &[
            seed.as_bytes(),
            &model.to_le_bytes(),
            &round.to_le_bytes(),
            account,
        ],
    )
}

/// The segment of the proposal's trace that `verifier` recomputes: `0..segments`. `seed` is drawn after the
/// proposals are fixed, so a proposer can't know which parts of its trace will be looked at.
pub fn segment_of(seed: &H256, proposal: &H256, verifier: &AccountBytes, segments: u32) -> u32 {
    reduce(
        domain_hash(SEGMENT, &[seed.as_bytes(), proposal.as_bytes(), verifier]),
        segments,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn assignments_stay_in_range(seed: [u8; 32], account: [u8; 32], n in 1u32..5000) {
            prop_assert!(shard_of(&H256(seed), 1, 2, &account, n) < n);
            prop_assert!(segment_of(&H256(seed), &H256(account), &account, n) < n);
        }
    }

    #[test]
    fn an_empty_range_gives_zero_instead_of_a_panic() {
        assert_eq!(shard_of(&H256::zero(), 0, 0, &[0; 32], 0), 0);
    }

    #[test]
    fn shards_are_spread_over_accounts_and_change_with_the_round() {
        let mut seen = [0u32; 16];
        for a in 0..=255u8 {
            seen[shard_of(&H256::zero(), 0, 0, &[a; 32], 16) as usize] += 1;
        }
        assert!(seen.iter().all(|n| *n >= 4), "{seen:?}");
        let moved = (0..=255u8)
            .filter(|a| {
                shard_of(&H256::zero(), 0, 0, &[*a; 32], 16) != shard_of(&H256::zero(), 0, 1, &[*a; 32], 16)
            })
            .count();
        assert!(moved > 200, "{moved}");
    }
}
