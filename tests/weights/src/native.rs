//! Benchmarks in native code: whether they do what they say.

use crate::state;
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList, add_benchmark, list_benchmark};
use frame_support::traits::WhitelistedStorageKeys;
use hydra_runtime::{AllPalletsWithSystem, HydraToken, Reputation, StakeVoting, TrainingProposals};
use sp_externalities::set_and_run_with_externalities;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::{Ext, OverlayedChanges};

/// The benchmarks there are.
pub fn list() -> Vec<BenchmarkList> {
    let extra = false;
    let mut list = Vec::new();
    list_benchmark!(list, extra, pallet_hydra_token, HydraToken);
    list_benchmark!(list, extra, pallet_reputation, Reputation);
    list_benchmark!(list, extra, pallet_stake_voting, StakeVoting);
    list_benchmark!(list, extra, pallet_training_proposals, TrainingProposals);
    list
}

/// Runs one. A benchmark that does not do what it says panics, or is an error.
pub fn run(config: &BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let state = state::new(state::genesis(), true);
    let mut overlay = OverlayedChanges::<BlakeTwo256>::default();
    let mut extensions = state::extensions();
    let mut chain = Ext::new(&mut overlay, &state, Some(&mut extensions));
    set_and_run_with_externalities(&mut chain, || dispatch(config))
}

fn dispatch(config: &BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let params = (config, &whitelist);
    let mut batches = Vec::new();
    add_benchmark!(params, batches, pallet_hydra_token, HydraToken);
    add_benchmark!(params, batches, pallet_reputation, Reputation);
    add_benchmark!(params, batches, pallet_stake_voting, StakeVoting);
    add_benchmark!(params, batches, pallet_training_proposals, TrainingProposals);
    Ok(batches)
}
