//! What an account earned since a time by its places, from the records of rounds: who was paid what, and in which block. What it got
//! for verifying others isn't on record.
//!
//! The chain keeps the last few hundred rounds only, so the answer says whether they go back far enough.

use chrono::{DateTime, Local, NaiveTime, TimeZone};
use hydra_primitives::{AccountBytes, Balance, status::RoundSummary};
use std::time::{Duration, SystemTime};

use crate::{
    chain::{Chain, Hash},
    error::Error,
};

const DAY: Duration = Duration::from_secs(86_400);

/// When today began on this PC.
pub fn start_of_day(now: SystemTime) -> SystemTime {
    let midnight = DateTime::<Local>::from(now).date_naive().and_time(NaiveTime::MIN);
    // Where the clocks skip midnight, a day is a day.
    let start = Local.from_local_datetime(&midnight).earliest();
    start.map_or_else(|| now.checked_sub(DAY).unwrap_or(now), SystemTime::from)
}

/// How many of these rounds, which are in order, were settled before `start`. Found by halving: blocks' times only grow.
pub async fn settled_before(
    chain: &Chain,
    rounds: &[RoundSummary<AccountBytes>],
    start: SystemTime,
    best: Hash,
) -> Result<usize, Error> {
    let (mut low, mut high) = (0, rounds.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let settled_at = rounds.get(middle).map_or(0, |round| round.settled_at);
        // A block that nobody has is an old one.
        let made = chain.time_by_body(u64::from(settled_at), best).await?;
        if made.is_some_and(|made| made >= start) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// What the account earned by its places in these rounds, as far as their versions are confirmed and paid.
pub fn earned(rounds: &[RoundSummary<AccountBytes>], who: &AccountBytes) -> Balance {
    rounds
        .iter()
        .flat_map(|round| &round.places)
        .filter(|place| place.holder == *who)
        .fold(0, |sum: Balance, place| sum.saturating_add(place.reward))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{
        HYDRA,
        poll::Draw,
        status::{Outcome, PlaceSummary},
    };

    #[test]
    fn a_day_began_less_than_a_long_day_ago() {
        let now = SystemTime::now();
        let since = now
            .duration_since(start_of_day(now))
            .expect("it began before now");
        // A day on which clocks go back has 25 hours.
        assert!(since <= Duration::from_secs(25 * 3_600), "{since:?}");
        assert_eq!(start_of_day(start_of_day(now)), start_of_day(now));
    }

    #[test]
    fn only_what_was_paid_for_places_of_the_account_counts() {
        let place = |place: u16, holder: u8, reward| PlaceSummary {
            place,
            holder: [holder; 32],
            outcome: Some(Outcome::Accepted),
            draw: Draw::First,
            reward,
            verifiers: 0,
        };
        let round = RoundSummary {
            round: 0,
            opened_at: 1,
            settled_at: 2,
            // An account may hold several places, and one of a version in question isn't paid yet.
            places: vec![
                place(0, 1, 10 * HYDRA),
                place(1, 2, 10 * HYDRA),
                place(2, 1, 5 * HYDRA),
                place(3, 3, 0),
            ],
            version: 1,
            weights: None,
            score: None,
            given_up: false,
        };
        let rounds = [round.clone(), round];
        assert_eq!(earned(&rounds, &[1; 32]), 30 * HYDRA);
        assert_eq!(earned(&rounds, &[3; 32]), 0);
        assert_eq!(earned(&[], &[1; 32]), 0);
    }
}
