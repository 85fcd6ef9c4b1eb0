//! From a claim to what the network found: places are closed one by one, polls are asked on what was proposed, and each place is settled
//! as soon as its poll is over.

use frame_support::{
    BoundedVec,
    weights::{Weight, WeightMeter},
};
use hydra_primitives::{
    Balance, BlockNumber, H256, ModelId,
    electorate::Purpose,
    poll::{Decision, Draw, Finding, PollId},
    reputation::Deed,
    rewards,
    status::Outcome,
    task::PlaceIndex,
    traits::{
        MAX_FIRST, Nodes as _, PollOutcome, PollProgress, Polls as _, Question, Rewards as _, Stakes as _,
    },
};

use crate::{
    Config, Confirmed, Event, Pallet, Payout, Payouts, Place, Places, Round, Terms, WeightInfo, rounds::Step,
};

impl<T: Config> Pallet<T> {
    /// Closes what is still open, takes each poll further, and ends the round when all of them are over.
    pub(crate) fn verify(
        model: ModelId,
        terms: &Terms,
        round: &mut Round,
        clock: BlockNumber,
        meter: &mut WeightMeter,
    ) -> Step {
        let Some(base) = Confirmed::<T>::get(model).map(|confirmed| confirmed.weights) else {
            return Step::Waits;
        };
        while round.closed < round.places {
            if meter.try_consume(T::WeightInfo::close_place()).is_err() {
                return Step::NoRoom;
            }
            Self::close_place(model, terms, round, base);
            round.closed = round.closed.saturating_add(1);
        }
        if !Self::advance_polls(model, round, clock, meter) {
            return Step::NoRoom;
        }
        if round.decided < round.asked {
            if clock >= round.phase_ends_at {
                round.phase_ends_at = Self::verified_by(terms);
                Self::deposit_event(Event::RoundExtended {
                    model,
                    round: round.number,
                    ends_at: round.phase_ends_at,
                });
            }
            return Step::Waits;
        }
        Self::finish_round(model, terms, round, meter)
    }

    /// Closes the next place to proposals. What was trained from the confirmed weights, `base`, is asked about.
    pub(crate) fn close_place(model: ModelId, terms: &Terms, round: &mut Round, base: H256) {
        let index = round.closed;
        let Some(mut place) = Places::<T>::get(model, index) else {
            return;
        };
        match place.claim {
            None => {
                // Where most proposed nothing, it wasn't their fault.
                let most = round.proposed.saturating_mul(2) >= round.places;
                T::Nodes::finish(&place.holder, most.then_some(Deed::Missed), round.opened_at);
                return;
            }
            // Nobody but the holder knew it before: the version was in question while it trained. But what it was to train from was its
            // recipe, which gives the weights that are confirmed now. Where a version is given up, the round begins anew instead.
            Some(claim) if claim.base != base => {
                place.outcome = Some(Outcome::Dropped);
                T::Nodes::finish(&place.holder, Some(Deed::Missed), round.opened_at);
                Self::say_settled(model, round, index, &place, Outcome::Dropped, 0);
            }
            Some(claim) => {
                let (places, bond) = (u32::from(round.places), T::Stakes::bonded(&place.holder));
                place.quoted = T::Rewards::quote(model, terms.work, places, bond);
                place.forfeit = Self::forfeit_of(place.quoted);
                let poll = Self::poll_of(model, round, index, &place.holder, &claim);
                let result = Finding::Update(claim.update.hash).result();
                T::Polls::ask(
                    poll,
                    Question {
                        purpose: Purpose::Verification {
                            model,
                            round: round.number,
                            extension: round.extension,
                            place: u32::from(index),
                            draw: Draw::First,
                        },
                        first_seats: u32::from(terms.first_seats),
                        window: terms.phases.verify,
                        size: terms.size,
                        claimant: Some((place.holder.clone(), result)),
                        forfeit: place.forfeit,
                    },
                );
                place.poll = Some(poll);
                round.asked = round.asked.saturating_add(1);
            }
        }
        Places::<T>::insert(model, index, place);
    }

    /// What a wrong result about a place that earns `quoted` costs.
    pub(crate) fn forfeit_of(quoted: Balance) -> Balance {
        rewards::forfeit(T::Stakes::minimum(), quoted)
    }

