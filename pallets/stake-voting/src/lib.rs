//! # Stake voting
//!
//! What an account risks, who is drawn, and how the network finds out what is true. An account bonds stake; the stake times its
//! score is its weight in the **electorate**, from which every draw is made: places, seats, the committee. In a **poll**, drawn seats
//! compute a result from public inputs alone and give it hidden; one plain copy opens all of them. Whoever gave something else
//! forfeits, and half of that goes to those who were right.
//!
//! This pallet must never know what a poll is about: it compares hashes. It must never draw from anything that could still change when
//! the draw's randomness became known, nor judge anybody by a poll that was not decided. A bond is a hold on the account's
//! balance, and that hold is the only record of it.
//!
//! Start with [`electorate`], the structure that draws are made from, and [`poll`], the one kind of question; `bond` is what an account
//! risks, `guard` and `sizes` say when nothing may be asked. Other pallets see all of it through the traits
//! [`Stakes`](hydra_primitives::traits::Stakes), [`Electorate`](hydra_primitives::traits::Electorate) and
//! [`Polls`](hydra_primitives::traits::Polls).
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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bond;
mod draws;
pub mod electorate;
mod guard;
#[cfg(test)]
mod mock;
mod offence;
pub mod poll;
mod sizes;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod weights;

pub use bond::{MAX_UNBONDING, Unbond};
pub use guard::Largest;
pub use offence::{MAX_OFFENDERS, Offence};
pub use sizes::Sizes;
pub use weights::WeightInfo;

use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, InspectHold, MutateHold},
};
use hydra_primitives::{
    Balance, BlockNumber, H256,
    electorate::{Draw, Purpose, SessionIndex},
    model::MAX_SIZE_CLASS,
    poll::{Decision, Finding, Opening, PollId, SeatVerdict},
    reputation,
    traits::{self, BondError, Nodes as _, Sessions as _, Stakes as _},
};
use poll::{Poll, Seat};
use sp_runtime::traits::SaturatedConversion;

