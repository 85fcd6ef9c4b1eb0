//! What a node (and, through it, anybody) can ask the runtime. Each function only passes the question on.

use crate::{
    AccountId, Babe, Balance, Block, BlockNumber, Executive, Grandpa, Hash, Header, Historical,
    InherentDataExt, Nonce, Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, System,
    TrainingProposals, TransactionPayment, UncheckedExtrinsic, VERSION, network, presets,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    traits::{Get, KeyOwnerProofSystem},
    view_functions::{ViewFunctionDispatchError, ViewFunctionId},
    weights::Weight,
};
use hydra_primitives::{
    ModelId, RoundNumber,
    duty::{DutySheet, Standing},
    poll::PollId,
    status::{ElectorateStatus, ModelStatus, NodeStatus, PollStatus, RoundSummary},
};
use pallet_transaction_payment::{FeeDetails, RuntimeDispatchInfo};
use sp_api::impl_runtime_apis;
use sp_consensus_babe::{self as babe, BabeConfiguration, BabeEpochConfiguration};
use sp_consensus_grandpa as grandpa;
use sp_core::{OpaqueMetadata, crypto::KeyTypeId};
use sp_genesis_builder::PresetId;
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
    ApplyExtrinsicResult, ExtrinsicInclusionMode,
    traits::Block as BlockT,
    transaction_validity::{TransactionSource, TransactionValidity},
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_version::RuntimeVersion;

