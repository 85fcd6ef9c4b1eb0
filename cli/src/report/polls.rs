//! Polls: which draw is asked, how many of its seats gave what they found, and who has seats.

use hydra_primitives::{
    AccountBytes,
    poll::{Draw, PollId},
    status::{PollStage, PollStatus},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts,
    chain::{Chain, Hash},
    error::Error,
};

/// A poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Poll {
    /// Its name: a hash of what it asks.
    pub poll: String,
    /// Which of its draws is asked: `first`, `appeal` or `last`.
    pub draw: &'static str,
    /// `Drawing`, `Digests`, `Opening` or `Judging`.
    pub stage: PollStage,
    /// The block in which the stage ends at the latest.
    pub ends_at: u32,
    /// Seats of this draw.
    pub seats: u32,
    /// Those that gave what they found, hidden as a digest.
    pub given: u32,
    /// Accounts with seats of any draw so far, 64 at the most.
    pub accounts: Vec<Seated>,
}

/// An account with seats.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Seated {
    /// Its address.
    pub account: String,
    /// In short.
    pub name: String,
    /// How many seats it has, in all draws.
    pub seats: u32,
    /// Whether its digest is given.
    pub given: bool,
}

impl Poll {
    /// From what the chain says.
    pub fn new(status: &PollStatus<AccountBytes>) -> Self {
        let seated = |(account, seats, given): &(AccountBytes, u32, bool)| Seated {
            account: accounts::address(account),
            name: accounts::short(account),
            seats: *seats,
            given: *given,
        };
        Self {
            poll: hex::encode(status.poll.0),
            draw: draw(status.draw),
            stage: status.stage,
            ends_at: status.ends_at,
            seats: status.seats,
            given: status.given,
            accounts: status.accounts.iter().map(seated).collect(),
        }
    }

    /// Reads one, unless it is over.
    pub async fn read(chain: &Chain, poll: PollId, at: Hash) -> Result<Option<Self>, Error> {
        Ok(chain.poll(poll, at).await?.as_ref().map(Self::new))
    }

    /// How far it is: `14 of 20 seats gave what they found`.
    pub fn words(&self) -> String {
        let which = match self.draw {
            "first" => String::new(),
            draw => format!(" in the {draw} draw"),
        };
        let (given, seats) = (self.given, self.seats);
        match self.stage {
            PollStage::Drawing => format!("its seats are being drawn{which}"),
            PollStage::Digests => format!("{given} of {seats} seats gave what they found{which}"),
            PollStage::Opening => {
                format!("{given} of {seats} seats gave what they found{which}, to be shown now")
            }
            PollStage::Judging => format!("it is decided{which}"),
        }
    }
}

/// A draw in a word.
pub fn draw(draw: Draw) -> &'static str {
    match draw {
        Draw::First => "first",
        Draw::Appeal => "appeal",
        Draw::Last => "last",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::H256;

    #[test]
    fn how_far_a_poll_is_can_be_said_and_read() {
        let status = |draw, stage| PollStatus {
            poll: H256::repeat_byte(0xab),
            draw,
            stage,
            ends_at: 9,
            seats: 20,
            given: 14,
            accounts: vec![(accounts::development("Bob").unwrap(), 5, true)],
        };
        let words = |draw, stage| Poll::new(&status(draw, stage)).words();
        assert_eq!(
            words(Draw::First, PollStage::Digests),
            "14 of 20 seats gave what they found"
        );
        assert_eq!(
            words(Draw::Appeal, PollStage::Digests),
            "14 of 20 seats gave what they found in the appeal draw"
        );
        assert!(words(Draw::Last, PollStage::Drawing).ends_with("drawn in the last draw"));
        let json = serde_json::to_value(Poll::new(&status(Draw::First, PollStage::Opening))).unwrap();
        assert_eq!(
            (&json["draw"], &json["stage"]),
            (&"first".into(), &"Opening".into())
        );
        assert_eq!(json["accounts"][0]["name"], "Bob");
    }
}
