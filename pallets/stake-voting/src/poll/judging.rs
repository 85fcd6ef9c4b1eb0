//! Judging: each account once, by what the opening showed, over as many blocks as the meter takes. Who gave something else forfeits
//! for each of its seats in the draw that first named it; who gave nothing leaves the electorate for a while, unless most of a draw gave
//! nothing: then something else was wrong.
//!
//! Must never judge anybody by a poll that was not decided.

use super::{DRAWS, Judging, Poll, Seat, Stage, Step, opening};
use crate::{Config, Event, Pallet, Seats, weights::WeightInfo};
use alloc::vec::Vec;
use frame_support::weights::WeightMeter;
use hydra_primitives::{
    Balance,
    poll::{Decision, Draw, Opening, PollId, SeatVerdict},
    reputation::Deed,
    traits::{Nodes as _, PollOutcome, Rewards as _, Stakes as _},
};

/// Judges as many accounts as the meter takes.
pub(super) fn go_on<T: Config>(
    id: &PollId,
    poll: &mut Poll<T::AccountId>,
    mut judging: Judging<T::AccountId>,
    meter: &mut WeightMeter,
) -> Step<T::AccountId> {
    let mut seats = Seats::<T>::drain_prefix(id);
    loop {
        if !meter.can_consume(T::WeightInfo::judge()) {
            poll.stage = Stage::Judging(judging);
            return Step::Wait;
        }
        let Some((who, seat)) = seats.next() else {
            break;
        };
        meter.consume(T::WeightInfo::judge());
        judge::<T>(id, poll, &mut judging, &who, &seat);
    }
    if judging.forfeited > 0 && meter.try_consume(T::WeightInfo::share()).is_err() {
        poll.stage = Stage::Judging(judging);
        return Step::Wait;
    }
    Step::Over(conclude::<T>(poll, judging))
}

/// Judges one account.
pub(crate) fn judge<T: Config>(
    id: &PollId,
    poll: &Poll<T::AccountId>,
    judging: &mut Judging<T::AccountId>,
    who: &T::AccountId,
    seat: &Seat,
) {
    let first = u32::from(seat.seats.first);
    let verdict = judging
        .by
        .and_then(|opening| verdict::<T>(id, poll, who, seat, &opening));
    if poll.is_claimant(who) {
        // Whoever asked about its claim judges it by the poll's outcome.
        if verdict == Some(SeatVerdict::Right) {
            judging.claimed = first;
        }
        return;
    }
    let deed = match verdict {
        None => None,
        Some(SeatVerdict::Right) => {
            if first > 0 {
                // The first draw has no more seats than there is room for accounts.
                let _ = judging.right.try_push((who.clone(), first));
            }
            Some(Deed::Right)
        }
        Some(SeatVerdict::Wrong) => {
            let owed = poll.forfeit.saturating_mul(seat.first_drawn().into());
            judging.forfeited = judging.forfeited.saturating_add(Pallet::<T>::forfeit(who, owed));
            Some(Deed::Wrong)
        }
        Some(SeatVerdict::Missed) => Some(Deed::Missed),
    };
    T::Nodes::finish(who, deed, poll.asked_at);
    if let Some(verdict @ (SeatVerdict::Wrong | SeatVerdict::Missed)) = verdict {
        Pallet::<T>::deposit_event(Event::SeatJudged {
            poll: *id,
            who: who.clone(),
            verdict,
        });
    }
}

/// What an account's part was; `None`: it gave nothing, and in none of its draws did half of the seats.
fn verdict<T: Config>(
    id: &PollId,
    poll: &Poll<T::AccountId>,
    who: &T::AccountId,
    seat: &Seat,
    opening: &Opening,
) -> Option<SeatVerdict> {
    match opening::matches::<T>(id, poll, who, seat.digest, opening) {
        Some(true) => Some(SeatVerdict::Right),
        Some(false) => Some(SeatVerdict::Wrong),
        None => DRAWS
            .into_iter()
            .any(|draw| *seat.seats.get(draw) > 0 && half_acted(poll, draw))
            .then_some(SeatVerdict::Missed),
    }
}

/// Whether at least half of a draw's seats gave a digest.
fn half_acted<AccountId: PartialEq>(poll: &Poll<AccountId>, draw: Draw) -> bool {
    u32::from(poll.tallies.get(draw).acted).saturating_mul(2) >= poll.seats(draw)
}

/// Shares what was forfeited, when all are judged.
fn conclude<T: Config>(
    poll: &Poll<T::AccountId>,
    judging: Judging<T::AccountId>,
) -> PollOutcome<T::AccountId> {
    let right: Vec<_> = judging.right.into_inner();
    if judging.forfeited > 0 {
        share::<T>(poll, judging.forfeited, &right, judging.claimed);
    }
    PollOutcome {
        decision: judging
            .by
            .map_or(Decision::Undecided, |opening| Decision::Found(opening.finding)),
        draw: poll.draw,
        right,
    }
}

/// Half of what was forfeited goes to those who were right in the first draw, the claimant among them.
fn share<T: Config>(
    poll: &Poll<T::AccountId>,
    forfeited: Balance,
    right: &[(T::AccountId, u32)],
    claimed: u32,
) {
    let mut all = right.to_vec();
    if let Some((claimant, _)) = poll.claimant.as_ref().filter(|_| claimed > 0) {
        all.push((claimant.clone(), claimed));
    }
    T::Rewards::share_forfeit(forfeited, &all);
}
