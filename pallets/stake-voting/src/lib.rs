//! # Stake voting
//!
//! What a vote weighs, and how a network agrees on a proposal. An account bonds at least 1 HYDRA; its vote weighs
//! `min(stake, cap) × reputation`. On each proposal there is one commit-reveal poll: verifiers first commit to a hidden
//! vote, then reveal it, so that nobody can copy another's verdict instead of doing the work. The tally follows
//! [`hydra_primitives::tally`].
//!
//! This pallet must never look into a proposal: it only counts. The bond is a hold on the account's balance, and that
//! hold is the only record of it.
//!
//! Start with `poll`, a poll and what may happen to it, then the three calls; who opens and closes polls is
//! `pallet-training-proposals`, through [`Polls`](hydra_primitives::traits::Polls).
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
mod poll;
#[cfg(test)]
mod tests;

pub use poll::{Ballot, Member, Poll, Stage};

use alloc::vec::Vec;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, InspectHold, MutateHold},
};
use hydra_primitives::{
    Balance, H256,
    proposal::ProposalKey,
    status::BallotView,
    tally::{Outcome, Tally},
    traits::{self, Reputation as _},
    vote::{self, Vote},
};

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
        /// The overarching hold reason.
        type RuntimeHoldReason: From<HoldReason>;
        /// The currency of bonds.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + MutateHold<Self::AccountId>;
        /// Who is registered, and how well they did.
        type Reputation: traits::Reputation<Self::AccountId>;
        /// The least an account may bond: 1 HYDRA.
        #[pallet::constant]
        type MinStake: Get<Balance>;
        /// Stake beyond this adds no voting weight.
        #[pallet::constant]
        type StakeCap: Get<Balance>;
        /// The most members a proposal's committee may have.
        #[pallet::constant]
        type MaxCommittee: Get<u32>;
    }

    /// Why this pallet holds balance.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Bonded as stake.
        Bond,
    }

    /// The open polls, one per proposal of the current rounds.
    #[pallet::storage]
    pub type Polls<T: Config> =
        StorageMap<_, Blake2_128Concat, ProposalKey<T::AccountId>, Poll<T::AccountId, T::MaxCommittee>>;

    /// Stakes that are bonded from the first block on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts with their bonds, which come out of their genesis balance.
        pub bonds: Vec<(T::AccountId, Balance)>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (who, amount) in &self.bonds {
                assert!(
                    *amount >= T::MinStake::get(),
                    "a genesis bond is below the minimum stake"
                );
                T::Currency::hold(&HoldReason::Bond.into(), who, *amount)
                    .expect("genesis accounts own what they bond");
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
            /// Its whole bond now, in 10⁻¹² HYDRA.
            total: Balance,
        },
        /// A poll on a proposal opened; its committee may commit votes.
        PollOpened {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// Members of the committee.
            members: u32,
            /// Weight of the committee and of the proposer.
            weight: u128,
        },
        /// A verifier committed to a vote that is still hidden.
        VoteCommitted {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// The verifier.
            who: T::AccountId,
            /// Hash that binds the vote.
            commitment: H256,
        },
        /// Votes on this proposal are revealed from now on.
        RevealStarted {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
        },
        /// A verifier revealed its vote.
        VoteRevealed {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// The verifier.
            who: T::AccountId,
            /// Its verdict.
            vote: Vote,
            /// What its vote weighs.
            weight: u128,
        },
        /// A poll was decided.
        PollClosed {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// The decision.
            outcome: Outcome,
            /// The weights it rests on.
            tally: Tally,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// The account is not registered. Call `reputation.register` first.
        NotRegistered,
        /// The amount is zero. Say how much to bond: at least `MinStake` in all.
        NothingToBond,
        /// The bond would stay below the minimum stake (constant `MinStake`). Bond more at once.
        BelowMinimumStake,
        /// There is no poll on this proposal: it does not exist, is not up for a vote yet, or was decided.
        NoSuchPoll,
        /// The account is not on this proposal's committee. The runtime call `trainingApi.dutySheet` says what it is to
        /// vote on.
        NotOnCommittee,
        /// Votes on this proposal can no longer be committed: they are being revealed.
        CommitmentsClosed,
        /// The account committed a vote on this proposal already. A commitment can't be changed.
        AlreadyCommitted,
        /// Votes on this proposal can't be revealed yet. Wait for the Reveal phase.
        RevealNotOpen,
        /// The account committed no vote on this proposal, so there is nothing to reveal.
        NothingCommitted,
        /// The account revealed its vote on this proposal already.
        AlreadyRevealed,
        /// Vote and salt do not match the commitment. Reveal exactly what was committed.
        CommitmentMismatch,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::MinStake::get() > 0,
                "without a minimum stake, identities are free"
            );
            assert!(
                T::StakeCap::get() >= T::MinStake::get(),
                "the cap must leave the minimum its weight"
            );
            assert!(T::MaxCommittee::get() > 0, "nobody could vote");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Bonds part of the signer's balance as stake. The amount is added to what is bonded already; together it must
        /// be at least `MinStake` (1 HYDRA). Bonded balance stays the signer's, but can't be spent.
        #[pallet::call_index(0)]
        #[pallet::weight(Weight::from_parts(30_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(3, 2)))]
        pub fn bond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(T::Reputation::is_registered(&who), Error::<T>::NotRegistered);
            ensure!(amount > 0, Error::<T>::NothingToBond);
            let total = Self::bond_of(&who).saturating_add(amount);
            ensure!(total >= T::MinStake::get(), Error::<T>::BelowMinimumStake);
            T::Currency::hold(&HoldReason::Bond.into(), &who, amount)?;
            Self::deposit_event(Event::Bonded { who, amount, total });
            Ok(())
        }

        /// Commits the signer's vote on a proposal without showing it. `proposal` names model, round and proposer;
        /// `commitment` is the BLAKE3 hash of vote, salt, signer and proposal. The trainer makes it; there is no need to
        /// call this by hand.
        #[pallet::call_index(1)]
        #[pallet::weight(Weight::from_parts(40_000_000, 12_000).saturating_add(T::DbWeight::get().reads_writes(3, 2)))]
        pub fn commit_vote(
            origin: OriginFor<T>,
            proposal: ProposalKey<T::AccountId>,
            commitment: H256,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Polls::<T>::try_mutate(&proposal, |poll| -> DispatchResult {
                let poll = poll.as_mut().ok_or(Error::<T>::NoSuchPoll)?;
                ensure!(poll.stage == Stage::Commit, Error::<T>::CommitmentsClosed);
                let member = poll.member_mut(&who).ok_or(Error::<T>::NotOnCommittee)?;
                ensure!(member.ballot == Ballot::Absent, Error::<T>::AlreadyCommitted);
                member.ballot = Ballot::Committed(commitment);
                Ok(())
            })?;
            T::Reputation::showed_up(&who);
            Self::deposit_event(Event::VoteCommitted {
                proposal,
                who,
                commitment,
            });
            Ok(())
        }

        /// Reveals the `vote` and the `salt` behind the signer's commitment on `proposal`, in the Reveal phase. Not
        /// revealing costs reputation. The trainer does it; there is no need to call this by hand.
        #[pallet::call_index(2)]
        #[pallet::weight(Weight::from_parts(45_000_000, 12_000).saturating_add(T::DbWeight::get().reads_writes(3, 2)))]
        pub fn reveal_vote(
            origin: OriginFor<T>,
            proposal: ProposalKey<T::AccountId>,
            vote: Vote,
            salt: H256,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let weight = Polls::<T>::try_mutate(&proposal, |poll| -> Result<u128, DispatchError> {
                let poll = poll.as_mut().ok_or(Error::<T>::NoSuchPoll)?;
                ensure!(poll.stage == Stage::Reveal, Error::<T>::RevealNotOpen);
                let member = poll.member_mut(&who).ok_or(Error::<T>::NotOnCommittee)?;
                let commitment = match member.ballot {
                    Ballot::Absent => return Err(Error::<T>::NothingCommitted.into()),
                    Ballot::Revealed(_) => return Err(Error::<T>::AlreadyRevealed.into()),
                    Ballot::Committed(commitment) => commitment,
                };
                let account: [u8; 32] = who.clone().into();
                ensure!(
                    vote::commitment(&vote, &salt, &account, &proposal.id()) == commitment,
                    Error::<T>::CommitmentMismatch
                );
                member.ballot = Ballot::Revealed(vote);
                Ok(member.weight)
            })?;
            T::Reputation::showed_up(&who);
            T::Reputation::voted(&who);
            Self::deposit_event(Event::VoteRevealed {
                proposal,
                who,
                vote,
                weight,
            });
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// An account's bond in 10⁻¹² HYDRA.
        pub fn stake_of(who: T::AccountId) -> Balance {
            Self::bond_of(&who)
        }

        /// What an account's vote weighs now.
        pub fn weight_of(who: T::AccountId) -> u128 {
            <Self as traits::VotingWeight<T::AccountId>>::weight(&who)
        }
    }
}

