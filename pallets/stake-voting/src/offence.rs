//! What a validator forfeits that signed two things which exclude each other: a fraction of its bond, named by the runtime. Reports of
//! one session come again with every further offender, each time with a larger fraction: only what a larger one adds is taken.

use crate::{Config, Offences, Pallet};
use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::TypeInfo;
use hydra_primitives::{Balance, Perbill, electorate::SessionIndex, traits::Stakes as _};

/// The most offenders of one session that are remembered: as many as a committee has members.
pub const MAX_OFFENDERS: u32 = 256;

/// What an account forfeited for an offence.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Offence<AccountId> {
    /// The account.
    pub who: AccountId,
    /// The largest fraction so far.
    pub fraction: Perbill,
    /// Of what it is a fraction: all that was held when the first report came.
    pub held: Balance,
}

impl<T: Config> Pallet<T> {
    /// Burns `fraction` of what the account had bonded or was unbonding when its first offence of the session was reported, less what
    /// was taken for that session already. Says how much that was.
    pub fn punish(session: SessionIndex, who: &T::AccountId, fraction: Perbill) -> Balance {
        let owed = Offences::<T>::mutate(session, |offences| {
            if let Some(known) = offences.iter_mut().find(|offence| offence.who == *who) {
                let before = known.fraction;
                known.fraction = before.max(fraction);
                let taken = before.mul_floor(known.held);
                return known.fraction.mul_floor(known.held).saturating_sub(taken);
            }
            let held = Self::held(who);
            let offence = Offence {
                who: who.clone(),
                fraction,
                held,
            };
            match offences.try_push(offence) {
                Ok(()) => fraction.mul_floor(held),
                // There is nobody more to report in a session.
                Err(_) => 0,
            }
        });
        Self::forfeit(who, owed)
    }

    /// Who forfeited for an offence of this session.
    pub fn offenders(session: SessionIndex) -> Vec<T::AccountId> {
        let offences = Offences::<T>::get(session);
        offences.into_iter().map(|offence| offence.who).collect()
    }

    /// Forgets the offences of sessions before this one: they can't be reported any more.
    pub fn forget_offences(before: SessionIndex) {
        // As many as there are sessions with offences that can be reported: few, and none as a rule.
        let old: Vec<_> = Offences::<T>::iter_keys()
            .filter(|session| *session < before)
            .collect();
        old.into_iter().for_each(Offences::<T>::remove);
    }
}
