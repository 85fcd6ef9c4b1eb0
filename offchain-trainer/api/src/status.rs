//! What the trainer says of itself. Anyone on this PC may read it, so it holds no secret.

use std::fmt;

use hydra_primitives::{BlockNumber, ModelId, RoundNumber, Version};
use serde::{Deserialize, Serialize};

/// The trainer's condition.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Status {
    /// Of the trainer.
    pub version: String,
    /// `0x` and hexadecimal digits; of the newest sheet. Null if there is no sheet, or the node has no account.
    pub account: Option<String>,
    /// Whether that account takes part: `unregistered`, `unstaked`, `paused`, `joining` or `ready`.
    pub standing: Option<String>,
    /// This trainer's identity.
    pub peer_id: String,
    /// Where it listens for other trainers, with its identity at the end.
    #[serde(default)]
    pub listen: Vec<String>,
    /// Who it is connected to.
    #[serde(default)]
    pub peers: Vec<Peer>,
    /// How other trainers reach this one; null of a trainer that doesn't say.
    #[serde(default)]
    pub reachability: Option<Reachability>,
    /// Whether it can train.
    pub engine: EngineStatus,
    /// The models of the newest sheet.
    #[serde(default)]
    pub models: Vec<ModelState>,
    /// When the node was last heard of.
    pub last_sheet: Option<LastSheet>,
    /// This PC's clock beside those of its peers; null until enough of them said what time it is.
    pub clock: Option<Clock>,
    /// The port on 127.0.0.1 of its node's JSON-RPC, as the trainer was told: for the dashboard.
    #[serde(default)]
    pub node_rpc_port: Option<u16>,
    /// The genesis hash of the chain that the last duty sheet came from: `0x` and 64 hexadecimal digits. Only this PC's node
    /// sends sheets, so whatever answers at the port above with another one is another chain.
    #[serde(default)]
    pub genesis: Option<String>,
    /// What will be a fault unless somebody does something, as sentences. Gone when it is over.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// The last few sentences about what went wrong, newest last.
    #[serde(default)]
    pub errors: Vec<String>,
}

/// A connected trainer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Peer {
    /// Its identity.
    pub peer_id: String,
    /// Where the connection goes.
    pub address: String,
    /// Round trip in milliseconds, once measured.
    pub latency_ms: Option<u64>,
    /// What it says it runs.
    pub agent: Option<String>,
    /// The way that the connection takes: `direct`; `punched`, a direct one that both sides made at the same moment because a
    /// router lets nobody in; or `relayed`, through a third trainer. Null of a trainer that doesn't say.
    #[serde(default)]
    pub path: Option<String>,
    /// The slot that it has here: `long_term`, `exploratory`, `inbound` or `none`. Null of a trainer that doesn't say.
    #[serde(default)]
    pub slot: Option<String>,
    /// What carries the connection: `tcp`, `quic` or `wss`. Null of a trainer that doesn't say.
    #[serde(default)]
    pub transport: Option<String>,
}

/// How other trainers reach this one, as far as it knows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reachability {
    /// `unknown`; `public`, by an address of its own; `mapped`, through a port that its router opened; `punched`, by a connection
    /// that both sides make at the same moment; `relayed`, through a third trainer only; or `unreachable`.
    pub state: String,
    /// Where others get in by themselves, such as `203.0.113.7:30400`. Null where they don't, and of a trainer that doesn't say.
    #[serde(default)]
    pub at: Option<String>,
    /// What shows that, or what is in the way, as a sentence without its full stop. The words change, but if there is a place in
    /// `at`, they have it, and before it no more than `state` says.
    pub reason: String,
    /// What would help. Null where nothing has to be done or could be, and of a trainer that doesn't say.
    #[serde(default)]
    pub advice: Option<Advice>,
}

/// What a person can do, so that others get in directly.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// Have the router pass the ports on: turn on UPnP in it, or do it by hand.
    OpenPorts,
    /// The router says that it passes the ports on, and nobody gets in there: let this PC's firewall pass them, have the router
    /// pass them on by hand, or ask the provider for a public address.
    OpenByHand,
    /// The router passes the ports on, and stands behind another one: have that one pass them on as well, or, if it is the
    /// provider's, ask for a public address.
    OpenOuterRouter,
    /// Something that only a later release knows.
    #[serde(other)]
    Other,
}

/// Whether the engine may be used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EngineStatus {
    /// `starting`, `ready` or `failed`.
    pub state: String,
    /// Why it failed, in a sentence.
    pub reason: Option<String>,
    /// What it computes with, such as `avx2`; null until a worker has said so.
    pub instructions: Option<String>,
}

/// A model as this trainer sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelState {
    /// The model.
    pub model: ModelId,
    /// The newest confirmed version held here; null before the first.
    pub version: Option<Version>,
    /// BLAKE3 of that version's weights.
    pub weights: Option<String>,
    /// What is being done.
    pub state: Stage,
    /// The chain's round.
    pub round: RoundNumber,
    /// The chain's phase: `pause`, `train` or `verify`.
    pub phase: String,
    /// What is being done, in words.
    pub task: Option<String>,
    /// How far that is, where it is known.
    #[serde(default)]
    pub progress: Option<Progress>,
    /// What is owed and not done yet.
    #[serde(default)]
    pub waiting: Waiting,
}

/// How far a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// Steps done.
    pub done: u32,
    /// Steps in all.
    pub total: u32,
}

