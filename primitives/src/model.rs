//! A model as the chain describes it: enough for anyone to build, train and verify it, and nothing machine-dependent.

use alloc::{format, string::String, vec, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{Permill, dataset::DatasetManifest};

/// The most layer sizes an `Mlp` may name.
pub const MAX_LAYERS: u32 = 8;
/// The most parameters a model may have (2³⁰ single-precision numbers, 4 GiB).
pub const MAX_PARAMETERS: u64 = 1 << 30;
/// The most steps a training task may have.
pub const MAX_STEPS: u32 = 1_000_000;

/// The shape of a network.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Architecture {
    /// Fully connected layers with ReLU between them: `layers` names the size of the input, of every hidden layer and
    /// of the output.
    Mlp {
        /// Sizes from input to output, two at least.
        layers: BoundedVec<u32, ConstU32<MAX_LAYERS>>,
    },
}

/// How exactly two machines agree on training.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Profile {
    /// Bit-exact on every x86-64-v3 CPU: LibTorch 2.11.0 (CPU), one thread, `ATEN_CPU_CAPABILITY=avx2`,
    /// `ONEDNN_MAX_CPU_ISA=AVX2`, `MKL_CBWR=COMPATIBLE`. Verification is an equality.
    ExactLibTorch2110Avx2,
}

/// What a trainer does in a round: stochastic gradient descent with momentum on its shard.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct TaskSpec {
    /// Optimizer steps.
    pub steps: u32,
    /// Samples per step.
    pub batch_size: u32,
    /// Learning rate of SGD.
    pub learning_rate: Permill,
    /// Momentum of SGD (no dampening, no Nesterov), zero at the start of each task.
    pub momentum: Permill,
    /// A state of the trace is stored after every so many steps; verifiers recompute one such segment.
    pub checkpoint_every: u32,
}

impl TaskSpec {
    /// How many segments a trace has.
    pub fn segments(&self) -> u32 {
        self.steps.div_ceil(self.checkpoint_every.max(1))
    }

    /// The steps `from..to` of segment `index`.
    pub fn segment(&self, index: u32) -> core::ops::Range<u32> {
        let from = index.saturating_mul(self.checkpoint_every.max(1)).min(self.steps);
        from..from.saturating_add(self.checkpoint_every.max(1)).min(self.steps)
    }
}

/// How accepted updates become the next weights. Computed by every node, in account order, bit-identically.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum Aggregator {
    /// `w ← (1 − rate)·w + rate·mean(trained weights)`.
    Mix {
        /// Share of the trained weights; the classic choice is 0.1.
        rate: Permill,
    },
    /// The mean of the updates, weighted by samples (one identity's weight is bounded), through Nesterov momentum:
    /// `m ← μ·m + Δ; w ← w + η·(Δ + μ·m)` (Sutskever et al. 2013, as DiLoCo's outer step, Douillard et al. 2023).
    WeightedMean {
        /// η. 1 with μ = 0 is plain averaging.
        outer_learning_rate: Permill,
        /// μ.
        outer_momentum: Permill,
    },
}

/// How many blocks the phases of a round may take at the most. A phase ends early when everyone expected has acted.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct PhaseLengths {
    /// Blocks to train and propose.
    pub train: u32,
    /// Blocks to verify and commit votes.
    pub verify: u32,
    /// Blocks to reveal votes.
    pub reveal: u32,
}

/// Everything about a model that never changes.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct ModelSpec {
    /// The network.
    pub architecture: Architecture,
    /// How exactly two machines must agree.
    pub profile: Profile,
    /// What a trainer does in a round.
    pub task: TaskSpec,
    /// How accepted updates are folded in.
    pub aggregator: Aggregator,
    /// Seed of the initial weights.
    pub init_seed: u64,
    /// Longest phases of a round.
    pub phases: PhaseLengths,
}

/// Why a spec can't be used.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum SpecError {
    /// An `Mlp` needs two layer sizes at least, none of them zero.
    BadLayers,
    /// The model has more parameters than [`MAX_PARAMETERS`].
    TooManyParameters,
    /// Steps, batch size and checkpoint spacing must be at least 1, steps at most [`MAX_STEPS`].
    BadTask,
    /// Every phase must last at least one block.
    BadPhases,
    /// The first layer's size differs from the data set's inputs, or the last one's from its classes.
    DatasetMismatch,
    /// The data set has no shards.
    NoShards,
}

/// One tensor of a model, in canonical order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TensorLayout {
    /// Its name in the safetensors file and in PyTorch's `state_dict`.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<u32>,
    /// Inputs of the layer it belongs to: the scale of its initial values.
    pub fan_in: u32,
}

impl TensorLayout {
    /// Number of values.
    pub fn elements(&self) -> u64 {
        self.shape
            .iter()
            .fold(1u64, |n, d| n.saturating_mul(u64::from(*d)))
    }
}

impl Architecture {
    /// The tensors in canonical order: the order of state hashes, updates and folds. Names and shapes are PyTorch's
    /// for `nn.ModuleList` `layers` of `nn.Linear` (weight `[out, in]`, bias `[out]`).
    pub fn tensors(&self) -> Vec<TensorLayout> {
        match self {
            Self::Mlp { layers } => layers
                .iter()
                .zip(layers.iter().skip(1))
                .enumerate()
                .flat_map(|(i, (input, output))| {
                    [
                        TensorLayout {
                            name: format!("layers.{i}.weight"),
                            shape: vec![*output, *input],
                            fan_in: *input,
                        },
                        TensorLayout {
                            name: format!("layers.{i}.bias"),
                            shape: vec![*output],
                            fan_in: *input,
                        },
                    ]
                })
                .collect(),
        }
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> u64 {
        self.tensors()
            .iter()
            .fold(0u64, |n, t| n.saturating_add(t.elements()))
    }

    /// Size of one input sample.
    pub fn inputs(&self) -> u32 {
        match self {
            Self::Mlp { layers } => layers.first().copied().unwrap_or(0),
        }
    }

    /// Number of outputs (logits).
    pub fn outputs(&self) -> u32 {
        match self {
            Self::Mlp { layers } => layers.last().copied().unwrap_or(0),
        }
    }
}

impl ModelSpec {
    /// Checks the spec by itself and against the data set it will learn from.
    pub fn validate(&self, dataset: &DatasetManifest) -> Result<(), SpecError> {
        let Architecture::Mlp { layers } = &self.architecture;
        if layers.len() < 2 || layers.contains(&0) {
            return Err(SpecError::BadLayers);
        }
        if self.architecture.parameters() > MAX_PARAMETERS {
            return Err(SpecError::TooManyParameters);
        }
        let task = &self.task;
        if task.steps == 0 || task.steps > MAX_STEPS || task.batch_size == 0 || task.checkpoint_every == 0 {
            return Err(SpecError::BadTask);
        }
        if [self.phases.train, self.phases.verify, self.phases.reveal].contains(&0) {
            return Err(SpecError::BadPhases);
        }
        if self.architecture.inputs() != dataset.kind.inputs()
            || self.architecture.outputs() != dataset.kind.classes()
        {
            return Err(SpecError::DatasetMismatch);
        }
        if dataset.shards.is_empty() {
            return Err(SpecError::NoShards);
        }
        Ok(())
    }

    /// The work of one task, in sample-parameters: steps × batch size × parameters. Proportional to its
    /// floating-point operations.
    pub fn work(&self) -> u64 {
        u64::from(self.task.steps)
            .saturating_mul(u64::from(self.task.batch_size))
            .saturating_mul(self.architecture.parameters())
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
