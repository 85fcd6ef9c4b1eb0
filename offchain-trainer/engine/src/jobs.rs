//! The jobs of the engine as calls.
//!
//! What can't be done for its size is refused before a byte of it is copied or a process is started for it.

use std::ops::ControlFlow;

use hydra_primitives::{
    BlobRef, H256,
    dataset::DatasetKind,
    model::{Architecture, ModelSpec},
    proposal::{Proposal, Report, Score},
    trace,
};
use hydra_update::{Update, Weights, state_size};

use crate::{
    Engine, EngineError,
    deadline::JobSize,
    limits::{OVERHEAD, fits_frame, fits_memory, fits_spec},
    protocol::{Answer, MAX_FRAME, Request},
};

/// A training task.
#[derive(Clone, Copy, Debug)]
pub struct TrainJob<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// What the data are.
    pub kind: &'a DatasetKind,
    /// The weights to start from.
    pub base: &'a Weights,
    /// The shard's file.
    pub shard: &'a [u8],
    /// The validation set's file.
    pub validation: &'a [u8],
    /// Seed of the order of samples.
    pub task_seed: H256,
}

/// A piece of a training task: the steps `from..to`.
#[derive(Clone, Copy, Debug)]
pub struct SegmentJob<'a> {
    /// The model.
    pub spec: &'a ModelSpec,
    /// What the data are.
    pub kind: &'a DatasetKind,
    /// The shard's file.
    pub shard: &'a [u8],
    /// Seed of the order of samples.
    pub task_seed: H256,
    /// First step.
    pub from: u32,
    /// Step after the last.
    pub to: u32,
    /// The state before step `from` (see [`hydra_update::TrainingState`]).
    pub state: &'a [u8],
}

/// Weights to be measured on data.
#[derive(Clone, Copy, Debug)]
pub struct EvaluateJob<'a> {
    /// The network.
    pub architecture: &'a Architecture,
    /// What the data are.
    pub kind: &'a DatasetKind,
    /// The weights.
    pub weights: &'a Weights,
    /// The file of a shard or of the validation set.
    pub data: &'a [u8],
}

/// How good weights are on data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// Mean cross-entropy in millionths of a nat, rounded to the nearest; `u32::MAX` if it is larger or no number.
    pub loss: u32,
    /// Samples classified right. Of equal logits the first one counts; no logit that is NaN does.
    pub score: Score,
}

/// What a network says of inputs.
#[derive(Clone, PartialEq, Debug)]
pub struct Inference {
    /// `n × outputs` values, sample after sample.
    pub logits: Vec<f32>,
    /// The class with the largest logit of each sample; of equal ones the first.
    pub classes: Vec<u32>,
}

/// A finished training task.
#[derive(Clone, PartialEq, Debug)]
pub struct Trained {
    /// The update: trained − base.
    pub update: Update,
    /// The leaves of the trace.
    pub leaves: Vec<H256>,
    /// What to claim.
    pub report: Report,
}

impl Trained {
    /// The trace as a blob, named by the trace's root.
    pub fn trace(&self) -> Vec<u8> {
        trace::encode_leaves(&self.leaves)
    }

    /// The claim to put on chain; `base` is BLAKE3 of the base weights' file. The blobs it names are
    /// [`Update::encode`], [`Trained::trace`] and the states.
    pub fn proposal(&self, base: H256) -> Proposal {
        Proposal {
            base,
            update: BlobRef::of(&self.update.encode()),
            trace_root: trace::root(&self.leaves),
            report: self.report,
        }
    }
}

fn limit(values: u64) -> u32 {
    u32::try_from(values.saturating_add(OVERHEAD))
        .unwrap_or(MAX_FRAME)
        .min(MAX_FRAME)
}

/// Bytes of so many single-precision values.
fn floats(values: usize) -> u64 {
    (values as u64).saturating_mul(4)
}

/// At least as many samples as a file of this size can hold: each takes a byte per input.
fn samples(architecture: &Architecture, file: &[u8]) -> u64 {
    (file.len() as u64)
        .checked_div(u64::from(architecture.inputs()))
        .unwrap_or(0)
}

fn train_size(job: &TrainJob, parts: [u64; 3]) -> JobSize {
    let (spec, architecture) = (job.spec, &job.spec.architecture);
    // The shard is measured before and after training.
    let measured = samples(architecture, job.shard)
        .saturating_mul(2)
        .saturating_add(samples(architecture, job.validation));
    let states = u64::from(trace::leaf_count(&spec.task)).saturating_mul(state_size(spec));
    JobSize {
        steps: spec.task.steps.into(),
        work: measured
            .saturating_mul(architecture.parameters())
            .saturating_add(spec.work()),
        bytes: parts.into_iter().fold(states, u64::saturating_add),
    }
}

