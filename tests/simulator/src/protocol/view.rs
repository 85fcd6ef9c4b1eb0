//! What has to be known of a model to answer what is asked about it, kept so that it isn't read in each block.

use hydra_primitives::{
    H256, ModelId, Version,
    duty::recipe_id,
    task::{self, PlaceIndex},
};
use hydra_runtime::{AccountId, Runtime};
use pallet_training_proposals::{Confirmed, Model, ModelTerms, Models, Round, VersionInfo, Versions};

use super::question::Question;
use crate::symbol::Symbol;

/// A model as it is now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// The work of a task, in sample-parameters.
    pub work: u64,
    /// What it costs to measure weights on the validation set, by which a version is named.
    pub measuring: u64,
    /// The size of an update, in bytes.
    pub update_size: u64,
    /// The confirmed weights.
    pub confirmed: H256,
    /// The newest version with its recipe, while it is in question.
    pub newest: Option<(Version, H256)>,
}

impl View {
    /// Reads it.
    pub fn load(model: ModelId) -> Option<Self> {
        let info = Models::<Runtime>::get(model)?;
        let terms = ModelTerms::<Runtime>::get(model)?;
        Some(Self {
            work: terms.work,
            measuring: measuring(&info),
            update_size: terms.update_size,
            confirmed: Confirmed::<Runtime>::get(model)?.weights,
            newest: newest(model),
        })
    }

    /// The weights that an honest node trains from: the confirmed ones, or what it folds itself.
    pub fn base(&self) -> H256 {
        match self.newest {
            Some((_, recipe)) => Symbol::Right.hash(&recipe),
            None => self.confirmed,
        }
    }
}

/// The newest version with its recipe, while it is in question.
pub fn newest(model: ModelId) -> Option<(Version, H256)> {
    Versions::<Runtime>::get(model).map(|version| (version.version, recipe(&version)))
}

fn recipe(version: &VersionInfo<AccountId>) -> H256 {
    let updates = version.updates.iter();
    recipe_id(
        version.version,
        &version.base,
        updates.map(|folded| (folded.place, folded.update, folded.shard)),
    )
}

fn measuring(info: &Model) -> u64 {
    let sample = u64::from(info.dataset.kind.inputs()) + 1;
    info.dataset.validation.size / sample * info.spec.architecture.parameters()
}

/// The seed of a place's task.
pub fn task_seed(model: ModelId, round: &Round, place: PlaceIndex) -> H256 {
    task::task_seed(&round.seed, model, round.number, place)
}

/// What a place's task gives, from these weights.
pub fn task(model: ModelId, round: &Round, place: PlaceIndex, base: &H256) -> Question {
    Question::task(&task_seed(model, round, place), base)
}
