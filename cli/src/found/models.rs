//! The models that a new network begins with, and the data sets that they learn from: a founder's files, held against the
//! bounds that the chain itself has.
//!
//! It must never name a data set of which it hasn't read every file, but the bundled digits.

use hydra_datasets::DatasetFolder;
use hydra_primitives::{
    H256, ModelId, Permill, content_hash,
    dataset::DatasetManifest,
    digits::{digits_manifest, digits_spec},
    model::{
        Aggregator, Architecture, ModelSpec, SHORTEST_TRAINING, SHORTEST_VERIFICATION, SpecError,
        WORK_PER_BLOCK,
    },
    node::FOUNDERS_SIZE_CLASS,
};
use hydra_update::GlobalState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use crate::error::{Error, ModelFault};

/// As many models as there may be: the runtime's `MaxModels`, which a test of the repository compares.
pub const MAX_MODELS: usize = 16;
/// A model's file is much smaller.
const MAX_FILE: u64 = 1 << 16;
/// All of a share, in millionths.
const WHOLE: u32 = 1_000_000;

/// A model as a genesis has it: its spec, its data set, and the BLAKE3 of its initial weights.
pub type Genesis = (ModelSpec, DatasetManifest, H256);

/// What was chosen.
#[derive(Debug)]
pub struct Models {
    /// The models; none means those that the node's development network has.
    pub genesis: Vec<Genesis>,
    /// The folders of their data sets.
    pub folders: Vec<PathBuf>,
}

/// A model of a new network, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FoundedModel {
    /// Its number on the chain, from 0.
    pub model: ModelId,
    /// The name of its data set.
    pub dataset: String,
    /// The sizes of its layers, from input to output.
    pub layers: Vec<u32>,
    /// How many parameters it has.
    pub parameters: u64,
    /// BLAKE3 of its initial weights, as 64 hexadecimal digits.
    pub weights: String,
}

/// A model's file, with the spec as the chain has it, or as it was written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelFile<Spec> {
    /// The name of its data set.
    dataset: String,
    /// What it is.
    spec: Spec,
}

/// A data set that models may name.
struct Known {
    manifest: DatasetManifest,
    /// The digits are known without.
    folder: Option<PathBuf>,
    is_used: bool,
}

/// Reads the files of models and the folders of their data sets.
pub fn read(files: &[PathBuf], folders: &[PathBuf]) -> Result<Models, Error> {
    if files.len() > MAX_MODELS {
        return Err(Error::BadPlan(format!(
            "it would have {} models, and there may be {MAX_MODELS}: leave some out",
            files.len()
        )));
    }
    let mut known = vec![Known {
        manifest: digits_manifest(),
        folder: None,
        // By the model that there is if none is named.
        is_used: files.is_empty(),
    }];
    for folder in folders {
        learn_of(folder, &mut known)?;
    }
    let mut genesis: Vec<Genesis> = Vec::new();
    for file in files {
        let model = model(file, &mut known)?;
        if let Some(at) = genesis.iter().position(|before| *before == model) {
            let before = files.get(at).cloned().unwrap_or_default();
            return Err(bad(file, ModelFault::Twice(before)));
        }
        genesis.push(model);
    }
    if let Some(unused) = known.iter().find(|one| one.folder.is_some() && !one.is_used) {
        return Err(Error::BadPlan(format!(
            "no model learns from the data set {:?}: name the file of one that does with --model, or leave the data set out",
            text(&unused.manifest)
        )));
    }
    Ok(Models {
        genesis,
        folders: known.into_iter().filter_map(|one| one.folder).collect(),
    })
}

/// The models in the genesis of a plain chain spec.
pub fn founded(plain: &Value) -> Result<Vec<FoundedModel>, Error> {
    let models = &plain["genesis"]["runtimeGenesis"]["patch"]["trainingProposals"]["models"];
    let models: Vec<Genesis> = Vec::deserialize(models)
        .map_err(|error| Error::SpecRefused(format!("its models can't be understood: {error}")))?;
    Ok((0..).zip(&models).map(shown).collect())
}

/// A model as it is shown.
pub fn shown((model, (spec, dataset, weights)): (ModelId, &Genesis)) -> FoundedModel {
    let Architecture::Mlp { layers } = &spec.architecture;
    FoundedModel {
        model,
        dataset: text(dataset),
        layers: layers.to_vec(),
        parameters: spec.architecture.parameters(),
        weights: hex::encode(weights),
    }
}

/// What nobody would train at first.
pub fn notes(models: &[Genesis]) -> Vec<String> {
    let note = |(model, (spec, dataset, _)): (ModelId, &Genesis)| large(model, spec, dataset);
    (0..).zip(models).filter_map(note).collect()
}

/// The longest that a round of these models may take, from its opening until all of its places are settled, in blocks: each poll may need
/// all of its draws. Without models, those of the development network's.
pub fn longest_round(models: &[Genesis]) -> u64 {
    let digits = [digits_spec()];
    let specs = models.iter().map(|(spec, ..)| spec);
    let longest = |longest: u64, spec: &ModelSpec| longest.max(spec.phases.settled().into());
    match models.is_empty() {
        true => digits.iter().fold(0, longest),
        false => specs.fold(0, longest),
    }
}

/// A model whose tasks are larger than what genesis says that its members take on.
fn large(model: ModelId, spec: &ModelSpec, dataset: &DatasetManifest) -> Option<String> {
    let class = spec.size_class(dataset);
    (class > FOUNDERS_SIZE_CLASS).then(|| {
        format!(
            "model {model}: its tasks are of size class {class}, and genesis says that members take on tasks of class \
             {FOUNDERS_SIZE_CLASS}: it waits until PCs with nine tenths of the weight have said that they take on more, by \
             `hydra up --size-class {class}`"
        )
    })
}

