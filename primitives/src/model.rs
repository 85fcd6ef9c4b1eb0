//! A model as the chain describes it: enough for anyone to build, train and verify it, and nothing machine-dependent.

use alloc::{format, string::String, vec, vec::Vec};
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{
    BlobRef, Permill,
    dataset::{DatasetKind, DatasetManifest},
    electorate::{SEATS_FIRST_MAX, SEATS_FIRST_MIN},
    poll::OPENING_BLOCKS,
};

/// The most layer sizes an `Mlp` may name.
pub const MAX_LAYERS: u32 = 8;
/// The largest job that a trainer passes to its worker processes, and the largest answer, in bytes. Every job of a model
/// must fit in one: a model of which it doesn't would be refused by every trainer in every block, for ever.
pub const MAX_MESSAGE: u32 = 1 << 30;
/// Room in a message for what is no weights, state or data: the spec, seeds, lengths.
pub const MESSAGE_OVERHEAD: u32 = 4096;
/// The most parameters a model may have: its weights are then a quarter of [`MAX_MESSAGE`].
pub const MAX_PARAMETERS: u64 = 1 << 26;
/// The most bytes that a shard or the validation set may have: with the weights, both fit in a message.
pub const MAX_DATA: u64 = 1 << 28;
/// The most steps a training task may have.
pub const MAX_STEPS: u32 = 1_000_000;
/// The most values (inputs, outputs of layers, one-hot labels) that LibTorch is given at a time: 1 GiB.
pub const MAX_VALUES: u64 = 1 << 28;
/// The most places that a round may have.
pub const MAX_ROSTER: u16 = 256;
/// The largest size class: memory of 128 GiB, work of more than [`MAX_WORK`].
pub const MAX_SIZE_CLASS: SizeClass = 15;
/// Memory that a PC of size class 0 lends, in bytes; each further class doubles it.
pub const CLASS_MEMORY: u64 = 1 << 22;
/// Work of a task that a PC of size class 0 takes on, in sample-parameters; each further class doubles it.
pub const CLASS_WORK: u64 = 1 << 29;
/// The most work of one task, in sample-parameters, the measuring of its result included: about an hour of one CPU core.
pub const MAX_WORK: u64 = 10_000_000_000_000;
/// The most blocks that the phases of a round may have together: a day of 10 s blocks. The network forgets who shows up less
/// often.
pub const MAX_ROUND: u32 = 8_640;
/// The most blocks from when any valid model's round opens until it is paid: with the longest verification, 3 × (1 + 3 × (8,639 + 8)).
pub const LONGEST_UNTIL_PAID: u32 = PhaseLengths {
    train: 1,
    verify: MAX_ROUND - 1,
}
.paid();
/// How large a task a PC takes on, as one number, so that sums over the network stay few: class `c` lends
/// [`CLASS_MEMORY`] × 2^c of memory and takes tasks of [`CLASS_WORK`] × 2^c of work.
pub type SizeClass = u8;
/// The fewest blocks to train in that an added model may have. Genesis may have fewer: whoever starts a network knows it.
pub const SHORTEST_TRAINING: u32 = 5;
/// The fewest blocks to verify in that an added model may have: so many in a row are hardly ever made by a hostile third alone, which
/// could leave out whoever contradicts it.
pub const SHORTEST_VERIFICATION: u32 = 10;
/// Work of a task, in sample-parameters, for which an added model leaves another block: a few seconds of one CPU core.
pub const WORK_PER_BLOCK: u64 = 10_000_000_000;
/// Samples that are measured at a time. Part of the protocol: a version's witness has the mean loss of each so many.
pub const EVALUATION_BATCH: u32 = 256;

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
    /// Version 1 of the arithmetic that `docs/arithmetic.md` defines bit by bit, whatever the processor. Verification is an equality.
    // 0 was LibTorch 2.11 with settings of its own, of networks that no program of this version reads.
    #[codec(index = 1)]
    ArithmeticV1,
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
}