impl<T: Config> Pallet<T> {
    fn bond_of(who: &T::AccountId) -> Balance {
        T::Currency::balance_on_hold(&HoldReason::Bond.into(), who)
    }

    /// The pallet's invariants, each with its name.
    #[cfg(any(feature = "std", feature = "try-runtime"))]
    pub fn do_try_state() -> Result<(), &'static str> {
        for poll in Polls::<T>::iter_values() {
            ensure!(
                !poll.committee.is_empty(),
                "stake-voting: every poll has a committee"
            );
            ensure!(
                poll.committee
                    .iter()
                    .zip(poll.committee.iter().skip(1))
                    .all(|(a, b)| a.who < b.who),
                "stake-voting: committees are sorted and name nobody twice"
            );
            ensure!(
                poll.stage == Stage::Reveal
                    || !poll
                        .committee
                        .iter()
                        .any(|m| matches!(m.ballot, Ballot::Revealed(_))),
                "stake-voting: nothing is revealed while votes are committed"
            );
        }
        Ok(())
    }
}

impl<T: Config> traits::VotingWeight<T::AccountId> for Pallet<T> {
    fn weight(who: &T::AccountId) -> u128 {
        let stake = Self::bond_of(who);
        if stake < T::MinStake::get() {
            return 0;
        }
        T::Reputation::score(who).mul_floor(stake.min(T::StakeCap::get()))
    }

