//! How a round moves from phase to phase. Every step is bounded, and paid for from the block's weight before it is taken.
//!
//! `clock` is the block whose results all count already: this one at its end, the one before at its beginning. By it is judged what ends;
//! what begins takes its time from the block that is being made.

use alloc::vec::Vec;
use frame_support::{traits::Get, weights::WeightMeter};
use hydra_primitives::{
    BlockNumber, ModelId,
    electorate::{self, Purpose},
    poll::OPENING_BLOCKS,
    status::{Phase, Waiting},
    task::PlaceIndex,
    traits::{Electorate as _, Rewards as _},
};

use crate::{
    Config, Event, MAX_PLACES, ModelTerms, Models, Pallet, Place, Places, Round, Rounds, Terms, WeightInfo,
};

/// What became of an attempt to move a round on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// It moved; there may be more to do.
    Moved,
    /// There is nothing to do before something happens.
    Waits,
    /// The block has no room for it.
    NoRoom,
}

/// More steps than a round can take in a block: pause, train, verify, and pause again.
const MAX_STEPS: u32 = 8;

impl<T: Config> Pallet<T> {
    /// Moves all models on, as far as what happened and the weight allow; each block begins with another model, so that none is always
    /// the last. Whether there was room for all there was to do.
    pub(crate) fn advance_all(clock: BlockNumber, meter: &mut WeightMeter) -> bool {
        let models = Models::<T>::count();
        let first = clock.checked_rem(models).unwrap_or(0);
        let mut all = true;
        for model in (first..models).chain(0..first) {
            all &= Self::advance(model, clock, meter);
        }
        all
    }

    pub(crate) fn advance(model: ModelId, clock: BlockNumber, meter: &mut WeightMeter) -> bool {
        if meter.try_consume(T::WeightInfo::look()).is_err() {
            return false;
        }
        let (Some(before), Some(terms)) = (Rounds::<T>::get(model), ModelTerms::<T>::get(model)) else {
            return true;
        };
        let mut round = before.clone();
        let mut all = Self::ask_for_version(model, &mut round, clock, meter);
        all &= Self::pay_out(model, &terms, &mut round, meter);
        for _ in 0..MAX_STEPS {
            let step = match round.phase {
                Phase::Pause => Self::try_to_open(model, &terms, &mut round, clock, meter),
                Phase::Train => Self::try_to_close(model, &terms, &mut round, clock),
                Phase::Verify => Self::verify(model, &terms, &mut round, clock, meter),
            };
            all &= step != Step::NoRoom;
            if step != Step::Moved {
                break;
            }
        }
        if round != before {
            Rounds::<T>::insert(model, round);
        }
        all
    }

    /// The pause is over: opens the round, if somebody is there to train, and to verify.
    pub(crate) fn try_to_open(
        model: ModelId,
        terms: &Terms,
        round: &mut Round,
        clock: BlockNumber,
        meter: &mut WeightMeter,
    ) -> Step {
        if clock < round.phase_ends_at {
            return Step::Waits;
        }
        if let Some(reason) = Self::must_wait(model, terms) {
            Self::wait(model, round, reason);
            return Step::Waits;
        }
        let places = u32::from(terms.roster)
            .min(T::Electorate::accounts())
            .min(MAX_PLACES);
        if meter.try_consume(T::WeightInfo::open_round(places)).is_err() {
            return Step::NoRoom;
        }
        let purpose = Purpose::Places {
            model,
            round: round.number,
            extension: round.extension,
        };
        let randomness = T::EpochRandomness::get();
        let holders: Vec<_> = T::Electorate::draw(&purpose, &randomness, places, terms.size)
            .into_iter()
            .flatten()
            .collect();
        let now = Self::now();
        if holders.is_empty() {
            // Whoever was drawn has left or has no room. The same seed would draw the same ones.
            Self::leave_queue(model);
            round.extension = round.extension.saturating_add(1);
            round.pace.without_version(T::BlocksPerHour::get());
            round.phase_ends_at = now.saturating_add(round.pace.longest());
            Self::wait(model, round, Waiting::Participants);
            return Step::Waits;
        }
        let mut places: PlaceIndex = 0;
        // They have taken on a task with each place.
        for holder in holders {
            Places::<T>::insert(model, places, Place::of(holder));
            places = places.saturating_add(1);
        }
        Self::take_turn(model, terms, places);
        *round = Round {
            phase: Phase::Train,
            opened_at: now,
            phase_ends_at: now.saturating_add(terms.phases.train),
            seed: electorate::seed(&Self::genesis(), &purpose, &randomness),
            places,
            proposed: 0,
            closed: 0,
            asked: 0,
            decided: 0,
            accepted: 0,
            waiting: None,
            ..round.clone()
        };
        Self::deposit_event(Event::RoundOpened {
            model,
            round: round.number,
            extension: round.extension,
            places,
            ends_at: round.phase_ends_at,
        });
        Step::Moved
    }