/// Phases in which a slow PC can't do its part, by the pallet's rule.
fn check_phases(spec: &ModelSpec) -> Result<(), ModelFault> {
    let work = spec.work().checked_div(WORK_PER_BLOCK).unwrap_or(0);
    let needed = |shortest: u32| work.saturating_add(shortest.into());
    let phases = [
        ("train", spec.phases.train, needed(SHORTEST_TRAINING)),
        ("verify", spec.phases.verify, needed(SHORTEST_VERIFICATION)),
    ];
    let short: Vec<String> = phases
        .into_iter()
        .filter(|(_, blocks, needed)| u64::from(*blocks) < *needed)
        .map(|(name, blocks, needed)| {
            let unit = if blocks == 1 { "block" } else { "blocks" };
            format!("{name} has {blocks} {unit} of the {needed} that a model of this size needs")
        })
        .collect();
    match short.is_empty() {
        true => Ok(()),
        false => Err(ModelFault::ShortPhases(short)),
    }
}

impl FoundedModel {
    /// In words.
    pub fn line(&self) -> String {
        let layers: Vec<String> = self.layers.iter().map(u32::to_string).collect();
        format!(
            "model {}: {} ({} parameters), learns from {}",
            self.model,
            layers.join("-"),
            self.parameters,
            self.dataset
        )
    }
}

/// Reads a data set.
fn learn_of(folder: &Path, known: &mut Vec<Known>) -> Result<(), Error> {
    let manifest = DatasetFolder::open(folder)?.manifest()?;
    let folder = Some(fs::canonicalize(folder).map_err(Error::file("open", folder))?);
    match known.iter_mut().find(|one| one.manifest.name == manifest.name) {
        Some(same) if same.folder.is_none() && same.manifest == manifest => same.folder = folder,
        Some(other) => {
            return Err(Error::BadPlan(format!(
                "two data sets are called {:?}, and models name them by that: give one another name",
                text(&other.manifest)
            )));
        }
        None => known.push(Known {
            manifest,
            folder,
            is_used: false,
        }),
    }
    Ok(())
}

/// Reads a model.
fn model(path: &Path, known: &mut [Known]) -> Result<Genesis, Error> {
    let malformed = |error: serde_json::Error| bad(path, ModelFault::Malformed(error.to_string()));
    let bytes = content(path)?;
    // From the text, so that a field that is there twice is noticed.
    let file: ModelFile<ModelSpec> = serde_json::from_slice(&bytes).map_err(malformed)?;
    let written: ModelFile<Value> = serde_json::from_slice(&bytes).map_err(malformed)?;
    let spec = file.spec;
    if serde_json::to_value(&spec).map_err(malformed)? != written.spec {
        return Err(bad(path, ModelFault::UnknownField));
    }
    check_shares(&spec).map_err(|fault| bad(path, fault))?;
    let wanted = file.dataset.as_bytes();
    let Some(dataset) = known
        .iter_mut()
        .find(|one| one.manifest.name.as_slice() == wanted)
    else {
        let known = known.iter().map(|one| text(&one.manifest)).collect();
        let name = file.dataset;
        return Err(bad(path, ModelFault::NoSuchDataset { name, known }));
    };
    let manifest = dataset.manifest.clone();
    spec.validate(&manifest)
        .map_err(|error| bad(path, spec_fault(error, &manifest)))?;
    check_phases(&spec).map_err(|fault| bad(path, fault))?;
    dataset.is_used = true;
    let weights = content_hash(&GlobalState::initial(&spec).encode(&spec));
    Ok((spec, manifest, weights))
}

/// The parts of a whole: their type takes any number from JSON, and the chain would then read another one.
fn check_shares(spec: &ModelSpec) -> Result<(), ModelFault> {
    let mut shares: Vec<(&'static str, Permill)> = vec![
        ("learning_rate", spec.task.learning_rate),
        ("momentum", spec.task.momentum),
    ];
    match &spec.aggregator {
        Aggregator::Mix { rate } => shares.push(("rate", *rate)),
        Aggregator::WeightedMean {
            outer_learning_rate,
            outer_momentum,
        } => shares.extend([
            ("outer_learning_rate", *outer_learning_rate),
            ("outer_momentum", *outer_momentum),
        ]),
    }
    match shares.into_iter().find(|(_, share)| share.deconstruct() > WHOLE) {
        Some((field, share)) => Err(ModelFault::Share {
            field,
            millionths: share.deconstruct(),
        }),
        None => Ok(()),
    }
}

fn spec_fault(error: SpecError, dataset: &DatasetManifest) -> ModelFault {
    ModelFault::Spec {
        error,
        inputs: dataset.kind.inputs(),
        classes: dataset.kind.classes(),
    }
}

fn bad(path: &Path, fault: ModelFault) -> Error {
    Error::BadModel {
        path: path.into(),
        fault,
    }
}

/// What a model's file holds.
fn content(path: &Path) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes))
        .map_err(Error::file("read", path))?;
    match bytes.len() as u64 > MAX_FILE {
        true => Err(bad(path, ModelFault::Malformed("it is too large".into()))),
        false => Ok(bytes),
    }
}

fn text(dataset: &DatasetManifest) -> String {
    String::from_utf8_lossy(&dataset.name).into_owned()
}

#[cfg(test)]
#[path = "models_tests.rs"]
mod tests;