/// Blocks that unbonding takes where genesis doesn't say: a week of 10 s blocks.
const DEFAULT_UNBONDING_DELAY: BlockNumber = 60_480;

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
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: Into<[u8; 32]>, Hash = H256>
    {
        /// The overarching hold reason.
        type RuntimeHoldReason: From<HoldReason>;
        /// The currency of bonds.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + MutateHold<Self::AccountId>;
        /// Who is registered, who is there, and how well they did.
        type Nodes: traits::Nodes<Self::AccountId>;
        /// Where forfeits go.
        type Rewards: traits::Rewards<Self::AccountId>;
        /// The sessions that the electorate lives by.
        type Sessions: traits::Sessions;
        /// Randomness that nobody could predict before this block: seats are drawn by it.
        type Randomness: Get<H256>;
        /// The least an account may bond, while there are no more than 100,000; with more, so much more as there are more of them.
        #[pallet::constant]
        type MinStake: Get<Balance>;
        /// What calls, and the steps of polls, weigh.
        type WeightInfo: WeightInfo;
    }

    /// Why this pallet holds balance.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Bonded as stake, or unbonding.
        Bond,
    }

    /// What each account is unbonding, the oldest first. It is held with the rest of the bond.
    #[pallet::storage]
    pub type Unbonding<T: Config> = StorageMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        BoundedVec<Unbond, ConstU32<MAX_UNBONDING>>,
        ValueQuery,
    >;

    /// Blocks that unbonding takes.
    #[pallet::storage]
    pub type UnbondingDelay<T: Config> =
        StorageValue<_, BlockNumber, ValueQuery, ConstU32<DEFAULT_UNBONDING_DELAY>>;

    /// The sum trees of two electorates: of this session, which draws are made from, and of the next, which is being made.
    #[pallet::storage]
    pub type ElectorateNodes<T: Config> = StorageMap<_, Twox64Concat, electorate::NodeId, electorate::Node>;

    /// Who stands at which slot of the two electorates (of even and of odd sessions).
    #[pallet::storage]
    pub type ElectorateAccounts<T: Config> =
        StorageMap<_, Twox64Concat, (electorate::Parity, u32), T::AccountId>;

    /// How many slots of the two electorates are used.
    #[pallet::storage]
    pub type ElectorateLengths<T: Config> =
        StorageMap<_, Twox64Concat, electorate::Parity, electorate::Length, ValueQuery>;

    /// How much weight of the two electorates takes on tasks of which size.
    #[pallet::storage]
    pub type SizesTaken<T: Config> = StorageMap<_, Twox64Concat, electorate::Parity, Sizes, ValueQuery>;

    /// The largest weights that took part within the last day.
    #[pallet::storage]
    pub type LargestWeights<T: Config> = StorageValue<_, Largest, ValueQuery>;

    /// The polls that are not over. Each is named by a hash of what it asks.
    #[pallet::storage]
    pub type Polls<T: Config> = StorageMap<_, Identity, PollId, Poll<T::AccountId>>;

    /// Who has seats in which poll, and what they gave.
    #[pallet::storage]
    pub type Seats<T: Config> = StorageDoubleMap<_, Identity, PollId, Blake2_128Concat, T::AccountId, Seat>;

    /// Who signed conflicting things in which session, and what that has cost so far.
    #[pallet::storage]
    pub type Offences<T: Config> = StorageMap<
        _,
        Twox64Concat,
        SessionIndex,
        BoundedVec<Offence<T::AccountId>, ConstU32<MAX_OFFENDERS>>,
        ValueQuery,
    >;

    /// Stakes that are bonded from the first block on.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Accounts with their bonds, which come out of their genesis balance. Those that are registered are the first electorate.
        pub bonds: Vec<(T::AccountId, Balance)>,
        /// Blocks that unbonding takes: as many as the longest round at least, and as two sessions.
        pub unbonding_delay: BlockNumber,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                bonds: Vec::new(),
                unbonding_delay: DEFAULT_UNBONDING_DELAY,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.unbonding_delay >= T::Sessions::blocks().saturating_mul(2),
                "stakeVoting.unbondingDelay must be two sessions at least: whoever leaves may be drawn, or sit in the committee, until then"
            );
            UnbondingDelay::<T>::put(self.unbonding_delay);
            for (who, amount) in &self.bonds {
                assert!(
                    *amount >= T::MinStake::get(),
                    "a genesis bond is below the minimum stake"
                );
                T::Currency::hold(&HoldReason::Bond.into(), who, *amount)
                    .expect("genesis accounts own what they bond");
            }
            for (who, _) in &self.bonds {
                if T::Nodes::is_in(who) {
                    // The largest task that it takes on.
                    let taken = (0..=MAX_SIZE_CLASS).rev().find(|size| T::Nodes::fits(who, *size));
                    Pallet::<T>::append_to(0, who, taken.unwrap_or(0), u8::from(taken.is_some()))
                        .expect("the electorate has room for all of genesis");
                }
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account bonded stake.
        Bonded {
            /// The account.
            who: T::AccountId,
            /// What it added, in 10⁻¹² HYDRA.
            amount: Balance,
            /// All that it has bonded now, in 10⁻¹² HYDRA.
            total: Balance,
        },
        /// An account takes stake away: it can be withdrawn in a while, and until then be forfeited.
        Unbonding {
            /// The account.
            who: T::AccountId,
            /// How much, in 10⁻¹² HYDRA.
            amount: Balance,
            /// The block from which on it can be withdrawn.
            until: BlockNumber,
        },
        /// An account has back what it had unbonded.
        Withdrawn {
            /// The account.
            who: T::AccountId,
            /// How much, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// An account lost stake, because it gave a wrong result or signed conflicting things.
        Forfeited {
            /// The account.
            who: T::AccountId,
            /// How much, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// A poll is asked. Its seats are drawn from the next block on.
        PollAsked {
            /// The poll.
            poll: PollId,
            /// What its first draw is made for.
            purpose: Purpose,
            /// Whose claim it is about, if it is about one.
            claimant: Option<T::AccountId>,
            /// Seats of its first draw.
            seats: u32,
            /// Blocks that each draw's seats have to give their digests.
            window: BlockNumber,
            /// What a wrong digest costs for each seat, in 10⁻¹² HYDRA.
            forfeit: Balance,
        },
        /// The seats of a draw are drawn: whoever has one computes the result, and gives a digest of it.
        SeatsDrawn {
            /// The poll.
            poll: PollId,
            /// Which of its draws.
            draw: Draw,
            /// Seats that somebody has. The others stay empty.
            seats: u32,
            /// Accounts that have them.
            accounts: u32,
        },
        /// An account gave a digest of its result, for all its seats.
        DigestGiven {
            /// The poll.
            poll: PollId,
            /// The account.
            who: T::AccountId,
        },
        /// No more digests are taken for this draw. It waits for one plain copy that decides.
        DigestsClosed {
            /// The poll.
            poll: PollId,
            /// Which of its draws.
            draw: Draw,
            /// Seats whose digest is given.
            given: u32,
            /// All seats of the draw.
            seats: u32,
        },
        /// An account opened a poll: this is what the network found.
        PollOpened {
            /// The poll.
            poll: PollId,
            /// The account.
            who: T::AccountId,
            /// The draw that it decided.
            draw: Draw,
            /// What came out.
            finding: Finding,
        },
        /// A poll is decided, or can't be. Its accounts are judged next, or nobody is.
        PollDecided {
            /// The poll.
            poll: PollId,
            /// The decision.
            decision: Decision,
            /// The draw that decided, or the last one.
            draw: Draw,
        },
        /// Too few accounts were found that may make blocks in a session, so those who do now go on. More accounts need session keys and
        /// a good score.
        CommitteeStays {
            /// The session that they were looked for.
            session: SessionIndex,
            /// How many were found.
            found: u32,
            /// How many there are now: two thirds of that have to be found.
            present: u32,
        },
        /// An account's digest was wrong, or it gave none though most did. Those who were right are not named one by one.
        SeatJudged {
            /// The poll.
            poll: PollId,
            /// The account.
            who: T::AccountId,
            /// What its part was.
            verdict: SeatVerdict,
        },
    }

    #[pallet::error]
    #[cfg_attr(test, derive(PartialEq))]
    pub enum Error<T> {
        /// The account is not registered. Call `reputation.register` first: it bonds stake in the same call.
        NotRegistered,
        /// The amount is zero. Say how much to bond.
        NothingToBond,
        /// The account owns less than that, or would not keep the least that an account must have. Bond less.
        NotEnough,
        /// The bond would stay below the minimum stake. Bond more at once; or unbond less, or everything.
        BelowMinimumStake,
        /// The amount is zero. Say how much to unbond.
        NothingToUnbond,
        /// The account has bonded less than that. Unbond what `stakeOf` says, or less.
        NotBonded,
        /// The account is unbonding as many amounts as it may at a time. Wait for the oldest, and call `withdraw`.
        TooManyUnbonding,
        /// Nothing has been unbonding for long enough. `unbonding` says from which block on it can be withdrawn.
        NothingToWithdraw,
        /// There is no such poll: it was never asked on this chain, or is over.
        NoSuchPoll,
        /// The account has no seat in this poll, or none in the draw that digests are taken for.
        NoSeat,
        /// Digests for this poll are not taken now: its seats are still being drawn, or they are closed.
        DigestsClosed,
        /// The account gave a digest already, or the poll is about its own claim, which counts as one. It can't be changed.
        DigestGiven,
        /// The poll does not wait for an opening: digests are still taken, or it is decided.
        NotOpening,
        /// The poll is at another draw than this opening is for.
        OtherDraw,
        /// Too few digests match this opening, so it is refused. In a first draw all that were given must match, of more than
        /// half of the seats; later, more than half of the seats.
        DoesNotDecide,
    }

    impl<T> From<BondError> for Error<T> {
        fn from(error: BondError) -> Self {
            match error {
                BondError::NotEnough => Self::NotEnough,
                BondError::BelowMinimum => Self::BelowMinimumStake,
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::MinStake::get() > 0,
                "without a minimum stake, identities are free"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Bonds part of the signer's balance as stake. The amount is added to what is bonded already; together it must be at least
        /// the minimum stake. Bonded balance stays the signer's, but can't be spent, and is forfeited by wrong results. It
        /// counts in draws from the signer's next heartbeat on.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::bond())]
        pub fn bond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(T::Nodes::is_registered(&who), Error::<T>::NotRegistered);
            ensure!(amount > 0, Error::<T>::NothingToBond);
            <Self as traits::Stakes<_>>::bond(&who, amount).map_err(Error::<T>::from)?;
            Ok(())
        }

        /// Takes back part of the signer's stake, or all of it; what stays must be the minimum stake at least. The signer takes no
        /// part until its next heartbeat counts. The amount can be withdrawn after `UnbondingDelay` blocks, and can be
        /// forfeited until then.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::unbond())]
        pub fn unbond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_unbond(who, amount)
        }

        /// Makes everything that the signer has been unbonding for long enough its free balance again.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(who)
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What an account has bonded and is not unbonding, in 10⁻¹² HYDRA.
        pub fn stake_of(who: T::AccountId) -> Balance {
            Self::bonded(&who)
        }

        /// What an account would weigh in draws if it were entered now: stake times score, in millionths of a HYDRA.
        pub fn weight_of(who: T::AccountId) -> u64 {
            reputation::weight(Self::bonded(&who), T::Nodes::score(&who))
        }

        /// The least an account may bond now, in 10⁻¹² HYDRA. It grows with the number of registered accounts.
        pub fn minimum_stake() -> Balance {
            Self::minimum()
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Whether an account has given a digest of this in a poll, or claimed it. Only then it may open the poll with it.
    pub fn has_found(id: &PollId, who: &T::AccountId, opening: &Opening) -> bool {
        poll::has_found::<T>(id, who, opening)
    }

    /// The block that is being made.
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }
}
