//! The training loop: stochastic gradient descent with momentum, every step written out.
//!
//! Nothing in it may depend on anything but spec, weights, shard and seed. The optimizer is spelled out instead of
//! LibTorch's own, so that its state is exactly what the trace hashes.

use std::{io::Write, ops::Range, time::Instant};

use hydra_engine::protocol::{Answer, write_frame};
use hydra_primitives::{
    H256, Permill,
    dataset::DatasetKind,
    model::{MAX_STEPS, ModelSpec, TaskSpec},
    proposal::Report,
};
use hydra_update::{Batches, Shard, TrainingState, Update, Weights};
use tch::{Kind, Tensor};

use crate::{
    evaluate::measure,
    job_error::JobError,
    network::{Network, append_values, data, floats, weights},
};

/// A whole task: writes the trace's states to `out` as they are reached. `files` are shard and validation set.
pub fn train(
    spec: &ModelSpec,
    kind: &DatasetKind,
    base: &[u8],
    files: [&[u8]; 2],
    task_seed: H256,
    out: &mut impl Write,
) -> Result<Answer, JobError> {
    let [shard, validation] = files;
    let shard = data(&spec.architecture, kind, shard)?;
    let validation = data(&spec.architecture, kind, validation)?;
    let base = weights(base)?;
    let (loss_before, _) = measure(&spec.architecture, &base, &shard)?;
    let started = Instant::now();
    let mut task = Task::new(spec, &shard, task_seed, &TrainingState::initial(spec, &base))?;
    let mut state = task.state()?;
    write_frame(
        out,
        &Answer::State {
            index: 0,
            bytes: state.encode(),
        },
    )?;
    for segment in 0..spec.task.segments() {
        spec.task.segment(segment).try_for_each(|step| task.step(step))?;
        state = task.state()?;
        write_frame(
            out,
            &Answer::State {
                index: segment + 1,
                bytes: state.encode(),
            },
        )?;
    }
    let milliseconds = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
    // The model that counts is base + update, which everyone can compute from the update alone.
    let update = Update::between(&base, &state.weights).map_err(|_| JobError::Diverged)?;
    let updated = update
        .apply(&base)
        .map_err(|error| JobError::bad(error.to_string()))?;
    let (loss_after, _) = measure(&spec.architecture, &updated, &shard)?;
    let (_, validation) = measure(&spec.architecture, &updated, &validation)?;
    let steps = spec.task.steps;
    Ok(Answer::Trained {
        report: Report {
            loss_before,
            loss_after,
            validation,
            steps,
            milliseconds,
        },
    })
}

/// The steps `steps` of a task, from the state before them.
pub fn segment(
    spec: &ModelSpec,
    kind: &DatasetKind,
    shard: &[u8],
    task_seed: H256,
    steps: Range<u32>,
    state: &[u8],
) -> Result<Answer, JobError> {
    if steps.start > steps.end || steps.end > spec.task.steps {
        return Err(JobError::bad("a segment outside of the task"));
    }
    let shard = data(&spec.architecture, kind, shard)?;
    let state =
        TrainingState::decode(spec, state).ok_or_else(|| JobError::bad("a state of a broken length"))?;
    let mut task = Task::new(spec, &shard, task_seed, &state)?;
    let index = steps.end;
    steps.into_iter().try_for_each(|step| task.step(step))?;
    Ok(Answer::State {
        index,
        bytes: task.state()?.encode(),
    })
}

struct Task {
    network: Network,
    /// SGD's momentum buffers; empty without momentum.
    buffers: Vec<Tensor>,
    inputs: Tensor,
    /// One row per sample: 1 at its class, else 0.
    targets: Tensor,
    batches: Batches,
    learning_rate: f64,
    momentum: f64,
    batch_size: f64,
}

