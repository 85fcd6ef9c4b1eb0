//! Models: what the chain says of each, and a table of them.

use hydra_primitives::{
    ModelId,
    status::{ModelStatus, Phase},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::figures::{accuracy, cut, percent};
use crate::{
    chain::{Chain, Hash},
    error::Error,
    table::{Align, Table},
};

/// A model.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Model {
    /// Its number.
    pub model: ModelId,
    /// Its data set.
    pub dataset: String,
    /// Number of parameters.
    pub parameters: u64,
    /// The current round.
    pub round: u32,
    /// `Train`, `Verify`, `Reveal` or `Settle`.
    pub phase: Phase,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: u32,
    /// How many blocks that is from now.
    pub blocks_left: u64,
    /// Proposals in this round.
    pub proposals: u32,
    /// Accounts expected to take part.
    pub participants: u32,
    /// The newest version.
    pub version: u32,
    /// The newest confirmed version.
    pub confirmed_version: u32,
    /// The share of the validation set that the confirmed version gets right, from 0 to 1; null before the first.
    #[schemars(range(min = 0, max = 1))]
    pub accuracy: Option<f64>,
    /// BLAKE3 of the confirmed version's weights, in hexadecimal digits.
    pub weights: String,
}

impl Model {
    /// From what the chain says at block `best`.
    pub fn new(status: &ModelStatus, best: u64) -> Self {
        Self {
            model: status.model,
            dataset: String::from_utf8_lossy(&status.dataset.name).into_owned(),
            parameters: status.spec.architecture.parameters(),
            round: status.round,
            phase: status.phase,
            phase_ends_at: status.phase_ends_at,
            blocks_left: u64::from(status.phase_ends_at).saturating_sub(best),
            proposals: status.proposals,
            participants: status.participants,
            version: status.version,
            confirmed_version: status.confirmed_version,
            accuracy: status.score.and_then(|score| accuracy(&score)),
            weights: hex::encode(status.weights.0),
        }
    }
}

/// Reads every model at a block.
pub async fn read(chain: &Chain, at: Hash) -> Result<Vec<ModelStatus>, Error> {
    let mut models = Vec::new();
    for model in chain.models(at).await? {
        models.extend(chain.model(model, at).await?);
    }
    Ok(models)
}

/// The longest name of a data set in the table.
const NAME: usize = 8;

/// The models as a table that fits 80 columns; the hash of the weights is in the JSON.
pub fn table(models: &[Model]) -> String {
    let mut table = Table::new(&[
        ("model", Align::Right),
        ("data", Align::Left),
        ("round", Align::Right),
        ("phase", Align::Left),
        ("ends in", Align::Right),
        ("results", Align::Right),
        ("version", Align::Right),
        ("confirmed", Align::Right),
        ("accuracy", Align::Right),
    ]);
    for model in models {
        table.row([
            model.model.to_string(),
            cut(&model.dataset, NAME),
            model.round.to_string(),
            format!("{:?}", model.phase),
            match model.blocks_left {
                1 => "1 block".into(),
                left => format!("{left} blocks"),
            },
            format!("{} of {}", model.proposals, model.participants),
            model.version.to_string(),
            model.confirmed_version.to_string(),
            percent(model.accuracy),
        ]);
    }
    table.render()
}
