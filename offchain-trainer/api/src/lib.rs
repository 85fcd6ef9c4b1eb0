//! What the trainer says and takes on 127.0.0.1: the types, for both sides.
//!
//! The trainer serves them and the command line reads them, so that the two can't differ. JSON, but for the duty sheet,
//! which is SCALE and belongs to [`hydra_primitives::duty`]. Must never do anything: no sockets, no files.
//!
//! | path | method | body and answer | tag |
//! |------|--------|-----------------|-----|
//! | [`DUTIES_PATH`] | POST | duty sheet and answer | yes |
//! | [`NODE_PATH`] | POST | [`NodeReport`], [`NodeTunnels`] | yes |
//! | [`STATUS_PATH`] | GET | [`Status`] | no |
//! | [`EVENTS_PATH`] | GET | server-sent events, each a [`Status`] | no |
//! | [`PAID_PATH`] | POST | [`PaidQuestion`], [`Answer`] | no: [`PAID_IN_HEADER`] names the block with its payment |
//! | [`CHECK_PATH`] | POST | [`Question`], [`Checked`] | yes |
//! | [`INFER_PATH`] | POST | [`Question`], [`Answer`] | yes |
//! | [`weights_path`] | GET | a safetensors file | yes |
//!
//! At all other paths are the files of the dashboard, for anyone on this PC. Whatever is refused is answered with a [`Refusal`].

mod node;
mod question;
mod status;
mod tag;

pub use hydra_primitives::duty::{DUTIES_PATH, MAX_BODY, TAG_HEADER};
pub use node::{MAX_NODE_PEERS, NodeReport, NodeTunnel, NodeTunnels};
pub use question::{Answer, Checked, Image, MAX_READINGS, PaidQuestion, Question};
pub use status::{
    Advice, Clock, EngineStatus, LastSheet, ModelState, Peer, Progress, Reachability, Stage, Status, Waiting,
};
pub use tag::{Tag, TagError};

use hydra_primitives::ModelId;
use serde::{Deserialize, Serialize};

/// So many characters a network's id has at most.
pub const MAX_NETWORK_ID: usize = 32;

/// Whether a chain spec may have this id: it is a folder's name, and part of what trainers find each other by.
pub fn is_network_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=MAX_NETWORK_ID).contains(&id.len()) && id.bytes().all(plain)
}

/// Where other nodes are reached: for the node.
pub const NODE_PATH: &str = "/v1/node";
/// How the trainer is; anyone may ask.
pub const STATUS_PATH: &str = "/v1/status";
/// How the trainer is, now and whenever that changes: server-sent events called [`STATUS_EVENT`].
pub const EVENTS_PATH: &str = "/v1/events";
/// What an event of [`EVENTS_PATH`] is called.
pub const STATUS_EVENT: &str = "status";
/// An answer to a question that was paid for on chain: for who pays, and knows no token.
pub const PAID_PATH: &str = "/v1/paid-question";
/// Header with the hash of the block that has the payment: `0x` and 64 hexadecimal digits.
pub const PAID_IN_HEADER: &str = "x-hydra-paid-in";
/// An answer to a question.
pub const INFER_PATH: &str = "/v1/infer";
/// Whether a question could be answered.
pub const CHECK_PATH: &str = "/v1/check-image";
/// [`weights_path`] with a place for the model, as routers have it.
pub const WEIGHTS_ROUTE: &str = "/v1/model/{model}/weights";
/// Header with the BLAKE3 of the weights that are downloaded.
pub const WEIGHTS_HEADER: &str = "x-hydra-weights-hash";
/// Header with their version.
pub const VERSION_HEADER: &str = "x-hydra-weights-version";

/// The newest confirmed weights of a model.
pub fn weights_path(model: ModelId) -> String {
    WEIGHTS_ROUTE.replace("{model}", &model.to_string())
}

/// Why a request was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// One sentence for a person: what is wrong, and what to do.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_weights_names_the_model() {
        assert_eq!(weights_path(3), "/v1/model/3/weights");
    }

    #[test]
    fn a_refusal_is_one_sentence() {
        let refusal = Refusal { error: "no".into() };
        assert_eq!(serde_json::to_string(&refusal).unwrap(), r#"{"error":"no"}"#);
    }
}
