//! What the runtime of `tests/upgrade` has beside this one: a migration that looks at the old state and leaves a mark.
//!
//! It is for tests of upgrades on a running network. It must never be in a release; the feature is off unless
//! `tests/upgrade` asks for it.

use crate::{Runtime, System, TrainingProposals};
use frame_support::{
    storage::unhashed,
    traits::{Get, OnRuntimeUpgrade},
    weights::Weight,
};

/// Where the mark is: how many models there were, and in which block.
pub const MARK: &[u8] = b"hydra upgrade trial";

/// Counts the models.
pub struct CountModels;

impl OnRuntimeUpgrade for CountModels {
    fn on_runtime_upgrade() -> Weight {
        let models = u32::try_from(TrainingProposals::model_ids().len()).unwrap_or(u32::MAX);
        unhashed::put(MARK, &(models, System::block_number()));
        <Runtime as frame_system::Config>::DbWeight::get().reads_writes(2, 1)
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(_: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
        frame_support::ensure!(
            unhashed::exists(MARK),
            "upgrade-trial: the migration left its mark"
        );
        Ok(())
    }
}
