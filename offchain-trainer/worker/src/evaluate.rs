//! Loss, score and outputs of weights.
//!
//! Logits come from LibTorch in chunks of a fixed size; loss and score are computed from them in double precision, sample
//! after sample. The loss is then rounded to millionths, so that the last bits of the C library's `exp` and `ln` don't
//! matter.

use hydra_engine::{jobs::argmax, limits::CHUNK, protocol::Answer};
use hydra_primitives::{dataset::DatasetKind, model::Architecture, proposal::Score};
use hydra_update::{Shard, Weights};

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
    let (loss, score) = measure(architecture, &weights(bytes)?, &data(architecture, kind, file)?)?;
    Ok(Answer::Evaluated { loss, score })
}

pub fn infer(architecture: &Architecture, bytes: &[u8], inputs: &[u8]) -> Result<Answer, JobError> {
    let logits = logits(architecture, &weights(bytes)?, weights(inputs)?.as_slice())?;
    Ok(Answer::Inferred {
        logits: logits.iter().flat_map(|v| v.to_le_bytes()).collect(),
    })
}

/// Mean cross-entropy in millionths of a nat, and how many samples are classified right.
pub fn measure(
    architecture: &Architecture,
    weights: &Weights,
    shard: &Shard,
) -> Result<(u32, Score), JobError> {
    let logits = logits(architecture, weights, &shard.inputs)?;
    let outputs = architecture.outputs().max(1) as usize;
    let mut sum = 0.0f64;
    let mut correct = 0u32;
    for (sample, label) in logits.chunks(outputs).zip(&shard.labels) {
        sum += cross_entropy(sample, usize::from(*label));
        correct += u32::from(argmax(sample) == Some(u32::from(*label)));
    }
    let total = shard.samples();
    Ok((millionths(sum / f64::from(total)), Score { correct, total }))
}

/// `ln Σ exp(l) − l[label]`, with the largest logit taken out first so that nothing overflows.
fn cross_entropy(logits: &[f32], label: usize) -> f64 {
    let largest = logits
        .iter()
        .fold(f64::NEG_INFINITY, |most, l| most.max(f64::from(*l)));
    let sum = logits
        .iter()
        .fold(0.0f64, |sum, l| sum + (f64::from(*l) - largest).exp());
    sum.ln() + largest - logits.get(label).map_or(f64::NAN, |l| f64::from(*l))
}

/// Rounded to the nearest; what doesn't fit or is no number becomes the largest value.
fn millionths(nats: f64) -> u32 {
    let value = (nats * 1e6).round();
    if value.is_nan() {
        u32::MAX
    } else {
        value.clamp(0.0, f64::from(u32::MAX)) as u32
    }
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