impl Engine {
    /// Trains a whole task. `on_state` gets every state of the trace in order, as it is reached: the number of its leaf
    /// and its bytes, whose BLAKE3 is the leaf. The states of a task that then fails are worthless.
    pub fn train(
        &self,
        job: TrainJob,
        mut on_state: impl FnMut(u32, Vec<u8>),
    ) -> Result<Trained, EngineError> {
        fits_spec(job.spec)?;
        let parts = [
            floats(job.base.len()),
            job.shard.len() as u64,
            job.validation.len() as u64,
        ];
        fits_frame("a training task with its data", parts)?;
        let request = Request::Train {
            spec: job.spec.clone(),
            kind: job.kind.clone(),
            base: job.base.to_le_bytes(),
            shard: job.shard.to_vec(),
            validation: job.validation.to_vec(),
            task_seed: job.task_seed,
        };
        let (size, count) = (state_size(job.spec), trace::leaf_count(&job.spec.task));
        let mut leaves = Vec::new();
        let mut last = None;
        let report = self.job(
            &request,
            &train_size(&job, parts),
            limit(size),
            |answer| match answer {
                Answer::State { index, bytes }
                    if index as usize == leaves.len() && index < count && bytes.len() as u64 == size =>
                {
                    leaves.push(trace::leaf(&bytes));
                    if index == count.saturating_sub(1) {
                        last = hydra_update::TrainingState::decode(job.spec, &bytes);
                    }
                    on_state(index, bytes);
                    Ok(ControlFlow::Continue(()))
                }
                Answer::Trained { report } if leaves.len() == count as usize => {
                    Ok(ControlFlow::Break(report))
                }
                _ => Err("not an answer to a training task"),
            },
        )?;
        let trained = last.ok_or(EngineError::Nonsense {
            detail: "no last state".into(),
        })?;
        let update = Update::between(job.base, &trained.weights).map_err(|_| EngineError::Diverged)?;
        Ok(Trained {
            update,
            leaves,
            report,
        })
    }

    /// Does a piece of a task and returns the state after it.
    pub fn segment(&self, job: SegmentJob) -> Result<Vec<u8>, EngineError> {
        fits_spec(job.spec)?;
        let (size, data) = (state_size(job.spec), job.shard.len() as u64);
        fits_frame("a segment with its data", [job.state.len() as u64, data])?;
        let steps = u64::from(job.to.saturating_sub(job.from));
        let job_size = JobSize {
            steps,
            work: steps
                .saturating_mul(job.spec.task.batch_size.into())
                .saturating_mul(job.spec.architecture.parameters()),
            bytes: size.saturating_mul(2).saturating_add(data),
        };
        let request = Request::Segment {
            spec: job.spec.clone(),
            kind: job.kind.clone(),
            shard: job.shard.to_vec(),
            task_seed: job.task_seed,
            from: job.from,
            to: job.to,
            state: job.state.to_vec(),
        };
        self.job(&request, &job_size, limit(size), |answer| match answer {
            Answer::State { index, bytes } if index == job.to && bytes.len() as u64 == size => {
                Ok(ControlFlow::Break(bytes))
            }
            _ => Err("not an answer to a segment"),
        })
    }

    /// Loss and score of weights on data.
    pub fn evaluate(&self, job: EvaluateJob) -> Result<Evaluation, EngineError> {
        let parts = [floats(job.weights.len()), job.data.len() as u64];
        fits_frame("an evaluation with its data", parts)?;
        fits_memory(job.architecture, 0)?;
        let job_size = JobSize {
            steps: 0,
            work: samples(job.architecture, job.data).saturating_mul(job.architecture.parameters()),
            bytes: parts.into_iter().fold(0, u64::saturating_add),
        };
        let request = Request::Evaluate {
            architecture: job.architecture.clone(),
            kind: job.kind.clone(),
            weights: job.weights.to_le_bytes(),
            data: job.data.to_vec(),
        };
        self.job(&request, &job_size, limit(0), |answer| match answer {
            Answer::Evaluated { loss, score } => Ok(ControlFlow::Break(Evaluation { loss, score })),
            _ => Err("not an answer to an evaluation"),
        })
    }

    /// Outputs for `inputs`: `n × inputs` values as the model was trained on (images: value / max_value), n at least 1.
    pub fn infer(
        &self,
        architecture: &Architecture,
        weights: &Weights,
        inputs: &[f32],
    ) -> Result<Inference, EngineError> {
        let per_sample = architecture.inputs().max(1) as usize;
        if inputs.is_empty() || !inputs.len().is_multiple_of(per_sample) {
            let detail = format!(
                "{} values are no whole number of samples of {per_sample}",
                inputs.len()
            );
            return Err(EngineError::BadJob { detail });
        }
        let outputs = architecture.outputs().max(1) as usize;
        let samples = inputs.len() / per_sample;
        let expected = samples.saturating_mul(outputs);
        let parts = [floats(weights.len()), floats(inputs.len())];
        fits_frame("inference with its inputs", parts)?;
        fits_memory(architecture, 0)?;
        fits_frame("the outputs of inference", [floats(expected)])?;
        let job_size = JobSize {
            steps: 0,
            work: (samples as u64).saturating_mul(architecture.parameters()),
            bytes: parts.into_iter().fold(floats(expected), u64::saturating_add),
        };
        let request = Request::Infer {
            architecture: architecture.clone(),
            weights: weights.to_le_bytes(),
            inputs: inputs.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        let logits = self.job(
            &request,
            &job_size,
            limit(floats(expected)),
            |answer| match answer {
                Answer::Inferred { logits } => match Weights::from_le_bytes(&logits) {
                    Some(values) if values.len() == expected => {
                        Ok(ControlFlow::Break(values.as_slice().to_vec()))
                    }
                    _ => Err("the wrong number of outputs"),
                },
                _ => Err("not an answer to inference"),
            },
        )?;
        let classes = logits.chunks(outputs).map(|l| argmax(l).unwrap_or(0)).collect();
        Ok(Inference { logits, classes })
    }
}

/// The index of the largest number, of equal ones the first; `None` if there is none.
pub fn argmax(values: &[f32]) -> Option<u32> {
    let mut best: Option<(u32, f32)> = None;
    for (i, value) in (0u32..).zip(values) {
        if !value.is_nan() && best.is_none_or(|(_, most)| *value > most) {
            best = Some((i, *value));
        }
    }
    best.map(|(i, _)| i)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_largest_numbers_wins_and_nan_never_does() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), Some(1));
        assert_eq!(argmax(&[f32::NAN, -1.0]), Some(1));
        assert_eq!(argmax(&[f32::NAN]), None);
    }
}
