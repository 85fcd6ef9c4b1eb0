//! Why the adversary ends.

use std::io;

use hydra_blobs::BlobError;
use hydra_engine::EngineError;
use hydra_network::NetworkError;
use hydra_primitives::ModelId;
use hydra_trainer::{database::DatabaseError, depot::DepotError, import::ImportError, weights::WeightsError};

use crate::chain::ChainError;

/// Why it ends.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The account's secret is none.
    #[error("--suri is no secret of an account ({0}): use one such as //Eve")]
    Suri(String),
    /// The chain can't be used.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The data plane can't start.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The blob store can't be used.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// What is known of blobs can't be opened.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Blobs can't be had.
    #[error(transparent)]
    Depot(#[from] DepotError),
    /// The data set can't be imported.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The base weights can't be had.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The identity does not sign.
    #[error("the data-plane identity does not sign ({0})")]
    Identity(String),
    /// The sheet names a shard that isn't there.
    #[error("the data set has no shard {0}")]
    NoShard(u32),
    /// The sheet names a model that isn't there.
    #[error("the chain has no model {0}")]
    NoModel(ModelId),
    /// The node ended.
    #[error("the node reports no more blocks: it was stopped")]
    NodeGone,
    /// Standard output is closed.
    #[error("events can't be written: {0}")]
    Output(#[from] io::Error),
    /// The program is ending.
    #[error("stopped")]
    Stopped,
}
