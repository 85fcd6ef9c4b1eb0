//! Losses, right answers and outputs of weights.
//!
//! Logits come from LibTorch in batches of a fixed size; the losses are computed from them as [`hydra_update::loss`] defines
//! it, sample after sample.

use hydra_engine::{jobs::argmax, limits::CHUNK, protocol::Answer};
use hydra_primitives::{dataset::DatasetKind, model::Architecture};
use hydra_update::{Weights, loss};

use crate::{
    job_error::JobError,
    network::{Network, append_values, data, floats, weights},
};

pub fn evaluate(
    architecture: &Architecture,
    kind: &DatasetKind,
    bytes: &[u8],
    file: &[u8],
) -> Result<Answer, JobError> {
    let shard = data(architecture, kind, file)?;
    let logits = logits(architecture, &weights(bytes)?, &shard.inputs)?;
    let outputs = architecture.outputs().max(1) as usize;
    let (mut losses, mut sum, mut correct) = (Vec::new(), 0.0f64, 0u32);
    for (logits, labels) in logits.chunks(CHUNK * outputs).zip(shard.labels.chunks(CHUNK)) {
        let of_batch = loss::sum(logits, outputs, labels);
        losses.push(loss::mean_bits(of_batch, labels.len() as u32));
        sum += of_batch;
        for (logits, label) in logits.chunks(outputs).zip(labels) {
            correct += u32::from(argmax(logits) == Some(u32::from(*label)));
        }
    }
    let total = shard.samples();
    Ok(Answer::Evaluated {
        losses,
        loss: loss::millionths(sum, total),
        correct,
        total,
    })
}

pub fn infer(architecture: &Architecture, bytes: &[u8], inputs: &[u8]) -> Result<Answer, JobError> {
    let logits = logits(architecture, &weights(bytes)?, weights(inputs)?.as_slice())?;
    Ok(Answer::Inferred {
        logits: logits.iter().flat_map(|v| v.to_le_bytes()).collect(),
    })
}

fn logits(architecture: &Architecture, weights: &Weights, inputs: &[f32]) -> Result<Vec<f32>, JobError> {
    let network = Network::new(architecture, weights)?;
    let width = architecture.inputs() as usize;
    if inputs.is_empty() || !inputs.len().is_multiple_of(width) {
        return Err(JobError::bad("the inputs are no whole number of samples"));
    }
    let mut logits = Vec::new();
    for chunk in inputs.chunks(CHUNK * width) {
        let samples = (chunk.len() / width) as i64;
        let inputs = floats(chunk, &[samples, width as i64])?;
        append_values(&tch::no_grad(|| network.forward(&inputs))?, &mut logits)?;
    }
    Ok(logits)
}
