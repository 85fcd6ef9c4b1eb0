//! Accounts that act for others: proxies (a savings account lets one on the PC vote or bond, but not spend) and multisigs
//! (several people share an account).
//!
//! A proxy's kind, but for `Any`, is a list of the calls it may make, by name, never of what it may not: a call that is added to a
//! pallet later must not fall into its hands. `proxy_kinds` in the tests has the lists again, in full.

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
    /// What all kinds below may, remove abandoned accounts, and leave remarks. It can't send or pay HYDRA, place deposits for
    /// referenda or models, or act for other accounts, which might.
    NonTransfer,
    /// Register and deregister, bond and unbond stake, pause and resume, set room and session keys, and collect what the account
    /// earned. What it unbonds or collects goes to the account itself.
    Staking,
    /// Vote on referenda, delegate votes, and take both back. What it votes with is locked: with the highest conviction for 32
    /// times the period of one, and for as long as it goes on voting.
    Governance,
    /// Refuse what other proxies have announced, and nothing else: for a guard.
    CancelProxy,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        use RuntimeCall as Call;
        use frame_system::Call as InSystem;
        use pallet_conviction_voting::Call as InVoting;
        use pallet_hydra_token::Call as InToken;
        use pallet_proxy::Call as InProxy;
        use pallet_reputation::Call as InReputation;
        use pallet_session::Call as InSession;
        use pallet_stake_voting::Call as InStakeVoting;
        use pallet_utility::Call as InUtility;
        // Batches are taken apart: what is in them meets this filter again.
        let batches = matches!(
            call,
            Call::Utility(
                InUtility::batch { .. } | InUtility::batch_all { .. } | InUtility::force_batch { .. }
            )
        );
        match self {
            Self::Any => true,
            // Not `proxy` and `multisig`: they dispatch for another account, without this filter. Not `submit` either: what an account
            // owes it submits itself. A proxy that carries nothing else is of the operational class, and refused; in a batch with other
            // calls it would be an ordinary call with a fee.
            Self::NonTransfer => {
                [Self::Staking, Self::Governance, Self::CancelProxy]
                    .iter()
                    .any(|part| part.filter(call))
                    || matches!(
                        call,
                        Call::System(InSystem::remark { .. } | InSystem::remark_with_event { .. })
                            | Call::Reputation(InReputation::remove_abandoned { .. })
                    )
            }
            Self::Staking => {
                batches
                    || matches!(
                        call,
                        Call::Reputation(
                            InReputation::register { .. }
                                | InReputation::pause { .. }
                                | InReputation::resume { .. }
                                | InReputation::set_room { .. }
                                | InReputation::deregister { .. }
                        ) | Call::StakeVoting(
                            InStakeVoting::bond { .. }
                                | InStakeVoting::unbond { .. }
                                | InStakeVoting::withdraw { .. }
                        ) | Call::Session(InSession::set_keys { .. } | InSession::purge_keys { .. })
                            | Call::HydraToken(InToken::claim { .. })
                    )
            }
            // Neither `referenda` nor `preimage`: what they need are deposits.
            Self::Governance => {
                batches
                    || matches!(
                        call,
                        Call::ConvictionVoting(
                            InVoting::vote { .. }
                                | InVoting::delegate { .. }
                                | InVoting::undelegate { .. }
                                | InVoting::unlock { .. }
                                | InVoting::remove_vote { .. }
                                | InVoting::remove_other_vote { .. }
                        )
                    )
            }
            Self::CancelProxy => batches || matches!(call, Call::Proxy(InProxy::reject_announcement { .. })),
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
