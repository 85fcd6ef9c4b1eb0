//! Balances and fees. A fee is there to make spam cost something, not to earn from: an ordinary transaction stays
//! well under a thousandth of a HYDRA. Fees and tips go to the block's author.

use crate::{
    AccountId, Authorship, Balance, Balances, Runtime, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason,
    System,
};
use frame_support::{
    parameter_types,
    traits::{
        ConstU8, ConstU32, ConstU128, OnUnbalanced, VariantCountOf,
        fungible::{Balanced, Credit},
    },
    weights::{ConstantMultiplier, Weight, WeightToFee},
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{
    FixedPointNumber, Perquintill,
    traits::{Convert, One},
};

/// One HYDRA in the smallest unit.
pub const HYDRA: Balance = hydra_primitives::HYDRA;
/// A thousandth of a HYDRA.
pub const MILLI_HYDRA: Balance = HYDRA / 1_000;
/// A millionth of a HYDRA.
pub const MICRO_HYDRA: Balance = HYDRA / 1_000_000;

/// Below this an account doesn't exist.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_HYDRA;
/// Held for each thing that an account makes the chain keep, as for session keys.
pub const ITEM_DEPOSIT: Balance = 10 * MILLI_HYDRA;
/// Held for each byte of it: 10 HYDRA for a megabyte, so a runtime as a preimage costs something, but no fortune.
pub const BYTE_DEPOSIT: Balance = 10 * MICRO_HYDRA;
/// A block full of computation (0.6 s) costs 0.06 HYDRA, a transfer about 0.00004.
const PICOSECONDS_PER_UNIT: Balance = 10;
/// A kilobyte costs 0.0001 HYDRA.
const UNITS_PER_BYTE: Balance = MICRO_HYDRA / 10;

/// What is held for `items` things of `bytes` bytes together.
pub const fn storage_deposit(items: u32, bytes: u32) -> Balance {
    items as Balance * ITEM_DEPOSIT + bytes as Balance * BYTE_DEPOSIT
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<16>;
    type MaxReserves = ConstU32<16>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
}

/// A fee in proportion to the computation that a call is weighed at.
pub struct ComputationFee;

impl WeightToFee for ComputationFee {
    type Balance = Balance;

    fn weight_to_fee(weight: &Weight) -> Balance {
        Balance::from(weight.ref_time()) / PICOSECONDS_PER_UNIT
    }
}

/// What the block space of duties costs, however much of it: what the transaction pallet sums up stops at one block. It is what space
/// costs while blocks aren't full: who fills blocks makes transactions dearer, and must not make rounds so.
pub struct SpaceFee;

impl Convert<Weight, Balance> for SpaceFee {
    fn convert(weight: Weight) -> Balance {
        ComputationFee::weight_to_fee(&weight)
    }
}

parameter_types! {
    /// Fees rise only while blocks are fuller than this.
    pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
    /// At most about a quarter more per hour of full 10-second blocks.
    pub AdjustmentSpeed: Multiplier = Multiplier::saturating_from_rational(1, 1_000);
    pub LeastMultiplier: Multiplier = Multiplier::one();
    pub MostMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, ToAuthor>;
    type WeightToFee = ComputationFee;
    type LengthToFee = ConstantMultiplier<Balance, ConstU128<UNITS_PER_BYTE>>;
    type FeeMultiplierUpdate =
        TargetedFeeAdjustment<Self, TargetFullness, AdjustmentSpeed, LeastMultiplier, MostMultiplier>;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

/// Gives fees and tips to whoever made the block.
pub struct ToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for ToAuthor {
    fn on_nonzero_unbalanced(fee: Credit<AccountId, Balances>) {
        if let Some(author) = Authorship::author() {
            // A fee too small to bring an empty account into being is burned.
            let _ = Balances::resolve(&author, fee);
        }
    }
}