impl_runtime_apis! {
    impl sp_api::Core<Block> for Runtime {
        fn version() -> RuntimeVersion {
            VERSION
        }

        fn execute_block(block: <Block as BlockT>::LazyBlock) {
            Executive::execute_block(block)
        }

        fn initialize_block(header: &Header) -> ExtrinsicInclusionMode {
            Executive::initialize_block(header)
        }
    }

    impl sp_api::Metadata<Block> for Runtime {
        fn metadata() -> OpaqueMetadata {
            OpaqueMetadata::new(Runtime::metadata().into())
        }

        fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
            Runtime::metadata_at_version(version)
        }

        fn metadata_versions() -> Vec<u32> {
            Runtime::metadata_versions()
        }
    }

    impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
        fn execute_view_function(
            id: ViewFunctionId,
            input: Vec<u8>,
        ) -> Result<Vec<u8>, ViewFunctionDispatchError> {
            Runtime::execute_view_function(id, input)
        }
    }

    impl sp_block_builder::BlockBuilder<Block> for Runtime {
        fn apply_extrinsic(extrinsic: UncheckedExtrinsic) -> ApplyExtrinsicResult {
            Executive::apply_extrinsic(extrinsic)
        }

        fn finalize_block() -> Header {
            Executive::finalize_block()
        }

        fn inherent_extrinsics(data: InherentData) -> Vec<UncheckedExtrinsic> {
            data.create_extrinsics()
        }

        fn check_inherents(block: <Block as BlockT>::LazyBlock, data: InherentData) -> CheckInherentsResult {
            data.check_extrinsics(&block)
        }
    }

    impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
        fn validate_transaction(
            source: TransactionSource,
            transaction: UncheckedExtrinsic,
            at: Hash,
        ) -> TransactionValidity {
            Executive::validate_transaction(source, transaction, at)
        }
    }

    impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
        fn offchain_worker(header: &Header) {
            Executive::offchain_worker(header)
        }
    }

    impl sp_session::SessionKeys<Block> for Runtime {
        fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
            SessionKeys::generate(&owner, seed).into()
        }

        fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
            SessionKeys::decode_into_raw_public_keys(&encoded)
        }
    }

    impl sp_consensus_babe::BabeApi<Block> for Runtime {
        fn configuration() -> BabeConfiguration {
            let epoch: BabeEpochConfiguration = Babe::epoch_config().unwrap_or_default();
            BabeConfiguration {
                slot_duration: Babe::slot_duration(),
                epoch_length: network::EpochDuration::<Runtime>::get(),
                c: epoch.c,
                authorities: Babe::authorities().to_vec(),
                randomness: Babe::randomness(),
                allowed_slots: epoch.allowed_slots,
            }
        }

        fn current_epoch_start() -> babe::Slot {
            Babe::current_epoch_start()
        }

        fn current_epoch() -> babe::Epoch {
            Babe::current_epoch()
        }

        fn next_epoch() -> babe::Epoch {
            Babe::next_epoch()
        }

        fn generate_key_ownership_proof(
            _: babe::Slot,
            authority: babe::AuthorityId,
        ) -> Option<babe::OpaqueKeyOwnershipProof> {
            Historical::prove((babe::KEY_TYPE, authority))
                .map(|proof| babe::OpaqueKeyOwnershipProof::new(proof.encode()))
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation: babe::EquivocationProof<Header>,
            owner: babe::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            Babe::submit_unsigned_equivocation_report(equivocation, owner.decode()?)
        }
    }

    impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
        fn grandpa_authorities() -> grandpa::AuthorityList {
            Grandpa::grandpa_authorities()
        }

        fn current_set_id() -> grandpa::SetId {
            Grandpa::current_set_id()
        }

        fn generate_key_ownership_proof(
            _: grandpa::SetId,
            authority: grandpa::AuthorityId,
        ) -> Option<grandpa::OpaqueKeyOwnershipProof> {
            Historical::prove((grandpa::KEY_TYPE, authority))
                .map(|proof| grandpa::OpaqueKeyOwnershipProof::new(proof.encode()))
        }

        fn submit_report_equivocation_unsigned_extrinsic(
            equivocation: grandpa::EquivocationProof<Hash, BlockNumber>,
            owner: grandpa::OpaqueKeyOwnershipProof,
        ) -> Option<()> {
            Grandpa::submit_unsigned_equivocation_report(equivocation, owner.decode()?)
        }
    }

    impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
        fn account_nonce(account: AccountId) -> Nonce {
            System::account_nonce(account)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
        fn query_info(transaction: UncheckedExtrinsic, len: u32) -> RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_info(transaction, len)
        }

        fn query_fee_details(transaction: UncheckedExtrinsic, len: u32) -> FeeDetails<Balance> {
            TransactionPayment::query_fee_details(transaction, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall>
        for Runtime
    {
        fn query_call_info(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(call: RuntimeCall, len: u32) -> FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl pallet_training_proposals::runtime_api::TrainingApi<Block, AccountId> for Runtime {
        fn models() -> Vec<ModelId> {
            TrainingProposals::model_ids()
        }

        fn model_status(model: ModelId) -> Option<ModelStatus> {
            TrainingProposals::model_status(model)
        }

        fn rounds(model: ModelId, from: RoundNumber, limit: u32) -> Vec<RoundSummary<AccountId>> {
            TrainingProposals::rounds(model, from, limit)
        }

        fn registered(from: Option<AccountId>, limit: u32) -> Vec<AccountId> {
            TrainingProposals::registered(from.as_ref(), limit)
        }

        fn node_status(who: AccountId) -> NodeStatus {
            TrainingProposals::node_status(&who)
        }

        fn duty_sheet(who: AccountId) -> Option<DutySheet> {
            let sheet = TrainingProposals::duty_sheet(&who);
            (sheet.standing != Standing::Unregistered).then_some(sheet)
        }

        fn poll_status(poll: PollId) -> Option<PollStatus<AccountId>> {
            TrainingProposals::poll_status(&poll)
        }

        fn electorate() -> ElectorateStatus {
            TrainingProposals::electorate()
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
            // Run by people who look at an upgrade before it happens: what is wrong must stop them.
            let weight = Executive::try_runtime_upgrade(checks).expect("the upgrade keeps every invariant");
            (weight, <Runtime as frame_system::Config>::BlockWeights::get().max_block)
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            Executive::try_execute_block(block, state_root_check, signature_check, select)
                .expect("the block keeps every invariant")
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
            use frame_benchmarking::list_benchmark;
            use frame_support::traits::StorageInfoTrait;
            let mut list = Vec::new();
            list_benchmark!(list, extra, pallet_hydra_token, crate::HydraToken);
            list_benchmark!(list, extra, pallet_reputation, crate::Reputation);
            list_benchmark!(list, extra, pallet_stake_voting, crate::StakeVoting);
            list_benchmark!(list, extra, pallet_training_proposals, crate::TrainingProposals);
            (list, crate::AllPalletsWithSystem::storage_info())
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            use frame_benchmarking::add_benchmark;
            use frame_support::traits::WhitelistedStorageKeys;
            let whitelist = crate::AllPalletsWithSystem::whitelisted_storage_keys();
            let params = (&config, &whitelist);
            let mut batches = Vec::new();
            add_benchmark!(params, batches, pallet_hydra_token, crate::HydraToken);
            add_benchmark!(params, batches, pallet_reputation, crate::Reputation);
            add_benchmark!(params, batches, pallet_stake_voting, crate::StakeVoting);
            add_benchmark!(params, batches, pallet_training_proposals, crate::TrainingProposals);
            Ok(batches)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(json: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(json)
        }

        fn get_preset(id: &Option<PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, presets::get_preset)
        }

        fn preset_names() -> Vec<PresetId> {
            presets::preset_names()
        }
    }
}
