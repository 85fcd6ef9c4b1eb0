//! Opening a poll: one plain copy of result and witness, against which the chain makes every digest again. An opening that does not
//! decide is refused, so that a witness is never shown too soon, or for nothing.
//!
//! Whose turn it is doubles from block to block, from an account that the draw's seed chooses, and in the last block it is everybody's:
//! whoever stands at one end of the electorate's line can't keep a poll shut by saying nothing.

use super::{Judging, Poll, Stage, Step};
use crate::{Config, Error, Event, Pallet, Polls, Seats};
use hydra_primitives::{
    BlockNumber, H256,
    poll::{Count, Decision, Draw, OPENING_BLOCKS, Opening, PollId, digest},
    traits::{Sessions as _, bytes_of},
};

/// Whether an account's digest matches an opening; `None` where it gave none. The claimant's claim is its digest.
pub(super) fn matches<T: Config>(
    id: &PollId,
    poll: &Poll<T::AccountId>,
    who: &T::AccountId,
    given: Option<H256>,
    opening: &Opening,
) -> Option<bool> {
    let result = opening.finding.result();
    match &poll.claimant {
        Some((claimant, claimed)) if claimant == who => Some(*claimed == result),
        _ => given.map(|given| given == digest(id, &result, &opening.witness, &bytes_of(who))),
    }
}

/// Whether an account gave a digest of this, or claimed it.
pub(super) fn is_own<T: Config>(
    id: &PollId,
    poll: &Poll<T::AccountId>,
    who: &T::AccountId,
    opening: &Opening,
) -> bool {
    Seats::<T>::get(id, who)
        .is_some_and(|seat| matches::<T>(id, poll, who, seat.digest, opening) == Some(true))
}

/// Whether `opening`, by `who`, decides `draw` now. Reads every seat, [`super::MAX_ACCOUNTS`] at most, but only where it is what the
/// account itself gave a digest of or claimed: nobody has all of them read with one made-up opening after the other.
pub(super) fn decides<T: Config>(
    id: &PollId,
    poll: &Poll<T::AccountId>,
    who: &T::AccountId,
    draw: Draw,
    opening: &Opening,
) -> Result<(), Error<T>> {
    if !matches!(poll.stage, Stage::Opening { .. }) {
        return Err(Error::<T>::NotOpening);
    }
    if poll.draw != draw {
        return Err(Error::<T>::OtherDraw);
    }
    if !Seats::<T>::contains_key(id, who) {
        return Err(Error::<T>::NoSeat);
    }
    if !is_own::<T>(id, poll, who, opening) {
        return Err(Error::<T>::DoesNotDecide);
    }
    let mut count = Count {
        seats: poll.seats(draw),
        busy: poll.tallies.get(draw).busy.into(),
        ..Count::default()
    };
    for (who, seat) in Seats::<T>::iter_prefix(id) {
        let seats = u32::from(*seat.seats.get(draw));
        if seats == 0 {
            continue;
        }
        match matches::<T>(id, poll, &who, seat.digest, opening) {
            Some(true) => count.matching = count.matching.saturating_add(seats),
            Some(false) => count.differing = count.differing.saturating_add(seats),
            None => {}
        }
    }
    if count.decides(draw) {
        Ok(())
    } else {
        Err(Error::<T>::DoesNotDecide)
    }
}

/// Takes an opening, if it decides.
pub(super) fn open<T: Config>(
    id: &PollId,
    who: &T::AccountId,
    draw: Draw,
    opening: &Opening,
) -> Result<(), Error<T>> {
    let mut poll = Polls::<T>::get(id).ok_or(Error::<T>::NoSuchPoll)?;
    decides::<T>(id, &poll, who, draw, opening)?;
    poll.stage = Stage::Judging(Judging::new(Some(*opening)));
    Polls::<T>::insert(id, poll);
    Pallet::<T>::deposit_event(Event::PollOpened {
        poll: *id,
        who: who.clone(),
        draw,
        finding: opening.finding,
    });
    Pallet::<T>::deposit_event(Event::PollDecided {
        poll: *id,
        decision: Decision::Found(opening.finding),
        draw,
    });
    Ok(())
}

/// Whether it is this account's turn to open: the draw, and the block until which.
pub(super) fn turn<T: Config>(id: &PollId, who: &T::AccountId) -> Option<(Draw, BlockNumber)> {
    let poll = Polls::<T>::get(id)?;
    let Stage::Opening { closed_at } = poll.stage else {
        return None;
    };
    let seat = Seats::<T>::get(id, who)?;
    if seat.digest.is_none() && !poll.is_claimant(who) {
        return None;
    }
    let accounts = u32::from(poll.tallies.get(poll.draw).accounts);
    let wait = if *seat.seats.get(poll.draw) == 0 {
        OPENING_BLOCKS.saturating_sub(1)
    } else {
        wait(&poll.seed, u32::from(seat.order), accounts)
    };
    let until = closed_at.saturating_add(OPENING_BLOCKS);
    (Pallet::<T>::now() >= closed_at.saturating_add(wait)).then_some((poll.draw, until))
}

/// How many blocks the account waits that came `order`th of `accounts`: one of them none, one a block, two two, four three, and so on.
fn wait(seed: &H256, order: u32, accounts: u32) -> u32 {
    let start = seed
        .as_fixed_bytes()
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let accounts = u64::from(accounts);
    let ahead = start
        .checked_rem(accounts)
        .and_then(|start| start.saturating_add(order.into()).checked_rem(accounts))
        .unwrap_or(0);
    u64::BITS
        .saturating_sub(ahead.leading_zeros())
        .min(OPENING_BLOCKS.saturating_sub(1))
}

/// Gives up waiting, if the time is over, and no opening of block `clock` is still to come: the next draw, or none.
pub(super) fn give_up<T: Config>(
    id: &PollId,
    poll: &mut Poll<T::AccountId>,
    closed_at: BlockNumber,
    clock: BlockNumber,
) -> Step<T::AccountId> {
    if clock < closed_at.saturating_add(OPENING_BLOCKS) {
        return Step::Wait;
    }
    match poll.draw.after() {
        Some(next) => {
            poll.draw = next;
            poll.due_in = T::Sessions::current();
            poll.stage = Stage::Drawing(None);
        }
        None => {
            poll.stage = Stage::Judging(Judging::new(None));
            Pallet::<T>::deposit_event(Event::PollDecided {
                poll: *id,
                decision: Decision::Undecided,
                draw: poll.draw,
            });
        }
    }
    Step::Again
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the seed and however many accounts there are, as many as doubling gives may open in each block, and all in the last.
        #[test]
        fn turns_double_and_end_with_everybody(seed: [u8; 32], accounts in 1u32..=1_024) {
            for block in 0..OPENING_BLOCKS {
                let may = (0..accounts).filter(|order| wait(&H256(seed), *order, accounts) <= block);
                let expected = if block + 1 == OPENING_BLOCKS { accounts } else { accounts.min(1 << block) };
                prop_assert_eq!(u32::try_from(may.count()).unwrap(), expected, "in block {}", block);
            }
        }
    }
}
