//! The training loop: stochastic gradient descent with momentum, every step written out.
//!
//! Nothing in it may depend on anything but spec, weights, shard and seed. The optimizer is the arithmetic's instead of LibTorch's own, and its
//! buffers are exactly what the witness hashes. Of LibTorch's operations there is none here that computes: `index_select` copies.

use std::io::Write;

use hydra_arithmetic::canonical_bits;
use hydra_engine::protocol::{Answer, write_frame};
use hydra_primitives::{
    H256, Permill,
    dataset::DatasetKind,
    model::{MAX_STEPS, ModelSpec, TaskSpec},
};
use hydra_torch_worker::operators;
use hydra_update::{Batches, Shard, Weights};
use tch::Tensor;

use crate::{
    job_error::JobError,
    network::{Network, append_values, data, floats, weights},
};

/// A whole task: writes each step's loss to `out` as it is done.
pub fn train(
    spec: &ModelSpec,
    kind: &DatasetKind,
    base: &[u8],
    shard: &[u8],
    task_seed: H256,
    out: &mut impl Write,
) -> Result<Answer, JobError> {
    let shard = data(&spec.architecture, kind, shard)?;
    let mut task = Task::new(spec, &shard, task_seed, &weights(base)?)?;
    for step in 0..spec.task.steps {
        let loss = task.step(step)?;
        write_frame(out, &Answer::Step { loss })?;
    }
    Ok(Answer::Trained {
        weights: flat(&task.network.tensors)?,
        momentum: flat(&task.buffers)?,
    })
}

struct Task {
    network: Network,
    /// SGD's momentum buffers; none without momentum.
    buffers: Vec<Tensor>,
    inputs: Tensor,
    labels: Tensor,
    batches: Batches,
    learning_rate: f32,
    momentum: f32,
}

impl Task {
    fn new(spec: &ModelSpec, shard: &Shard, task_seed: H256, base: &Weights) -> Result<Self, JobError> {
        let TaskSpec {
            steps,
            batch_size,
            learning_rate,
            momentum,
        } = &spec.task;
        if *steps == 0 || *steps > MAX_STEPS || *batch_size == 0 {
            return Err(JobError::bad("the task has no steps or samples, or too many"));
        }
        let network = Network::new(&spec.architecture, base)?;
        let network = Network {
            tensors: network
                .tensors
                .into_iter()
                .map(|t| t.set_requires_grad(true))
                .collect(),
        };
        let buffers = match momentum.deconstruct() {
            0 => Vec::new(),
            _ => Network::new(&spec.architecture, &Weights::zeros(base.len()))?.tensors,
        };
        let samples = shard.labels.len() as i64;
        let labels: Vec<i64> = shard.labels.iter().map(|label| i64::from(*label)).collect();
        Ok(Self {
            network,
            buffers,
            inputs: floats(&shard.inputs, &[samples, i64::from(shard.inputs_per_sample)])?,
            labels: Tensor::f_from_slice(&labels)?,
            batches: Batches::new(task_seed, shard.samples(), *batch_size)
                .ok_or_else(|| JobError::bad("a shard without samples"))?,
            learning_rate: fraction(*learning_rate),
            momentum: fraction(*momentum),
        })
    }

    /// One step of gradient descent on the batch's mean cross-entropy. Returns the bits of that mean.
    fn step(&mut self, step: u32) -> Result<u32, JobError> {
        let batch: Vec<i64> = self.batches.step(step).into_iter().map(i64::from).collect();
        let batch = Tensor::f_from_slice(&batch)?;
        let inputs = self.inputs.f_index_select(0, &batch)?;
        let labels = self.labels.f_index_select(0, &batch)?;
        let logits = self.network.forward(&inputs)?;
        let mean = operators::cross_entropy_mean(&logits, &labels)?;
        let mut loss = Vec::new();
        append_values(&mean.detach(), &mut loss)?;
        let loss = loss
            .first()
            .copied()
            .ok_or_else(|| JobError::bad("a batch without a loss"))?;
        let gradients = Tensor::f_run_backward(&[mean], &self.network.tensors, false, false)?;
        tch::no_grad(|| self.descend(&gradients))?;
        Ok(canonical_bits(loss))
    }

    fn descend(&mut self, gradients: &[Tensor]) -> Result<(), JobError> {
        let weights = self.network.tensors.iter_mut().zip(gradients);
        for (i, (weight, gradient)) in weights.enumerate() {
            let buffer = self.buffers.get_mut(i);
            operators::sgd(weight, buffer, gradient, self.learning_rate, self.momentum)?;
        }
        Ok(())
    }
}

/// All values, little-endian, in canonical order.
fn flat(tensors: &[Tensor]) -> Result<Vec<u8>, JobError> {
    let mut values = Vec::new();
    tensors
        .iter()
        .try_for_each(|t| append_values(&t.detach(), &mut values))?;
    Ok(Weights::new(values).to_le_bytes())
}

/// The decimal, rounded once: both whole numbers are exact.
fn fraction(share: Permill) -> f32 {
    share.deconstruct() as f32 / 1e6
}
