//! # Reputation
//!
//! Who takes part in the network, and how well they did lately. An account registers once, with a small proof of work
//! that is bound to it and to its data-plane PeerId; from then on settlement records what it did, and its score, the
//! Beta reputation of [`hydra_primitives::reputation`], scales the weight of its votes.
//!
//! This pallet must never decide what a deed was: it only keeps the record of what other pallets found.
//!
//! Start with [`Node`], what is known of one, then the call `register`, and at the end the implementation of
//! [`Reputation`](hydra_primitives::traits::Reputation): who is waited for, who counts, who is forgotten (decision 006).
#![cfg_attr(not(feature = "std"), no_std)]
// A test that panics has done its job.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

pub use pallet::*;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use hydra_primitives::{
    BlockNumber, Perbill,
    reputation::{Beta, Deed},
    traits::{self, VotingWeight as _},
};
use sp_runtime::traits::SaturatedConversion;

/// Longest data-plane PeerId, in bytes (a multihash).
pub const MAX_PEER_ID: u32 = 64;

/// A data-plane PeerId as multihash bytes.
pub type PeerIdBytes = BoundedVec<u8, ConstU32<MAX_PEER_ID>>;

/// What a node's machine can do, as it says itself. Information for peers; nothing is decided by it.
#[derive(
    Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Capabilities {
    /// CPU threads it lends.
    pub cpu_threads: u16,
    /// Memory it lends, in MiB.
    pub memory_mib: u32,
}

