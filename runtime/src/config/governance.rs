//! How rules change: referenda, the votes that decide them, the calls they are about, and the scheduler that makes those
//! calls. There is meant to be no other way to root: no sudo, and no account with rights of its own (`no_way_to_root` in the
//! tests tries what might be one).
//!
//! The tracks are in `crate::governance`.

use crate::{
    AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Scheduler, System,
    config::{
        money::{BYTE_DEPOSIT, HYDRA, ITEM_DEPOSIT},
        system::Weights,
    },
    governance::{self, Tracks, VoteLocking},
};
use frame_support::{
    parameter_types,
    traits::{
        ActiveIssuanceOf, AsEnsureOriginWithArg, ConstU32, ConstU128, EqualPrivilegeOnly, LinearStoragePrice,
        fungible::HoldConsideration,
    },
    weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSigned};
use sp_runtime::Perbill;

/// What it costs to ask for anything at all. `refundSubmissionDeposit` gives it back if the referendum is approved or cancelled;
/// of one that is rejected or times out it stays reserved for good.
pub const SUBMISSION_DEPOSIT: Balance = HYDRA;
/// Two weeks of 10 s blocks without a decision deposit, then a referendum times out.
const UNDECIDING_TIMEOUT: BlockNumber = 120_960;

parameter_types! {
    /// A runtime upgrade is weighed at a quarter of a block, and reading the largest preimage at a sixth. The rest of the block
    /// is for what must be in it.
    pub MaxScheduledWeight: Weight = Perbill::from_percent(80) * Weights::get().max_block;
    pub const PreimageHold: RuntimeHoldReason = RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
    pub const PreimageBase: Balance = ITEM_DEPOSIT;
    pub const PreimageByte: Balance = BYTE_DEPOSIT;
}

impl governance::Config for Runtime {}

impl pallet_scheduler::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeOrigin = RuntimeOrigin;
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type MaximumWeight = MaxScheduledWeight;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    // A referendum of the *models* track must not cancel what one of *root* has scheduled.
    type OriginPrivilegeCmp = EqualPrivilegeOnly;
    type MaxScheduledPerBlock = ConstU32<128>;
    type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}

impl pallet_preimage::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHold,
        LinearStoragePrice<PreimageBase, PreimageByte, Balance>,
    >;
}

impl pallet_conviction_voting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
    // Looks at the total balance, so what is bonded as stake votes, too.
    type Currency = Balances;
    type Polls = Referenda;
    type MaxTurnout = ActiveIssuanceOf<Balances, AccountId>;
    type MaxVotes = ConstU32<128>;
    type VoteLockingPeriod = VoteLocking<Runtime>;
    type BlockNumberProvider = System;
    type VotingHooks = ();
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
    type Scheduler = Scheduler;
    type Currency = Balances;
    // Anybody may ask for anything; votes decide.
    type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type CancelOrigin = EnsureRoot<AccountId>;
    type KillOrigin = EnsureRoot<AccountId>;
    // Both deposits of a referendum that another one kills are burned.
    type Slash = ();
    type Votes = Balance;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = ConstU128<SUBMISSION_DEPOSIT>;
    type MaxQueued = ConstU32<32>;
    type UndecidingTimeout = ConstU32<UNDECIDING_TIMEOUT>;
    type AlarmInterval = ConstU32<1>;
    type Tracks = Tracks<Runtime>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
}
