//! Who pays for a model's rounds: the bucket, or the model's sponsor; never both.

use frame_support::{
    pallet_prelude::*,
    traits::{
        fungible::{Mutate, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
    },
};
use hydra_primitives::{Balance, BlockNumber, ModelId};

use crate::{Bucket, Config, Emitted, HoldReason, Pallet, Sponsors, bucket::Level};

/// Who pays for a model's rounds in the bucket's place.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Sponsorship<AccountId> {
    /// The sponsor.
    pub account: AccountId,
    /// What is left of its deposit, in 10⁻¹² HYDRA.
    pub left: Balance,
    /// The block from which on it may take back what is left, if it gave notice: no round opens any more.
    pub ends_at: Option<BlockNumber>,
}

/// A payer, taken in hand. What is paid from it is written by [`Purse::put_back`].
pub(crate) enum Purse<T: Config> {
    Bucket(Level),
    Sponsor(Sponsorship<T::AccountId>),
}

impl<T: Config> Purse<T> {
    /// That of a model.
    pub(crate) fn of(model: ModelId) -> Self {
        match Sponsors::<T>::get(model) {
            Some(sponsorship) => Self::Sponsor(sponsorship),
            None => Self::Bucket(Pallet::<T>::level()),
        }
    }

    /// What is in it.
    pub(crate) fn has(&self) -> Balance {
        match self {
            Self::Bucket(level) => level.has,
            Self::Sponsor(sponsorship) => sponsorship.left,
        }
    }

    /// Whether it pays for rounds that open now.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Bucket(_) => true,
            Self::Sponsor(sponsorship) => sponsorship.ends_at.is_none(),
        }
    }

    /// Pays up to `amount` to `who`, and says how much. Nothing where that can't be paid: it would not bring a dead account to life.
    pub(crate) fn pay(&mut self, who: &T::AccountId, amount: Balance) -> Balance {
        let amount = amount.min(self.has());
        if amount == 0 {
            return 0;
        }
        match self {
            Self::Bucket(level) => {
                if T::Currency::mint_into(who, amount).is_err() {
                    return 0;
                }
                Emitted::<T>::mutate(|emitted| *emitted = emitted.saturating_add(amount));
                level.take(amount)
            }
            Self::Sponsor(sponsorship) => {
                let paid = T::Currency::transfer_on_hold(
                    &HoldReason::Sponsorship.into(),
                    &sponsorship.account,
                    who,
                    amount,
                    Precision::Exact,
                    Restriction::Free,
                    Fortitude::Force,
                )
                .unwrap_or(0);
                sponsorship.left = sponsorship.left.saturating_sub(paid);
                paid
            }
        }
    }

    /// Burns up to `amount`, and says how much. What is burnt of the bucket is never minted.
    pub(crate) fn burn(&mut self, amount: Balance) -> Balance {
        let amount = amount.min(self.has());
        match self {
            _ if amount == 0 => 0,
            Self::Bucket(level) => level.take(amount),
            Self::Sponsor(sponsorship) => {
                let burnt = T::Currency::burn_held(
                    &HoldReason::Sponsorship.into(),
                    &sponsorship.account,
                    amount,
                    Precision::Exact,
                    Fortitude::Force,
                )
                .unwrap_or(0);
                sponsorship.left = sponsorship.left.saturating_sub(burnt);
                burnt
            }
        }
    }

    /// Writes what became of it.
    pub(crate) fn put_back(self, model: ModelId) {
        match self {
            Self::Bucket(level) => Bucket::<T>::put(level),
            Self::Sponsor(sponsorship) => Sponsors::<T>::insert(model, sponsorship),
        }
    }
}