    fn bonded(who: &T::AccountId) -> Balance {
        Self::bond_of(who)
    }

    fn is_staked(who: &T::AccountId) -> bool {
        Self::bond_of(who) >= T::MinStake::get()
    }
}

/// Why a poll can't be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpenError {
    /// The committee has nobody on it.
    EmptyCommittee,
    /// The committee has more than `MaxCommittee` members.
    CommitteeTooLarge,
    /// There is a poll on this proposal already.
    AlreadyOpen,
}

impl<T: Config> traits::Polls<T::AccountId> for Pallet<T> {
    type Error = OpenError;

    fn max_committee() -> u32 {
        T::MaxCommittee::get()
    }

    fn open(key: &ProposalKey<T::AccountId>, mut committee: Vec<T::AccountId>) -> Result<(), OpenError> {
        ensure!(!Polls::<T>::contains_key(key), OpenError::AlreadyOpen);
        ensure!(!committee.is_empty(), OpenError::EmptyCommittee);
        committee.sort();
        committee.dedup();
        let committee: Vec<_> = committee
            .into_iter()
            .map(|who| {
                let weight = <Self as traits::VotingWeight<T::AccountId>>::weight(&who);
                Member {
                    who,
                    weight,
                    ballot: Ballot::Absent,
                }
            })
            .collect();
        let committee = BoundedVec::try_from(committee).map_err(|_| OpenError::CommitteeTooLarge)?;
        let votes_itself = committee
            .iter()
            .any(|member: &Member<_>| member.who == key.proposer);
        let proposer_weight = if votes_itself {
            0
        } else {
            <Self as traits::VotingWeight<T::AccountId>>::weight(&key.proposer)
        };
        let poll = Poll {
            stage: Stage::Commit,
            proposer_weight,
            committee,
        };
        Self::deposit_event(Event::PollOpened {
            proposal: key.clone(),
            members: u32::try_from(poll.committee.len()).unwrap_or(u32::MAX),
            weight: poll.weight(),
        });
        Polls::<T>::insert(key, poll);
        Ok(())
    }

    fn begin_reveal(key: &ProposalKey<T::AccountId>) {
        let begun = Polls::<T>::mutate(key, |poll| {
            poll.as_mut()
                .is_some_and(|poll| core::mem::replace(&mut poll.stage, Stage::Reveal) == Stage::Commit)
        });
        if begun {
            Self::deposit_event(Event::RevealStarted {
                proposal: key.clone(),
            });
        }
    }

    fn is_complete(key: &ProposalKey<T::AccountId>) -> bool {
        Polls::<T>::get(key).is_none_or(|poll| {
            let enough = || poll.acted().saturating_mul(3) >= poll.weight().saturating_mul(2);
            poll.owing().next().is_none()
                || !poll
                    .owing()
                    .any(|member| T::Reputation::is_waited_for(&member.who))
                    && enough()
        })
    }

    fn laggards(key: &ProposalKey<T::AccountId>) -> Vec<T::AccountId> {
        let Some(poll) = Polls::<T>::get(key) else {
            return Vec::new();
        };
        if poll.acted() <= poll.weight().saturating_sub(poll.acted()) {
            return Vec::new();
        }
        poll.owing().map(|member| member.who.clone()).collect()
    }

    fn ballot(key: &ProposalKey<T::AccountId>, who: &T::AccountId) -> Option<BallotView> {
        Polls::<T>::get(key)?
            .member_mut(who)
            .map(|member| member.ballot.view())
    }

    fn close(key: &ProposalKey<T::AccountId>) -> Option<traits::PollResult<T::AccountId>> {
        let poll = Polls::<T>::take(key)?;
        let tally = poll.tally();
        let outcome = tally.decide();
        Self::deposit_event(Event::PollClosed {
            proposal: key.clone(),
            outcome,
            tally,
        });
        let ballots = poll
            .committee
            .into_iter()
            .map(|member| (member.who, member.ballot.view()))
            .collect();
        Some(traits::PollResult {
            outcome,
            tally,
            ballots,
        })
    }
}
