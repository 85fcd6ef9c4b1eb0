//! What of fault 11 can be seen in a running chain.

use frame_support::traits::GetStorageVersion;
use hydra_runtime::{Governance, HydraToken, Network, Reputation, StakeVoting, TrainingProposals};

use super::Finding;

fn has_none<P: GetStorageVersion>() -> bool {
    std::any::type_name::<P::InCodeStorageVersion>().contains("NoStorageVersionSet")
}

/// Which of our pallets say which version their storage has.
pub fn storage_versions() -> Finding {
    let without = [
        ("reputation", has_none::<Reputation>()),
        ("stakeVoting", has_none::<StakeVoting>()),
        ("trainingProposals", has_none::<TrainingProposals>()),
        ("hydraToken", has_none::<HydraToken>()),
        ("network", has_none::<Network>()),
        ("governance", has_none::<Governance>()),
    ];
    let names: Vec<_> = without
        .iter()
        .filter(|(_, none)| *none)
        .map(|(name, _)| *name)
        .collect();
    Finding {
        number: 11,
        test: "every_pallet_says_which_version_its_storage_has",
        seen: format!("{} pallets are without a storage version", names.len()),
        is_gone: names.is_empty(),
    }
}