    /// Takes the polls of the round further; each block begins with another one. Whether there was room for all of them.
    fn advance_polls(model: ModelId, round: &mut Round, clock: BlockNumber, meter: &mut WeightMeter) -> bool {
        let first = BlockNumber::from(round.places);
        let first = clock
            .checked_rem(first)
            .and_then(|first| PlaceIndex::try_from(first).ok())
            .unwrap_or(0);
        for index in (first..round.places).chain(0..first) {
            if round.decided >= round.asked {
                break;
            }
            if meter.try_consume(T::WeightInfo::look_at_place()).is_err() {
                return false;
            }
            let Some(place) = Places::<T>::get(model, index).filter(|place| place.outcome.is_none()) else {
                continue;
            };
            let Some(poll) = place.poll else {
                continue;
            };
            match Self::advance_poll(&poll, clock, T::WeightInfo::settle_place(MAX_FIRST), meter) {
                None => return false,
                Some(PollProgress::Open) => {}
                Some(PollProgress::Over(outcome)) => {
                    let right = u32::try_from(outcome.right.len())
                        .unwrap_or(MAX_FIRST)
                        .min(MAX_FIRST);
                    meter.consume(T::WeightInfo::settle_place(right));
                    Self::settle_place(model, round, index, place, outcome);
                }
            }
        }
        true
    }

    /// Takes a poll further, and leaves `reserve` of the meter for what follows when it is over. `None` where that isn't left.
    pub(crate) fn advance_poll(
        poll: &PollId,
        clock: BlockNumber,
        reserve: Weight,
        meter: &mut WeightMeter,
    ) -> Option<PollProgress<T::AccountId>> {
        if !meter.can_consume(reserve) {
            return None;
        }
        let mut own = WeightMeter::with_limit(meter.remaining().saturating_sub(reserve));
        let progress = T::Polls::advance(poll, clock, &mut own);
        meter.consume(own.consumed().min(own.limit()));
        Some(progress)
    }

    /// The poll on a place is over: what follows for its holder, whose duty ends here.
    pub(crate) fn settle_place(
        model: ModelId,
        round: &mut Round,
        index: PlaceIndex,
        mut place: Place<T::AccountId>,
        poll: PollOutcome<T::AccountId>,
    ) {
        let Some(claim) = place.claim else {
            return;
        };
        let outcome = match poll.decision {
            Decision::Found(Finding::Update(found)) if found == claim.update.hash => Outcome::Accepted,
            Decision::Found(_) => Outcome::Rejected,
            Decision::Undecided => Outcome::Undecided,
        };
        let mut forfeited = 0;
        match outcome {
            Outcome::Accepted => {
                T::Nodes::finish(&place.holder, Some(Deed::Right), round.opened_at);
                round.accepted = round.accepted.saturating_add(1);
                Payouts::<T>::insert(
                    model,
                    index,
                    Payout {
                        holder: place.holder.clone(),
                        update: claim.update,
                        reward: place.quoted,
                        right: BoundedVec::truncate_from(poll.right),
                    },
                );
            }
            Outcome::Rejected => {
                forfeited = T::Stakes::forfeit(&place.holder, place.forfeit);
                T::Rewards::share_forfeit(forfeited, &poll.right);
                T::Nodes::finish(&place.holder, Some(Deed::Wrong), round.opened_at);
                T::Nodes::leave(&place.holder);
            }
            Outcome::Undecided | Outcome::Dropped => T::Nodes::finish(&place.holder, None, round.opened_at),
        }
        round.decided = round.decided.saturating_add(1);
        place.outcome = Some(outcome);
        place.draw = poll.draw;
        Self::say_settled(model, round, index, &place, outcome, forfeited);
        Places::<T>::insert(model, index, place);
    }

    fn say_settled(
        model: ModelId,
        round: &Round,
        index: PlaceIndex,
        place: &Place<T::AccountId>,
        outcome: Outcome,
        forfeited: Balance,
    ) {
        Self::deposit_event(Event::PlaceSettled {
            place: Self::key_of(model, round, index),
            holder: place.holder.clone(),
            outcome,
            draw: place.draw,
            forfeited,
        });
    }
}
