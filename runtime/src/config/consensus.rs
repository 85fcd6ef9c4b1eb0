//! Who makes blocks (BABE), who finalises them (GRANDPA), when the two change (Session), and what happens to whoever
//! signs two conflicting things (Forfeits).
//!
//! GRANDPA's forced changes (`note_stalled`) must stay out of reach: they would end warp sync.

use crate::{
    AccountId, Babe, Balance, Balances, Grandpa, Historical, Runtime, RuntimeEvent, Session,
    config::{
        committee::{Committee, MAX_AUTHORITIES, MOST_PROVABLE_SESSIONS, provable_sessions},
        forfeits::Forfeits,
        money::MILLI_HYDRA,
    },
    network::{EpochDuration, HalfSlot, SlotDuration},
};
use alloc::vec::Vec;
use frame_support::traits::{ConstU32, ConstU64, ConstU128, Get};
use pallet_session::historical::{self as historical, NoteHistoricalRoot};
use sp_runtime::{
    impl_opaque_keys,
    traits::{Convert, ConvertInto, OpaqueKeys},
};
use sp_session::MembershipProof;

/// Held while an account has session keys registered, so that junk keys cost something.
pub const KEY_DEPOSIT: Balance = 10 * MILLI_HYDRA;

impl_opaque_keys! {
    /// The keys of a member of the committee.
    pub struct SessionKeys {
        /// Makes blocks.
        pub babe: Babe,
        /// Votes on finality.
        pub grandpa: Grandpa,
    }
}

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Babe;
    type MinimumPeriod = HalfSlot<Runtime>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = ();
}

impl pallet_babe::Config for Runtime {
    type EpochDuration = EpochDuration<Runtime>;
    type ExpectedBlockTime = SlotDuration<Runtime>;
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type DisabledValidators = Session;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Forfeits, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<{ MOST_PROVABLE_SESSIONS as u64 }>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Forfeits, Historical, ReportLongevity>;
}

/// For how many blocks a report of an equivocation stays valid.
pub struct ReportLongevity;

impl Get<u64> for ReportLongevity {
    fn get() -> u64 {
        u64::from(provable_sessions()) * EpochDuration::<Runtime>::get()
    }
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = Babe;
    type NextSessionRotation = Babe;
    type SessionManager = NoteHistoricalRoot<Self, Committee>;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    // BABE panics on a block by a disabled author. Whoever offends isn't drawn again for as long as that can be proven, and that is soon enough.
    type DisablingStrategy = ();
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    type KeyDeposit = ConstU128<KEY_DEPOSIT>;
}

impl historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = NothingMore;
}

/// A member of the committee is known by its account alone: nobody nominates it.
pub struct NothingMore;

impl Convert<AccountId, Option<()>> for NothingMore {
    fn convert(_: AccountId) -> Option<()> {
        Some(())
    }
}
