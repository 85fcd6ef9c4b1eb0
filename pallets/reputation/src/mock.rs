//! A chain with nothing but this pallet.

use frame_support::{derive_impl, parameter_types};
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
    pub type Reputation = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId32;
    type Lookup = IdentityLookup<AccountId32>;
}

parameter_types! {
    pub const WorkDifficulty: u32 = 8;
    pub const MaxNodes: u32 = 4;
    pub const MaxAbsences: u8 = 2;
    pub const UnstakedGrace: u32 = 10;
    pub const ForgetAfter: u32 = 100;
}

impl crate::Config for Test {
    type WorkDifficulty = WorkDifficulty;
    type MaxNodes = MaxNodes;
    type MaxAbsences = MaxAbsences;
    type VotingWeight = Stakers;
    type UnstakedGrace = UnstakedGrace;
    type ForgetAfter = ForgetAfter;
}

/// Accounts 1 to 3 have bonded stake.
pub struct Stakers;
impl hydra_primitives::traits::VotingWeight<AccountId32> for Stakers {
    fn weight(who: &AccountId32) -> u128 {
        Self::bonded(who)
    }
    fn bonded(who: &AccountId32) -> u128 {
        u128::from(*who <= account(3))
    }
    fn is_staked(who: &AccountId32) -> bool {
        Self::bonded(who) > 0
    }
}

pub fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

/// Runs `test` on a chain where account 1 is registered in genesis, and checks the invariants afterwards.
pub fn with_chain(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig {
        reputation: crate::GenesisConfig {
            nodes: vec![(account(1), b"one".to_vec())],
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| {
        System::set_block_number(1);
        test();
        Reputation::do_try_state().expect("the invariants hold");
    });
}
