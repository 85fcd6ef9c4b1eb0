//! # HYDRA token
//!
//! Where HYDRA comes from and where query payments go. New coin flows into a bucket, so much a block and half as much after each
//! halving, up to the emission cap; accepted work is paid from it when its version is confirmed, or from the deposit of the model's
//! sponsor if it has one: four fifths to whoever did it, one fifth to those who verified it. Whoever asks a model a question pays
//! 0.5 HYDRA into the model's pool, which belongs to those whose work made the model what it is (proposers and verifiers, of all
//! versions up to the newest) in proportion to their shares. Balances themselves are in `balances`.
//!
//! This pallet must never judge work, and never loop over accounts: a pool is an accumulator
//! ([`hydra_primitives::rewards::Pool`]), and every payment, new share and claim is O(1).
//!
//! Start with [`hydra_primitives::rewards`], the arithmetic and its tests, and `bucket`; then the calls, `purse`, who pays, and
//! `paying`: what settlement asks through [`Rewards`](hydra_primitives::traits::Rewards).
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

pub use bucket::Level;
pub use pallet::*;
pub use purse::Sponsorship;
pub use weights::WeightInfo;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bucket;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod invariants;
#[cfg(test)]
mod mock;
mod paying;
mod purse;
#[cfg(test)]
mod tests;
mod weights;

