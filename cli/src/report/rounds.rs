//! Rounds: what became of each, from the records on chain, and who had which part in them.

use hydra_primitives::{
    AccountBytes, Balance, ModelId, proposal::Score, status::RoundSummary, tally::Outcome,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

use super::figures::{accuracy, percent, short_hash};
use crate::{
    accounts, amount,
    table::{Align, Table},
};

/// A settled round, as shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Round {
    /// Its number.
    pub round: u32,
    /// The block it opened in.
    pub opened_at: u32,
    /// The block it was settled in.
    pub settled_at: u32,
    /// The version it made.
    pub version: u32,
    /// Accepted proposals.
    pub accepted: usize,
    /// Rejected proposals.
    pub rejected: usize,
    /// Proposals that were not decided.
    pub undecided: usize,
    /// The share of the validation set that the version gets right, from 0 to 1, once it is confirmed.
    #[schemars(range(min = 0, max = 1))]
    pub accuracy: Option<f64>,
    /// Right answers and images behind that number.
    pub score: Option<Score>,
    /// BLAKE3 of the version's weights, in hexadecimal digits, once confirmed.
    pub weights: Option<String>,
    /// What became of each proposal.
    pub proposals: Vec<Proposal>,
    /// Who attested which weights.
    pub attestations: Vec<Attestation>,
}

/// What became of a proposal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Proposal {
    /// The proposer's address.
    pub account: String,
    /// The proposer in short.
    pub name: String,
    /// `Accepted`, `Rejected` or `Undecided`.
    pub outcome: Outcome,
    /// What it earned, in HYDRA.
    pub reward: String,
    /// Voting weight that accepted, as a share of the committee's, from 0 to 1.
    pub accepted_by: f64,
    /// Voting weight that rejected, as a share of the committee's, from 0 to 1.
    pub rejected_by: f64,
}

/// An attestation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Attestation {
    /// Address of the account.
    pub account: String,
    /// The account in short.
    pub name: String,
    /// BLAKE3 of the weights it attested, in hexadecimal digits.
    pub weights: String,
}

/// One account's part in these rounds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Part {
    /// The account's address.
    pub account: String,
    /// The account in short.
    pub name: String,
    /// Its accepted proposals.
    pub accepted: usize,
    /// Its rejected proposals.
    pub rejected: usize,
    /// Its proposals that were not decided.
    pub undecided: usize,
    /// Versions it attested.
    pub attested: usize,
    /// What it earned by its proposals, in HYDRA.
    pub earned: String,
}

/// Everything that is shown about a model's rounds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The model.
    pub model: ModelId,
    /// Whether these are all rounds there were. The chain keeps the records of the last few hundred only.
    pub complete: bool,
    /// Its rounds, as far as they are on record.
    pub rounds: Vec<Round>,
    /// The accounts that took part.
    pub accounts: Vec<Part>,
}

