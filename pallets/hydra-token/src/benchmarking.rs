//! What the calls take at most. Run by `hydra-weights`, which says how.
#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use crate::{Call, Config, HoldReason, Pallet, Pools, Sponsors, Sponsorship};
use core::slice;
use frame_benchmarking::v2::*;
use frame_support::traits::fungible::{InspectHold, MutateHold};
use frame_system::RawOrigin;
use hydra_primitives::{Balance, BlockNumber, H256, HYDRA, ModelId, benchmarks::BenchmarkChain};

/// Every network begins with it.
const MODEL: ModelId = 0;
const DEPOSIT: Balance = 1_000 * HYDRA;

/// Makes an account the model's sponsor, with a deposit.
fn sponsored_by<T: Config + BenchmarkChain<T::AccountId>>(who: &T::AccountId, ends_at: Option<BlockNumber>) {
    T::endow(who, 2 * DEPOSIT);
    T::Currency::hold(&HoldReason::Sponsorship.into(), who, DEPOSIT).unwrap();
    Sponsors::<T>::insert(
        MODEL,
        Sponsorship {
            account: who.clone(),
            left: DEPOSIT,
            ends_at,
        },
    );
}

fn held<T: Config>(who: &T::AccountId) -> Balance {
    T::Currency::balance_on_hold(&HoldReason::Sponsorship.into(), who)
}

#[benchmarks(where T: BenchmarkChain<T::AccountId>)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn pay_query() {
        let caller: T::AccountId = whitelisted_caller();
        T::endow(&caller, HYDRA);
        T::confirm(MODEL);
        T::owe(MODEL, &[account("worker", 0, 0)]);
        let before = Pools::<T>::get(MODEL);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), MODEL, H256::repeat_byte(7));

        assert_ne!(Pools::<T>::get(MODEL), before);
    }

    #[benchmark]
    fn claim() {
        let caller: T::AccountId = whitelisted_caller();
        T::endow(&caller, HYDRA);
        T::owe(MODEL, slice::from_ref(&caller));

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), MODEL);

        assert_eq!(Pallet::<T>::owed_to(MODEL, caller), 0);
    }

    #[benchmark]
    fn set_sponsor() {
        let former: T::AccountId = account("former", 0, 0);
        sponsored_by::<T>(&former, None);
        let next: T::AccountId = account("next", 0, 0);

        #[extrinsic_call]
        _(RawOrigin::Root, MODEL, Some(next.clone()));

        assert_eq!(Sponsors::<T>::get(MODEL).unwrap().account, next);
        assert_eq!(held::<T>(&former), 0);
    }

    #[benchmark]
    fn sponsor() {
        let caller: T::AccountId = whitelisted_caller();
        sponsored_by::<T>(&caller, Some(9));

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), MODEL, HYDRA);

        assert_eq!(held::<T>(&caller), DEPOSIT + HYDRA);
    }

    #[benchmark]
    fn withdraw_sponsorship() {
        let caller: T::AccountId = whitelisted_caller();
        // Its notice is over: it gets back what is left.
        sponsored_by::<T>(&caller, Some(0));

        #[extrinsic_call]
        _(RawOrigin::Signed(caller.clone()), MODEL);

        assert_eq!(held::<T>(&caller), 0);
    }
}
