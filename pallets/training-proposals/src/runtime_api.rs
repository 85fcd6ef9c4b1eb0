//! The chain's own view of training, for the CLI, the dashboard and tests. Read-only.

// The macro repeats the bound of `AccountId` in what it expands to.
#![allow(clippy::multiple_bound_locations)]

use alloc::vec::Vec;
use codec::Codec;
use hydra_primitives::{
    ModelId, RoundNumber,
    duty::DutySheet,
    poll::PollId,
    status::{ElectorateStatus, ModelStatus, NodeStatus, PollStatus, RoundSummary},
};

sp_api::decl_runtime_apis! {
    /// Models, rounds, polls and nodes at a glance.
    pub trait TrainingApi<AccountId: Codec> {
        /// The models on this chain.
        fn models() -> Vec<ModelId>;
        /// A model and its current round.
        fn model_status(model: ModelId) -> Option<ModelStatus>;
        /// Up to `limit` settled rounds, oldest first: those from `from` on, or from the oldest that is still on record if that is later.
        fn rounds(model: ModelId, from: RoundNumber, limit: u32) -> Vec<RoundSummary<AccountId>>;
        /// A page of registered accounts: the first ones, or those after `from`; up to `limit`, at most 1,000.
        fn registered(from: Option<AccountId>, limit: u32) -> Vec<AccountId>;
        /// One account's part in the network.
        fn node_status(who: AccountId) -> NodeStatus;
        /// Everything that an account owes now; `None` when it is not registered and so owes nothing.
        fn duty_sheet(who: AccountId) -> Option<DutySheet>;
        /// A poll and those who have seats in it; `None` when it is over, or never was.
        fn poll_status(poll: PollId) -> Option<PollStatus<AccountId>>;
        /// Who is drawn from.
        fn electorate() -> ElectorateStatus;
    }
}
