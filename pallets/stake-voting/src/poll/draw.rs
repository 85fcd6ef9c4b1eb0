//! Drawing a poll's seats: from the electorate of the session in which it begins, by the randomness of the block in which it begins,
//! over as many blocks as the meter takes. A draw never begins in the block in which its poll is asked: what it judges must be fixed
//! before the randomness is known.
//!
//! Nor does it begin while the guard says no, unless that has lasted for more than a day of sessions. Then it is made from nobody: the
//! guard remembers no longer than that, and a poll must end.
//!
//! An electorate is gone soon after its session. Seats that are not drawn by then stay empty: a lie needs more than half of all
//! seats, and gets no more of them from a part of the draw than from the whole. Beginning anew could go on for ever.

use super::{Begun, Poll, Stage, Step};
use crate::{
    Config, Event, Pallet, Seats, electorate::Look, electorate::storage::electorate, weights::WeightInfo,
};
use frame_support::{
    traits::Get,
    weights::{Weight, WeightMeter},
};
use hydra_primitives::{
    electorate::REDRAWS,
    poll::PollId,
    traits::{Electorate, Nodes as _, Sessions as _},
};

/// Draws as many seats as the meter takes.
pub(super) fn go_on<T: Config>(
    id: &PollId,
    poll: &mut Poll<T::AccountId>,
    begun: Option<Begun>,
    meter: &mut WeightMeter,
) -> Step<T::AccountId> {
    let now = Pallet::<T>::now();
    let session = T::Sessions::current();
    let seats = poll.seats(poll.draw);
    let fresh = begun.is_none();
    let allowed = !fresh || <Pallet<T> as Electorate<T::AccountId>>::may_ask();
    // Its seed is fixed only when a seat can be drawn with it.
    if fresh && (now <= poll.asked_at || !meter.can_consume(most::<T>())) {
        return Step::Wait;
    }
    if !allowed && session <= poll.due_in.saturating_add(T::Sessions::per_day()) {
        return Step::Wait;
    }
    let mut begun = begun.unwrap_or_else(|| {
        poll.seed = Pallet::<T>::seed_of(&poll.purpose.of_draw(poll.draw), &T::Randomness::get());
        Begun { session, drawn: 0 }
    });
    let electorate = electorate::<T>(session);
    // A tree that contradicts itself has nobody in it.
    if allowed
        && begun.session == session
        && let Ok(mut drawing) = electorate.drawing(&poll.seed, seats)
    {
        while begun.drawn < seats {
            if !meter.can_consume(most::<T>()) {
                poll.stage = Stage::Drawing(Some(begun));
                return Step::Wait;
            }
            let drawn = drawing.seat(begun.drawn, |who| takes::<T>(id, poll, who));
            let (who, looks, busy) = drawn.map_or((None, 0, false), |seat| (seat.who, seat.looks, seat.busy));
            meter.consume(T::WeightInfo::look_at_point().saturating_mul(looks.into()));
            if let Some(who) = who {
                take::<T>(id, poll, &who);
            } else if busy {
                let tally = poll.tallies.get_mut(poll.draw);
                tally.busy = tally.busy.saturating_add(1);
            }
            meter.consume(T::WeightInfo::take_seat());
            begun.drawn = begun.drawn.saturating_add(1);
        }
    }
    let tally = poll.tallies.get(poll.draw);
    Pallet::<T>::deposit_event(Event::SeatsDrawn {
        poll: *id,
        draw: poll.draw,
        seats: tally.taken.into(),
        accounts: tally.accounts.into(),
    });
    poll.stage = Stage::Digests {
        closes_at: now.saturating_add(poll.window),
    };
    Step::Again
}

/// The most that one seat takes.
pub(crate) fn most<T: Config>() -> Weight {
    T::WeightInfo::look_at_point()
        .saturating_mul(u64::from(REDRAWS).saturating_add(1))
        .saturating_add(T::WeightInfo::take_seat())
}

/// What becomes of a point that falls on this account. Who has the poll's task already needs no room for it, and the claimant has done
/// it.
pub(crate) fn takes<T: Config>(id: &PollId, poll: &Poll<T::AccountId>, who: &T::AccountId) -> Look {
    if !T::Nodes::is_in(who) {
        Look::Out
    } else if poll.is_claimant(who) || Seats::<T>::contains_key(id, who) {
        Look::Takes
    } else {
        Pallet::<T>::look(who, poll.size)
    }
}

/// Gives a seat of the current draw to an account.
pub(crate) fn take<T: Config>(id: &PollId, poll: &mut Poll<T::AccountId>, who: &T::AccountId) {
    let claimant = poll.is_claimant(who);
    let draw = poll.draw;
    let tally = poll.tallies.get_mut(draw);
    Seats::<T>::mutate(id, who, |stored| {
        if stored.is_none() && !claimant {
            T::Nodes::take_on(who);
        }
        let seat = stored.get_or_insert_default();
        let acted = u16::from(claimant || seat.digest.is_some());
        let seats = seat.seats.get_mut(draw);
        if *seats == 0 {
            seat.order = tally.accounts;
            tally.accounts = tally.accounts.saturating_add(1);
            tally.given = tally.given.saturating_add(acted);
        }
        *seats = seats.saturating_add(1);
        tally.taken = tally.taken.saturating_add(1);
        tally.acted = tally.acted.saturating_add(acted);
    });
}
