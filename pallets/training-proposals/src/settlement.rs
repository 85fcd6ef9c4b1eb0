//! How a round ends: what was accepted makes the next version, a poll is asked on it, and the round goes on record.

use alloc::vec::Vec;
use frame_support::{BoundedVec, traits::Get, weights::WeightMeter};
use hydra_primitives::{
    Balance, ModelId,
    electorate::Purpose,
    poll::Draw,
    proposal::version_poll,
    status::{Outcome, PlaceSummary, Waiting},
    traits::{Electorate as _, Polls as _, Question},
};

use crate::{
    Config, Confirmed, Dues, DuesState, Event, FoldedUpdate, History, Pallet, Payout, Payouts, Places,
    Providers, Round, RoundRecord, Terms, VersionInfo, Versions, WeightInfo, rounds::Step,
};

impl<T: Config> Pallet<T> {
    /// All places are settled: makes the next version of what was accepted, and begins the pause before the next round.
    pub(crate) fn finish_round(
        model: ModelId,
        terms: &Terms,
        round: &mut Round,
        meter: &mut WeightMeter,
    ) -> Step {
        // The version is to be asked about at once.
        if round.accepted > 0 && !T::Electorate::may_ask() {
            Self::wait(model, round, Waiting::Participants);
            return Step::Waits;
        }
        let Some(confirmed) = Confirmed::<T>::get(model) else {
            return Step::Waits;
        };
        let weight = T::WeightInfo::finish_round(u32::from(round.places));
        if meter.try_consume(weight).is_err() {
            return Step::NoRoom;
        }
        let mut places = Vec::new();
        let mut updates = Vec::new();
        let mut worth: Balance = 0;
        for index in 0..round.places {
            let Some(place) = Places::<T>::take(model, index) else {
                continue;
            };
            if place.outcome == Some(Outcome::Accepted)
                && let Some(payout) = Payouts::<T>::get(model, index)
            {
                worth = worth.max(payout.reward);
                updates.push(FoldedUpdate {
                    place: index,
                    update: payout.update,
                    shard: Self::shard_of(model, terms, round, index),
                    providers: providers(&payout),
                });
            }
            places.push(PlaceSummary {
                place: index,
                holder: place.holder,
                outcome: place.outcome,
                draw: place.draw,
                reward: 0,
                verifiers: 0,
            });
        }
        let made = (!updates.is_empty()).then(|| round.made.saturating_add(1));
        History::<T>::insert(
            model,
            round.number,
            RoundRecord {
                opened_at: round.opened_at,
                settled_at: Self::now(),
                places: BoundedVec::truncate_from(places),
                version: made.unwrap_or(confirmed.version),
                weights: made.is_none().then_some(confirmed.weights),
                score: if made.is_none() { confirmed.score } else { None },
                given_up: false,
            },
        );
        if let Some(old) = round.number.checked_sub(T::HistoryDepth::get()) {
            History::<T>::remove(model, old);
        }
        Self::deposit_event(Event::RoundSettled {
            model,
            round: round.number,
            accepted: round.accepted,
            places: round.places,
            version: made,
        });
        let pause = match made {
            Some(version) => {
                let info = VersionInfo {
                    version,
                    round: round.number,
                    base: confirmed.weights,
                    updates: BoundedVec::truncate_from(updates),
                };
                Self::question_version(model, terms, round, info, worth);
                // The next round trains while this one's version is in question.
                round.pace.rest
            }
            None => {
                round.pace.without_version(T::BlocksPerHour::get());
                round.pace.longest()
            }
        };
        round.number = round.number.saturating_add(1);
        round.extension = 0;
        Self::begin_pause(model, round, pause);
        Step::Moved
    }

    /// Asks whether the network finds the same weights for a version that was just made. A seat that says otherwise may lose what
    /// its best place is worth.
    fn question_version(
        model: ModelId,
        terms: &Terms,
        round: &mut Round,
        info: VersionInfo<T::AccountId>,
        worth: Balance,
    ) {
        let version = info.version;
        let poll = version_poll(&Self::genesis(), model, version, &Self::recipe_of(&info));
        T::Polls::ask(
            poll,
            Question {
                purpose: Purpose::Attestation {
                    model,
                    round: round.number,
                    extension: round.extension,
                    draw: Draw::First,
                },
                first_seats: u32::from(terms.first_seats),
                window: terms.phases.verify,
                size: terms.size,
                claimant: None,
                forfeit: Self::forfeit_of(worth),
            },
        );
        Versions::<T>::insert(model, info);
        round.made = version;
        round.question = Some(poll);
        round.dues = Some(Dues {
            round: round.number,
            places: round.places,
            next: 0,
            state: DuesState::Waiting,
            paid: 0,
        });
    }
}

/// Some of those who have an accepted update: whoever proposed it, and seats that found the same.
fn providers<AccountId: Clone + PartialEq>(payout: &Payout<AccountId>) -> Providers<AccountId> {
    let mut providers = Providers::default();
    let right = payout.right.iter().map(|(who, _)| who);
    for who in core::iter::once(&payout.holder).chain(right) {
        if !providers.contains(who) && providers.try_push(who.clone()).is_err() {
            break;
        }
    }
    providers
}
