//! Taking digests. They are closed when all accounts of the draw have given theirs, or when the time is over, and never earlier: a
//! quorum must not close them, since those who share a lie are the quickest. Those of the last block of the window count, whether they are
//! closed at that block's end or, where it had no room for that, at the beginning of the next one.

use super::{Poll, Seat, Stage, Step};
use crate::{Config, Error, Event, Pallet, Polls, Seats};
use hydra_primitives::{BlockNumber, H256, poll::PollId};

/// A poll that waits for digests, an account's seat in it, and the last block that takes one.
type Asked<T> = (Poll<<T as frame_system::Config>::AccountId>, Seat, BlockNumber);

/// The poll, the account's seats, and the block with which the digests are closed, if it owes one.
pub(super) fn owed<T: Config>(id: &PollId, who: &T::AccountId) -> Result<Asked<T>, Error<T>> {
    let poll = Polls::<T>::get(id).ok_or(Error::<T>::NoSuchPoll)?;
    let seat = Seats::<T>::get(id, who).ok_or(Error::<T>::NoSeat)?;
    if poll.is_claimant(who) || seat.digest.is_some() {
        return Err(Error::<T>::DigestGiven);
    }
    let Stage::Digests { closes_at } = poll.stage else {
        return Err(Error::<T>::DigestsClosed);
    };
    if Pallet::<T>::now() > closes_at {
        return Err(Error::<T>::DigestsClosed);
    }
    if *seat.seats.get(poll.draw) == 0 {
        return Err(Error::<T>::NoSeat);
    }
    Ok((poll, seat, closes_at))
}

/// Takes a digest. It counts for the account's seats in all draws.
pub(super) fn give<T: Config>(id: &PollId, who: &T::AccountId, digest: H256) -> Result<(), Error<T>> {
    let (mut poll, mut seat, _) = owed::<T>(id, who)?;
    seat.digest = Some(digest);
    // What earlier draws came to stays as it was when they were closed: it says whether most were silent then.
    let tally = poll.tallies.get_mut(poll.draw);
    tally.given = tally.given.saturating_add(1);
    tally.acted = tally.acted.saturating_add(*seat.seats.get(poll.draw));
    Polls::<T>::insert(id, poll);
    Seats::<T>::insert(id, who, seat);
    Pallet::<T>::deposit_event(Event::DigestGiven {
        poll: *id,
        who: who.clone(),
    });
    Ok(())
}

/// Closes the digests, if it is time: all those of block `clock` are in.
pub(super) fn close<T: Config>(
    id: &PollId,
    poll: &mut Poll<T::AccountId>,
    closes_at: BlockNumber,
    clock: BlockNumber,
) -> Step<T::AccountId> {
    let tally = poll.tallies.get(poll.draw);
    if tally.given < tally.accounts && clock < closes_at {
        return Step::Wait;
    }
    Pallet::<T>::deposit_event(Event::DigestsClosed {
        poll: *id,
        draw: poll.draw,
        given: tally.acted.into(),
        seats: poll.seats(poll.draw),
    });
    poll.stage = Stage::Opening {
        closed_at: Pallet::<T>::now(),
    };
    Step::Again
}