/// Tasks that are owed and not done yet, those that are being done included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waiting {
    /// Versions to fold and measure.
    pub measure: u32,
    /// Places to train.
    pub train: u32,
    /// Tasks of others to do again.
    pub verify: u32,
}

/// What is being done for a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Nothing to do.
    #[default]
    Idle,
    /// Getting blobs.
    Fetching,
    /// Making a version, or measuring it.
    Folding,
    /// Training.
    Training,
    /// Doing somebody's task again.
    Verifying,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::Fetching => "fetching",
            Self::Folding => "folding",
            Self::Training => "training",
            Self::Verifying => "verifying",
        })
    }
}

/// The newest duty sheet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LastSheet {
    /// The block it was read at.
    pub block: BlockNumber,
    /// Since it arrived, in seconds.
    pub seconds_ago: u64,
}

/// This PC's clock beside those of its peers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Clock {
    /// How far ahead this PC's clock is of theirs, in milliseconds; negative: behind.
    pub offset_ms: i64,
    /// How many peers it was compared with.
    pub peers: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_trainer_that_just_started_has_little_to_say_and_is_understood() {
        let status: Status = serde_json::from_str(
            r#"{"version":"0.1.0","peer_id":"12D3","engine":{"state":"starting"},"later":1}"#,
        )
        .unwrap();
        assert_eq!(status.engine.state, "starting");
        assert!(status.models.is_empty() && status.last_sheet.is_none() && status.clock.is_none());
        assert_eq!(status.reachability, None);
    }

    #[test]
    fn a_trainer_that_gives_no_advice_or_a_later_one_s_is_understood() {
        let of = |json: &str| serde_json::from_str::<Reachability>(json).unwrap();
        let silent = of(r#"{"state":"relayed","reason":"because"}"#);
        assert_eq!((silent.at, silent.advice), (None, None));
        let later = of(r#"{"state":"relayed","reason":"because","advice":"wait_for_ipv9"}"#);
        assert_eq!(later.advice, Some(Advice::Other));
    }

    #[test]
    fn a_peer_of_a_trainer_that_says_nothing_of_ways_is_understood() {
        let peer: Peer = serde_json::from_str(r#"{"peer_id":"12D3","address":"/ip4/192.0.2.1"}"#).unwrap();
        assert_eq!((peer.path, peer.slot, peer.transport), (None, None, None));
    }

    #[test]
    fn a_stage_is_called_the_same_in_json_and_in_words() {
        use Stage::{Fetching, Folding, Idle, Training, Verifying};
        for stage in [Idle, Fetching, Folding, Training, Verifying] {
            let json = serde_json::to_string(&stage).unwrap();
            assert_eq!(json, format!("\"{stage}\""));
        }
    }

    #[test]
    fn the_names_on_the_wire_stay() {
        let status = Status {
            version: "1".into(),
            account: None,
            standing: None,
            peer_id: "12D3".into(),
            listen: vec![],
            peers: vec![Peer {
                peer_id: "12D4".into(),
                address: "/ip4/192.0.2.1/udp/30400/quic-v1".into(),
                latency_ms: Some(7),
                agent: None,
                path: Some("punched".into()),
                slot: Some("long_term".into()),
                transport: Some("quic".into()),
            }],
            reachability: Some(Reachability {
                state: "relayed".into(),
                at: None,
                reason: "the router opened no port".into(),
                advice: Some(Advice::OpenPorts),
            }),
            engine: EngineStatus {
                state: "ready".into(),
                reason: None,
                instructions: Some("avx2".into()),
            },
            models: vec![ModelState {
                model: 0,
                version: Some(1),
                weights: None,
                state: Stage::Idle,
                round: 2,
                phase: "train".into(),
                task: None,
                progress: Some(Progress { done: 5, total: 30 }),
                waiting: Waiting {
                    measure: 0,
                    train: 1,
                    verify: 2,
                },
            }],
            last_sheet: Some(LastSheet {
                block: 3,
                seconds_ago: 4,
            }),
            clock: Some(Clock {
                offset_ms: -5,
                peers: 6,
            }),
            node_rpc_port: Some(9944),
            genesis: None,
            warnings: vec![],
            errors: vec![],
        };
        let json = serde_json::to_string(&status).unwrap();
        let expected = concat!(
            r#"{"version":"1","account":null,"standing":null,"peer_id":"12D3","listen":[],"#,
            r#""peers":[{"peer_id":"12D4","address":"/ip4/192.0.2.1/udp/30400/quic-v1","latency_ms":7,"agent":null,"#,
            r#""path":"punched","slot":"long_term","transport":"quic"}],"#,
            r#""reachability":{"state":"relayed","at":null,"reason":"the router opened no port","advice":"open_ports"},"#,
            r#""engine":{"state":"ready","reason":null,"instructions":"avx2"},"models":[{"model":0,"version":1,"weights":null,"#,
            r#""state":"idle","round":2,"phase":"train","task":null,"progress":{"done":5,"total":30},"#,
            r#""waiting":{"measure":0,"train":1,"verify":2}}],"last_sheet":{"block":3,"seconds_ago":4},"#,
            r#""clock":{"offset_ms":-5,"peers":6},"node_rpc_port":9944,"genesis":null,"warnings":[],"errors":[]}"#
        );
        assert_eq!(json, expected);
        assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_status_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = serde_json::from_slice::<Status>(&bytes);
        }
    }
}
