//! Accounts that act for others: proxies (a savings account lets one on the PC vote or bond, but not spend) and multisigs
//! (several people share an account).
//!
//! A proxy's kind is a list of what it may do, never of what it may not: a call that is added to a pallet later must not
//! fall into its hands.

use crate::{Balance, Balances, Runtime, RuntimeCall, RuntimeEvent, System, config::money::storage_deposit};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::{ConstU32, ConstU128, InstanceFilter};
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

/// An entry: account, kind, delay.
const PROXY_BYTES: u32 = 32 + 1 + 4;
/// An announcement: account, hash of the call, height.
const ANNOUNCEMENT_BYTES: u32 = 32 + 32 + 4;
/// A multisig's call: its hash, where it began, who deposited, how much.
const MULTISIG_BYTES: u32 = 32 + 8 + 32 + 16;

const PROXY_BASE: Balance = storage_deposit(1, 8);
const PROXY_FACTOR: Balance = storage_deposit(0, PROXY_BYTES);
const ANNOUNCEMENT_BASE: Balance = storage_deposit(1, 8);
const ANNOUNCEMENT_FACTOR: Balance = storage_deposit(0, ANNOUNCEMENT_BYTES);
const MULTISIG_BASE: Balance = storage_deposit(1, MULTISIG_BYTES);
const MULTISIG_FACTOR: Balance = storage_deposit(0, 32);

/// What a proxy may do for the account that named it.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub enum ProxyType {
    /// Everything that the account may do itself.
    #[default]
    Any,
    /// Everything but to move or spend HYDRA, and to act for other accounts, which might.
    NonTransfer,
    /// Register, bond stake, set session keys, and collect what the account earned, which goes to the account itself.
    Staking,
    /// Submit referenda with their preimages, vote and delegate votes.
    Governance,
    /// Refuse what other proxies have announced, and nothing else: for a guard.
    CancelProxy,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        use RuntimeCall as Call;
        // Batches are taken apart: what is in them meets this filter again.
        match self {
            Self::Any => true,
            Self::NonTransfer => {
                // Not `proxy` and `multisig`: they dispatch for another account, without this filter.
                [Self::Staking, Self::Governance, Self::CancelProxy]
                    .iter()
                    .any(|part| part.filter(call))
                    || matches!(call, Call::System(_) | Call::TrainingProposals(_))
            }
            Self::Staking => matches!(
                call,
                Call::Reputation(_)
                    | Call::StakeVoting(_)
                    | Call::Session(_)
                    | Call::HydraToken(pallet_hydra_token::Call::claim { .. })
                    | Call::Utility(_)
            ),
            Self::Governance => matches!(
                call,
                Call::Referenda(_) | Call::ConvictionVoting(_) | Call::Preimage(_) | Call::Utility(_)
            ),
            Self::CancelProxy => matches!(
                call,
                Call::Proxy(pallet_proxy::Call::reject_announcement { .. }) | Call::Utility(_)
            ),
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::NonTransfer, other) => *other != Self::Any,
            (one, other) => one == other,
        }
    }
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = ProxyType;
    type ProxyDepositBase = ConstU128<PROXY_BASE>;
    type ProxyDepositFactor = ConstU128<PROXY_FACTOR>;
    type MaxProxies = ConstU32<16>;
    type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
    type MaxPending = ConstU32<16>;
    type CallHasher = BlakeTwo256;
    type AnnouncementDepositBase = ConstU128<ANNOUNCEMENT_BASE>;
    type AnnouncementDepositFactor = ConstU128<ANNOUNCEMENT_FACTOR>;
    type BlockNumberProvider = System;
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type DepositBase = ConstU128<MULTISIG_BASE>;
    type DepositFactor = ConstU128<MULTISIG_FACTOR>;
    type MaxSignatories = ConstU32<32>;
    type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
    type BlockNumberProvider = System;
}
