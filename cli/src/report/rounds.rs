//! Rounds: what became of the places of each, from the records on chain, and who had which part in them.

use hydra_primitives::{
    AccountBytes, Balance, ModelId,
    poll::Draw,
    proposal::Score,
    status::{Outcome, PlaceSummary, RoundSummary},
    task::PlaceIndex,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

use super::{
    current::Current,
    figures::{accuracy, percent, short_hash},
    polls::draw,
};
use crate::{
    accounts, amount,
    table::{Align, Table},
};

/// How many of those who earned something in a round are named in the table.
const NAMED: usize = 4;

/// A settled round, as shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Round {
    /// Its number.
    pub round: u32,
    /// The block it opened in.
    pub opened_at: u32,
    /// The block it was settled in.
    pub settled_at: u32,
    /// The version it made; the same as before when nothing was accepted.
    pub version: u32,
    /// Whether that version was given up: then nothing was paid for it.
    pub given_up: bool,
    /// Accepted proposals.
    pub accepted: usize,
    /// Rejected proposals.
    pub rejected: usize,
    /// Proposals that were not decided, or that nobody looked at.
    pub undecided: usize,
    /// Places for which nothing was proposed.
    pub silent: usize,
    /// Proposals that the first draw did not decide.
    pub appealed: usize,
    /// The share of the validation set that the version gets right, from 0 to 1, once it is confirmed.
    #[schemars(range(min = 0, max = 1))]
    pub accuracy: Option<f64>,
    /// Right answers, images and mean loss behind that number.
    pub score: Option<Score>,
    /// BLAKE3 of the version's weights, in hexadecimal digits, once confirmed.
    pub weights: Option<String>,
    /// What became of each place, in order.
    pub places: Vec<Place>,
}

/// What became of a place.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Place {
    /// Its number in the round, from 0.
    pub place: PlaceIndex,
    /// The address of who held it.
    pub account: String,
    /// The holder in short.
    pub name: String,
    /// `Accepted`, `Rejected`, `Undecided` or `Dropped`; null if nothing was proposed.
    pub outcome: Option<Outcome>,
    /// The draw that decided: `first`, `appeal` or `last`; null if nothing was proposed.
    pub draw: Option<&'static str>,
    /// What it earned its holder, in HYDRA, once its version is confirmed.
    pub earned: String,
    /// What those who verified it got together, in HYDRA.
    pub verifiers: String,
    /// The holder's part in the smallest unit.
    #[serde(skip)]
    units: Balance,
}

/// One account's part in these rounds.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Part {
    /// The account's address.
    pub account: String,
    /// The account in short.
    pub name: String,
    /// Places that it held.
    pub places: usize,
    /// Its accepted proposals.
    pub accepted: usize,
    /// Its rejected proposals.
    pub rejected: usize,
    /// Its proposals that were not decided, or that nobody looked at.
    pub undecided: usize,
    /// Its places for which it proposed nothing.
    pub silent: usize,
    /// What it earned by its places, in HYDRA. What it got for verifying others isn't on record.
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
    /// The round that it is in; null where that wasn't looked at.
    pub current: Option<Current>,
}

impl Report {
    /// From the records on chain.
    pub fn new(model: ModelId, rounds: &[RoundSummary<AccountBytes>]) -> Self {
        let mut parts: BTreeMap<AccountBytes, (Part, Balance)> = BTreeMap::new();
        for place in rounds.iter().flat_map(|round| &round.places) {
            let (part, earned) = parts.entry(place.holder).or_default();
            part.places += 1;
            match place.outcome {
                Some(Outcome::Accepted) => part.accepted += 1,
                Some(Outcome::Rejected) => part.rejected += 1,
                Some(Outcome::Undecided | Outcome::Dropped) => part.undecided += 1,
                None => part.silent += 1,
            }
            *earned = earned.saturating_add(place.reward);
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
            current: None,
        }
    }

