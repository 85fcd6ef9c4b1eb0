//! # Reputation
//!
//! Who takes part in the network, and how well they did lately. An account registers once: it bonds stake, shows that it has the
//! key of its data-plane PeerId, and does a little work. From then on it says once a session that it is there (a heartbeat), which
//! enters it into the next session's electorate; what it is drawn for and how that ends moves its one score,
//! [`hydra_primitives::reputation`], which scales what its stake weighs in every draw.
//!
//! This pallet must never decide what a deed was, nor loop over accounts: it only keeps the record of what other pallets found.
//!
//! Start with [`Node`], what is known of one and what moves it; then the calls, and `taking_part`: what the other pallets ask
//! and tell through [`Nodes`](hydra_primitives::traits::Nodes) and [`Heartbeats`](hydra_primitives::traits::Heartbeats).
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

pub use node::{MAX_PEER_ID, Node, PeerIdBytes, heartbeat_time};
pub use pallet::*;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod invariants;
#[cfg(test)]
mod mock;
mod node;
mod registration;
mod taking_part;
#[cfg(test)]
mod tests;
mod weights;

use alloc::vec::Vec;
use frame_support::pallet_prelude::*;
use hydra_primitives::{
    Balance, BlockNumber, Perbill,
    electorate::{SLOTS, SessionIndex},
    model::{MAX_SIZE_CLASS, SizeClass},
    node::{FOUNDERS_ROOM, FOUNDERS_SIZE_CLASS, MAX_ANCHOR_DEPTH, MIN_ANCHOR_DEPTH},
    reputation::{Deed, FOUNDER, NEWCOMER},
    traits::{self, BondError, Electorate as _, ElectorateFull, Nodes as _, Sessions as _, Stakes as _},
};
use sp_runtime::traits::SaturatedConversion;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: Into<[u8; 32]>>
    {
        /// Leading zero bits that the registration's work must have: 2^bits hashes on average.
        #[pallet::constant]
        type WorkDifficulty: Get<u32>;
        /// The most accounts that may be registered: no more than an electorate has room for.
        #[pallet::constant]
        type MaxNodes: Get<u32>;
        /// The sessions that the electorate lives by.
        type Sessions: traits::Sessions;
        /// Who has bonded stake.
        type Stakes: traits::Stakes<Self::AccountId>;
        /// The accounts that draws are made from.
        type Electorate: traits::Electorate<Self::AccountId>;
        /// What the calls weigh.
        type WeightInfo: WeightInfo;
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// How many blocks deep the block that a registration names has to be at least, if it isn't the genesis block.
        #[pallet::constant_name(MinAnchorDepth)]
        fn min_anchor_depth() -> BlockNumber {
            MIN_ANCHOR_DEPTH
        }
        /// How many blocks deep the block that a registration names may be at most.
        #[pallet::constant_name(MaxAnchorDepth)]
        fn max_anchor_depth() -> BlockNumber {
            MAX_ANCHOR_DEPTH
        }
        /// The largest size class that an account may name.
        #[pallet::constant_name(MaxSizeClass)]
        fn max_size_class() -> SizeClass {
            MAX_SIZE_CLASS
        }
    }

    /// The registered accounts: whether they take part, their room, and their scores.
    #[pallet::storage]
    pub type Nodes<T: Config> = CountedStorageMap<_, Blake2_128Concat, T::AccountId, Node>;

    /// Which account a data-plane PeerId belongs to.
    #[pallet::storage]
    pub type PeerIds<T: Config> = StorageMap<_, Blake2_128Concat, PeerIdBytes, T::AccountId>;

    /// Accounts that are registered from the first block on, with a score of 0.9: their founders vouch for them. Those with a
    /// genesis bond stand in the first session's electorate.
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
                assert!(
                    !Nodes::<T>::contains_key(who),
                    "an account stands in genesis twice"
                );
                PeerIds::<T>::insert(&peer_id, who);
                Nodes::<T>::insert(
                    who,
                    Node::founder(peer_id, FOUNDERS_SIZE_CLASS, FOUNDERS_ROOM, FOUNDER),
                );
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
        /// An account registered. It takes part from the next session on, or from the one after if this session took no more
        /// heartbeats.
        Registered {
            /// The account.
            who: T::AccountId,
            /// Its data-plane PeerId (multihash bytes).
            peer_id: PeerIdBytes,
            /// How large the tasks may be that it takes on.
            size_class: SizeClass,
            /// How many tasks it takes on at a time.
            room: u8,
        },
        /// An account's owner paused it: it is drawn for nothing new.
        Paused {
            /// The account.
            who: T::AccountId,
        },
        /// An account's owner resumed it.
        Resumed {
            /// The account.
            who: T::AccountId,
        },
        /// An account takes on more or less from now on.
        RoomChanged {
            /// The account.
            who: T::AccountId,
            /// How large the tasks may be that it takes on.
            size_class: SizeClass,
            /// How many tasks it takes on at a time.
            room: u8,
        },
        /// An account is out: it missed a duty, had a wrong result, or took stake away.
        Left {
            /// The account.
            who: T::AccountId,
            /// The session in which it may take part again; none if it is out only until a heartbeat brings it back.
            until: Option<SessionIndex>,
        },
        /// An account that had missed a duty was heard of again: it takes part, if nothing else keeps it out.
        Returned {
            /// The account.
            who: T::AccountId,
        },
        /// A duty ended, and the account's score moved.
        ScoreChanged {
            /// The account.
            who: T::AccountId,
            /// How the duty ended.
            deed: Deed,
            /// The score from now on.
            score: Perbill,
        },
        /// An account said that it is there.
        Heartbeat {
            /// The account.
            who: T::AccountId,
            /// The session in which it said so.
            session: SessionIndex,
        },
        /// An account is no longer registered; its PeerId is free.
        Deregistered {
            /// The account.
            who: T::AccountId,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// This account is registered already. There is nothing to do.
        AlreadyRegistered,
        /// This account is not registered. Call `reputation.register` first.
        NotRegistered,
        /// This PeerId belongs to another account. Every trainer needs a key of its own: start it with a new `--key-file`.
        PeerIdTaken,
        /// These bytes are no PeerId of an Ed25519 key. Pass the multihash bytes that `hydra registration` prints.
        NoEd25519PeerId,
        /// The signature is not by the PeerId's key, or was made for another chain, account or block. Pass what `hydra
        /// registration` prints, without changing anything.
        NotYourPeerId,
        /// The nonce does not prove enough work. Pass one that was found for this very account, PeerId and block, with the
        /// difficulty in the constant `WorkDifficulty`: `hydra registration` finds it.
        NotEnoughWork,
        /// The block that the registration names is not deep enough: constant `MinAnchorDepth`. Name an older one.
        AnchorTooRecent,
        /// The block that the registration names is too deep: constant `MaxAnchorDepth`. Make the registration anew:
        /// `hydra registration`.
        AnchorTooOld,
        /// The network is full: constant `MaxNodes`. Whoever is registered without stake and has not been heard of for a day
        /// can be removed with `reputation.removeAbandoned`.
        TooManyNodes,
        /// The account owns less than it is to bond. Pass a smaller `bond`, or send HYDRA to the account first.
        NotEnoughToBond,
        /// The bond is below the minimum stake. Pass a larger `bond`.
        BondBelowMinimum,
        /// There is no such size class: the largest is in the constant `MaxSizeClass`.
        NoSuchSizeClass,
        /// An account takes on at least one task at a time. To take on none, call `reputation.pause`.
        NoRoom,
        /// The account is paused already. There is nothing to do.
        AlreadyPaused,
        /// The account is not paused. There is nothing to do.
        NotPaused,
        /// The account still has stake. Call `stakeVoting.unbond`, and `stakeVoting.withdraw` when that is over.
        StillStaked,
        /// The account was drawn for something that is not over yet. Pause it, and try again some blocks later.
        StillBusy,
        /// The account stands in the next session's electorate already. Try again when that session has begun.
        StillInElectorate,
        /// The account was heard of within the last day. Its owner may deregister it.
        NotAbandoned,
        /// The account owes no heartbeat now: it gave one, its time has not come, or it does not take part.
        NoHeartbeatOwed,
        /// The next session's electorate has no room left. Try again in the next session.
        ElectorateIsFull,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                (1..=SLOTS).contains(&T::MaxNodes::get()),
                "an electorate has room for everyone registered"
            );
            assert!(
                T::WorkDifficulty::get() <= 40,
                "more than 2^40 hashes is out of reach for a home PC"
            );
            let kept: BlockNumber = T::BlockHashCount::get().saturated_into();
            assert!(
                kept >= MAX_ANCHOR_DEPTH,
                "the hash of every block that a registration may name is kept"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers the signer as a node of the network and bonds its stake. Needed once. A new node starts with a score of 0.1.
        ///
        /// `peerId` is the libp2p PeerId of the node's trainer as multihash bytes. `sizeClass` and `room` say how large the tasks
        /// may be that it takes on, and how many at a time. `anchor` is the number of a block 16 to 256 blocks deep (or 0, the
        /// genesis block, while that is not deeper). `signature` is made with the PeerId's key and `nonce` is a small proof of
        /// work with `WorkDifficulty` zero bits: both for this chain, that block, this account and this PeerId. `bond` is what to
        /// bond, in 10⁻¹² HYDRA: the minimum stake at least. `hydra registration` prints these arguments as polkadot-js Apps
        /// takes them.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register())]
        #[allow(clippy::too_many_arguments)]
        pub fn register(
            origin: OriginFor<T>,
            peer_id: PeerIdBytes,
            size_class: SizeClass,
            room: u8,
            anchor: BlockNumber,
            signature: [u8; 64],
            nonce: u64,
            bond: Balance,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(!Nodes::<T>::contains_key(&who), Error::<T>::AlreadyRegistered);
            ensure!(!PeerIds::<T>::contains_key(&peer_id), Error::<T>::PeerIdTaken);
            ensure!(Nodes::<T>::count() < T::MaxNodes::get(), Error::<T>::TooManyNodes);
            Self::check_room(size_class, room)?;
            Self::check_identity(&who, &peer_id, anchor, signature, nonce)?;
            let session = T::Sessions::current();
            PeerIds::<T>::insert(&peer_id, &who);
            Nodes::<T>::insert(
                &who,
                Node::new(peer_id.clone(), size_class, room, NEWCOMER, session),
            );
            T::Stakes::bond(&who, bond).map_err(|error| match error {
                BondError::NotEnough => Error::<T>::NotEnoughToBond,
                BondError::BelowMinimum => Error::<T>::BondBelowMinimum,
            })?;
            if T::Sessions::takes_heartbeats() {
                T::Electorate::enter(&who, size_class, room)
                    .map_err(|ElectorateFull| Error::<T>::ElectorateIsFull)?;
                Nodes::<T>::mutate(&who, |node| {
                    if let Some(node) = node {
                        node.enter(session);
                    }
                });
            }
            Self::deposit_event(Event::Registered {
                who,
                peer_id,
                size_class,
                room,
            });
            Ok(())
        }

        /// Rests: the signer is drawn for nothing new from now on, and keeps its score and its stake. What it was drawn for
        /// already still counts.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::pause())]
        pub fn pause(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::change(&who, |node| {
                ensure!(!node.paused, Error::<T>::AlreadyPaused);
                node.paused = true;
                Ok(())
            })?;
            Self::deposit_event(Event::Paused { who });
            Ok(())
        }

        /// Ends a pause. The signer takes part at once if it gave its heartbeat in the session before this one, otherwise from the
        /// session after its next heartbeat.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::resume())]
        pub fn resume(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::change(&who, |node| {
                ensure!(node.paused, Error::<T>::NotPaused);
                node.paused = false;
                Ok(())
            })?;
            Self::deposit_event(Event::Resumed { who });
            Ok(())
        }

        /// Changes what the signer takes on: tasks up to `sizeClass` (class `c` lends 4 MiB × 2^c of memory), `room` of them at a
        /// time. Whoever claims more than it can do misses duties.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::set_room())]
        pub fn set_room(origin: OriginFor<T>, size_class: SizeClass, room: u8) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::check_room(size_class, room)?;
            Self::change(&who, |node| {
                node.size_class = size_class;
                node.room = room;
                Ok(())
            })?;
            Self::deposit_event(Event::RoomChanged {
                who,
                size_class,
                room,
            });
            Ok(())
        }

        /// Leaves the network for good: the signer is no longer registered, its score is forgotten and its PeerId is free. It must
        /// have withdrawn its stake, and what it was drawn for must be over.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::deregister())]
        pub fn deregister(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::forget(who)
        }

        /// Removes another account that has no stake and has not been heard of for a day, so that nobody keeps a place or a PeerId
        /// without paying for it. Anybody may do that; `who` may register again.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::remove_abandoned())]
        pub fn remove_abandoned(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            let node = Nodes::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
            ensure!(
                node.is_abandoned(T::Sessions::current(), T::Sessions::per_day()),
                Error::<T>::NotAbandoned
            );
            Self::forget(who)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An account's score: zero when it is not registered, 0.1 for a newcomer.
        pub fn reputation_of(who: T::AccountId) -> Perbill {
            Self::score(&who)
        }

        /// Whether an account takes part in this session: a draw that falls on it counts.
        pub fn takes_part(who: T::AccountId) -> bool {
            Self::is_in(&who)
        }
    }
}