impl Task {
    fn new(
        spec: &ModelSpec,
        shard: &Shard,
        task_seed: H256,
        state: &TrainingState,
    ) -> Result<Self, JobError> {
        let TaskSpec {
            steps,
            batch_size,
            learning_rate,
            momentum,
            checkpoint_every,
        } = &spec.task;
        if *steps == 0 || *steps > MAX_STEPS || *batch_size == 0 || *checkpoint_every == 0 {
            return Err(JobError::bad("the task has no steps or samples, or too many"));
        }
        let network = Network::new(&spec.architecture, &state.weights)?;
        let network = Network {
            tensors: network
                .tensors
                .into_iter()
                .map(|t| t.set_requires_grad(true))
                .collect(),
        };
        let buffers = match &state.momentum {
            Some(momentum) => Network::new(&spec.architecture, momentum)?.tensors,
            None => Vec::new(),
        };
        let (samples, classes) = (shard.labels.len(), spec.architecture.outputs() as usize);
        let one_hot: Vec<f32> = shard
            .labels
            .iter()
            .flat_map(|label| (0..classes).map(|class| if class == usize::from(*label) { 1.0 } else { 0.0 }))
            .collect();
        Ok(Self {
            network,
            buffers,
            inputs: floats(
                &shard.inputs,
                &[samples as i64, i64::from(shard.inputs_per_sample)],
            )?,
            targets: floats(&one_hot, &[samples as i64, classes as i64])?,
            batches: Batches::new(task_seed, shard.samples(), *batch_size)
                .ok_or_else(|| JobError::bad("a shard without samples"))?,
            learning_rate: fraction(*learning_rate),
            momentum: fraction(*momentum),
            batch_size: f64::from(*batch_size),
        })
    }

    /// One step: `b ← μ·b + g; w ← w − η·b` with g the gradient of the batch's mean cross-entropy.
    fn step(&mut self, step: u32) -> Result<(), JobError> {
        let indices: Vec<i64> = self.batches.step(step).into_iter().map(i64::from).collect();
        let indices = Tensor::f_from_slice(&indices)?;
        let inputs = self.inputs.f_index_select(0, &indices)?;
        let targets = self.targets.f_index_select(0, &indices)?;
        let logits = self.network.forward(&inputs)?;
        // The gradient with respect to the logits is (softmax − target) / n. Feeding it in directly keeps the C library's
        // scalar logarithm, which LibTorch's cross-entropy calls, out of the bits.
        let seed = tch::no_grad(|| -> Result<Tensor, JobError> {
            Ok(logits
                .f_softmax(-1, Kind::Float)?
                .f_sub(&targets)?
                .f_div_scalar(self.batch_size)?)
        })?;
        let surrogate = logits.f_mul(&seed)?.f_sum(Kind::Float)?;
        let gradients = Tensor::f_run_backward(&[surrogate], &self.network.tensors, false, false)?;
        tch::no_grad(|| self.descend(&gradients))
    }

    fn descend(&mut self, gradients: &[Tensor]) -> Result<(), JobError> {
        for (i, (weight, gradient)) in self.network.tensors.iter_mut().zip(gradients).enumerate() {
            let direction = match self.buffers.get_mut(i) {
                Some(buffer) => buffer.f_mul_scalar_(self.momentum)?.f_add_(gradient)?,
                None => gradient.shallow_clone(),
            };
            let _ = weight.f_sub_(&direction.f_mul_scalar(self.learning_rate)?)?;
        }
        Ok(())
    }

    fn state(&self) -> Result<TrainingState, JobError> {
        let flat = |tensors: &[Tensor]| {
            let mut values = Vec::new();
            tensors
                .iter()
                .try_for_each(|t| append_values(&t.detach(), &mut values))?;
            Ok::<_, JobError>(Weights::new(values))
        };
        let momentum = if self.buffers.is_empty() {
            None
        } else {
            Some(flat(&self.buffers)?)
        };
        Ok(TrainingState {
            weights: flat(&self.network.tensors)?,
            momentum,
        })
    }
}

fn fraction(share: Permill) -> f64 {
    f64::from(share.deconstruct()) / 1e6
}
