//! The pallet's invariants, each with its name. It reads everything: for tests and `try-runtime`.

use crate::{
    Config, Pallet, Polls, Seats, Unbonding,
    bond::MAX_UNBONDING,
    electorate,
    poll::{DRAWS, MAX_ACCOUNTS, Poll, Stage, Tally},
};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use hydra_primitives::{poll::PollId, traits::Stakes as _};

impl<T: Config> Pallet<T> {
    /// Whether everything that is stored agrees.
    pub fn do_try_state() -> Result<(), &'static str> {
        electorate::storage::check::<T>().map_err(|error| error.as_str())?;
        for (who, unbonding) in Unbonding::<T>::iter() {
            ensure!(
                !unbonding.is_empty() && unbonding.iter().all(|unbond| unbond.amount > 0),
                "stake-voting: nothing that is unbonding is empty"
            );
            ensure!(
                u32::try_from(unbonding.len()).is_ok_and(|len| len <= MAX_UNBONDING),
                "stake-voting: an account is unbonding a few amounts at most"
            );
            ensure!(
                Self::held(&who) == Self::bonded(&who).saturating_add(Self::unbonding(&who)),
                "stake-voting: what is unbonding is held"
            );
        }
        for (id, poll) in Polls::<T>::iter() {
            check_poll::<T>(&id, &poll)?;
        }
        let polls: BTreeSet<_> = Seats::<T>::iter_keys().map(|(id, _)| id).collect();
        ensure!(
            polls.into_iter().all(Polls::<T>::contains_key),
            "stake-voting: no seats without their poll"
        );
        Ok(())
    }
}

fn check_poll<T: Config>(id: &PollId, poll: &Poll<T::AccountId>) -> Result<(), &'static str> {
    let mut accounts = 0u32;
    let mut found = [Tally::default(); 3];
    for (who, seat) in Seats::<T>::iter_prefix(id) {
        accounts = accounts.saturating_add(1);
        let acted = poll.is_claimant(&who) || seat.digest.is_some();
        ensure!(
            seat.first_drawn() > 0,
            "stake-voting: who is in a poll has a seat"
        );
        for (draw, tally) in DRAWS.into_iter().zip(&mut found) {
            let seats = *seat.seats.get(draw);
            tally.accounts = tally.accounts.saturating_add(u16::from(seats > 0));
            tally.given = tally.given.saturating_add(u16::from(seats > 0 && acted));
            tally.taken = tally.taken.saturating_add(seats);
            tally.acted = tally.acted.saturating_add(if acted { seats } else { 0 });
        }
    }
    ensure!(
        accounts <= MAX_ACCOUNTS,
        "stake-voting: a poll has no more accounts than seats"
    );
    // While they are judged, accounts go.
    let judging = matches!(poll.stage, Stage::Judging(_));
    for (draw, found) in DRAWS.into_iter().zip(found) {
        let tally = *poll.tallies.get(draw);
        // Digests given later count for the account, not for the draw.
        let later = draw < poll.draw && found.given >= tally.given && found.acted >= tally.acted;
        let found = Tally {
            given: if later { tally.given } else { found.given },
            acted: if later { tally.acted } else { found.acted },
            busy: tally.busy,
            ..found
        };
        ensure!(
            tally == found || judging,
            "stake-voting: what is counted of a draw is what its seats say"
        );
        ensure!(
            u32::from(tally.taken).saturating_add(tally.busy.into()) <= poll.seats(draw),
            "stake-voting: a draw has no more seats than it has"
        );
        ensure!(
            draw <= poll.draw || tally == Tally::default(),
            "stake-voting: nobody has seats in a draw that is still to come"
        );
    }
    if let Stage::Drawing(Some(begun)) = &poll.stage {
        let taken: u32 = poll.tallies.get(poll.draw).taken.into();
        ensure!(
            taken <= begun.drawn && begun.drawn <= poll.seats(poll.draw),
            "stake-voting: no more seats are taken than drawn"
        );
    }
    Ok(())
}