    /// The same, with the round that the model is in.
    pub fn with_current(self, current: Current) -> Self {
        Self {
            current: Some(current),
            ..self
        }
    }

    /// As tables: the rounds, who did what, and the round that the model is in.
    pub fn text(&self) -> String {
        let current = self.current.as_ref().map(Current::text);
        let settled = match self.rounds.is_empty() {
            true => format!("Model {}: no round is settled yet.\n", self.model),
            false => self.settled(),
        };
        match current {
            Some(current) => format!("{settled}\n{current}"),
            None => settled,
        }
    }

    fn settled(&self) -> String {
        let mut rounds = Table::new(&[
            ("round", Align::Right),
            ("version", Align::Left),
            ("accepted", Align::Right),
            ("rejected", Align::Right),
            ("undecided", Align::Right),
            ("silent", Align::Right),
            ("appealed", Align::Right),
            ("accuracy", Align::Right),
            ("weights", Align::Left),
            ("earned (HYDRA)", Align::Left),
        ]);
        for round in &self.rounds {
            let given_up = if round.given_up { ", given up" } else { "" };
            rounds.row([
                round.round.to_string(),
                format!("{}{given_up}", round.version),
                round.accepted.to_string(),
                round.rejected.to_string(),
                round.undecided.to_string(),
                round.silent.to_string(),
                round.appealed.to_string(),
                percent(round.accuracy),
                round.weights.as_deref().map_or_else(|| "-".into(), short_hash),
                round.earned(),
            ]);
        }
        let mut accounts = Table::new(&[
            ("account", Align::Left),
            ("places", Align::Right),
            ("accepted", Align::Right),
            ("rejected", Align::Right),
            ("undecided", Align::Right),
            ("silent", Align::Right),
            ("earned (HYDRA)", Align::Right),
        ]);
        for part in &self.accounts {
            accounts.row([
                part.name.clone(),
                part.places.to_string(),
                part.accepted.to_string(),
                part.rejected.to_string(),
                part.undecided.to_string(),
                part.silent.to_string(),
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
        let count = |is: fn(&PlaceSummary<AccountBytes>) -> bool| {
            summary.places.iter().filter(|place| is(place)).count()
        };
        Self {
            round: summary.round,
            opened_at: summary.opened_at,
            settled_at: summary.settled_at,
            version: summary.version,
            given_up: summary.given_up,
            accepted: count(|place| place.outcome == Some(Outcome::Accepted)),
            rejected: count(|place| place.outcome == Some(Outcome::Rejected)),
            undecided: count(|place| matches!(place.outcome, Some(Outcome::Undecided | Outcome::Dropped))),
            silent: count(|place| place.outcome.is_none()),
            appealed: count(|place| place.outcome.is_some() && place.draw != Draw::First),
            accuracy: summary.score.and_then(|score| accuracy(&score)),
            score: summary.score,
            weights: summary.weights.map(|weights| hex::encode(weights.0)),
            places: summary.places.iter().map(Place::new).collect(),
        }
    }

    /// Who earned how much: an account may have held several places.
    fn earned(&self) -> String {
        let mut sums: BTreeMap<&str, Balance> = BTreeMap::new();
        for place in self.places.iter().filter(|place| place.units > 0) {
            let sum = sums.entry(&place.name).or_default();
            *sum = sum.saturating_add(place.units);
        }
        let named = sums.iter().take(NAMED);
        let mut words: Vec<String> = named
            .map(|(name, sum)| format!("{name} {}", amount::exact(*sum)))
            .collect();
        match sums.len().saturating_sub(NAMED) {
            0 if words.is_empty() => return "-".into(),
            0 => {}
            more => words.push(format!("{more} more")),
        }
        words.join(", ")
    }
}

impl Place {
    fn new(place: &PlaceSummary<AccountBytes>) -> Self {
        Self {
            place: place.place,
            account: accounts::address(&place.holder),
            name: accounts::short(&place.holder),
            outcome: place.outcome,
            draw: place.outcome.map(|_| draw(place.draw)),
            earned: amount::exact(place.reward),
            verifiers: amount::exact(place.verifiers),
            units: place.reward,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{H256, HYDRA};

    fn account(name: &str) -> AccountBytes {
        accounts::development(name).unwrap()
    }

    fn place(place: PlaceIndex, name: &str, outcome: Option<Outcome>) -> PlaceSummary<AccountBytes> {
        let (reward, verifiers) = match outcome {
            Some(Outcome::Accepted) => (4 * HYDRA, HYDRA),
            _ => (0, 0),
        };
        PlaceSummary {
            place,
            holder: account(name),
            outcome,
            draw: Draw::First,
            reward,
            verifiers,
        }
    }

    fn rounds() -> Vec<RoundSummary<AccountBytes>> {
        let accepted = Some(Outcome::Accepted);
        vec![
            RoundSummary {
                round: 0,
                opened_at: 1,
                settled_at: 12,
                places: vec![
                    place(0, "Bob", accepted),
                    place(1, "Alice", accepted),
                    place(2, "Bob", accepted),
                    place(3, "Dave", None),
                ],
                version: 1,
                weights: Some(H256::repeat_byte(0xab)),
                score: Some(Score {
                    correct: 300,
                    total: 360,
                    loss: 500_000,
                }),
                given_up: false,
            },
            RoundSummary {
                round: 1,
                opened_at: 12,
                settled_at: 20,
                places: vec![
                    place(0, "Bob", Some(Outcome::Rejected)),
                    PlaceSummary {
                        draw: Draw::Last,
                        ..place(1, "Charlie", Some(Outcome::Undecided))
                    },
                    place(2, "Alice", Some(Outcome::Dropped)),
                ],
                version: 2,
                weights: None,
                score: None,
                given_up: true,
            },
        ]
    }

    #[test]
    fn rounds_become_a_table_of_what_happened_and_one_of_who_did_it() {
        let text = Report::new(0, &rounds()).text();
        let expected = "\
round  version      accepted  rejected  undecided  silent  appealed  accuracy  weights       earned (HYDRA)
    0  1                   3         0          0       1         0   83.33 %  abababababab  Alice 4, Bob 8
    1  2, given up         0         1          2       0         1         -  -             -

account  places  accepted  rejected  undecided  silent  earned (HYDRA)
Alice         2         1         0          1       0               4
Bob           3         2         1          0       0               8
Charlie       1         0         0          1       0               0
Dave          1         0         0          0       1               0
";
        assert_eq!(text, expected);
    }

    #[test]
    fn of_many_who_earned_something_only_the_first_are_named() {
        let names = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie"];
        let mut many = rounds();
        many[0].places = (0..)
            .zip(names)
            .map(|(number, name)| place(number, name, Some(Outcome::Accepted)))
            .collect();
        let report = Report::new(0, &many);
        assert_eq!(
            report.rounds[0].earned(),
            "Alice 4, Bob 4, Charlie 4, Dave 4, 2 more"
        );
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
        let places = &json["rounds"][0]["places"];
        assert_eq!(places[0]["outcome"], "Accepted");
        assert_eq!(
            (&places[0]["earned"], &places[0]["verifiers"]),
            (&"4".into(), &"1".into())
        );
        assert_eq!(
            (&places[3]["outcome"], &places[3]["draw"]),
            (&().into(), &().into())
        );
        assert_eq!(json["rounds"][1]["places"][1]["draw"], "last");
        assert_eq!(json["rounds"][1]["accuracy"], serde_json::Value::Null);
        assert_eq!(json["accounts"][1]["earned"], "8");
    }

    #[test]
    fn no_rounds_are_said_to_be_none() {
        assert_eq!(Report::new(3, &[]).text(), "Model 3: no round is settled yet.\n");
    }
}
