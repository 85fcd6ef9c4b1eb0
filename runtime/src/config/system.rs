//! `frame_system`, `pallet_utility` and the network's own numbers: block limits and the basic types.

use crate::{
    AccountId, Block, Nonce, OriginCaller, PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
    RuntimeTask, VERSION,
};
use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::ConstU32,
    weights::{
        Weight,
        constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS},
    },
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;

/// What stays free for operational calls and inherents.
const NORMAL_RATIO: Perbill = Perbill::from_percent(75);
/// A third of the shortest slot in use (2 s): home PCs are slower than the machines weights are measured on, and
/// they train at the same time.
const MAX_BLOCK_MILLIS: u64 = 600;
/// What a home connection can pass on within a slot. A runtime upgrade (about 0.5 MB) must fit in as well.
const MAX_BLOCK_BYTES: u32 = 4 * 1024 * 1024;

parameter_types! {
    pub const Version: RuntimeVersion = VERSION;
    pub const BlockHashCount: u32 = 4096;
    pub const Ss58Prefix: u16 = 42;
    pub Weights: BlockWeights = BlockWeights::with_sensible_defaults(
        Weight::from_parts(MAX_BLOCK_MILLIS * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX),
        NORMAL_RATIO,
    );
    pub Length: BlockLength = BlockLength::builder()
        .max_length(MAX_BLOCK_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |max| *max = NORMAL_RATIO * *max)
        .build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type AccountId = AccountId;
    type AccountData = pallet_balances::AccountData<crate::Balance>;
    type Block = Block;
    type BlockHashCount = BlockHashCount;
    type BlockLength = Length;
    type BlockWeights = Weights;
    type DbWeight = ParityDbWeight;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    type MaxConsumers = ConstU32<64>;
    type Nonce = Nonce;
    type SS58Prefix = Ss58Prefix;
    type SingleBlockMigrations = crate::Migrations;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type Version = Version;
}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl crate::network::Config for Runtime {}
