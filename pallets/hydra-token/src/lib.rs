//! # HYDRA token
//!
//! Where HYDRA comes from and where query payments go. Accepted work mints its reward, until the emission cap is
//! reached. Whoever asks a model a question pays 0.5 HYDRA into the model's pool, which belongs to those whose work
//! made the model what it is (proposers and verifiers, of all versions up to the newest) in proportion to their shares.
//! Balances themselves are in `balances`.
//!
//! This pallet must never judge work, and never loop over accounts: a pool is an accumulator
//! ([`hydra_primitives::rewards::Pool`]), and every payment, new share and claim is O(1).
//!
//! Start with [`hydra_primitives::rewards`], the arithmetic and its tests; here are the calls `payQuery` and `claim`, and
//! [`Rewards`](hydra_primitives::traits::Rewards), through which settlement pays.
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

pub use pallet::*;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::{
    PalletId,
    pallet_prelude::*,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
    },
};
use hydra_primitives::{
    Balance, H256, ModelId, Version,
    rewards::{self, Pool, QUERY_PRICE, Share},
    traits::{self, Models as _},
};
use sp_runtime::traits::AccountIdConversion;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// The currency.
        type Currency: Inspect<Self::AccountId, Balance = Balance> + Mutate<Self::AccountId>;
        /// Which models can be asked.
        type Models: traits::Models;
        /// HYDRA that rewards may ever mint, in 10⁻¹² HYDRA.
        #[pallet::constant]
        type EmissionCap: Get<Balance>;
        /// The account that keeps query payments until they are claimed.
        #[pallet::constant]
        type PotId: Get<PalletId>;
    }

    #[pallet::extra_constants]
    impl<T: Config> Pallet<T> {
        /// What a question to a model costs, in 10⁻¹² HYDRA.
        #[pallet::constant_name(QueryPrice)]
        fn query_price() -> Balance {
            QUERY_PRICE
        }
    }

    /// HYDRA that rewards have minted so far, in 10⁻¹² HYDRA.
    #[pallet::storage]
    pub type Emitted<T: Config> = StorageValue<_, Balance, ValueQuery>;

    /// Query payments per model.
    #[pallet::storage]
    pub type Pools<T: Config> = StorageMap<_, Twox64Concat, ModelId, Pool, ValueQuery>;

    /// Each account's part in a model's query payments.
    #[pallet::storage]
    pub type Shares<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Blake2_128Concat, T::AccountId, Share, ValueQuery>;

    /// Gives the pot its existential deposit, so that no payment into or out of it can ever fail for its sake.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        /// Nothing to set.
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            T::Currency::mint_into(&Pallet::<T>::pot(), T::Currency::minimum_balance())
                .expect("the existential deposit can be minted");
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// Accepted work was paid with newly minted HYDRA.
        Rewarded {
            /// Who did the work.
            who: T::AccountId,
            /// The reward, in 10⁻¹² HYDRA.
            amount: Balance,
            /// The work, in sample-parameters.
            work: u64,
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
        /// An account gained shares of a model's later query payments.
        QuerySharesAdded {
            /// The account.
            who: T::AccountId,
            /// The model.
            model: ModelId,
            /// The new shares.
            shares: u64,
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
        #[pallet::weight(Weight::from_parts(60_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(5, 3)))]
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
        #[pallet::weight(Weight::from_parts(60_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(4, 4)))]
        pub fn claim(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(Self::owed_to(model, who.clone()) > 0, Error::<T>::NothingToClaim);
            Pools::<T>::try_mutate(model, |pool| {
                Shares::<T>::try_mutate(model, &who, |share| Self::pay_out(model, &who, pool, share))
            })
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// What an account could claim of a model's query payments now, in 10⁻¹² HYDRA.
        pub fn owed_to(model: ModelId, who: T::AccountId) -> Balance {
            Pools::<T>::get(model).owed(&Shares::<T>::get(model, who))
        }
    }
}

impl<T: Config> Pallet<T> {
    /// The account that keeps query payments until they are claimed.
    pub fn pot() -> T::AccountId {
        T::PotId::get().into_account_truncating()
    }

    fn pay_out(model: ModelId, who: &T::AccountId, pool: &mut Pool, share: &mut Share) -> DispatchResult {
        let amount = pool.settle(share);
        if amount > 0 {
            T::Currency::transfer(&Self::pot(), who, amount, Preservation::Preserve)?;
            Self::deposit_event(Event::QueryShareClaimed {
                who: who.clone(),
                model,
                amount,
            });
        }
        Ok(())
    }

    /// The pallet's invariants, each with its name.
    #[cfg(any(feature = "std", feature = "try-runtime"))]
    pub fn do_try_state() -> Result<(), &'static str> {
        ensure!(
            Emitted::<T>::get() <= T::EmissionCap::get(),
            "hydra-token: more was minted than the cap"
        );
        let mut kept: Balance = 0;
        for (model, pool) in Pools::<T>::iter() {
            let held = pool
                .paid_in
                .checked_sub(pool.paid_out)
                .ok_or("hydra-token: a pool paid out more than it got")?;
            let (mut shares, mut owed) = (0u128, 0u128);
            for share in Shares::<T>::iter_prefix_values(model) {
                shares = shares.saturating_add(share.shares);
                owed = owed.saturating_add(pool.owed(&share));
            }
            ensure!(
                shares == pool.shares,
                "hydra-token: a pool's shares are those of its accounts"
            );
            ensure!(owed <= held, "hydra-token: a pool owes no more than it holds");
            kept = kept.saturating_add(held);
        }
        ensure!(
            T::Currency::balance(&Self::pot()) >= kept.saturating_add(T::Currency::minimum_balance()),
            "hydra-token: the pot holds what the pools hold"
        );
        Ok(())
    }
}

impl<T: Config> traits::Rewards<T::AccountId> for Pallet<T> {
    fn pay(who: &T::AccountId, work: u64) -> Balance {
        let emitted = Emitted::<T>::get();
        let amount = rewards::reward(work).min(T::EmissionCap::get().saturating_sub(emitted));
        // Minting fails only for an account that can't exist yet and a reward below the existential deposit.
        if amount == 0 || T::Currency::mint_into(who, amount).is_err() {
            return 0;
        }
        Emitted::<T>::put(emitted.saturating_add(amount));
        Self::deposit_event(Event::Rewarded {
            who: who.clone(),
            amount,
            work,
        });
        amount
    }

    fn add_query_shares(model: ModelId, who: &T::AccountId, shares: u64) {
        Pools::<T>::mutate(model, |pool| {
            Shares::<T>::mutate(model, who, |share| {
                let before = (*pool, *share);
                if Self::pay_out(model, who, pool, share).is_err() {
                    // Can't be paid now (below the existential deposit of a dead account): it stays owed.
                    (*pool, *share) = before;
                    return;
                }
                pool.add_shares(share, shares.into());
                Self::deposit_event(Event::QuerySharesAdded {
                    who: who.clone(),
                    model,
                    shares,
                });
            });
        });
    }
}