use frame_support::{
    PalletId,
    pallet_prelude::*,
    traits::{
        fungible::{Inspect, InspectHold, Mutate, MutateHold},
        tokens::{Precision, Preservation},
    },
};
use hydra_primitives::{
    Balance, BlockNumber, H256, ModelId, Version,
    rewards::{Emission, Pool, QUERY_PRICE, Share},
    traits::{self, Models as _},
};
use sp_runtime::traits::{AccountIdConversion, SaturatedConversion};

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The overarching hold reason.
        type RuntimeHoldReason: From<HoldReason>;
        /// The currency.
        type Currency: Inspect<Self::AccountId, Balance = Balance>
            + Mutate<Self::AccountId>
            + InspectHold<Self::AccountId, Reason = Self::RuntimeHoldReason>
            + MutateHold<Self::AccountId>;
        /// Which models there are.
        type Models: traits::Models;
        /// Who may say that a model has a sponsor.
        type ModelOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// HYDRA that may ever flow into the bucket, in 10⁻¹² HYDRA.
        #[pallet::constant]
        type EmissionCap: Get<Balance>;
        /// Blocks between a sponsor's notice and the return of what is left of its deposit: longer than any round that opened
        /// before.
        #[pallet::constant]
        type SponsorNotice: Get<BlockNumber>;
        /// The account that keeps query payments until they are claimed.
        #[pallet::constant]
        type PotId: Get<PalletId>;
        /// What the calls weigh.
        type WeightInfo: WeightInfo;
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// What a question to a model costs, in 10⁻¹² HYDRA.
        #[pallet::constant_name(QueryPrice)]
        fn query_price() -> Balance {
            QUERY_PRICE
        }
    }

    /// Why this pallet holds balance.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// Deposited to pay for a model's rounds.
        Sponsorship,
    }

    /// What new coin flowed into and rewards are paid from, as of the block in which something was last paid.
    #[pallet::storage]
    pub type Bucket<T: Config> = StorageValue<_, Level, ValueQuery>;

    /// HYDRA that rewards have minted so far, in 10⁻¹² HYDRA.
    #[pallet::storage]
    pub type Emitted<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// Who pays for a model's rounds with a deposit of its own. All other models' rounds are paid from the bucket.
    #[pallet::storage]
    pub type Sponsors<T: Config> = StorageMap<_, Twox64Concat, ModelId, Sponsorship<T::AccountId>>;

    /// Query payments per model.
    #[pallet::storage]
    pub type Pools<T: Config> = StorageMap<_, Twox64Concat, ModelId, Pool, ValueQuery>;

    /// Each account's part in a model's query payments.
    #[pallet::storage]
    pub type Shares<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Blake2_128Concat, T::AccountId, Share, ValueQuery>;

    /// How new coin flows into the bucket. The pot gets its existential deposit, so that no payment into or out of it can ever
    /// fail for its sake.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// What a block brings before the first halving, in 10⁻¹² HYDRA.
        pub emission_per_block: Balance,
        /// Blocks between halvings; 0 for none.
        pub halving_blocks: BlockNumber,
        /// What is in the bucket from the first block on, in 10⁻¹² HYDRA: a reward is at most a thousandth of what is in it, and what a round
        /// earns 32 thousandths.
        pub bucket: Balance,
        #[serde(skip)]
        /// Nothing to set.
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.bucket <= T::EmissionCap::get(),
                "genesis puts no more into the bucket than the cap"
            );
            let emission = Emission {
                per_block: self.emission_per_block,
                halving: self.halving_blocks,
            };
            Bucket::<T>::put(Level::new(self.bucket, emission));
            T::Currency::mint_into(&Pallet::<T>::pot(), T::Currency::minimum_balance())
                .expect("the existential deposit can be minted");
        }
    }

    // Whoever reads blocks without metadata knows `QueryPaid` by its index: `hydra_primitives::rewards::QUERY_PAID`.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Accepted work was paid, since its version is confirmed.
        Rewarded {
            /// Who did the work.
            who: T::AccountId,
            /// Its part of the reward, in 10⁻¹² HYDRA.
            amount: Balance,
            /// The work, in sample-parameters.
            work: u64,
            /// What those who verified it got together, in 10⁻¹² HYDRA.
            verifiers: Balance,
        },
        /// Somebody paid to ask a model a question.
        QueryPaid {
            /// Who asked.
            who: T::AccountId,
            /// The model.
            model: ModelId,
            /// The version that was confirmed when the payment was made.
            version: Version,
            /// BLAKE3 of the request.
            request_hash: H256,
            /// What it cost, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// An account received its part of a model's query payments.
        QueryShareClaimed {
            /// The account.
            who: T::AccountId,
            /// The model.
            model: ModelId,
            /// What it received, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// A verifier received its part of a reward.
        VerifierRewarded {
            /// The verifier.
            who: T::AccountId,
            /// What it received, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// Somebody who was right received a part of what those forfeited who were wrong.
        ForfeitReceived {
            /// Who was right.
            who: T::AccountId,
            /// What it received, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// Of what was forfeited, a part went to those who were right, and the rest is burnt.
        ForfeitShared {
            /// What those who were right received together, in 10⁻¹² HYDRA.
            amount: Balance,
            /// What is burnt, in 10⁻¹² HYDRA.
            burnt: Balance,
        },
        /// Whoever pays for a model's round paid for the block space that its duties take.
        DutiesPaid {
            /// The model.
            model: ModelId,
            /// What was burnt, in 10⁻¹² HYDRA.
            burnt: Balance,
        },
        /// Governance said who pays for a model's rounds.
        SponsorSet {
            /// The model.
            model: ModelId,
            /// The sponsor; none if the bucket pays.
            sponsor: Option<T::AccountId>,
        },
        /// A sponsor added to its deposit.
        Sponsored {
            /// The model.
            model: ModelId,
            /// The sponsor.
            who: T::AccountId,
            /// What it added, in 10⁻¹² HYDRA.
            amount: Balance,
        },
        /// A sponsor gave notice: no round of the model opens any more.
        SponsorshipEnding {
            /// The model.
            model: ModelId,
            /// The sponsor.
            who: T::AccountId,
            /// The block from which on it may take back what is left.
            ends_at: BlockNumber,
        },
        /// What was left of a sponsor's deposit went back to it.
        SponsorshipWithdrawn {
            /// The model.
            model: ModelId,
            /// The sponsor.
            who: T::AccountId,
            /// What went back, in 10⁻¹² HYDRA.
            amount: Balance,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no model with this number. The chain state `trainingProposals.models` has those there are.
        UnknownModel,
        /// Nobody has trained this model yet, so there is nobody to pay. Wait for its first confirmed version.
        NothingToAsk,
        /// Nothing is owed to this account for this model. Work on the model is what earns a part of its query payments.
        NothingToClaim,
        /// This account does not sponsor this model. Governance says who does: chain state `hydraToken.sponsors`.
        NotTheSponsor,
        /// The rounds that opened before the notice have to be paid first. Try again at the block in `hydraToken.sponsors`.
        NoticeRuns,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Pays 0.5 HYDRA for one question to a model. The answer comes from the asker's own node, which runs the
        /// newest confirmed version; `requestHash` is the BLAKE3 of the question, so that payment and question belong
        /// together without the question being public. `hydra ask` makes the hash, pays and asks; paid by hand, there is no
        /// answer. The payment goes to those whose work made the model.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::pay_query())]
        pub fn pay_query(origin: OriginFor<T>, model: ModelId, request_hash: H256) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let version = T::Models::confirmed_version(model).ok_or(Error::<T>::UnknownModel)?;
            Pools::<T>::try_mutate(model, |pool| -> DispatchResult {
                ensure!(version > 0 && pool.pay_in(QUERY_PRICE), Error::<T>::NothingToAsk);
                T::Currency::transfer(&who, &Self::pot(), QUERY_PRICE, Preservation::Preserve)?;
                Ok(())
            })?;
            Self::deposit_event(Event::QueryPaid {
                who,
                model,
                version,
                request_hash,
                amount: QUERY_PRICE,
            });
            Ok(())
        }

        /// Sends the signer its part of a model's query payments so far. Not needed by those who keep working on the
        /// model: new shares settle what is owed on the way.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::claim())]
        pub fn claim(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(Self::owed_to(model, who.clone()) > 0, Error::<T>::NothingToClaim);
            Pools::<T>::try_mutate(model, |pool| {
                Shares::<T>::try_mutate(model, &who, |share| Self::pay_out(model, &who, pool, share))
            })
        }

        /// Says who pays for a model's rounds: `sponsor` with a deposit of its own, or the bucket if none is given. What is left of
        /// a former sponsor's deposit goes back to it. For governance.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::set_sponsor())]
        pub fn set_sponsor(
            origin: OriginFor<T>,
            model: ModelId,
            sponsor: Option<T::AccountId>,
        ) -> DispatchResult {
            T::ModelOrigin::ensure_origin(origin)?;
            ensure!(
                T::Models::confirmed_version(model).is_some(),
                Error::<T>::UnknownModel
            );
            if let Some(former) = Sponsors::<T>::take(model) {
                Self::return_deposit(model, former)?;
            }
            if let Some(account) = &sponsor {
                Sponsors::<T>::insert(model, Self::promise(account.clone()));
            }
            Self::deposit_event(Event::SponsorSet { model, sponsor });
            Ok(())
        }

        /// Adds `amount` (in 10⁻¹² HYDRA) to the deposit that the rounds of a model are paid from. Only who governance named as
        /// the model's sponsor may. A reward is at most a thousandth of what is left. Takes back a notice.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::sponsor())]
        pub fn sponsor(origin: OriginFor<T>, model: ModelId, amount: Balance) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::change_sponsorship(model, &who, |sponsorship| {
                T::Currency::hold(&HoldReason::Sponsorship.into(), &who, amount)?;
                sponsorship.left = sponsorship.left.saturating_add(amount);
                sponsorship.ends_at = None;
                Ok(())
            })?;
            Self::deposit_event(Event::Sponsored { model, who, amount });
            Ok(())
        }

        /// Gives notice that the signer no longer pays for a model's rounds: none opens any more. Called again `SponsorNotice`
        /// blocks later, when those that were open are paid, sends back what is left of the deposit.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::withdraw_sponsorship())]
        pub fn withdraw_sponsorship(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let now = Self::now();
            Self::change_sponsorship(model, &who, |sponsorship| {
                if let Some(ends_at) = sponsorship.ends_at {
                    ensure!(now >= ends_at, Error::<T>::NoticeRuns);
                    let former = core::mem::replace(sponsorship, Self::promise(who.clone()));
                    return Self::return_deposit(model, former);
                }
                let ends_at = now.saturating_add(T::SponsorNotice::get());
                sponsorship.ends_at = Some(ends_at);
                Self::deposit_event(Event::SponsorshipEnding {
                    model,
                    who: who.clone(),
                    ends_at,
                });
                Ok(())
            })
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What an account could claim of a model's query payments now, in 10⁻¹² HYDRA.
        pub fn owed_to(model: ModelId, who: T::AccountId) -> Balance {
            Pools::<T>::get(model).owed(&Shares::<T>::get(model, who))
        }

        /// What is in the bucket now, in 10⁻¹² HYDRA.
        pub fn in_bucket() -> Balance {
            Self::level().has
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The account that keeps query payments until they are claimed.
    pub fn pot() -> T::AccountId {
        T::PotId::get().into_account_truncating()
    }

    /// What is in the bucket in this block.
    pub(crate) fn level() -> Level {
        Bucket::<T>::get().filled(Self::now(), T::EmissionCap::get())
    }

    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// A sponsor that has deposited nothing yet.
    fn promise(account: T::AccountId) -> Sponsorship<T::AccountId> {
        Sponsorship {
            account,
            left: 0,
            ends_at: None,
        }
    }

    /// Changes the sponsorship of a model whose sponsor is `who`.
    fn change_sponsorship(
        model: ModelId,
        who: &T::AccountId,
        change: impl FnOnce(&mut Sponsorship<T::AccountId>) -> DispatchResult,
    ) -> DispatchResult {
        Sponsors::<T>::try_mutate(model, |sponsorship| {
            let sponsorship = sponsorship
                .as_mut()
                .filter(|sponsorship| sponsorship.account == *who)
                .ok_or(Error::<T>::NotTheSponsor)?;
            change(sponsorship)
        })
    }

    fn return_deposit(model: ModelId, former: Sponsorship<T::AccountId>) -> DispatchResult {
        if former.left == 0 {
            return Ok(());
        }
        let amount = T::Currency::release(
            &HoldReason::Sponsorship.into(),
            &former.account,
            former.left,
            Precision::Exact,
        )?;
        Self::deposit_event(Event::SponsorshipWithdrawn {
            model,
            who: former.account,
            amount,
        });
        Ok(())
    }
}