impl Report {
    /// From the records on chain.
    pub fn new(model: ModelId, rounds: &[RoundSummary<AccountBytes>]) -> Self {
        let mut parts: BTreeMap<AccountBytes, (Part, Balance)> = BTreeMap::new();
        for round in rounds {
            for proposal in &round.proposals {
                let (part, earned) = parts.entry(proposal.proposer).or_default();
                match proposal.outcome {
                    Outcome::Accepted => part.accepted += 1,
                    Outcome::Rejected => part.rejected += 1,
                    Outcome::Undecided => part.undecided += 1,
                }
                *earned = earned.saturating_add(proposal.reward);
            }
            for (account, _) in &round.attestations {
                parts.entry(*account).or_default().0.attested += 1;
            }
        }
        let mut accounts: Vec<Part> = parts
            .into_iter()
            .map(|(account, (part, earned))| Part {
                account: accounts::address(&account),
                name: accounts::short(&account),
                earned: amount::exact(earned),
                ..part
            })
            .collect();
        accounts.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            model,
            // Rounds are counted from 0, and their records go in order.
            complete: rounds.first().is_none_or(|first| first.round == 0),
            rounds: rounds.iter().map(Round::new).collect(),
            accounts,
        }
    }

    /// As two tables: the rounds, and who did what.
    pub fn text(&self) -> String {
        if self.rounds.is_empty() {
            return format!("Model {}: no round is settled yet.\n", self.model);
        }
        let mut rounds = Table::new(&[
            ("round", Align::Right),
            ("version", Align::Right),
            ("accepted", Align::Right),
            ("rejected", Align::Right),
            ("undecided", Align::Right),
            ("accuracy", Align::Right),
            ("weights", Align::Left),
            ("attested", Align::Left),
            ("earned (HYDRA)", Align::Left),
        ]);
        for round in &self.rounds {
            rounds.row([
                round.round.to_string(),
                round.version.to_string(),
                round.accepted.to_string(),
                round.rejected.to_string(),
                round.undecided.to_string(),
                percent(round.accuracy),
                round.weights.as_deref().map_or_else(|| "-".into(), short_hash),
                round.attested(),
                round.earned(),
            ]);
        }
        let mut accounts = Table::new(&[
            ("account", Align::Left),
            ("accepted", Align::Right),
            ("rejected", Align::Right),
            ("undecided", Align::Right),
            ("attested", Align::Right),
            ("earned (HYDRA)", Align::Right),
        ]);
        for part in &self.accounts {
            accounts.row([
                part.name.clone(),
                part.accepted.to_string(),
                part.rejected.to_string(),
                part.undecided.to_string(),
                part.attested.to_string(),
                part.earned.clone(),
            ]);
        }
        format!("{}{}\n{}", self.missing(), rounds.render(), accounts.render())
    }

    /// Says so if there were rounds before these.
    fn missing(&self) -> String {
        match (self.complete, self.rounds.first()) {
            (false, Some(first)) => format!(
                "Rounds 0 to {} are no longer on record: the chain keeps the last {}. Both tables count these only.\n\n",
                first.round.saturating_sub(1),
                self.rounds.len()
            ),
            _ => String::new(),
        }
    }
}

impl Round {
    fn new(summary: &RoundSummary<AccountBytes>) -> Self {
        let count = |outcome| {
            summary
                .proposals
                .iter()
                .filter(|proposal| proposal.outcome == outcome)
                .count()
        };
        Self {
            round: summary.round,
            opened_at: summary.opened_at,
            settled_at: summary.settled_at,
            version: summary.version,
            accepted: count(Outcome::Accepted),
            rejected: count(Outcome::Rejected),
            undecided: count(Outcome::Undecided),
            accuracy: summary.score.and_then(|score| accuracy(&score)),
            score: summary.score,
            weights: summary.weights.map(|weights| hex::encode(weights.0)),
            proposals: summary
                .proposals
                .iter()
                .map(|proposal| Proposal {
                    account: accounts::address(&proposal.proposer),
                    name: accounts::short(&proposal.proposer),
                    outcome: proposal.outcome,
                    reward: amount::exact(proposal.reward),
                    accepted_by: share(proposal.tally.accept, proposal.tally.committee),
                    rejected_by: share(proposal.tally.reject, proposal.tally.committee),
                })
                .collect(),
            attestations: summary
                .attestations
                .iter()
                .map(|(account, weights)| Attestation {
                    account: accounts::address(account),
                    name: accounts::short(account),
                    weights: hex::encode(weights.0),
                })
                .collect(),
        }
    }

    /// Who attested: those who agree with the confirmed weights, and how many did not.
    fn attested(&self) -> String {
        let (same, other): (Vec<_>, Vec<_>) = self.attestations.iter().partition(|attestation| {
            self.weights
                .as_ref()
                .is_none_or(|weights| *weights == attestation.weights)
        });
        let mut names: Vec<&str> = same.iter().map(|attestation| attestation.name.as_str()).collect();
        names.sort_unstable();
        let differ = if other.is_empty() {
            String::new()
        } else {
            format!(", {} differ", other.len())
        };
        match names.len() {
            0 if other.is_empty() => "-".into(),
            count => format!("{count}: {}{differ}", names.join(" ")),
        }
    }

