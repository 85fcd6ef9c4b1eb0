//! What the trainer says of itself at `/v1/status`.
//!
//! Anyone on this PC may read it, so it must never hold a secret.

use std::sync::{Arc, Mutex};

use hydra_primitives::{
    duty::{DutySheet, Standing},
    status::Phase,
};
use serde::Serialize;

use crate::{lock, tasks::Shared, torch::EngineState};

/// What a model's task is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
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
    /// Checking a proposal.
    Verifying,
}

/// Where a running task stands. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StageCell(Arc<Mutex<(Stage, String)>>);

impl StageCell {
    /// The task is now doing this.
    pub fn set(&self, stage: Stage, task: impl Into<String>) {
        *lock(&self.0) = (stage, task.into());
    }

    /// What it is doing.
    pub fn get(&self) -> (Stage, String) {
        lock(&self.0).clone()
    }
}

/// The answer of `/v1/status`.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Of the trainer.
    pub version: &'static str,
    /// `0x` and hexadecimal digits; of the newest sheet.
    pub account: Option<String>,
    /// Whether that account takes part.
    pub standing: Option<&'static str>,
    /// This trainer's identity.
    pub peer_id: String,
    /// Where it listens for other trainers, with its identity at the end.
    pub listen: Vec<String>,
    /// Who it is connected to.
    pub peers: Vec<Peer>,
    /// Whether it can train.
    pub engine: EngineStatus,
    /// The models of the newest sheet.
    pub models: Vec<ModelState>,
    /// When the node was last heard of.
    pub last_sheet: Option<LastSheet>,
    /// The last few sentences about what went wrong, newest last.
    pub errors: Vec<String>,
}

/// A connected trainer.
#[derive(Debug, Serialize)]
pub struct Peer {
    /// Its identity.
    pub peer_id: String,
    /// Where the connection goes.
    pub address: String,
    /// Round trip, once measured.
    pub latency_ms: Option<u64>,
    /// What it says it runs.
    pub agent: Option<String>,
}

/// Whether the engine may be used.
#[derive(Debug, Serialize)]
pub struct EngineStatus {
    /// `starting`, `ready` or `failed`.
    pub state: &'static str,
    /// Why it failed, in a sentence.
    pub reason: Option<String>,
}

/// A model as this trainer sees it.
#[derive(Debug, Serialize)]
pub struct ModelState {
    /// The model.
    pub model: u32,
    /// The newest version held here; `None` before the first.
    pub version: Option<u32>,
    /// That version's name.
    pub weights: Option<String>,
    /// What is being done.
    pub state: Stage,
    /// The chain's round.
    pub round: u32,
    /// The chain's phase.
    pub phase: &'static str,
    /// What is being done, in words.
    pub task: Option<String>,
}

/// The newest duty sheet.
#[derive(Debug, Serialize)]
pub struct LastSheet {
    /// The block it was read at.
    pub block: u32,
    /// Since it arrived.
    pub seconds_ago: u64,
}

impl Status {
    /// How things are now.
    pub fn of(shared: &Shared) -> Self {
        let (sheet, arrived) = shared.newest_sheet().unzip();
        let network = shared.depot.network();
        let peers = network.peers().into_iter().map(|peer| Peer {
            peer_id: peer.peer_id.to_string(),
            address: peer.address.to_string(),
            latency_ms: peer
                .latency
                .map(|l| u64::try_from(l.as_millis()).unwrap_or(u64::MAX)),
            agent: peer.agent,
        });
        let (state, reason) = match shared.torch.state() {
            EngineState::Starting => ("starting", None),
            EngineState::Ready => ("ready", None),
            EngineState::Failed(reason) => ("failed", Some(reason)),
        };
        let last_sheet = sheet.as_deref().zip(arrived).map(|(sheet, arrived)| LastSheet {
            block: sheet.block,
            seconds_ago: arrived.elapsed().as_secs(),
        });
        Self {
            version: env!("CARGO_PKG_VERSION"),
            account: sheet
                .as_ref()
                .map(|sheet| format!("0x{}", hex::encode(sheet.account))),
            standing: sheet.as_ref().map(|sheet| match sheet.standing {
                Standing::Unregistered => "unregistered",
                Standing::Unstaked => "unstaked",
                Standing::Ready => "ready",
            }),
            peer_id: network.local_peer_id().to_string(),
            listen: network
                .listen_addresses()
                .iter()
                .map(ToString::to_string)
                .collect(),
            peers: peers.collect(),
            engine: EngineStatus { state, reason },
            models: sheet.iter().flat_map(|sheet| models(shared, sheet)).collect(),
            last_sheet,
            errors: shared.errors.list(),
        }
    }
}

fn models(shared: &Shared, sheet: &DutySheet) -> Vec<ModelState> {
    let model = |duties: &hydra_primitives::duty::ModelDuties| {
        let held = shared.weights.newest_held(duties.model);
        let doing = shared.doing(duties.model);
        ModelState {
            model: duties.model,
            version: held.as_ref().map(|held| held.version),
            weights: held.map(|held| format!("{:?}", held.hash)),
            state: doing.as_ref().map_or(Stage::Idle, |(stage, _)| *stage),
            round: duties.round,
            phase: match duties.phase {
                Phase::Train => "train",
                Phase::Verify => "verify",
                Phase::Reveal => "reveal",
                Phase::Settle => "settle",
            },
            task: doing.map(|(_, task)| task),
        }
    };
    sheet.models.iter().map(model).collect()
}
