//! Losses, right answers and outputs of weights.
//!
//! Logits are computed in batches of a fixed size; a witness has the mean loss of each, a score the losses of all samples.

use hydra_arithmetic::{canonical_bits, cross_entropy};
use hydra_engine::{jobs::argmax, limits::CHUNK, protocol::Answer};
use hydra_primitives::{dataset::DatasetKind, model::Architecture};
use hydra_torch_worker::processor;
use hydra_update::{MeanLoss, Weights};

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
    let (mut losses, mut mean, mut correct) = (Vec::new(), MeanLoss::default(), 0u32);
    for (logits, labels) in logits.chunks(CHUNK * outputs).zip(shard.labels.chunks(CHUNK)) {
        let labels: Vec<i64> = labels.iter().map(|label| i64::from(*label)).collect();
        let mut of_batch = vec![0.0; labels.len()];
        // Anew: the threads of a job change.
        let cpu = processor::cpu();
        cross_entropy::losses(&cpu, logits, outputs, &labels, &mut of_batch);
        losses.push(canonical_bits(cross_entropy::mean(&cpu, &of_batch)));
        mean.add(&of_batch);
        for (logits, label) in logits.chunks(outputs).zip(labels) {
            correct += u32::from(argmax(logits).is_some_and(|class| i64::from(class) == label));
        }
    }
    Ok(Answer::Evaluated {
        losses,
        loss: mean.millionths(),
        correct,
        total: shard.samples(),
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
