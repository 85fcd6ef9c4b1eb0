//! The pallet's invariants, each with its name: what `try-runtime` and the tests check.

use alloc::{collections::BTreeSet, vec::Vec};
use frame_support::{ensure, traits::Get};
use hydra_primitives::{ModelId, status::Phase, task::PlaceIndex, traits::Polls as _};

use crate::{
    Config, Confirmed, DuesState, History, ModelTerms, Models, Pallet, Payouts, Place, Places, Queue, Round,
    Rounds, Terms, Versions,
};

impl<T: Config> Pallet<T> {
    /// Whether all invariants hold.
    pub fn do_try_state() -> Result<(), &'static str> {
        let models = Models::<T>::count();
        ensure!(
            models <= T::MaxModels::get(),
            "training-proposals: no more models than MaxModels"
        );
        for (model, info) in Models::<T>::iter() {
            ensure!(
                model < models,
                "training-proposals: models are numbered from 0 without gaps"
            );
            ensure!(
                info.spec.validate(&info.dataset).is_ok(),
                "training-proposals: every model's spec is valid"
            );
            ensure!(
                ModelTerms::<T>::get(model) == Some(Terms::of(model, &info)),
                "training-proposals: a model's terms are those of its spec and data set"
            );
            let round = Rounds::<T>::get(model).ok_or("training-proposals: every model has a round")?;
            Self::check_version(model, &round)?;
            Self::check_places(model, &round)?;
            Self::check_dues(model, &round)?;
            let records = History::<T>::iter_key_prefix(model).count();
            ensure!(
                u32::try_from(records).is_ok_and(|n| n <= T::HistoryDepth::get()),
                "training-proposals: no more rounds on record than HistoryDepth"
            );
        }
        let queue = Queue::<T>::get();
        ensure!(
            queue.iter().all(|model| *model < models)
                && queue.iter().collect::<BTreeSet<_>>().len() == queue.len(),
            "training-proposals: each model in the queue exists and stands there once"
        );
        ensure!(
            queue
                .iter()
                .all(|model| Rounds::<T>::get(model).is_some_and(|round| round.phase == Phase::Pause)),
            "training-proposals: whoever waits for its turn has no round under way"
        );
        Ok(())
    }

    fn check_version(model: ModelId, round: &Round) -> Result<(), &'static str> {
        let confirmed =
            Confirmed::<T>::get(model).ok_or("training-proposals: every model has a confirmed version")?;
        let newest = Versions::<T>::get(model);
        ensure!(
            newest.is_some() == round.question.is_some(),
            "training-proposals: a poll is asked on each version that is not confirmed"
        );
        ensure!(
            newest.is_none_or(|newest| {
                newest.base == confirmed.weights && newest.version == round.made && !newest.updates.is_empty()
            }),
            "training-proposals: the version in question is the last one, made of updates of the confirmed one"
        );
        ensure!(
            confirmed.version <= round.made,
            "training-proposals: what is confirmed was made"
        );
        ensure!(
            round.phase != Phase::Verify || round.question.is_none(),
            "training-proposals: what is verified was trained from a confirmed version"
        );
        Ok(())
    }

    fn check_places(model: ModelId, round: &Round) -> Result<(), &'static str> {
        let places: Vec<_> = Places::<T>::iter_prefix(model).collect();
        ensure!(
            places.len() == usize::from(round.places)
                && places.iter().all(|(index, _)| *index < round.places),
            "training-proposals: places are numbered from 0 without gaps"
        );
        ensure!(
            (round.phase == Phase::Pause) == (round.places == 0),
            "training-proposals: a round has places from when it opens until it is settled"
        );
        ensure!(
            count(&places, |place| place.claim.is_some()) == round.proposed
                && count(&places, |place| place.poll.is_some()) == round.asked
                && count(&places, |place| place.poll.is_some() && place.outcome.is_some()) == round.decided,
            "training-proposals: a round counts its proposals and polls"
        );
        ensure!(
            round.closed == 0 || round.phase == Phase::Verify,
            "training-proposals: places are closed when the time to train is over"
        );
        ensure!(
            places.iter().all(|(index, place)| {
                place.poll.is_none_or(|poll| {
                    let open = place.outcome.is_none();
                    let named = place.claim.is_some_and(|claim| {
                        poll == Self::poll_of(model, round, *index, &place.holder, &claim)
                    });
                    named && open == T::Polls::status(&poll).is_some()
                })
            }),
            "training-proposals: each poll on a place is named by what it asks, and asked until it is over"
        );
        Ok(())
    }

    fn check_dues(model: ModelId, round: &Round) -> Result<(), &'static str> {
        let waiting = round
            .dues
            .as_ref()
            .is_some_and(|dues| dues.state == DuesState::Waiting);
        ensure!(
            waiting == round.question.is_some(),
            "training-proposals: dues wait exactly while their version is in question"
        );
        ensure!(
            round.dues.is_some()
                || round.phase == Phase::Verify
                || Payouts::<T>::iter_key_prefix(model).next().is_none(),
            "training-proposals: nothing is left to pay that nobody knows of"
        );
        Ok(())
    }
}

fn count<AccountId>(
    places: &[(PlaceIndex, Place<AccountId>)],
    what: impl Fn(&Place<AccountId>) -> bool,
) -> PlaceIndex {
    let places = places.iter().filter(|(_, place)| what(place)).count();
    PlaceIndex::try_from(places).unwrap_or(PlaceIndex::MAX)
}
