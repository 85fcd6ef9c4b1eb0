//! A model as LibTorch tensors.

use hydra_primitives::{dataset::DatasetKind, model::Architecture};
use hydra_torch_worker::operators;
use hydra_update::{Shard, Weights, decode_shard};
use tch::{Kind, Tensor};

use crate::job_error::JobError;

/// The tensors of an architecture in canonical order, each with memory of its own.
pub struct Network {
    pub tensors: Vec<Tensor>,
}

impl Network {
    pub fn new(architecture: &Architecture, weights: &Weights) -> Result<Self, JobError> {
        let Architecture::Mlp { layers } = architecture;
        if layers.len() < 2 || layers.contains(&0) {
            return Err(JobError::bad(
                "the architecture needs two layer sizes at least, none of them zero",
            ));
        }
        if !weights.fits(architecture) {
            return Err(JobError::bad(format!(
                "{} weights where the architecture has {}",
                weights.len(),
                architecture.parameters()
            )));
        }
        let mut rest = weights.as_slice();
        let mut tensors = Vec::new();
        for layout in architecture.tensors() {
            let count = usize::try_from(layout.elements()).unwrap_or(usize::MAX);
            let (values, after) = rest
                .split_at_checked(count)
                .ok_or_else(|| JobError::bad("too few weights"))?;
            let shape: Vec<i64> = layout.shape.iter().map(|d| i64::from(*d)).collect();
            tensors.push(floats(values, &shape)?);
            rest = after;
        }
        Ok(Self { tensors })
    }

    /// Logits `[n, outputs]` of inputs `[n, inputs]`: fully connected layers with ReLU between them.
    pub fn forward(&self, inputs: &Tensor) -> Result<Tensor, JobError> {
        let mut x = inputs.shallow_clone();
        for (i, layer) in self.tensors.chunks_exact(2).enumerate() {
            let [weight, bias] = layer else {
                return Err(JobError::bad("a layer without weight or bias"));
            };
            if i > 0 {
                x = operators::relu(&x)?;
            }
            x = operators::linear(&x, weight, Some(bias))?;
        }
        Ok(x)
    }
}

/// A tensor of single-precision values in memory of its own.
pub fn floats(values: &[f32], shape: &[i64]) -> Result<Tensor, JobError> {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_ne_bytes()).collect();
    Ok(Tensor::f_from_data_size(&bytes, shape, Kind::Float)?)
}

/// Appends a tensor's values, row by row.
pub fn append_values(tensor: &Tensor, to: &mut Vec<f32>) -> Result<(), JobError> {
    let count = tensor.numel();
    let start = to.len();
    to.resize(start + count, 0.0);
    let Some(place) = to.get_mut(start..) else {
        return Ok(());
    };
    tensor.f_copy_data(place, count)?;
    Ok(())
}

/// A shard that fits the network.
pub fn data(architecture: &Architecture, kind: &DatasetKind, bytes: &[u8]) -> Result<Shard, JobError> {
    let shard = decode_shard(kind, bytes).map_err(|error| JobError::bad(error.to_string()))?;
    if kind.inputs() != architecture.inputs() || kind.classes() != architecture.outputs() {
        return Err(JobError::bad(
            "the data's inputs or classes are not the network's",
        ));
    }
    Ok(shard)
}

/// Weights from little-endian bytes.
pub fn weights(bytes: &[u8]) -> Result<Weights, JobError> {
    Weights::from_le_bytes(bytes).ok_or_else(|| JobError::bad("weights of a broken length"))
}