/// How accepted updates become the next weights. Computed by every node, in the order of places, bit-identically.
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

/// How many blocks the phases of a round may take at the most. A phase ends early when everyone drawn has acted.
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
    /// Blocks that the seats of each draw have to give their digests.
    pub verify: u32,
}

impl PhaseLengths {
    /// The most blocks that a poll takes: each of its three draws begins a block after it is due at the first, and then has its window and
    /// the time to open. More only where the guard holds a draw up, or blocks have no room.
    pub const fn poll(&self) -> u32 {
        let draw = self.verify.saturating_add(OPENING_BLOCKS);
        draw.saturating_mul(3).saturating_add(1)
    }

    /// The most blocks from when a round opens until all of its places are settled: it trains for as long as the version before it is in
    /// question, if that is longer than its time to train, and then there are its own polls.
    pub const fn settled(&self) -> u32 {
        let poll = self.poll();
        let train = if self.train > poll { self.train } else { poll };
        train.saturating_add(poll)
    }

    /// The most blocks from when a round opens until it is paid: the poll on its version comes last.
    pub const fn paid(&self) -> u32 {
        self.settled().saturating_add(self.poll())
    }
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
    /// How many places a round has, if there are as many accounts: 1 to [`MAX_ROSTER`].
    pub roster: u16,
    /// How many seats verify a proposal first: 8 to 64. Twelve let a lie through once in 25,000, twenty once in 20 million
    /// tries, with a third of the weight hostile.
    pub first_seats: u8,
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
    /// Steps and batch size must be at least 1, steps at most [`MAX_STEPS`].
    BadTask,
    /// Every phase must last at least one block, all together at most [`MAX_ROUND`].
    BadPhases,
    /// The first layer's size differs from the data set's inputs, or the last one's from its classes.
    DatasetMismatch,
    /// The data set has no shards.
    NoShards,
    /// The value of a full pixel is zero.
    BadPixels,
    /// A shard or the validation set is empty or has more bytes than [`MAX_DATA`].
    BadDataSize,
    /// Batch size times the sizes of all layers, or a shard's samples times its inputs or classes, is more than
    /// [`MAX_VALUES`].
    TooManyValues,
    /// Training and measuring are more than [`MAX_WORK`]: fewer steps, smaller batches, or more and smaller shards.
    TooMuchWork,
    /// A round has 1 to [`MAX_ROSTER`] places, and 8 to 64 first seats verify each.
    BadRoster,
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
    /// The tensors in canonical order: that of weights, momentum, updates and folds. Names and shapes are PyTorch's
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
    /// Checks the spec by itself and against the data set it will learn from. A spec that passes can be computed on a home
    /// PC, and none of the sizes and sums that follow from it overflows or saturates.
    pub fn validate(&self, dataset: &DatasetManifest) -> Result<(), SpecError> {
        let Architecture::Mlp { layers } = &self.architecture;
        if layers.len() < 2 || layers.contains(&0) {
            return Err(SpecError::BadLayers);
        }
        if self.architecture.parameters() > MAX_PARAMETERS {
            return Err(SpecError::TooManyParameters);
        }
        let task = &self.task;
        if task.steps == 0 || task.steps > MAX_STEPS || task.batch_size == 0 {
            return Err(SpecError::BadTask);
        }
        let phases = [self.phases.train, self.phases.verify];
        if phases.contains(&0) || sum(phases) > u64::from(MAX_ROUND) {
            return Err(SpecError::BadPhases);
        }
        let seats = u32::from(self.first_seats);
        if self.roster == 0
            || self.roster > MAX_ROSTER
            || !(SEATS_FIRST_MIN..=SEATS_FIRST_MAX).contains(&seats)
        {
            return Err(SpecError::BadRoster);
        }
        if self.architecture.inputs() != dataset.kind.inputs()
            || self.architecture.outputs() != dataset.kind.classes()
        {
            return Err(SpecError::DatasetMismatch);
        }
        let DatasetKind::Images { max_value, .. } = dataset.kind;
        if max_value == 0 {
            return Err(SpecError::BadPixels);
        }
        if dataset.shards.is_empty() {
            return Err(SpecError::NoShards);
        }
        let files = || dataset.shards.iter().chain([&dataset.validation]);
        if files().any(|file| file.size == 0 || file.size > MAX_DATA) {
            return Err(SpecError::BadDataSize);
        }
        self.check_effort(dataset)
    }

