//! What happens while this PC trains: each settled round, and what this PC earned in it.

use hydra_primitives::{AccountBytes, ModelId, RoundNumber, status::RoundSummary, tally::Outcome};
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
    let accepted = |outcome: Outcome| outcome == Outcome::Accepted;
    let mine = round
        .proposals
        .iter()
        .find(|proposal| proposal.proposer == *account);
    let word = |outcome: Outcome| match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Rejected => "rejected",
        Outcome::Undecided => "undecided",
    };
    Event::Round {
        model,
        round: round.round,
        version: round.version,
        accepted: round
            .proposals
            .iter()
            .filter(|proposal| accepted(proposal.outcome))
            .count(),
        proposals: round.proposals.len(),
        mine: mine.map(|proposal| word(proposal.outcome).into()),
        earned: amount::exact(mine.map_or(0, |proposal| proposal.reward)),
        balance: balance.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{HYDRA, status::ProposalSummary, tally::Tally};

    #[test]
    fn a_round_says_what_became_of_this_pc_s_proposal() {
        let proposal = |proposer: u8, outcome| ProposalSummary {
            proposer: [proposer; 32],
            outcome,
            tally: Tally::default(),
            reward: HYDRA,
        };
        let round = RoundSummary {
            round: 3,
            opened_at: 1,
            settled_at: 9,
            proposals: vec![proposal(1, Outcome::Accepted), proposal(2, Outcome::Rejected)],
            version: 4,
            weights: None,
            score: None,
            attestations: vec![],
        };
        let text = |who: u8| event(0, &round, &[who; 32], "2.5").text();
        assert!(
            text(1).contains("1 of 2 proposals accepted, version 4; this PC's accepted, earned 1 HYDRA"),
            "{}",
            text(1)
        );
        assert!(text(3).contains("none of this PC's"), "{}", text(3));
    }
}
