//! The HydraAI chain's state transition function: which FRAME pallets it is made of and how they are wired.
//!
//! The rules of the protocol live in our four pallets and in `hydra-primitives`; this crate only composes them with
//! the standard ones. It must never hold protocol logic of its own, nor anything polkadot-js would need custom
//! types or signed extensions for.
//!
//! Start with `config`, a file per subject, each number with its reason; [`network`] and [`governance`] are what a genesis
//! may choose, [`presets`] are the development networks, [`apis`] what nodes and clients may ask.
#![cfg_attr(not(feature = "std"), no_std)]
// `frame_support::runtime` and `impl_runtime_apis` expand to more than the default allows, and document none of it.
#![recursion_limit = "256"]
#![allow(missing_docs)]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

pub mod apis;
#[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
mod benchmarks;
mod config;
pub mod governance;
pub mod network;
pub mod presets;
#[cfg(feature = "upgrade-trial")]
mod upgrade_trial;
mod weights;
// It would be in the chain that nodes and tests are built with. `tests/upgrade` turns it on in its Wasm only.
#[cfg(all(feature = "std", feature = "upgrade-trial"))]
compile_error!("the feature upgrade-trial is for the Wasm of tests/upgrade and for nothing else");

use alloc::{borrow::Cow, vec::Vec};
use apis::RUNTIME_API_VERSIONS;
use hydra_primitives::H256;
use pallet_session::historical as pallet_session_historical;
use sp_runtime::{
    MultiAddress, MultiSignature, generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
};
use sp_version::RuntimeVersion;

pub use config::{
    consensus::SessionKeys,
    delegation::ProxyType,
    forfeits::Forfeits,
    money::{HYDRA, MICRO_HYDRA, MILLI_HYDRA},
    randomness::BlockRandomness,
};

/// A signature by any of the key types that wallets use.
pub type Signature = MultiSignature;
/// An account: the public key (or its hash) that its signatures are checked with.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// How an account is named in a transaction.
pub type Address = MultiAddress<AccountId, ()>;
/// An amount in the smallest unit, 10⁻¹² HYDRA.
pub type Balance = hydra_primitives::Balance;
/// A block's height.
pub type BlockNumber = hydra_primitives::BlockNumber;
/// How many transactions an account has sent.
pub type Nonce = u32;
/// A hash of something on the chain.
pub type Hash = H256;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// Charges for a transaction, unless it is a duty that its account owes. Seen from outside it is
/// [`pallet_transaction_payment::ChargeTransactionPayment`].
pub type Charge = pallet_training_proposals::extension::FreeWhenOwed<
    Runtime,
    pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
>;
/// What a transaction carries beside its call. Only standard ones: polkadot-js, PAPI and subxt fill all of them in.
pub type TxExtension = (
    frame_system::CheckNonZeroSender<Runtime>,
    frame_system::CheckSpecVersion<Runtime>,
    frame_system::CheckTxVersion<Runtime>,
    frame_system::CheckGenesis<Runtime>,
    frame_system::CheckEra<Runtime>,
    frame_system::CheckNonce<Runtime>,
    frame_system::CheckWeight<Runtime>,
    Charge,
    frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
);
/// A transaction as it travels.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction's signature is made over.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Runs blocks and transactions.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

macro_rules! version {
    ($spec_version:tt) => {
        /// This runtime's version. `spec_version` grows with every release that changes what the chain does,
        /// `transaction_version` only when an existing call's or extension's encoding changes (hardware wallets depend on it).
        #[sp_version::runtime_version]
        pub const VERSION: RuntimeVersion = RuntimeVersion {
            spec_name: Cow::Borrowed("hydraai"),
            impl_name: Cow::Borrowed("hydra-node"),
            authoring_version: 1,
            spec_version: $spec_version,
            impl_version: 1,
            apis: RUNTIME_API_VERSIONS,
            transaction_version: 2,
            system_version: 1,
        };
    };
}

#[cfg(not(feature = "upgrade-trial"))]
version!(4);
// Always the next one.
#[cfg(feature = "upgrade-trial")]
version!(5);

/// What an upgrade to this release does to the state, once: nothing. Protocol 2 is a new genesis, and no chain of protocol 1 is
/// upgraded to it.
#[cfg(not(feature = "upgrade-trial"))]
pub type Migrations = ();
/// What an upgrade to the trial does to the state, once.
#[cfg(feature = "upgrade-trial")]
pub type Migrations = upgrade_trial::CountModels;

/// Types that know blocks only as bytes, so that a node can follow the chain across runtime upgrades.
pub mod opaque {
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

    /// A block whose transactions are bytes.
    pub type Block = sp_runtime::generic::Block<super::Header, UncheckedExtrinsic>;
}

// An index is part of every call's, event's and error's encoding: never change one, never give one out again.
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
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;

    #[runtime::pallet_index(1)]
    pub type Network = crate::network;

    // Before Timestamp (which tells it the time) and before Session (which asks it whether to end).
    #[runtime::pallet_index(2)]
    pub type Babe = pallet_babe;

    #[runtime::pallet_index(3)]
    pub type Timestamp = pallet_timestamp;

    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;

    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment;

    #[runtime::pallet_index(7)]
    pub type Historical = pallet_session_historical;

    #[runtime::pallet_index(8)]
    pub type Session = pallet_session;

    // After Session: whoever makes a session's first block is of that session's committee already.
    #[runtime::pallet_index(9)]
    pub type Authorship = pallet_authorship;

    #[runtime::pallet_index(10)]
    pub type Grandpa = pallet_grandpa;

    #[runtime::pallet_index(11)]
    pub type Utility = pallet_utility;

    #[runtime::pallet_index(12)]
    pub type Preimage = pallet_preimage;

    // Before our pallets: what a referendum changes counts for the whole block.
    #[runtime::pallet_index(13)]
    pub type Scheduler = pallet_scheduler;

    #[runtime::pallet_index(14)]
    pub type Governance = crate::governance;

    #[runtime::pallet_index(15)]
    pub type Referenda = pallet_referenda;

    #[runtime::pallet_index(16)]
    pub type ConvictionVoting = pallet_conviction_voting;

    #[runtime::pallet_index(17)]
    pub type Proxy = pallet_proxy;

    #[runtime::pallet_index(18)]
    pub type Multisig = pallet_multisig;

    // Genesis builds in this order: nodes register, then bond and are the first electorate, then models begin.
    #[runtime::pallet_index(20)]
    pub type Reputation = pallet_reputation;

    #[runtime::pallet_index(21)]
    pub type StakeVoting = pallet_stake_voting;

    #[runtime::pallet_index(22)]
    pub type TrainingProposals = pallet_training_proposals;

    #[runtime::pallet_index(23)]
    pub type HydraToken = pallet_hydra_token;
}
