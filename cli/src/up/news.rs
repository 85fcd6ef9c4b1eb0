//! What happens while this PC trains: each settled round, and what this PC earned in it.

use hydra_primitives::{
    AccountBytes, ModelId, RoundNumber,
    status::{Outcome, RoundSummary},
};
use std::collections::BTreeMap;

use super::event::Event;
use crate::{
    amount,
    chain::{Block, Chain},
    error::Error,
};

/// Remembers which rounds were told.
#[derive(Debug, Default)]
pub struct News {
    next: BTreeMap<ModelId, RoundNumber>,
}

impl News {
    /// What was settled since the last look. The first look tells nothing: what was before is in `hydra rounds`.
    pub async fn look(
        &mut self,
        chain: &Chain,
        at: Block,
        account: &AccountBytes,
    ) -> Result<Vec<Event>, Error> {
        let mut events = Vec::new();
        for model in chain.models(at.hash).await? {
            let current = chain.existing_model(model, at.hash).await?.round;
            let next = *self.next.entry(model).or_insert(current);
            if current <= next {
                continue;
            }
            let settled = chain.rounds_from(model, next, at.hash).await?;
            let balance = amount::short(chain.funds(account, at.hash).await?.free);
            events.extend(settled.iter().map(|round| event(model, round, account, &balance)));
            let last = settled.iter().map(|round| round.round.saturating_add(1)).max();
            self.next.insert(model, last.unwrap_or(next).max(next));
        }
        Ok(events)
    }
}

fn event(model: ModelId, round: &RoundSummary<AccountBytes>, account: &AccountBytes, balance: &str) -> Event {
    let accepted = |outcome: &Outcome| *outcome == Outcome::Accepted;
    let outcomes = round.places.iter().filter_map(|place| place.outcome);
    let own = || round.places.iter().filter(|place| place.holder == *account);
    Event::Round {
        model,
        round: round.round,
        version: round.version,
        accepted: outcomes.filter(accepted).count(),
        places: round.places.len(),
        mine: own().count(),
        mine_accepted: own().filter_map(|place| place.outcome).filter(accepted).count(),
        mine_rejected: own()
            .filter(|place| place.outcome == Some(Outcome::Rejected))
            .count(),
        balance: balance.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{poll::Draw, status::PlaceSummary};

    #[test]
    fn a_round_says_what_became_of_this_pc_s_places() {
        let place = |place: u16, holder: u8, outcome| PlaceSummary {
            place,
            holder: [holder; 32],
            outcome,
            draw: Draw::First,
            reward: 0,
            verifiers: 0,
        };
        let round = RoundSummary {
            round: 3,
            opened_at: 1,
            settled_at: 9,
            places: vec![
                place(0, 1, Some(Outcome::Accepted)),
                place(1, 2, Some(Outcome::Rejected)),
                place(2, 1, Some(Outcome::Undecided)),
                place(3, 4, None),
            ],
            version: 4,
            weights: None,
            score: None,
            given_up: false,
        };
        let text = |who: u8| event(0, &round, &[who; 32], "2.5").text();
        assert_eq!(
            text(1),
            "round 3 of model 0: 1 of 4 results accepted, version 4; 1 of this PC's 2 accepted; balance 2.5"
        );
        assert!(
            text(2).contains("0 of this PC's 1 accepted, 1 rejected"),
            "{}",
            text(2)
        );
        assert!(text(3).contains("none of this PC's"), "{}", text(3));
    }
}
