//! Models: what the chain says of each, and a table of them.

use hydra_primitives::{
    ModelId,
    status::{ModelStatus, Phase, Waiting},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    figures::{accuracy, cut, percent},
    polls::Poll,
};
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
    /// `Pause`, `Train` or `Verify`.
    pub phase: Phase,
    /// Why it is not trained now: `Participants`, `Room`, `Progress`, `Turn` or `Payer`; null if nothing keeps it.
    pub waiting: Option<Waiting>,
    /// The block in which the phase ends at the latest, unless a poll needs another draw.
    pub phase_ends_at: u32,
    /// How many blocks that is from now.
    pub blocks_left: u64,
    /// Places of this round; none in a pause.
    pub places: u32,
    /// Places for which an update was proposed.
    pub proposals: u32,
    /// Proposals of which it is known what becomes of them.
    pub decided: u32,
    /// The newest version.
    pub version: u32,
    /// The newest confirmed version.
    pub confirmed_version: u32,
    /// The poll on the newest version, while it isn't confirmed; null otherwise, and where it wasn't looked at.
    pub version_poll: Option<Poll>,
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
            waiting: status.waiting,
            phase_ends_at: status.phase_ends_at,
            blocks_left: u64::from(status.phase_ends_at).saturating_sub(best),
            places: status.places,
            proposals: status.proposals,
            decided: status.decided,
            version: status.version,
            confirmed_version: status.confirmed_version,
            version_poll: None,
            accuracy: status.score.and_then(|score| accuracy(&score)),
            weights: hex::encode(status.weights.0),
        }
    }

    /// The same, with the poll on its newest version.
    pub fn with_poll(self, version_poll: Option<Poll>) -> Self {
        Self { version_poll, ..self }
    }

    /// What is to be said besides, each as a sentence: why it waits, and how far the check of its newest version is.
    pub fn sentences(&self) -> Vec<String> {
        let waits = self
            .waiting
            .map(|reason| format!("Model {} waits: {}.", self.model, why(reason)));
        let poll = self.version_poll.as_ref().map(|poll| {
            format!(
                "Version {} of model {} is being checked: {}.",
                self.version,
                self.model,
                poll.words()
            )
        });
        waits.into_iter().chain(poll).collect()
    }
}

/// Why a model is not trained now, in words.
pub fn why(reason: Waiting) -> &'static str {
    match reason {
        Waiting::Participants => {
            "nobody takes part in this session, or too few of those who took part within the last day"
        }
        Waiting::Room => "less than nine tenths of the weight has room for its tasks",
        Waiting::Progress => "rounds bring nothing new, and the pause between them grows until one does",
        Waiting::Turn => "all models' duties together would take more than a quarter of the blocks",
        Waiting::Payer => "whoever pays for its rounds has nothing left",
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

/// How far a round is: of its places, those that proposed; once they are checked, of the proposals those that are decided.
pub fn results(phase: Phase, places: u32, proposals: u32, decided: u32) -> String {
    match phase {
        Phase::Pause => "-".into(),
        Phase::Train => format!("{proposals} of {places}"),
        Phase::Verify => format!("{decided} of {proposals}"),
    }
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
            results(model.phase, model.places, model.proposals, model.decided),
            model.version.to_string(),
            model.confirmed_version.to_string(),
            percent(model.accuracy),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_to_wait_is_a_sentence_of_its_own() {
        let all = [
            Waiting::Participants,
            Waiting::Room,
            Waiting::Progress,
            Waiting::Turn,
            Waiting::Payer,
        ];
        let mut said: Vec<&str> = all.map(why).to_vec();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said.len(), all.len());
        assert!(said.iter().all(|words| words.len() < 100), "{said:?}");
    }

    #[test]
    fn how_far_a_round_is_depends_on_its_phase() {
        let said = |phase| results(phase, 32, 30, 12);
        assert_eq!(
            [said(Phase::Pause), said(Phase::Train), said(Phase::Verify)],
            ["-", "30 of 32", "12 of 30"]
        );
    }
}
