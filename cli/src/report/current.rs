//! The round that a model is in: its places, what was proposed for them, and how far the polls on that are.

use hydra_primitives::{
    status::{ModelStatus, Outcome, Phase},
    task::PlaceIndex,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    models::Model,
    polls::{Poll, draw},
};
use crate::{
    accounts, amount,
    chain::{self, Block, Chain},
    error::Error,
    table::{Align, Table},
};

/// How many polls are looked at: each is a question to the node.
const POLLS: usize = 64;

/// A model and the places of its current round.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Current {
    /// The model, with its round and phase.
    pub model: Model,
    /// The places, in order. None in a pause.
    pub places: Vec<Place>,
}

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// Its number in the round, from 0.
    pub place: PlaceIndex,
    /// The address of who holds it.
    pub account: String,
    /// The holder in short.
    pub name: String,
    /// BLAKE3 of the update that was proposed, in hexadecimal digits; null before.
    pub update: Option<String>,
    /// The poll on it, while there is one. Of many places only the first 64 polls are looked at.
    pub poll: Option<Poll>,
    /// What became of it: `Accepted`, `Rejected`, `Undecided` or `Dropped`; null before that is known.
    pub outcome: Option<Outcome>,
    /// The draw that decided: `first`, `appeal` or `last`; null before.
    pub draw: Option<&'static str>,
    /// What it earns if it is accepted and its version confirmed, in HYDRA, the verifiers' part included.
    pub worth: String,
}

impl Current {
    /// Reads it at a block.
    pub async fn read(chain: &Chain, status: &ModelStatus, at: Block) -> Result<Self, Error> {
        let version_poll = match status.version_poll {
            Some(poll) => Poll::read(chain, poll, at.hash).await?,
            None => None,
        };
        let mut places = Vec::new();
        let mut left = POLLS;
        for place in chain.places(status.model, at.hash).await? {
            let asked = place.poll.filter(|_| place.outcome.is_none() && left > 0);
            let poll = match asked {
                Some(poll) => {
                    left -= 1;
                    Poll::read(chain, poll, at.hash).await?
                }
                None => None,
            };
            places.push(Place::new(&place, poll));
        }
        Ok(Self {
            model: Model::new(status, at.number).with_poll(version_poll),
            places,
        })
    }

    /// As a table, with what is to be said besides.
    pub fn text(&self) -> String {
        let model = &self.model;
        let phase = match model.phase {
            Phase::Pause => "pauses".into(),
            Phase::Train => format!("trains, {} of {} proposed", model.proposals, model.places),
            Phase::Verify => format!("is verified, {} of {} decided", model.decided, model.proposals),
        };
        let mut text = format!(
            "Round {} {phase}; {} blocks left at the most.\n",
            model.round, model.blocks_left
        );
        for sentence in model.sentences() {
            text += &sentence;
            text.push('\n');
        }
        if self.places.is_empty() {
            return text;
        }
        let mut table = Table::new(&[
            ("place", Align::Right),
            ("account", Align::Left),
            ("how far it is", Align::Left),
        ]);
        for place in &self.places {
            table.row([place.place.to_string(), place.name.clone(), place.words()]);
        }
        text + &table.render()
    }
}

impl Place {
    fn new(place: &chain::Place, poll: Option<Poll>) -> Self {
        Self {
            place: place.place,
            account: accounts::address(&place.holder),
            name: accounts::short(&place.holder),
            update: place.claim.map(|claim| hex::encode(claim.update.hash.0)),
            poll,
            outcome: place.outcome,
            draw: place.outcome.map(|_| draw(place.draw)),
            worth: amount::exact(place.quoted),
        }
    }

    fn words(&self) -> String {
        match (self.outcome, &self.poll, &self.update) {
            (Some(outcome), _, _) => said(outcome).into(),
            (None, Some(poll), _) => poll.words(),
            (None, None, Some(_)) => "proposed".into(),
            (None, None, None) => "nothing proposed yet".into(),
        }
    }
}

/// What became of a proposal, in a word.
pub fn said(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Rejected => "rejected",
        Outcome::Undecided => "undecided",
        Outcome::Dropped => "dropped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{
        BlobRef, H256, HYDRA,
        digits::{digits_manifest, digits_spec},
        poll::Draw,
        proposal::Claim,
        status::{PollStage, PollStatus},
    };

    fn place(place: PlaceIndex, name: &str) -> chain::Place {
        chain::Place {
            place,
            holder: accounts::development(name).unwrap(),
            claim: None,
            poll: None,
            outcome: None,
            draw: Draw::First,
            quoted: 0,
        }
    }

    fn claim() -> Claim {
        Claim {
            base: H256::zero(),
            update: BlobRef {
                hash: H256::repeat_byte(0xab),
                size: 4,
            },
        }
    }

    fn current() -> Current {
        let status = ModelStatus {
            model: 0,
            spec: digits_spec(),
            dataset: digits_manifest(),
            round: 812,
            phase: Phase::Verify,
            waiting: None,
            phase_ends_at: 107,
            places: 3,
            proposals: 2,
            decided: 1,
            version: 812,
            version_poll: None,
            confirmed_version: 812,
            weights: H256::zero(),
            score: None,
        };
        let accepted = chain::Place {
            claim: Some(claim()),
            outcome: Some(Outcome::Accepted),
            draw: Draw::Appeal,
            quoted: HYDRA,
            ..place(0, "Bob")
        };
        let asked = chain::Place {
            claim: Some(claim()),
            poll: Some(H256::zero()),
            ..place(1, "Alice")
        };
        let poll = Poll::new(&PollStatus {
            poll: H256::zero(),
            draw: Draw::First,
            stage: PollStage::Digests,
            ends_at: 104,
            seats: 20,
            given: 14,
            accounts: vec![],
        });
        Current {
            model: Model::new(&status, 100),
            places: vec![
                Place::new(&accepted, None),
                Place::new(&asked, Some(poll)),
                Place::new(&place(2, "Dave"), None),
            ],
        }
    }

    #[test]
    fn each_place_says_how_far_it_is() {
        let expected = "\
Round 812 is verified, 1 of 2 decided; 7 blocks left at the most.
place  account  how far it is
    0  Bob      accepted
    1  Alice    14 of 20 seats gave what they found
    2  Dave     nothing proposed yet
";
        assert_eq!(current().text(), expected);
    }

    #[test]
    fn programs_read_hashes_draws_and_polls() {
        let json = serde_json::to_value(current()).unwrap();
        let places = &json["places"];
        assert_eq!(places[0]["outcome"], "Accepted");
        assert_eq!(
            (&places[0]["draw"], &places[0]["worth"]),
            (&"appeal".into(), &"1".into())
        );
        assert_eq!(places[0]["update"].as_str().unwrap().len(), 64);
        assert_eq!(places[1]["poll"]["given"], 14);
        assert_eq!(places[1]["draw"], serde_json::Value::Null);
    }

    #[test]
    fn a_pause_has_no_places_and_says_why_it_lasts() {
        let mut pausing = current();
        pausing.places.clear();
        pausing.model.phase = Phase::Pause;
        pausing.model.waiting = Some(hydra_primitives::status::Waiting::Payer);
        assert_eq!(
            pausing.text(),
            "Round 812 pauses; 7 blocks left at the most.\nModel 0 waits: whoever pays for its rounds has nothing left.\n"
        );
    }
}
