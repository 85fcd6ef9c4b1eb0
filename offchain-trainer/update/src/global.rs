//! A model's global state: everything that the next fold needs, in one file whose BLAKE3 names the version.
//!
//! The outer momentum is part of it, so that a node which joins late folds to the same bits as one that saw every
//! round. Must never accept a file that it would not have written itself.

use hydra_primitives::{
    BlobRef, H256, content_hash,
    model::{Aggregator, ModelSpec},
};

use crate::{
    Weights,
    initial::initial_weights,
    tensor_file::{self, Dtype, Entry},
};

/// Prefix of the outer momentum's tensor names.
pub const MOMENTUM_PREFIX: &str = "outer_momentum.";

/// The weights of a version and the state of the aggregator.
#[derive(Clone, PartialEq, Debug)]
pub struct GlobalState {
    /// The weights.
    pub weights: Weights,
    /// The outer momentum, as many values as there are weights; there if and only if [`has_outer_momentum`].
    pub outer_momentum: Option<Weights>,
}

/// Why bytes are not a global state of this model.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StateError {
    /// Another size than the spec implies.
    #[error(
        "the file has {found} bytes where this model's state has {expected}: it belongs to another model"
    )]
    WrongSize {
        /// What the spec implies.
        expected: u64,
        /// What was given.
        found: u64,
    },
    /// The header is not the one that the spec implies, byte for byte.
    #[error("the file's header is not this model's: it was not written by HydraAI, or for another model")]
    WrongHeader,
    /// A value is infinite or not a number.
    #[error("the file holds a value that is not a finite number: refuse it and fetch it from someone else")]
    NotFinite,
}

/// Whether `spec` keeps an outer momentum.
pub fn has_outer_momentum(spec: &ModelSpec) -> bool {
    match &spec.aggregator {
        Aggregator::Mix { .. } => false,
        Aggregator::WeightedMean { outer_momentum, .. } => outer_momentum.deconstruct() > 0,
    }
}

fn entries(spec: &ModelSpec) -> Vec<Entry> {
    let tensors = spec.architecture.tensors();
    let named = |prefix: &'static str| {
        tensors.iter().map(move |t| Entry {
            name: format!("{prefix}{}", t.name),
            dtype: Dtype::F32,
            shape: t.shape.iter().map(|d| u64::from(*d)).collect(),
        })
    };
    let mut entries: Vec<Entry> = named("").collect();
    if has_outer_momentum(spec) {
        entries.extend(named(MOMENTUM_PREFIX));
    }
    entries
}

/// Exact size in bytes of every global state of `spec`.
pub fn expected_size(spec: &ModelSpec) -> u64 {
    tensor_file::size(&entries(spec))
}

impl GlobalState {
    /// Version 0: weights from the spec's seed, momentum zero.
    pub fn initial(spec: &ModelSpec) -> Self {
        let weights = initial_weights(spec);
        let outer_momentum = has_outer_momentum(spec).then(|| Weights::zeros(weights.len()));
        Self {
            weights,
            outer_momentum,
        }
    }

    /// The canonical safetensors file. `spec` must be the one that this state was made for.
    pub fn encode(&self, spec: &ModelSpec) -> Vec<u8> {
        let mut bytes = tensor_file::header(&entries(spec));
        self.weights.write_le_bytes(&mut bytes);
        if let Some(momentum) = &self.outer_momentum {
            momentum.write_le_bytes(&mut bytes);
        }
        bytes
    }

    /// Reads a state from bytes that may come from anyone. What decodes encodes to the same bytes.
    pub fn decode(spec: &ModelSpec, bytes: &[u8]) -> Result<Self, StateError> {
        let entries = entries(spec);
        let (expected, found) = (tensor_file::size(&entries), bytes.len() as u64);
        if expected != found {
            return Err(StateError::WrongSize { expected, found });
        }
        let values = bytes
            .strip_prefix(tensor_file::header(&entries).as_slice())
            .ok_or(StateError::WrongHeader)?;
        let all = Weights::from_le_bytes(values).ok_or(StateError::WrongHeader)?;
        if !all.all_finite() {
            return Err(StateError::NotFinite);
        }
        if !has_outer_momentum(spec) {
            return Ok(Self {
                weights: all,
                outer_momentum: None,
            });
        }
        let (weights, momentum) = all.as_slice().split_at(all.len() / 2);
        Ok(Self {
            weights: Weights::new(weights.to_vec()),
            outer_momentum: Some(Weights::new(momentum.to_vec())),
        })
    }

    /// The version's name: BLAKE3 of its file.
    pub fn hash(&self, spec: &ModelSpec) -> H256 {
        content_hash(&self.encode(spec))
    }

    /// The reference to its file.
    pub fn blob(&self, spec: &ModelSpec) -> BlobRef {
        BlobRef::of(&self.encode(spec))
    }
}

#[cfg(test)]
#[path = "global_tests.rs"]
mod tests;
