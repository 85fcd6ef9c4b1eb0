//! What accounts put on chain with `submit`: whether each result is owed now, and what follows from it.
//!
//! Nothing here may trust that a result is owed because it was when it was sent: a block later it may not be.

use frame_support::{ensure, pallet_prelude::DispatchResult, weights::Weight};
use hydra_primitives::{
    H256,
    duty::DutyResult,
    electorate::SEATS_FIRST_MAX,
    proposal::{Claim, PlaceKey},
    status::Phase,
    traits::{Heartbeats as _, Polls as _, Stakes as _},
};

use crate::{Config, Confirmed, Error, Event, ModelTerms, Pallet, Place, Places, Round, Rounds, WeightInfo};

impl<T: Config> Pallet<T> {
    /// What taking these results may take.
    pub fn weight_of(results: &[DutyResult]) -> Weight {
        sum(results.iter().map(Self::taking))
    }

    fn taking(result: &DutyResult) -> Weight {
        match result {
            DutyResult::Heartbeat { .. } => T::WeightInfo::heartbeat(),
            DutyResult::Propose { .. } => T::WeightInfo::propose(),
            DutyResult::Digest { .. } => T::WeightInfo::digest(),
            DutyResult::Open { .. } => T::WeightInfo::open(seats(result)),
        }
    }

    /// What it may take to see whether they are owed.
    pub fn owed_weight(results: &[DutyResult]) -> Weight {
        sum(results.iter().map(|result| match result {
            DutyResult::Open { .. } => T::WeightInfo::owed(seats(result)),
            other => Self::looking(Self::taking(other)),
        }))
    }

    /// Seeing whether a result is owed that isn't an opening: what takes it sees that once more, and is measured with it.
    pub(crate) fn looking(taking: Weight) -> Weight {
        T::WeightInfo::owed(0).max(taking)
    }

    /// Whether `who` owes all of this now, and has given none of it; and there is something.
    pub fn all_owed(who: &T::AccountId, results: &[DutyResult]) -> bool {
        let alike = |(index, result): (usize, &DutyResult)| {
            results
                .iter()
                .skip(index.saturating_add(1))
                .any(|other| answers_the_same(result, other))
        };
        // What costs least first: it may be anything at all.
        !results.is_empty()
            && !results.iter().enumerate().any(alike)
            && results.iter().all(|result| Self::is_owed(who, result))
    }

    /// Whether `who` owes this result now.
    pub(crate) fn is_owed(who: &T::AccountId, result: &DutyResult) -> bool {
        match result {
            DutyResult::Heartbeat { session } => T::Heartbeats::owed(who) == Some(*session),
            DutyResult::Propose {
                key,
                task_seed,
                claim,
            } => Self::check_claim(who, key, task_seed, claim).is_ok(),
            DutyResult::Digest { poll, .. } => T::Polls::owes_digest(poll, who).is_some(),
            DutyResult::Open { poll, draw, opening } => {
                T::Polls::may_open(poll, who).is_some_and(|(open, _)| open == *draw)
                    && T::Polls::would_decide(poll, who, *draw, opening)
            }
        }
    }

    /// Takes a result, or says why not.
    pub(crate) fn take(who: &T::AccountId, result: DutyResult) -> DispatchResult {
        match result {
            DutyResult::Heartbeat { session } => T::Heartbeats::beat(who, session).map_err(Into::into),
            DutyResult::Propose {
                key,
                task_seed,
                claim,
            } => Self::propose(who, key, &task_seed, claim),
            DutyResult::Digest { poll, digest } => T::Polls::give(&poll, who, digest).map_err(Into::into),
            DutyResult::Open { poll, draw, opening } => {
                T::Polls::open(&poll, who, draw, &opening).map_err(Into::into)
            }
        }
    }

    fn propose(who: &T::AccountId, key: PlaceKey, task_seed: &H256, claim: Claim) -> DispatchResult {
        let (mut round, mut place) = Self::check_claim(who, &key, task_seed, &claim)?;
        place.claim = Some(claim);
        Places::<T>::insert(key.model, key.place, place);
        round.proposed = round.proposed.saturating_add(1);
        Rounds::<T>::insert(key.model, round);
        Self::deposit_event(Event::Proposed {
            place: key,
            who: who.clone(),
            claim,
        });
        Ok(())
    }

    /// Whether the account may propose this now; the round and the place if so.
    fn check_claim(
        who: &T::AccountId,
        key: &PlaceKey,
        task_seed: &H256,
        claim: &Claim,
    ) -> Result<(Round, Place<T::AccountId>), Error<T>> {
        let round = Rounds::<T>::get(key.model).ok_or(Error::<T>::UnknownModel)?;
        ensure!(round.number == key.round, Error::<T>::WrongRound);
        ensure!(round.phase == Phase::Train, Error::<T>::NotInTrainPhase);
        let place = Places::<T>::get(key.model, key.place)
            .filter(|place| place.holder == *who)
            .ok_or(Error::<T>::NotItsPlace)?;
        ensure!(place.claim.is_none(), Error::<T>::AlreadyProposed);
        ensure!(
            *task_seed == Self::task_seed_of(key.model, &round, key.place),
            Error::<T>::WrongSeed
        );
        let terms = ModelTerms::<T>::get(key.model).ok_or(Error::<T>::UnknownModel)?;
        ensure!(
            claim.update.size == terms.update_size,
            Error::<T>::WrongUpdateSize
        );
        // While the newest version is in question, nobody knows yet which base is the right one.
        if round.question.is_none() {
            let confirmed = Confirmed::<T>::get(key.model).ok_or(Error::<T>::UnknownModel)?;
            ensure!(claim.base == confirmed.weights, Error::<T>::WrongBase);
        }
        let vouched = T::Stakes::bonded(who).saturating_add(T::Stakes::unbonding(who));
        ensure!(vouched > 0, Error::<T>::NothingAtStake);
        Ok((round, place))
    }
}

fn sum(weights: impl Iterator<Item = Weight>) -> Weight {
    weights.fold(Weight::zero(), |sum, weight| sum.saturating_add(weight))
}

/// Accounts that may have seats when an opening is taken: all of a poll's entries are read, whatever draw they are of.
fn seats(result: &DutyResult) -> u32 {
    match result {
        DutyResult::Open { draw, .. } => draw.seats_so_far(SEATS_FIRST_MAX),
        _ => 0,
    }
}

/// Whether two results answer the same duty, alike or not.
pub(crate) fn answers_the_same(one: &DutyResult, other: &DutyResult) -> bool {
    match (one, other) {
        (DutyResult::Heartbeat { .. }, DutyResult::Heartbeat { .. }) => true,
        (DutyResult::Propose { key: one, .. }, DutyResult::Propose { key: other, .. }) => one == other,
        (DutyResult::Digest { poll: one, .. }, DutyResult::Digest { poll: other, .. })
        | (DutyResult::Open { poll: one, .. }, DutyResult::Open { poll: other, .. }) => one == other,
        _ => false,
    }
}