    fn earned(&self) -> String {
        let mut earned: Vec<String> = self
            .proposals
            .iter()
            .filter(|proposal| proposal.reward != "0")
            .map(|proposal| format!("{} {}", proposal.name, proposal.reward))
            .collect();
        earned.sort_unstable();
        if earned.is_empty() {
            "-".into()
        } else {
            earned.join(", ")
        }
    }
}

fn share(part: u128, whole: u128) -> f64 {
    // Weights are far below 2^53 relative to one another; this is for people, not for decisions.
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{H256, HYDRA, status::ProposalSummary, tally::Tally};

    fn account(name: &str) -> AccountBytes {
        accounts::development(name).unwrap()
    }

    fn proposal(name: &str, outcome: Outcome) -> ProposalSummary<AccountBytes> {
        let reward = if outcome == Outcome::Accepted { HYDRA } else { 0 };
        let tally = Tally {
            committee: 4,
            accept: 3,
            reject: 1,
            unavailable: 0,
        };
        ProposalSummary {
            proposer: account(name),
            outcome,
            tally,
            reward,
        }
    }

    fn rounds() -> Vec<RoundSummary<AccountBytes>> {
        let weights = H256::repeat_byte(0xab);
        vec![
            RoundSummary {
                round: 0,
                opened_at: 1,
                settled_at: 12,
                proposals: vec![
                    proposal("Bob", Outcome::Accepted),
                    proposal("Alice", Outcome::Accepted),
                ],
                version: 1,
                weights: Some(weights),
                score: Some(Score {
                    correct: 300,
                    total: 360,
                }),
                attestations: vec![
                    (account("Bob"), weights),
                    (account("Alice"), weights),
                    (account("Dave"), H256::zero()),
                ],
            },
            RoundSummary {
                round: 1,
                opened_at: 12,
                settled_at: 20,
                proposals: vec![
                    proposal("Bob", Outcome::Rejected),
                    proposal("Charlie", Outcome::Undecided),
                ],
                version: 1,
                weights: None,
                score: None,
                attestations: vec![],
            },
        ]
    }

    #[test]
    fn rounds_become_a_table_of_what_happened_and_one_of_who_did_it() {
        let text = Report::new(0, &rounds()).text();
        let expected = "\
round  version  accepted  rejected  undecided  accuracy  weights       attested                earned (HYDRA)
    0        1         2         0          0   83.33 %  abababababab  2: Alice Bob, 1 differ  Alice 1, Bob 1
    1        1         0         1          1         -  -             -                       -

account  accepted  rejected  undecided  attested  earned (HYDRA)
Alice           1         0          0         1               1
Bob             1         1          0         1               1
Charlie         0         0          1         0               0
Dave            0         0          0         1               0
";
        assert_eq!(text, expected);
    }

    #[test]
    fn rounds_that_are_no_longer_on_record_are_said_to_be_missing() {
        let all = Report::new(0, &rounds());
        assert!(all.complete);
        let mut later = rounds();
        for round in &mut later {
            round.round += 40;
        }
        let some = Report::new(0, &later);
        assert!(!some.complete);
        let text = some.text();
        let (first, rest) = text.split_once("\n\n").unwrap();
        assert_eq!(
            first,
            "Rounds 0 to 39 are no longer on record: the chain keeps the last 2. Both tables count these only."
        );
        assert!(rest.starts_with("round  version"), "{rest}");
        assert_eq!(serde_json::to_value(some).unwrap()["complete"], false);
    }

    #[test]
    fn json_has_whole_hashes_and_addresses() {
        let json = serde_json::to_value(Report::new(0, &rounds())).unwrap();
        assert_eq!(json["rounds"][0]["weights"].as_str().unwrap().len(), 64);
        assert_eq!(json["rounds"][0]["proposals"][0]["outcome"], "Accepted");
        assert_eq!(json["rounds"][1]["accuracy"], serde_json::Value::Null);
        assert_eq!(json["accounts"][1]["earned"], "1");
    }

    #[test]
    fn no_rounds_are_said_to_be_none() {
        assert_eq!(Report::new(3, &[]).text(), "Model 3: no round is settled yet.\n");
    }
}
