//! A chain with nothing but this pallet. Sessions, stakes and the electorate are scripted: what a test sets is in storage, so that
//! what a failed call did to them is undone as on a chain.

use std::collections::{BTreeMap, BTreeSet};

use frame_support::{derive_impl, parameter_types, traits::ConstU64};
use hydra_primitives::{
    Balance, H256, HYDRA,
    electorate::{Purpose, SessionIndex},
    model::SizeClass,
    node::Registration,
    status::ElectorateStatus,
    traits::{BondError, Electorate, ElectorateFull, Sessions, Stakes},
};
use sp_core::{Pair as _, crypto::AccountId32, ed25519};
use sp_runtime::{BuildStorage, traits::IdentityLookup};

use crate::PeerIdBytes;

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
    type BlockHashCount = ConstU64<512>;
}

parameter_types! {
    pub const WorkDifficulty: u32 = 8;
    pub const MaxNodes: u32 = 4;
    /// The session now.
    pub storage Session: SessionIndex = 0;
    /// Whether heartbeats count.
    pub storage Taking: bool = true;
    /// How far the stretch in which they count is.
    pub storage Progress: u16 = u16::MAX;
    /// What is bonded.
    pub storage Bonds: BTreeMap<AccountId32, Balance> = BTreeMap::new();
    /// What is unbonding.
    pub storage Unbonding: BTreeMap<AccountId32, Balance> = BTreeMap::new();
    /// Which electorates know which account.
    pub storage Entered: BTreeSet<(SessionIndex, AccountId32)> = BTreeSet::new();
    /// Whether the next electorate has no slot left.
    pub storage Full: bool = false;
}

impl crate::Config for Test {
    type WorkDifficulty = WorkDifficulty;
    type MaxNodes = MaxNodes;
    type Sessions = Scripted;
    type Stakes = Scripted;
    type Electorate = Scripted;
    type WeightInfo = ();
}

/// What the tests say of sessions, stakes and the electorate. Everybody owns 100 HYDRA, and the minimum stake is one.
pub struct Scripted;

impl Sessions for Scripted {
    fn current() -> SessionIndex {
        Session::get()
    }
    fn takes_heartbeats() -> bool {
        Taking::get()
    }
    fn heartbeat_progress() -> u16 {
        Progress::get()
    }
    fn per_day() -> u32 {
        6
    }
    fn blocks() -> u32 {
        100
    }
}

impl Stakes<AccountId32> for Scripted {
    fn bonded(who: &AccountId32) -> Balance {
        Bonds::get().get(who).copied().unwrap_or(0)
    }
    fn unbonding(who: &AccountId32) -> Balance {
        Unbonding::get().get(who).copied().unwrap_or(0)
    }
    fn unbonding_delay() -> u32 {
        1_000
    }
    fn is_staked(who: &AccountId32) -> bool {
        Self::bonded(who) >= Self::minimum()
    }
    fn minimum() -> Balance {
        HYDRA
    }
    fn bond(who: &AccountId32, amount: Balance) -> Result<(), BondError> {
        let bonded = Self::bonded(who) + amount;
        if bonded > 100 * HYDRA {
            return Err(BondError::NotEnough);
        }
        set_bond(who, bonded);
        // Written first: what a failed call leaves behind would be seen.
        if bonded < Self::minimum() {
            return Err(BondError::BelowMinimum);
        }
        Ok(())
    }
    fn forfeit(who: &AccountId32, amount: Balance) -> Balance {
        let lost = amount.min(Self::bonded(who));
        set_bond(who, Self::bonded(who) - lost);
        lost
    }
}

impl Electorate<AccountId32> for Scripted {
    fn enter(who: &AccountId32, _: SizeClass, _: u8) -> Result<(), ElectorateFull> {
        if Full::get() {
            return Err(ElectorateFull);
        }
        let mut entered = Entered::get();
        assert!(
            entered.insert((Session::get() + 1, who.clone())),
            "nobody enters an electorate twice"
        );
        Entered::set(&entered);
        Ok(())
    }
    fn draw(_: &Purpose, _: &H256, _: u32, _: SizeClass) -> Vec<Option<AccountId32>> {
        Vec::new()
    }
    fn distinct(_: &Purpose, _: &H256, _: u32, _: impl FnMut(&AccountId32) -> bool) -> Vec<AccountId32> {
        Vec::new()
    }
    fn accounts() -> u32 {
        0
    }
    fn may_ask() -> bool {
        true
    }
    fn has_room(_: SizeClass) -> bool {
        true
    }
    fn status() -> ElectorateStatus {
        ElectorateStatus::default()
    }
}

/// Bonds exactly `amount`.
pub fn set_bond(who: &AccountId32, amount: Balance) {
    let mut bonds = Bonds::get();
    bonds.insert(who.clone(), amount);
    Bonds::set(&bonds);
}

/// Whether the electorate of `session` knows account `n`.
pub fn stands_in(n: u8, session: SessionIndex) -> bool {
    Entered::get().contains(&(session, account(n)))
}

/// The next session begins.
pub fn next_session() {
    Session::set(&(Session::get() + 1));
    Taking::set(&true);
}

pub fn account(n: u8) -> AccountId32 {
    AccountId32::new([n; 32])
}

/// The key of trainer `n`.
pub fn key(n: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[n; 32])
}

/// The PeerId of trainer `n`.
pub fn peer(n: u8) -> PeerIdBytes {
    let prefix = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
    PeerIdBytes::truncate_from([prefix.as_slice(), key(n).public().0.as_slice()].concat())
}

/// The hash of block `n` of this chain.
pub fn block_hash(n: u64) -> H256 {
    frame_system::Pallet::<Test>::block_hash(n)
}

/// What account `n` shows to register the PeerId of trainer `peer_id`, with the hash of block `anchor`, signed by `signer`.
pub fn shown(n: u8, peer_id: &PeerIdBytes, anchor: u64, signer: &ed25519::Pair) -> ([u8; 64], u64) {
    let registration = Registration {
        genesis: block_hash(0),
        anchor: block_hash(anchor),
        account: [n; 32],
        peer_id,
    };
    let signature = signer.sign(registration.to_sign().as_bytes());
    (signature.0, registration.find_nonce(WorkDifficulty::get()))
}

/// Runs `test` in block 300 of a chain where account 1 is registered in genesis and has bonded 10 HYDRA, and checks the invariants
/// afterwards.
pub fn with_chain(test: impl FnOnce()) {
    let storage = RuntimeGenesisConfig {
        reputation: crate::GenesisConfig {
            nodes: vec![(account(1), peer(1).into_inner())],
        },
        ..Default::default()
    }
    .build_storage()
    .expect("the genesis is valid");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| {
        for n in 0..300u64 {
            frame_system::BlockHash::<Test>::insert(n, H256::from_low_u64_be(n + 1));
        }
        System::set_block_number(300);
        set_bond(&account(1), 10 * HYDRA);
        test();
        Reputation::do_try_state().expect("the invariants hold");
    });
}
