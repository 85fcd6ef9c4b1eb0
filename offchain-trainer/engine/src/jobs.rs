//! The jobs of the engine as calls.
//!
//! What can't be done for its size is refused before a byte of it is copied or a process is started for it.

use std::ops::ControlFlow;

use hydra_arithmetic::canonical_bits;
use hydra_primitives::{
    H256, content_hash,
    dataset::DatasetKind,
    model::{Architecture, EVALUATION_BATCH, ModelSpec},
    poll::{Finding, Opening},
    proposal::Score,
    task::{task_witness, version_witness},
};
use hydra_update::{Update, Weights};

use crate::{
    Engine, EngineError,
    deadline::JobSize,
    limits::{OVERHEAD, fits_frame, fits_memory, fits_spec, trained_size},
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
    /// Seed of the order of samples.
    pub task_seed: H256,
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
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Evaluation {
    /// Right answers (of equal logits the first one counts; no logit that is NaN does) and the mean cross-entropy, rounded as
    /// [`hydra_update::MeanLoss::millionths`] says. `None` if a weight, a logit or a loss is no finite number.
    pub score: Option<Score>,
    /// [`version_witness`] of the losses of all batches of [`EVALUATION_BATCH`] samples, the last one shorter.
    pub witness: H256,
}

impl Evaluation {
    /// What a poll on the version with these weights is opened with.
    pub fn opening(&self, weights: H256) -> Opening {
        let found = |score| Finding::Version { weights, score };
        Opening {
            finding: self.score.map_or(Finding::NotFinite, found),
            witness: self.witness,
        }
    }
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
    /// The update: trained − base; `None` if a value of it is no finite number.
    pub update: Option<Update>,
    /// [`task_witness`] of it.
    pub witness: H256,
}

impl Trained {
    /// What a poll on this task is opened with.
    pub fn opening(&self) -> Opening {
        let found = |update: &Update| Finding::Update(content_hash(&update.encode()));
        Opening {
            finding: self.update.as_ref().map_or(Finding::NotFinite, found),
            witness: self.witness,
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

/// The bytes that witnesses are made of: a value that is no number has many bit patterns, so it gets one.
fn canonical(mut bytes: Vec<u8>) -> Vec<u8> {
    for value in bytes.as_chunks_mut::<4>().0 {
        *value = canonical_bits(f32::from_le_bytes(*value)).to_le_bytes();
    }
    bytes
}

impl Engine {
    /// Trains a whole task. `on_step` gets the number of steps done so far.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn train(&self, job: TrainJob, mut on_step: impl FnMut(u32)) -> Result<Trained, EngineError> {
        let spec = job.spec;
        fits_spec(spec)?;
        let parts = [floats(job.base.len()), job.shard.len() as u64];
        fits_frame("a training task with its data", parts)?;
        let answer = trained_size(spec);
        let size = JobSize {
            steps: spec.task.steps.into(),
            work: spec.work(),
            bytes: parts.into_iter().fold(answer, u64::saturating_add),
        };
        let request = Request::Train {
            spec: spec.clone(),
            kind: job.kind.clone(),
            base: job.base.to_le_bytes(),
            shard: job.shard.to_vec(),
            task_seed: job.task_seed,
        };
        let (steps, mut losses, mut done) = (spec.task.steps, Vec::new(), 0u32);
        let buffers = answer.saturating_sub(floats(job.base.len()));
        let (weights, momentum) = self.job(request, &size, limit(answer), |answer| match answer {
            Answer::Step { loss } if done < steps => {
                losses.push(loss);
                done = done.saturating_add(1);
                on_step(done);
                Ok(ControlFlow::Continue(()))
            }
            Answer::Trained { weights, momentum } if done == steps && momentum.len() as u64 == buffers => {
                Ok(ControlFlow::Break((weights, momentum)))
            }
            _ => Err("not an answer to a training task"),
        })?;
        let trained = Weights::from_le_bytes(&weights).filter(|weights| weights.fits(&spec.architecture));
        let trained = trained.ok_or_else(|| EngineError::Nonsense {
            detail: "the wrong number of weights".into(),
        })?;
        Ok(Trained {
            update: Update::between(job.base, &trained).ok(),
            witness: task_witness(&losses, &canonical(momentum)),
        })
    }

    /// Measures weights on data.
    ///
    /// # Errors
    /// [`EngineError`].
    pub fn evaluate(&self, job: EvaluateJob) -> Result<Evaluation, EngineError> {
        let parts = [floats(job.weights.len()), job.data.len() as u64];
        fits_frame("an evaluation with its data", parts)?;
        fits_memory(job.architecture, 0)?;
        let samples = samples(job.architecture, job.data);
        let job_size = JobSize {
            steps: 0,
            work: samples.saturating_mul(job.architecture.parameters()),
            bytes: parts.into_iter().fold(0, u64::saturating_add),
        };
        let request = Request::Evaluate {
            architecture: job.architecture.clone(),
            kind: job.kind.clone(),
            weights: job.weights.to_le_bytes(),
            data: job.data.to_vec(),
        };
        let batches = samples.div_ceil(EVALUATION_BATCH.into());
        let answers = limit(batches.saturating_mul(4));
        self.job(request, &job_size, answers, |answer| match answer {
            Answer::Evaluated {
                losses,
                loss,
                correct,
                total,
            } if losses.len() as u64 == u64::from(total).div_ceil(EVALUATION_BATCH.into()) => {
                // An infinite weight may be one that no sample shows; nobody could decode the version's file.
                let loss = loss.filter(|_| job.weights.all_finite());
                let score = |loss| Score { correct, total, loss };
                Ok(ControlFlow::Break(Evaluation {
                    score: loss.map(score),
                    witness: version_witness(&losses),
                }))
            }
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
            request,
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

    /// What every operation of the arithmetic comes to on small arrays: the hash of `hydra_arithmetic::known_answer`.
    ///
    /// # Errors
    /// [`EngineError`].
    pub(crate) fn arithmetic(&self) -> Result<H256, EngineError> {
        let size = JobSize::default();
        self.job(Request::Arithmetic, &size, limit(32), |answer| match answer {
            Answer::Arithmetic { hash } => Ok(ControlFlow::Break(hash)),
            _ => Err("not what the arithmetic comes to"),
        })
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
    use hydra_arithmetic::NAN;

    #[test]
    fn bytes_that_are_no_number_have_one_form_and_all_others_stay() {
        let values = [1.5, f32::INFINITY, -0.0, f32::NAN, f32::from_bits(0xffc0_0001)];
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let made = canonical(bytes.clone());
        assert_eq!(made[..12], bytes[..12]);
        assert_eq!(made[12..], [NAN.to_le_bytes(); 2].concat());
    }

    #[test]
    fn what_is_not_finite_is_found_so_with_its_witness() {
        let witness = H256::repeat_byte(4);
        let trained = Trained {
            update: None,
            witness,
        };
        let measured = Evaluation { score: None, witness };
        let expected = Opening {
            finding: Finding::NotFinite,
            witness,
        };
        assert_eq!([trained.opening(), measured.opening(H256::zero())], [expected; 2]);
    }

    #[test]
    fn the_first_of_the_largest_numbers_wins_and_nan_never_does() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0]), Some(1));
        assert_eq!(argmax(&[f32::NAN, -1.0]), Some(1));
        assert_eq!(argmax(&[f32::NAN]), None);
    }
}