    /// Whether memory, disk and time that a task takes are those of a home PC. Every number below is a product of numbers
    /// whose bounds were checked, or saturates far above its limit.
    fn check_effort(&self, dataset: &DatasetManifest) -> Result<(), SpecError> {
        let (inputs, classes) = (dataset.kind.inputs(), dataset.kind.classes());
        // An upper bound: files have a header.
        let samples = |file: &BlobRef| {
            file.size
                .checked_div(u64::from(inputs).saturating_add(1))
                .unwrap_or(0)
        };
        let shard = dataset.shards.iter().map(samples).max().unwrap_or(0);
        let validation = samples(&dataset.validation);
        let Architecture::Mlp { layers } = &self.architecture;
        let batch = self.task.batch_size.max(EVALUATION_BATCH);
        let activations = u64::from(batch).saturating_mul(sum(layers.iter().copied()));
        let decoded = shard
            .max(validation)
            .saturating_mul(u64::from(inputs.max(classes)));
        if activations > MAX_VALUES || decoded > MAX_VALUES {
            return Err(SpecError::TooManyValues);
        }
        // A version is measured on the validation set.
        let measuring = validation.saturating_mul(self.architecture.parameters());
        if self.work().saturating_add(measuring) > MAX_WORK {
            return Err(SpecError::TooMuchWork);
        }
        Ok(())
    }

    /// The least size class of a PC that this model's tasks fit. Of memory, weights, momentum, gradients and the update count,
    /// a batch's activations with their gradients, and the shard; of work, the task.
    pub fn size_class(&self, dataset: &DatasetManifest) -> SizeClass {
        let Architecture::Mlp { layers } = &self.architecture;
        let activations = u64::from(self.task.batch_size.max(EVALUATION_BATCH))
            .saturating_mul(sum(layers.iter().copied()))
            .saturating_mul(8);
        let files = dataset.shards.iter().chain([&dataset.validation]);
        let data = files.map(|file| file.size).max().unwrap_or(0).saturating_mul(5);
        let memory = self
            .architecture
            .parameters()
            .saturating_mul(16)
            .saturating_add(activations)
            .saturating_add(data);
        class_of(memory, CLASS_MEMORY).max(class_of(self.work(), CLASS_WORK))
    }

    /// The work of one task, in sample-parameters: steps × batch size × parameters. Proportional to its
    /// floating-point operations.
    pub fn work(&self) -> u64 {
        u64::from(self.task.steps)
            .saturating_mul(u64::from(self.task.batch_size))
            .saturating_mul(self.architecture.parameters())
    }
}

/// The least class whose `unit` × 2^class is at least `amount`; above the largest where none is.
fn class_of(amount: u64, unit: u64) -> SizeClass {
    (0..=MAX_SIZE_CLASS)
        .find(|class| unit.saturating_mul(1 << class) >= amount)
        .unwrap_or(MAX_SIZE_CLASS.saturating_add(1))
}

fn sum(numbers: impl IntoIterator<Item = u32>) -> u64 {
    numbers
        .into_iter()
        .fold(0, |sum, number| sum.saturating_add(u64::from(number)))
}

// The largest job is a whole task: weights, shard, validation set.
const _: () = assert!(
    MAX_PARAMETERS
        .saturating_mul(4)
        .saturating_add(MAX_DATA.saturating_mul(2))
        .saturating_add(MESSAGE_OVERHEAD as u64)
        <= MAX_MESSAGE as u64
);

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
