//! A chain with balances, the real `reputation` and this pallet.

use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU8, ConstU32, ConstU128},
};
use hydra_primitives::{Balance, HYDRA};
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
    pub type Reputation = pallet_reputation::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type StakeVoting = crate::Pallet<Test>;
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

impl pallet_reputation::Config for Test {
    type WorkDifficulty = ConstU32<4>;
    type MaxNodes = ConstU32<16>;
    type MaxAbsences = ConstU8<2>;
    type VotingWeight = StakeVoting;
    type UnstakedGrace = ConstU32<10>;
    type ForgetAfter = ConstU32<100>;
}

parameter_types! {
    pub const MinStake: Balance = HYDRA;
    pub const StakeCap: Balance = 100 * HYDRA;
    pub const MaxCommittee: u32 = 4;
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Reputation = Reputation;
    type MinStake = MinStake;
    type StakeCap = StakeCap;
    type MaxCommittee = MaxCommittee;
}

pub fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

/// Runs `test` on a chain where accounts 1 to 5 are registered, own 1,000 HYDRA and have bonded 10, and checks the
/// invariants afterwards. Account 9 owns 1,000 HYDRA and is a stranger.
pub fn with_chain(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig {
            balances: [1, 2, 3, 4, 5, 9].map(|n| (account(n), 1_000 * HYDRA)).to_vec(),
            ..Default::default()
        },
        reputation: pallet_reputation::GenesisConfig {
            nodes: (1..=5).map(|n| (account(n), vec![n])).collect(),
        },
        stake_voting: crate::GenesisConfig {
            bonds: (1..=5).map(|n| (account(n), 10 * HYDRA)).collect(),
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| {
        System::set_block_number(1);
        test();
        StakeVoting::do_try_state().expect("the invariants hold");
    });
}
