//! What the other pallets ask of this one: what work would earn, to pay it, and where forfeits go.

use frame_support::{
    pallet_prelude::*,
    traits::{fungible::Mutate, tokens::Preservation},
};
use hydra_primitives::{
    Balance, ModelId,
    rewards::{self, Pool, Share},
    traits,
};

use crate::{Config, Event, Pallet, Pools, Shares, purse::Purse};

/// A payer has at least this many times what the block space of the next round costs.
const LEAST_ROUNDS: Balance = 100;

impl<T: Config> traits::Rewards<T::AccountId> for Pallet<T> {
    fn quote(model: ModelId, work: u64, places: u32, bond: Balance) -> Balance {
        rewards::reward(work, places, Purse::<T>::of(model).has(), bond)
    }

    /// With less than so many rounds' block space, a round would be trained for next to nothing; and one whose thousandth rounds to
    /// nothing pays nothing.
    fn can_pay(model: ModelId, space: Balance) -> bool {
        let purse = Purse::<T>::of(model);
        purse.is_open()
            && purse.has() >= space.saturating_mul(LEAST_ROUNDS)
            && rewards::reward(u64::MAX, 1, purse.has(), Balance::MAX) > 0
    }

    fn pay(
        model: ModelId,
        holder: &T::AccountId,
        work: u64,
        reward: Balance,
        right: &[(T::AccountId, u32)],
    ) -> traits::Paid {
        let mut purse = Purse::<T>::of(model);
        let reward = reward.min(purse.has());
        let verifiers_part = rewards::verifiers_part(reward);
        let amount = purse.pay(holder, reward.saturating_sub(verifiers_part));
        let verifiers = by_seats(verifiers_part, right, |who, part| {
            let amount = purse.pay(who, part);
            if amount > 0 {
                Self::deposit_event(Event::VerifierRewarded {
                    who: who.clone(),
                    amount,
                });
            }
            amount
        });
        purse.put_back(model);
        Self::deposit_event(Event::Rewarded {
            who: holder.clone(),
            amount,
            work,
            verifiers,
        });
        Pools::<T>::mutate(model, |pool| {
            Self::add_query_shares(model, pool, holder, rewards::proposer_shares(work));
            for (who, seats) in right {
                let shares = u64::from(*seats).saturating_mul(rewards::VERIFIER_SHARES);
                Self::add_query_shares(model, pool, who, shares);
            }
        });
        traits::Paid {
            holder: amount,
            verifiers,
        }
    }

    fn burn_for_duties(model: ModelId, amount: Balance) {
        let mut purse = Purse::<T>::of(model);
        let burnt = purse.burn(amount);
        purse.put_back(model);
        Self::deposit_event(Event::DutiesPaid { model, burnt });
    }

    fn share_forfeit(amount: Balance, right: &[(T::AccountId, u32)]) {
        let half = amount.checked_div(2).unwrap_or(0);
        let shared = by_seats(half, right, |who, part| {
            if part == 0 || T::Currency::mint_into(who, part).is_err() {
                return 0;
            }
            Self::deposit_event(Event::ForfeitReceived {
                who: who.clone(),
                amount: part,
            });
            part
        });
        Self::deposit_event(Event::ForfeitShared {
            amount: shared,
            burnt: amount.saturating_sub(shared),
        });
    }
}

/// Gives each account its part of `amount` by seats, and says what all of them got.
fn by_seats<AccountId>(
    amount: Balance,
    right: &[(AccountId, u32)],
    mut give: impl FnMut(&AccountId, Balance) -> Balance,
) -> Balance {
    let all = right
        .iter()
        .fold(0u32, |all, (_, seats)| all.saturating_add(*seats));
    right.iter().fold(0, |given: Balance, (who, seats)| {
        given.saturating_add(give(who, rewards::by_seats(amount, *seats, all)))
    })
}

impl<T: Config> Pallet<T> {
    /// Settles what an account is owed of the model's query payments, and gives it shares of later ones.
    fn add_query_shares(model: ModelId, pool: &mut Pool, who: &T::AccountId, shares: u64) {
        Shares::<T>::mutate(model, who, |share| {
            let before = (*pool, *share);
            if Self::pay_out(model, who, pool, share).is_err() {
                // Can't be paid now (below the existential deposit of a dead account): it stays owed.
                (*pool, *share) = before;
            }
            pool.add_shares(share, shares.into());
        });
    }

    /// Pays an account what it is owed of the model's query payments.
    pub(crate) fn pay_out(
        model: ModelId,
        who: &T::AccountId,
        pool: &mut Pool,
        share: &mut Share,
    ) -> DispatchResult {
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
}
