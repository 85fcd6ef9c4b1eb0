//! Who enters the electorate, and draws that are no poll's: places and the committee. It brings stakes, scores and sessions to the pure
//! structure in [`crate::electorate`], and must never take anything of a claim into a seed.

use crate::{
    Config, Event, LargestWeights, Pallet, SizesTaken, electorate::Look, electorate::parity,
    electorate::storage::electorate, guard,
};
use alloc::{vec, vec::Vec};
use frame_system::pallet_prelude::BlockNumberFor;
use hydra_primitives::{
    H256,
    electorate::{Purpose, SEATS_MAX, SessionIndex, seed},
    model::SizeClass,
    reputation,
    status::ElectorateStatus,
    traits::{Electorate, ElectorateFull, Nodes as _, Sessions as _, Stakes as _},
};
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
    /// The seed of a draw on this chain.
    pub(crate) fn seed_of(purpose: &Purpose, randomness: &H256) -> H256 {
        let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        seed(&genesis, purpose, randomness)
    }

    /// Appends an account to the electorate of `session`, with the weight that it has now.
    pub(crate) fn append_to(
        session: SessionIndex,
        who: &T::AccountId,
        size: SizeClass,
        room: u8,
    ) -> Result<(), ElectorateFull> {
        let weight = reputation::weight(Self::bonded(who), T::Nodes::score(who));
        electorate::<T>(session)
            .append(who, weight)
            .map_err(|_| ElectorateFull)?;
        if room > 0 {
            SizesTaken::<T>::mutate(parity(session), |sizes| sizes.add(session, size, weight));
        }
        Ok(())
    }

    /// What becomes of a point that falls on an account that is in, for a task of this size.
    pub(crate) fn look(who: &T::AccountId, size: SizeClass) -> Look {
        if !T::Nodes::fits(who, size) {
            Look::Out
        } else if T::Nodes::has_room(who) {
            Look::Takes
        } else {
            Look::Busy
        }
    }

    /// The weight of a session's electorate. A tree that contradicts itself has none: nothing is asked then.
    fn total_of(session: SessionIndex) -> u64 {
        electorate::<T>(session).total().unwrap_or(0)
    }

    /// The electorate, as a person wants to see it.
    pub fn electorate_status() -> ElectorateStatus {
        let session = T::Sessions::current();
        let weight = Self::total_of(session);
        ElectorateStatus {
            session,
            accounts: electorate::<T>(session).len(),
            weight,
            next_accounts: electorate::<T>(session.saturating_add(1)).len(),
            registered: T::Nodes::count(),
            largest: weight.max(Self::largest_of_a_day(session)),
        }
    }

    /// Says that the committee of a session stays as it is, because a draw found too few who may be in it.
    pub fn say_committee_stays(session: SessionIndex, found: u32, present: u32) {
        Self::deposit_event(Event::CommitteeStays {
            session,
            found,
            present,
        });
    }

    fn largest_of_a_day(session: SessionIndex) -> u64 {
        LargestWeights::<T>::get().within_a_day(session, T::Sessions::per_day())
    }
}

impl<T: Config> Electorate<T::AccountId> for Pallet<T> {
    fn enter(who: &T::AccountId, size: SizeClass, room: u8) -> Result<(), ElectorateFull> {
        let session = T::Sessions::current();
        let next = session.saturating_add(1);
        // Once in a session: with the first that enters the next one's, this one's weight is remembered.
        let first = electorate::<T>(next).is_empty();
        Self::append_to(next, who, size, room)?;
        if first {
            let total = Self::total_of(session);
            LargestWeights::<T>::mutate(|largest| largest.note(session, total, T::Sessions::per_day()));
        }
        Ok(())
    }

    fn draw(purpose: &Purpose, randomness: &H256, k: u32, size: SizeClass) -> Vec<Option<T::AccountId>> {
        let seats = k.min(SEATS_MAX);
        let takes = |who: &T::AccountId| {
            if !T::Nodes::is_in(who) {
                return Look::Out;
            }
            let look = Self::look(who, size);
            if look == Look::Takes {
                // At once: an account must not get more seats of one draw than it has room for.
                T::Nodes::take_on(who);
            }
            look
        };
        electorate::<T>(T::Sessions::current())
            .seats(&Self::seed_of(purpose, randomness), seats, takes)
            .unwrap_or_else(|_| vec![None; usize::try_from(seats).unwrap_or(0)])
    }

    fn distinct(
        purpose: &Purpose,
        randomness: &H256,
        n: u32,
        eligible: impl FnMut(&T::AccountId) -> bool,
    ) -> Vec<T::AccountId> {
        electorate::<T>(T::Sessions::current().saturating_sub(1))
            .distinct(&Self::seed_of(purpose, randomness), n.min(SEATS_MAX), eligible)
            .unwrap_or_default()
    }

    fn accounts() -> u32 {
        electorate::<T>(T::Sessions::current()).len()
    }

    fn may_ask() -> bool {
        let session = T::Sessions::current();
        let total = Self::total_of(session);
        guard::is_enough(total, total.max(Self::largest_of_a_day(session)))
    }

    fn has_room(size: SizeClass) -> bool {
        let session = T::Sessions::current();
        let (total, taking) = (
            Self::total_of(session),
            SizesTaken::<T>::get(parity(session)).taking(session, size),
        );
        total > 0 && u128::from(taking).saturating_mul(10) >= u128::from(total).saturating_mul(9)
    }

    fn status() -> ElectorateStatus {
        Self::electorate_status()
    }
}
