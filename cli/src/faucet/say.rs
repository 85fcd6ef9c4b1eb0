//! What the faucet tells whoever runs it: a line each, or one JSON document in a line for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::output;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Event {
    /// It may be asked.
    Listening {
        /// Where.
        url: String,
    },
    /// An address has got its coins.
    Paid {
        /// The address.
        address: String,
        /// How much, in HYDRA.
        amount: String,
        /// The block that the payment is in.
        block: u64,
        /// The hash of the payment's extrinsic.
        transaction: String,
    },
    /// Something went wrong that whoever runs it should know.
    Problem {
        /// What, in a sentence.
        reason: String,
    },
    /// It ends.
    Stopping,
}

impl Event {
    fn text(&self) -> String {
        match self {
            Self::Listening { url } => format!("listening on {url}; Ctrl-C stops it"),
            Self::Paid {
                address,
                amount,
                block,
                ..
            } => format!("paid {amount} HYDRA to {address} in block {block}"),
            Self::Problem { reason } => format!("! {reason}"),
            Self::Stopping => "stopping …".into(),
        }
    }
}

/// Says events.
#[derive(Clone, Copy, Debug)]
pub struct Say {
    json: bool,
}

impl Say {
    /// As JSON, or as lines.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Says this. That nobody listens is no reason to stop.
    pub fn tell(self, event: &Event) {
        if self.json {
            let _ = output::event(event);
        } else {
            output::note(&event.text());
        }
    }
}
