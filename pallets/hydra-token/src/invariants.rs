//! What is true of this pallet's state after every block.

use alloc::collections::BTreeMap;
use frame_support::{
    pallet_prelude::*,
    traits::fungible::{Inspect, InspectHold},
};
use hydra_primitives::Balance;

use crate::{Bucket, Config, Emitted, HoldReason, Pallet, Pools, Shares, Sponsors};

impl<T: Config> Pallet<T> {
    /// The pallet's invariants, each with its name.
    pub fn do_try_state() -> Result<(), &'static str> {
        let level = Bucket::<T>::get();
        ensure!(
            level.flowed <= T::EmissionCap::get(),
            "hydra-token: more flowed into the bucket than the cap"
        );
        ensure!(
            Emitted::<T>::get().saturating_add(level.has) <= level.flowed,
            "hydra-token: what was minted and what is left flowed into the bucket"
        );
        ensure!(
            level.at <= Self::now(),
            "hydra-token: the bucket knows no later block"
        );
        Self::check_pools()?;
        Self::check_sponsors()
    }

    fn check_pools() -> Result<(), &'static str> {
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

    fn check_sponsors() -> Result<(), &'static str> {
        let mut deposits = BTreeMap::<T::AccountId, Balance>::new();
        for sponsorship in Sponsors::<T>::iter_values() {
            let deposit = deposits.entry(sponsorship.account).or_default();
            *deposit = deposit.saturating_add(sponsorship.left);
        }
        for (account, deposit) in deposits {
            ensure!(
                T::Currency::balance_on_hold(&HoldReason::Sponsorship.into(), &account) == deposit,
                "hydra-token: a sponsor's deposit is on hold"
            );
        }
        Ok(())
    }
}
