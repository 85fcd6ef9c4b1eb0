//! What an account earned since a time, from the records of rounds: who was paid what, and in which block.
//!
//! The chain keeps the last few hundred rounds only, so the answer says whether they go back far enough.

use chrono::{DateTime, Local, NaiveTime, TimeZone};
use hydra_primitives::{AccountBytes, Balance, status::RoundSummary, tally::Outcome};
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

/// What the account earned in these rounds.
pub fn earned(rounds: &[RoundSummary<AccountBytes>], who: &AccountBytes) -> Balance {
    rounds
        .iter()
        .flat_map(|round| &round.proposals)
        .filter(|proposal| proposal.proposer == *who && proposal.outcome == Outcome::Accepted)
        .fold(0, |sum, proposal| sum.saturating_add(proposal.reward))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{HYDRA, status::ProposalSummary, tally::Tally};

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
    fn only_accepted_work_of_the_account_counts() {
        let proposal = |proposer: u8, outcome| ProposalSummary {
            proposer: [proposer; 32],
            outcome,
            tally: Tally::default(),
            reward: HYDRA,
        };
        let round = RoundSummary {
            round: 0,
            opened_at: 1,
            settled_at: 2,
            proposals: vec![
                proposal(1, Outcome::Accepted),
                proposal(2, Outcome::Accepted),
                proposal(3, Outcome::Rejected),
            ],
            version: 1,
            weights: None,
            score: None,
            attestations: vec![],
        };
        let rounds = [round.clone(), round];
        assert_eq!(earned(&rounds, &[1; 32]), 2 * HYDRA);
        assert_eq!(earned(&rounds, &[3; 32]), 0);
        assert_eq!(earned(&[], &[1; 32]), 0);
    }
}
