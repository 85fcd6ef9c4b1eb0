//! The chain's own view of training, for the CLI, the dashboard and tests. Read-only.

// The macro repeats the bound of `AccountId` in what it expands to.
#![allow(clippy::multiple_bound_locations)]

use alloc::vec::Vec;
use codec::Codec;
use hydra_primitives::{
    ModelId, RoundNumber,
    duty::DutySheet,
    status::{ModelStatus, NodeStatus, RoundSummary},
};

sp_api::decl_runtime_apis! {
    /// Models, rounds and nodes at a glance.
    pub trait TrainingApi<AccountId: Codec> {
        /// The models on this chain.
        fn models() -> Vec<ModelId>;
        /// A model and its current round.
        fn model_status(model: ModelId) -> Option<ModelStatus>;
        /// Settled rounds `from..from + limit`, oldest first, as far as they are still on record.
        fn rounds(model: ModelId, from: RoundNumber, limit: u32) -> Vec<RoundSummary<AccountId>>;
        /// All registered accounts, sorted.
        fn registered() -> Vec<AccountId>;
        /// One account's part in the network.
        fn node_status(who: AccountId) -> NodeStatus;
        /// Everything that an account owes now; `None` when it is not registered and so owes nothing.
        fn duty_sheet(who: AccountId) -> Option<DutySheet>;
    }
}