    /// Why no round of the model may open now.
    fn must_wait(model: ModelId, terms: &Terms) -> Option<Waiting> {
        let reason = if T::Electorate::accounts() == 0 || !T::Electorate::may_ask() {
            Some(Waiting::Participants)
        } else if !T::Electorate::has_room(terms.size) {
            Some(Waiting::Room)
        } else if !T::Rewards::can_pay(model, Self::space_fee(terms, terms.roster)) {
            Some(Waiting::Payer)
        } else {
            None
        };
        match reason {
            Some(_) => Self::leave_queue(model),
            None if !Self::has_its_turn(model) => return Some(Waiting::Turn),
            None => {}
        }
        reason
    }

    /// Notes why the round waits, and says it once.
    pub(crate) fn wait(model: ModelId, round: &mut Round, reason: Waiting) {
        if round.waiting != Some(reason) {
            round.waiting = Some(reason);
            Self::deposit_event(Event::RoundWaits {
                model,
                round: round.number,
                reason,
            });
        }
    }

    /// Everybody has proposed, or the time to train is over: closes the round to proposals, once it is known what they should have been
    /// trained from, and the version before it is paid. Until then late ones count, too.
    fn try_to_close(model: ModelId, terms: &Terms, round: &mut Round, clock: BlockNumber) -> Step {
        if round.proposed < round.places && clock < round.phase_ends_at {
            return Step::Waits;
        }
        if round.question.is_some() || round.dues.is_some() {
            return Step::Waits;
        }
        if round.proposed > 0 && !T::Electorate::may_ask() {
            Self::wait(model, round, Waiting::Participants);
            return Step::Waits;
        }
        round.waiting = None;
        round.phase = Phase::Verify;
        round.phase_ends_at = Self::verified_by(terms);
        if round.proposed > 0 {
            Self::deposit_event(Event::PhaseChanged {
                model,
                round: round.number,
                phase: round.phase,
                ends_at: round.phase_ends_at,
            });
        }
        Step::Moved
    }

    /// The block in which a draw that begins now is over: seats are drawn in the next one.
    pub(crate) fn verified_by(terms: &Terms) -> BlockNumber {
        let blocks = terms.phases.verify.saturating_add(OPENING_BLOCKS);
        Self::now().saturating_add(1).saturating_add(blocks)
    }

    /// The next round, or this one anew, opens after so many blocks, which may be none.
    pub(crate) fn begin_pause(model: ModelId, round: &mut Round, blocks: BlockNumber) {
        round.phase = Phase::Pause;
        round.phase_ends_at = Self::now().saturating_add(blocks);
        round.places = 0;
        round.proposed = 0;
        round.closed = 0;
        round.asked = 0;
        round.decided = 0;
        round.accepted = 0;
        round.waiting = None;
        if blocks > 0 {
            Self::wait(model, round, Waiting::Progress);
        }
    }
}