/// A registered node.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Node {
    /// Its data-plane identity: the libp2p PeerId under which its trainer serves blobs.
    pub peer_id: PeerIdBytes,
    /// What its machine can do.
    pub capabilities: Capabilities,
    /// Evidence about its deeds.
    pub evidence: Beta,
    /// The block it last did something in.
    pub last_seen: BlockNumber,
    /// The block it last revealed a vote in.
    pub voted_at: BlockNumber,
    /// How often it kept others waiting since it last kept pace.
    pub delays: u8,
    /// The block it last kept others waiting in.
    pub delayed_at: BlockNumber,
    /// Whole rounds in a row in which it did nothing.
    pub absences: u8,
    /// Whether it counts as expected to take part.
    pub active: bool,
}

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: Into<[u8; 32]>>
    {
        /// Leading zero bits that the registration hash must have: 2^bits hashes of work on average.
        #[pallet::constant]
        type WorkDifficulty: Get<u32>;
        /// The most nodes that may register.
        #[pallet::constant]
        type MaxNodes: Get<u32>;
        /// Whole rounds in a row without a sign of life after which a node counts as inactive, and phases that a node
        /// may keep others waiting in before they no longer wait for it.
        #[pallet::constant]
        type MaxAbsences: Get<u8>;
        /// Who has bonded stake.
        type VotingWeight: traits::VotingWeight<Self::AccountId>;
        /// Blocks after which a registered node without stake may lose its place to a new one when the network is full.
        #[pallet::constant]
        type UnstakedGrace: Get<u32>;
        /// Blocks without a sign of life after which a node is forgotten: its weight no longer counts as missing, and in a
        /// full network a new node may take its place.
        #[pallet::constant]
        type ForgetAfter: Get<u32>;
    }

    /// The registered nodes.
    #[pallet::storage]
    pub type Nodes<T: Config> = CountedStorageMap<_, Blake2_128Concat, T::AccountId, Node>;

    /// Which account a data-plane PeerId belongs to.
    #[pallet::storage]
    pub type PeerIds<T: Config> = StorageMap<_, Blake2_128Concat, PeerIdBytes, T::AccountId>;

    /// Nodes that are registered from the first block on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts with their data-plane PeerIds (multihash bytes).
        pub nodes: Vec<(T::AccountId, Vec<u8>)>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (who, peer_id) in &self.nodes {
                let peer_id =
                    PeerIdBytes::try_from(peer_id.clone()).expect("genesis PeerIds are at most 64 bytes");
                assert!(
                    !PeerIds::<T>::contains_key(&peer_id),
                    "a PeerId stands in genesis twice"
                );
                Pallet::<T>::insert(who, peer_id, Capabilities::default());
            }
            assert!(
                Nodes::<T>::count() <= T::MaxNodes::get(),
                "genesis names more nodes than the network takes"
            );
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A node registered and may bond stake now.
        Registered {
            /// Its account.
            who: T::AccountId,
            /// Its data-plane PeerId (multihash bytes).
            peer_id: PeerIdBytes,
        },
        /// Settlement recorded what a node did.
        DeedRecorded {
            /// The node.
            who: T::AccountId,
            /// What it did.
            deed: Deed,
            /// Its score from now on.
            score: Perbill,
        },
        /// A node showed no sign of life for too long: it no longer counts as expected to take part.
        BecameInactive {
            /// The node.
            who: T::AccountId,
        },
        /// A node that never bonded stake, or showed no sign of life for very long, lost its place to a new one, because
        /// the network was full. It may register again.
        Displaced {
            /// The node.
            who: T::AccountId,
        },
        /// A node showed up again.
        BecameActive {
            /// The node.
            who: T::AccountId,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// This account is registered already. There is nothing to do.
        AlreadyRegistered,
        /// This PeerId belongs to another account. Every trainer needs a key of its own: start it with a new `--key-file`.
        PeerIdTaken,
        /// The PeerId is empty. Pass the multihash bytes that `hydra registration` prints.
        EmptyPeerId,
        /// The nonce does not prove enough work. Pass one that was found for this very account and PeerId, with the
        /// difficulty in the constant `WorkDifficulty`: `hydra registration` finds it.
        NotEnoughWork,
        /// The network is full (constant `MaxNodes`): every node in it has bonded stake and was seen within the last
        /// `ForgetAfter` blocks, or registered just now. A place becomes free when one of them stays away for that long.
        TooManyNodes,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(T::MaxNodes::get() > 0, "a network without nodes trains nothing");
            assert!(
                T::MaxAbsences::get() > 0,
                "a node must have a chance to show up before it counts as inactive"
            );
            assert!(
                T::ForgetAfter::get() > T::UnstakedGrace::get(),
                "stake must keep a place for longer than no stake does"
            );
            assert!(
                T::WorkDifficulty::get() <= 40,
                "more than 2^40 hashes is out of reach for a home PC"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers the signer as a node of the network. Needed once; bond stake soon after, or a full network may give
        /// the place to somebody else.
        ///
        /// `peerId` is the libp2p PeerId of the node's trainer as multihash bytes; `capabilities` says what the machine
        /// lends and is information only; `nonce` is a small proof of work that makes identities cost something: the
        /// hash of account, PeerId and nonce must begin with `WorkDifficulty` zero bits (`docs/protocol.md` says which
        /// hash). `hydra registration` prints these arguments as polkadot-js Apps takes them. A new node starts with a reputation
        /// of 0.1.
        #[pallet::call_index(0)]
        #[pallet::weight(
            Weight::from_parts(30_000_000, 8_000)
                .saturating_add(T::DbWeight::get().reads_writes(
                    u64::from(T::MaxNodes::get()).saturating_mul(2).saturating_add(5),
                    5,
                ))
        )]
        pub fn register(
            origin: OriginFor<T>,
            peer_id: PeerIdBytes,
            capabilities: Capabilities,
            nonce: u64,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            ensure!(!Nodes::<T>::contains_key(&who), Error::<T>::AlreadyRegistered);
            ensure!(!peer_id.is_empty(), Error::<T>::EmptyPeerId);
            ensure!(!PeerIds::<T>::contains_key(&peer_id), Error::<T>::PeerIdTaken);
            let account: [u8; 32] = who.clone().into();
            ensure!(
                hydra_primitives::node::proves_work(&account, &peer_id, nonce, T::WorkDifficulty::get()),
                Error::<T>::NotEnoughWork
            );
            let full = Nodes::<T>::count() >= T::MaxNodes::get();
            if full {
                let displaced = Self::displaceable().ok_or(Error::<T>::TooManyNodes)?;
                if let Some(node) = Nodes::<T>::take(&displaced) {
                    PeerIds::<T>::remove(&node.peer_id);
                }
                Self::deposit_event(Event::Displaced { who: displaced });
            }
            Self::insert(&who, peer_id.clone(), capabilities);
            Self::deposit_event(Event::Registered { who, peer_id });
            // Only a full network looks through all its nodes, and only who comes then pays for it.
            let looked_at = u64::from(if full { T::MaxNodes::get() } else { 0 });
            let weight = Weight::from_parts(30_000_000, 8_000).saturating_add(
                T::DbWeight::get().reads_writes(looked_at.saturating_mul(2).saturating_add(5), 5),
            );
            Ok(Some(weight).into())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An account's reputation: zero when it is not registered, 0.1 for a newcomer.
        pub fn reputation_of(who: T::AccountId) -> Perbill {
            <Self as traits::Reputation<T::AccountId>>::score(&who)
        }
    }
}

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    fn insert(who: &T::AccountId, peer_id: PeerIdBytes, capabilities: Capabilities) {
        PeerIds::<T>::insert(&peer_id, who);
        Nodes::<T>::insert(
            who,
            Node {
                peer_id,
                capabilities,
                evidence: Beta::default(),
                last_seen: Self::now(),
                voted_at: 0,
                delays: 0,
                delayed_at: 0,
                absences: 0,
                active: true,
            },
        );
    }

    /// The node that a new one replaces in a full network: one that registered a while ago and never bonded stake, else
    /// one that is forgotten, the longest unseen first.
    fn displaceable() -> Option<T::AccountId> {
        let mut candidates: Vec<_> = Nodes::<T>::iter()
            .filter_map(|(who, node)| {
                let staked = T::VotingWeight::is_staked(&who);
                let grace = Self::now().saturating_sub(node.last_seen) > T::UnstakedGrace::get();
                let gone = if staked {
                    !Self::is_remembered(&node)
                } else {
                    grace
                };
                gone.then_some((staked, node.last_seen, who))
            })
            .collect();
        candidates.sort();
        candidates.into_iter().next().map(|(_, _, who)| who)
    }

    fn is_remembered(node: &Node) -> bool {
        Self::now().saturating_sub(node.last_seen) <= T::ForgetAfter::get()
    }

    fn sorted(keep: impl Fn(&Node) -> bool) -> Vec<T::AccountId> {
        let mut accounts: Vec<_> = Nodes::<T>::iter()
            .filter(|(_, node)| keep(node))
            .map(|(who, _)| who)
            .collect();
        accounts.sort();
        accounts
    }

    /// The pallet's invariants, each with its name.
    #[cfg(any(feature = "std", feature = "try-runtime"))]
    pub fn do_try_state() -> Result<(), &'static str> {
        ensure!(
            Nodes::<T>::count() <= T::MaxNodes::get(),
            "reputation: more nodes than MaxNodes"
        );
        ensure!(
            PeerIds::<T>::iter().count() == Nodes::<T>::iter().count(),
            "reputation: as many PeerIds as nodes"
        );
        for (who, node) in Nodes::<T>::iter() {
            ensure!(
                PeerIds::<T>::get(&node.peer_id) == Some(who),
                "reputation: every node's PeerId leads back to it"
            );
            ensure!(
                node.active == (node.absences < T::MaxAbsences::get()),
                "reputation: a node is inactive exactly when it was absent too often"
            );
            ensure!(
                node.last_seen <= Self::now(),
                "reputation: no node was seen in the future"
            );
        }
        Ok(())
    }
}

