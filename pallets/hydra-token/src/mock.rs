//! A chain with balances and this pallet. Models 0 and 2 have a confirmed version 3, model 1 none, others do not exist.

use frame_support::{PalletId, derive_impl, parameter_types, traits::ConstU128};
use hydra_primitives::{Balance, HYDRA, ModelId, Version};
use sp_core::crypto::AccountId32;
use sp_runtime::{BuildStorage, traits::IdentityLookup};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type HydraToken = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type Balance = Balance;
    type ExistentialDeposit = ConstU128<1_000_000_000>;
    type AccountStore = System;
}

/// The models of this chain.
pub struct Models;
impl hydra_primitives::traits::Models for Models {
    fn confirmed_version(model: ModelId) -> Option<Version> {
        match model {
            0 | 2 => Some(3),
            1 => Some(0),
            _ => None,
        }
    }
}

parameter_types! {
    pub const EmissionCap: Balance = 1_100 * HYDRA;
    pub const SponsorNotice: u32 = 50;
    pub const PotId: PalletId = PalletId(*b"hydra/pt");
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Models = Models;
    type ModelOrigin = frame_system::EnsureRoot<AccountId32>;
    type EmissionCap = EmissionCap;
    type SponsorNotice = SponsorNotice;
    type PotId = PotId;
    type WeightInfo = ();
}

pub fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

pub fn balance(n: u8) -> Balance {
    Balances::free_balance(account(n))
}

/// Runs `test` on a chain where accounts 1 to 3 own 10 HYDRA, and the bucket has 1,000 and gets one a block, half as much after
/// each 100. Checks the invariants afterwards.
pub fn with_chain(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [1, 2, 3].map(|n| (account(n), 10 * HYDRA)).to_vec(),
            ..Default::default()
        },
        hydra_token: crate::GenesisConfig {
            emission_per_block: HYDRA,
            halving_blocks: 100,
            bucket: 1_000 * HYDRA,
            ..Default::default()
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| {
        System::set_block_number(1);
        test();
        HydraToken::do_try_state().expect("the invariants hold");
    });
}
