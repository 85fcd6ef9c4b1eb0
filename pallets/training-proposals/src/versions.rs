//! What becomes of a version: the network finds its weights and it is confirmed and paid, or it is given up with all that was made from
//! it. Nothing is paid before.

use frame_support::{BoundedVec, traits::Get, weights::WeightMeter};
use hydra_primitives::{
    BlockNumber, H256, ModelId, Permill,
    duty::recipe_id,
    poll::{Decision, Finding},
    proposal::Score,
    status::Phase,
    traits::{Nodes as _, PollOutcome, PollProgress, Rewards as _},
};

use crate::{
    Config, Confirmed, ConfirmedVersion, Dues, DuesState, Event, History, Pallet, Payouts, Places, Providers,
    Round, RoundRecord, Terms, VersionInfo, Versions, WeightInfo,
};

impl<T: Config> Pallet<T> {
    /// Names what a version is folded from.
    pub(crate) fn recipe_of(version: &VersionInfo<T::AccountId>) -> H256 {
        let updates = version.updates.iter();
        recipe_id(
            version.version,
            &version.base,
            updates.map(|folded| (folded.place, folded.update, folded.shard)),
        )
    }

    /// Takes the poll on the newest version further, if there is one. Whether the block had room for that.
    pub(crate) fn ask_for_version(
        model: ModelId,
        round: &mut Round,
        clock: BlockNumber,
        meter: &mut WeightMeter,
    ) -> bool {
        let Some(poll) = round.question else {
            return true;
        };
        let reserve = T::WeightInfo::end_version(u32::from(round.places));
        let outcome = match Self::advance_poll(&poll, clock, reserve, meter) {
            None => return false,
            Some(PollProgress::Open) => return true,
            Some(PollProgress::Over(outcome)) => outcome,
        };
        meter.consume(reserve);
        round.question = None;
        let Some(version) = Versions::<T>::take(model) else {
            return true;
        };
        match outcome.decision {
            Decision::Found(Finding::Version { weights, score }) => {
                Self::confirm(model, round, version, weights, score, outcome);
            }
            decision => Self::give_up(model, round, version, decision),
        }
        true
    }

    fn confirm(
        model: ModelId,
        round: &mut Round,
        version: VersionInfo<T::AccountId>,
        weights: H256,
        score: Score,
        poll: PollOutcome<T::AccountId>,
    ) {
        Confirmed::<T>::insert(
            model,
            ConfirmedVersion {
                version: version.version,
                weights,
                score: Some(score),
                providers: providers(&version, poll),
            },
        );
        Self::note(model, version.round, |record| {
            record.weights = Some(weights);
            record.score = Some(score);
        });
        if let Some(dues) = &mut round.dues {
            dues.state = DuesState::Paying;
        }
        let progress = round.pace.confirmed(score.loss, T::BlocksPerHour::get());
        if progress && round.phase == Phase::Pause {
            // What the pause waited for is there.
            round.phase_ends_at = round.phase_ends_at.min(Self::now());
        }
        Self::deposit_event(Event::VersionConfirmed {
            model,
            version: version.version,
            weights,
            score,
            accuracy: Permill::from_rational(score.correct, score.total),
        });
    }

    /// Back to the confirmed version. What was proposed in the meantime was made from the one that is given up, and nobody is judged for
    /// it: the round begins anew, after a pause, with new places and seeds.
    fn give_up(model: ModelId, round: &mut Round, version: VersionInfo<T::AccountId>, decision: Decision) {
        Self::note(model, version.round, |record| record.given_up = true);
        if let Some(dues) = &mut round.dues {
            dues.state = DuesState::Dropped;
        }
        Self::deposit_event(Event::VersionGivenUp {
            model,
            version: version.version,
            decision,
        });
        round.pace.without_version(T::BlocksPerHour::get());
        if round.phase != Phase::Pause {
            for index in 0..round.places {
                if let Some(place) = Places::<T>::take(model, index) {
                    T::Nodes::finish(&place.holder, None, round.opened_at);
                }
            }
            round.extension = round.extension.saturating_add(1);
            Self::deposit_event(Event::RoundDropped {
                model,
                round: round.number,
                extension: round.extension,
            });
        }
        Self::leave_queue(model);
        let pause = round.pace.longest();
        Self::begin_pause(model, round, pause);
    }

    fn note(model: ModelId, round: u32, change: impl FnOnce(&mut RoundRecord<T::AccountId>)) {
        History::<T>::mutate(model, round, |record| {
            if let Some(record) = record {
                change(record);
            }
        });
    }

    /// Pays what the round of a confirmed version earned, place by place, or drops it. Whether the block had room for all of it.
    pub(crate) fn pay_out(model: ModelId, terms: &Terms, round: &mut Round, meter: &mut WeightMeter) -> bool {
        let Some(dues) = round.dues.take_if(|dues| dues.state != DuesState::Waiting) else {
            return true;
        };
        if meter.try_consume(T::WeightInfo::begin_paying()).is_err() {
            round.dues = Some(dues);
            return false;
        }
        let left = Self::pay_places(model, terms, dues, meter);
        let all = left.is_none();
        round.dues = left;
        all
    }

    /// What is left of the dues.
    pub(crate) fn pay_places(
        model: ModelId,
        terms: &Terms,
        mut dues: Dues,
        meter: &mut WeightMeter,
    ) -> Option<Dues> {
        let paying = dues.state == DuesState::Paying;
        let mut record = History::<T>::get(model, dues.round);
        let mut room = true;
        while room && dues.next < dues.places {
            let index = dues.next;
            if meter.try_consume(T::WeightInfo::look_at_place()).is_err() {
                room = false;
                continue;
            }
            if let Some(payout) = Payouts::<T>::get(model, index) {
                let right = u32::try_from(payout.right.len()).unwrap_or(u32::MAX);
                if meter.try_consume(T::WeightInfo::pay_place(right)).is_err() {
                    room = false;
                    continue;
                }
                Payouts::<T>::remove(model, index);
                if paying {
                    let paid =
                        T::Rewards::pay(model, &payout.holder, terms.work, payout.reward, &payout.right);
                    dues.paid = dues.paid.saturating_add(paid.all());
                    let summary = record
                        .as_mut()
                        .and_then(|record| record.places.iter_mut().find(|place| place.place == index));
                    if let Some(summary) = summary {
                        (summary.reward, summary.verifiers) = (paid.holder, paid.verifiers);
                    }
                }
            }
            dues.next = dues.next.saturating_add(1);
        }
        if paying && let Some(record) = record {
            History::<T>::insert(model, dues.round, record);
        }
        if !room {
            return Some(dues);
        }
        if paying {
            Self::deposit_event(Event::RoundPaid {
                model,
                round: dues.round,
                paid: dues.paid,
            });
        }
        None
    }
}

/// Some of those who have a version's weights: seats that found them, else those whose updates are in it, who have the most reason to.
fn providers<AccountId: Clone + PartialEq>(
    version: &VersionInfo<AccountId>,
    poll: PollOutcome<AccountId>,
) -> Providers<AccountId> {
    let mut providers: Providers<AccountId> = BoundedVec::new();
    let holders = version
        .updates
        .iter()
        .filter_map(|update| update.providers.first());
    for who in poll.right.iter().map(|(who, _)| who).chain(holders) {
        if !providers.contains(who) && providers.try_push(who.clone()).is_err() {
            break;
        }
    }
    providers
}