impl<T: Config> traits::Reputation<T::AccountId> for Pallet<T> {
    fn score(who: &T::AccountId) -> Perbill {
        Nodes::<T>::get(who)
            .map(|node| node.evidence.score())
            .unwrap_or_else(Perbill::zero)
    }

    fn record(who: &T::AccountId, deed: Deed) {
        let score = Nodes::<T>::mutate(who, |node| {
            node.as_mut().map(|node| {
                node.evidence = node.evidence.record(deed);
                node.evidence.score()
            })
        });
        if let Some(score) = score {
            Self::deposit_event(Event::DeedRecorded {
                who: who.clone(),
                deed,
                score,
            });
        }
    }

    fn is_registered(who: &T::AccountId) -> bool {
        Nodes::<T>::contains_key(who)
    }

    fn is_active(who: &T::AccountId) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.active)
    }

    fn showed_up(who: &T::AccountId) {
        let was_inactive = Nodes::<T>::mutate(who, |node| {
            node.as_mut().is_some_and(|node| {
                node.last_seen = Self::now();
                node.absences = 0;
                !core::mem::replace(&mut node.active, true)
            })
        });
        if was_inactive {
            Self::deposit_event(Event::BecameActive { who: who.clone() });
        }
    }

    fn seen_since(who: &T::AccountId, block: BlockNumber) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.last_seen >= block)
    }

    fn was_absent(who: &T::AccountId) {
        let left = Nodes::<T>::mutate(who, |node| {
            node.as_mut().is_some_and(|node| {
                node.absences = node.absences.saturating_add(1);
                let active = node.absences < T::MaxAbsences::get();
                core::mem::replace(&mut node.active, active) && !active
            })
        });
        if left {
            Self::deposit_event(Event::BecameInactive { who: who.clone() });
        }
    }

    fn kept_others_waiting(who: &T::AccountId) {
        Nodes::<T>::mutate(who, |node| {
            if let Some(node) = node {
                node.delays = node.delays.saturating_add(1);
                node.delayed_at = Self::now();
            }
        });
    }

    fn delayed_since(who: &T::AccountId, block: BlockNumber) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.delays > 0 && node.delayed_at >= block)
    }

    fn voted(who: &T::AccountId) {
        Nodes::<T>::mutate(who, |node| {
            if let Some(node) = node {
                node.voted_at = Self::now();
            }
        });
    }

    fn voted_since(who: &T::AccountId, block: BlockNumber) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.voted_at >= block)
    }

    fn kept_pace(who: &T::AccountId) {
        Nodes::<T>::mutate(who, |node| {
            if let Some(node) = node {
                node.delays = 0;
            }
        });
    }

    fn is_waited_for(who: &T::AccountId) -> bool {
        Nodes::<T>::get(who).is_some_and(|node| node.active && node.delays < T::MaxAbsences::get())
    }

    fn max_nodes() -> u32 {
        T::MaxNodes::get()
    }

    fn registered() -> Vec<T::AccountId> {
        Self::sorted(|_| true)
    }

    fn active() -> Vec<T::AccountId> {
        Self::sorted(|node| node.active)
    }

    fn remembered() -> Vec<T::AccountId> {
        Self::sorted(Self::is_remembered)
    }

    fn peer_id(who: &T::AccountId) -> Option<Vec<u8>> {
        Nodes::<T>::get(who).map(|node| node.peer_id.into_inner())
    }
}
