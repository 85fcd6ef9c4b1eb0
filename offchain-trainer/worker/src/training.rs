//! The training loop: stochastic gradient descent with momentum, every step written out.
//!
//! Nothing in it may depend on anything but spec, weights, shard and seed. The optimizer is spelled out instead of
//! LibTorch's own, so that its buffers are exactly what the witness hashes.

use std::io::Write;

use hydra_engine::protocol::{Answer, write_frame};
use hydra_primitives::{
    H256, Permill,
    dataset::DatasetKind,
    model::{MAX_STEPS, ModelSpec, TaskSpec},
};
use hydra_update::{Batches, Shard, Weights, loss};
use tch::{Kind, Tensor};

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
    labels: Vec<u8>,
    /// One row per sample: 1 at its class, else 0.
    targets: Tensor,
    classes: usize,
    batches: Batches,
    learning_rate: f64,
    momentum: f64,
    batch_size: f64,
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
            labels: shard.labels.clone(),
            targets: floats(&one_hot, &[samples as i64, classes as i64])?,
            classes,
            batches: Batches::new(task_seed, shard.samples(), *batch_size)
                .ok_or_else(|| JobError::bad("a shard without samples"))?,
            learning_rate: fraction(*learning_rate),
            momentum: fraction(*momentum),
            batch_size: f64::from(*batch_size),
        })
    }

    /// One step: `b ← μ·b + g; w ← w − η·b` with g the gradient of the batch's mean cross-entropy. Returns the bits of that
    /// mean.
    fn step(&mut self, step: u32) -> Result<u32, JobError> {
        let batch = self.batches.step(step);
        let label = |sample: &u32| self.labels.get(*sample as usize).copied();
        let labels: Vec<u8> = batch.iter().filter_map(label).collect();
        let indices: Vec<i64> = batch.into_iter().map(i64::from).collect();
        let indices = Tensor::f_from_slice(&indices)?;
        let inputs = self.inputs.f_index_select(0, &indices)?;
        let targets = self.targets.f_index_select(0, &indices)?;
        let logits = self.network.forward(&inputs)?;
        let mut values = Vec::new();
        append_values(&logits.detach(), &mut values)?;
        let loss = loss::mean_bits(loss::sum(&values, self.classes, &labels), labels.len() as u32);
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
        tch::no_grad(|| self.descend(&gradients))?;
        Ok(loss)
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
}

/// All values, little-endian, in canonical order.
fn flat(tensors: &[Tensor]) -> Result<Vec<u8>, JobError> {
    let mut values = Vec::new();
    tensors
        .iter()
        .try_for_each(|t| append_values(&t.detach(), &mut values))?;
    Ok(Weights::new(values).to_le_bytes())
}

fn fraction(share: Permill) -> f64 {
    f64::from(share.deconstruct()) / 1e6
}