impl<T: Config> Pallet<T> {
    fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    fn check_room(size_class: SizeClass, room: u8) -> DispatchResult {
        ensure!(size_class <= MAX_SIZE_CLASS, Error::<T>::NoSuchSizeClass);
        ensure!(room > 0, Error::<T>::NoRoom);
        Ok(())
    }

    /// Changes what is known of an account.
    fn change(who: &T::AccountId, change: impl FnOnce(&mut Node) -> DispatchResult) -> DispatchResult {
        Nodes::<T>::try_mutate(who, |node| {
            change(node.as_mut().ok_or(Error::<T>::NotRegistered)?)
        })
    }

    /// Removes an account that has nothing to lose and owes nothing.
    fn forget(who: T::AccountId) -> DispatchResult {
        let node = Nodes::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
        let staked = T::Stakes::bonded(&who) > 0 || T::Stakes::unbonding(&who) > 0;
        ensure!(!staked, Error::<T>::StillStaked);
        ensure!(node.busy == 0, Error::<T>::StillBusy);
        // Registered again, it would stand there twice.
        let next = T::Sessions::current().saturating_add(1);
        ensure!(!node.stands_in(next), Error::<T>::StillInElectorate);
        Nodes::<T>::remove(&who);
        PeerIds::<T>::remove(&node.peer_id);
        Self::deposit_event(Event::Deregistered { who });
        Ok(())
    }
}
