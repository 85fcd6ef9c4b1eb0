//! Bonds: what an account risks. A bond is a hold on its balance, and that hold is the only record of it; of what is held,
//! [`Unbonding`] says which part is on its way back. Nothing here may let go of a unit before its time is over, or take one that is
//! not held.

use crate::{Config, Error, Event, HoldReason, Pallet, Unbonding, UnbondingDelay};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    ensure,
    pallet_prelude::{DispatchResult, TypeInfo},
    traits::{
        Get,
        fungible::{InspectHold, MutateHold},
        tokens::{Fortitude, Precision},
    },
};
use hydra_primitives::{
    Balance, BlockNumber, reputation,
    traits::{BondError, Nodes as _, Stakes},
};

/// The most amounts of one account that can be unbonding at a time.
pub const MAX_UNBONDING: u32 = 8;

/// An amount that is unbonding.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Unbond {
    /// How much, in 10⁻¹² HYDRA.
    pub amount: Balance,
    /// The block from which on it can be withdrawn.
    pub until: BlockNumber,
}

impl<T: Config> Pallet<T> {
    /// All that is held: bonded and unbonding.
    pub(crate) fn held(who: &T::AccountId) -> Balance {
        T::Currency::balance_on_hold(&HoldReason::Bond.into(), who)
    }

    /// Begins to unbond `amount`.
    pub(crate) fn do_unbond(who: T::AccountId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::NothingToUnbond);
        let left = Self::bonded(&who)
            .checked_sub(amount)
            .ok_or(Error::<T>::NotBonded)?;
        ensure!(
            left == 0 || left >= Self::minimum(),
            Error::<T>::BelowMinimumStake
        );
        let until = Self::now().saturating_add(UnbondingDelay::<T>::get());
        Unbonding::<T>::try_mutate(&who, |unbonding| match unbonding.last_mut() {
            Some(last) if last.until == until => {
                last.amount = last.amount.saturating_add(amount);
                Ok(())
            }
            _ => unbonding
                .try_push(Unbond { amount, until })
                .map_err(|_| Error::<T>::TooManyUnbonding),
        })?;
        // What it weighs in this session's electorate and in the next is more than it risks now.
        T::Nodes::leave(&who);
        Self::deposit_event(Event::Unbonding { who, amount, until });
        Ok(())
    }

    /// Pays out what has been unbonding for long enough.
    pub(crate) fn do_withdraw(who: T::AccountId) -> DispatchResult {
        let now = Self::now();
        let (mut left, mut amount) = (Unbonding::<T>::get(&who), 0);
        left.retain(|unbond| {
            let over = unbond.until <= now;
            if over {
                amount = unbond.amount.saturating_add(amount);
            }
            !over
        });
        ensure!(amount > 0, Error::<T>::NothingToWithdraw);
        T::Currency::release(&HoldReason::Bond.into(), &who, amount, Precision::Exact)?;
        if left.is_empty() {
            Unbonding::<T>::remove(&who);
        } else {
            Unbonding::<T>::insert(&who, left);
        }
        Self::deposit_event(Event::Withdrawn { who, amount });
        Ok(())
    }

    /// Takes `amount` out of what is unbonding, the newest first.
    fn take_from_unbonding(who: &T::AccountId, mut amount: Balance) {
        let mut unbonding = Unbonding::<T>::get(who);
        while let Some(newest) = unbonding.last_mut() {
            let part = newest.amount.min(amount);
            newest.amount = newest.amount.saturating_sub(part);
            amount = amount.saturating_sub(part);
            if newest.amount > 0 {
                break;
            }
            unbonding.pop();
        }
        if unbonding.is_empty() {
            Unbonding::<T>::remove(who);
        } else {
            Unbonding::<T>::insert(who, unbonding);
        }
    }
}

impl<T: Config> Stakes<T::AccountId> for Pallet<T> {
    fn bonded(who: &T::AccountId) -> Balance {
        Self::held(who).saturating_sub(Self::unbonding(who))
    }

    fn unbonding(who: &T::AccountId) -> Balance {
        Unbonding::<T>::get(who)
            .iter()
            .fold(0, |sum, unbond| unbond.amount.saturating_add(sum))
    }

    fn unbonding_delay() -> BlockNumber {
        UnbondingDelay::<T>::get()
    }

    fn is_staked(who: &T::AccountId) -> bool {
        Self::bonded(who) >= Self::minimum()
    }

    fn minimum() -> Balance {
        reputation::minimum_stake(T::MinStake::get(), T::Nodes::count())
    }

    fn bond(who: &T::AccountId, amount: Balance) -> Result<(), BondError> {
        let total = Self::bonded(who).saturating_add(amount);
        if total < Self::minimum() {
            return Err(BondError::BelowMinimum);
        }
        T::Currency::hold(&HoldReason::Bond.into(), who, amount).map_err(|_| BondError::NotEnough)?;
        Self::deposit_event(Event::Bonded {
            who: who.clone(),
            amount,
            total,
        });
        Ok(())
    }

    fn forfeit(who: &T::AccountId, amount: Balance) -> Balance {
        let amount = amount.min(Self::held(who));
        if amount == 0 {
            return 0;
        }
        let bonded = Self::bonded(who);
        let taken = T::Currency::burn_held(
            &HoldReason::Bond.into(),
            who,
            amount,
            Precision::BestEffort,
            Fortitude::Force,
        )
        .unwrap_or(0);
        if taken > bonded {
            Self::take_from_unbonding(who, taken.saturating_sub(bonded));
        }
        if taken > 0 {
            // It weighs more in this session's electorate than it risks now.
            T::Nodes::leave(who);
            Self::deposit_event(Event::Forfeited {
                who: who.clone(),
                amount: taken,
            });
        }
        taken
    }
}
