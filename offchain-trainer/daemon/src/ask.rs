//! Questions to a model: which class is this image?
//!
//! Answered with the newest confirmed version held here. Checking a question is separate from answering it, so that
//! nobody pays for a question that can't be answered. Must never pass unchecked numbers to the engine.

use std::{sync::Arc, time::Duration};

use hydra_engine::opinion;
use hydra_primitives::{ModelId, dataset::DatasetKind};
use hydra_trainer_api::{Answer, Checked, Image, MAX_READINGS, Question};
use hydra_update::{Shard, decode_shard};

use crate::{
    depot::{DepotError, peers},
    models::Model,
    tasks::Shared,
    torch::{EngineState, TorchError},
    weights::Held,
};

/// The longest that a question may wait for the engine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a question isn't answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The node hasn't told of any model yet.
    #[error(
        "the trainer hasn't heard from its node yet: check that the node runs and has caught up with its network, and that \
         both use the same port and token file"
    )]
    NoSheet,
    /// There is no such model.
    #[error("there is no model {model}: this chain has {}", known(models))]
    UnknownModel {
        /// What was asked for.
        model: ModelId,
        /// What there is.
        models: Vec<ModelId>,
    },
    /// No confirmed version is held yet.
    #[error(
        "the weights of model {model} aren't here yet: try again in a minute, and see `errors` in the trainer's status if it lasts"
    )]
    NoWeights {
        /// The model.
        model: ModelId,
    },
    /// Not as many values as the model's images have.
    #[error("an image of this model has {expected} values ({height} rows of {width}), not {found}")]
    WrongPixels {
        /// How many it takes.
        expected: u32,
        /// Rows.
        height: u16,
        /// Columns.
        width: u16,
        /// How many there are.
        found: usize,
    },
    /// A value out of range.
    #[error("value number {index} of the image (from 0) is {value}: values go from 0 to {max}")]
    BadPixel {
        /// Which.
        index: usize,
        /// What it is.
        value: u8,
        /// The largest allowed.
        max: u8,
    },
    /// None, or more than are taken.
    #[error("an image has 1 to {MAX_READINGS} readings, not {found}")]
    WrongReadings {
        /// How many there are.
        found: usize,
    },
    /// No such image in the validation set.
    #[error("there is no image {index} in the validation set: choose one from 0 to {last}")]
    BadIndex {
        /// What was asked for.
        index: u32,
        /// The largest allowed.
        last: u32,
    },
    /// The validation set isn't here.
    #[error(
        "the validation set can't be had ({0}): start the trainer with --dataset, or connect it to others"
    )]
    NoData(DepotError),
    /// The validation set on disk is not one.
    #[error("the validation set does not decode ({0}): node and trainer are of different releases")]
    BadData(hydra_update::DatasetError),
    /// The engine can't be used now, or failed.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// The engine has been busy for too long.
    #[error("the engine has been busy for {} s: try again later, or give the trainer more workers", PATIENCE.as_secs())]
    Busy,
}

fn known(models: &[ModelId]) -> String {
    match models {
        [] => "no models".into(),
        [one] => format!("model {one} only"),
        [first, .., last] => format!("the models {first} to {last}"),
    }
}

struct Prepared {
    checked: Checked,
    model: Arc<Model>,
    held: Held,
    inputs: Vec<f32>,
}

/// Checks that a question can be answered, without asking the engine.
///
/// # Errors
/// [`AskError`].
pub async fn check(shared: &Shared, question: &Question) -> Result<Checked, AskError> {
    Ok(prepare(shared, question).await?.checked)
}

/// Answers a question.
///
/// # Errors
/// [`AskError`].
pub async fn infer(shared: &Shared, question: &Question) -> Result<Answer, AskError> {
    let Prepared {
        checked,
        model,
        held,
        inputs,
    } = prepare(shared, question).await?;
    let state = Arc::clone(&held.weights.state);
    let classes = model.spec().architecture.outputs() as usize;
    let work = shared
        .torch
        .run(move |engine| engine.infer(&model.spec().architecture, &state.weights, &inputs));
    let inference = tokio::time::timeout(PATIENCE, work)
        .await
        .map_err(|_| AskError::Busy)??;
    let probabilities = opinion(&inference.logits, classes);
    let label = most_probable(&probabilities);
    Ok(Answer {
        model: checked.model,
        version: checked.version,
        weights: checked.weights,
        truth: checked.truth,
        label,
        probabilities,
    })
}

/// The most probable class; of equal ones the first.
fn most_probable(probabilities: &[f64]) -> u8 {
    // No data set has more than 255 classes.
    let mut best = (0u8, f64::NEG_INFINITY);
    for (class, probability) in (0u8..).zip(probabilities) {
        if *probability > best.1 {
            best = (class, *probability);
        }
    }
    best.0
}

async fn prepare(shared: &Shared, question: &Question) -> Result<Prepared, AskError> {
    let model = question.model;
    let (sheet, _) = shared.newest_sheet().ok_or(AskError::NoSheet)?;
    let models = || sheet.models.iter().map(|m| m.model).collect();
    let known = shared.model(model).ok_or_else(|| AskError::UnknownModel {
        model,
        models: models(),
    })?;
    let kind = &known.dataset().kind;
    let (inputs, truth) = match &question.image {
        Image::Pixels(pixels) => (scale(kind, pixels)?, None),
        Image::Readings(readings) => (scale_all(kind, readings)?, None),
        Image::ValidationIndex(index) => sample(&validation(shared, &known).await?, *index)?,
    };
    match shared.torch.state() {
        EngineState::Ready => {}
        EngineState::Starting => return Err(TorchError::Starting.into()),
        EngineState::Failed(reason) => return Err(TorchError::Failed(reason).into()),
    }
    let held = shared.weights.held(model).ok_or(AskError::NoWeights { model })?;
    let checked = Checked {
        model,
        version: held.version,
        weights: format!("{:?}", held.weights.hash),
        truth,
    };
    Ok(Prepared {
        checked,
        model: known,
        held,
        inputs,
    })
}

fn scale(kind: &DatasetKind, pixels: &[u8]) -> Result<Vec<f32>, AskError> {
    let DatasetKind::Images {
        height,
        width,
        max_value,
        ..
    } = *kind;
    let expected = kind.inputs();
    if u32::try_from(pixels.len()) != Ok(expected) {
        return Err(AskError::WrongPixels {
            expected,
            height,
            width,
            found: pixels.len(),
        });
    }
    let scale = |(index, value): (usize, &u8)| match *value {
        pixel if pixel <= max_value => Ok(f32::from(pixel) / f32::from(max_value.max(1))),
        value => Err(AskError::BadPixel {
            index,
            value,
            max: max_value,
        }),
    };
    pixels.iter().enumerate().map(scale).collect()
}

/// Several readings of one image, one after the other.
fn scale_all(kind: &DatasetKind, readings: &[Vec<u8>]) -> Result<Vec<f32>, AskError> {
    let found = readings.len();
    if !(1..=MAX_READINGS).contains(&found) {
        return Err(AskError::WrongReadings { found });
    }
    let mut inputs = Vec::new();
    for pixels in readings {
        inputs.extend(scale(kind, pixels)?);
    }
    Ok(inputs)
}

async fn validation(shared: &Shared, model: &Model) -> Result<Shard, AskError> {
    let dataset = model.dataset();
    let providers = peers(&model.duties.confirmed.providers);
    let bytes = shared
        .depot
        .get(dataset.validation, providers, None)
        .await
        .map_err(AskError::NoData)?;
    decode_shard(&dataset.kind, &bytes).map_err(AskError::BadData)
}

fn sample(shard: &Shard, index: u32) -> Result<(Vec<f32>, Option<u8>), AskError> {
    let last = shard.samples().saturating_sub(1);
    let found = usize::try_from(index).ok().and_then(|i| {
        let inputs = shard
            .inputs
            .chunks_exact((shard.inputs_per_sample as usize).max(1))
            .nth(i)?;
        Some((inputs.to_vec(), Some(*shard.labels.get(i)?)))
    });
    found.ok_or(AskError::BadIndex { index, last })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::digits::DIGITS_KIND;

    #[test]
    fn pixels_are_scaled_and_bad_ones_named() {
        let mut pixels = vec![16; 64];
        assert_eq!(scale(&DIGITS_KIND, &pixels).unwrap(), [1.0; 64]);
        pixels[5] = 17;
        let error = scale(&DIGITS_KIND, &pixels).unwrap_err().to_string();
        assert_eq!(
            error,
            "value number 5 of the image (from 0) is 17: values go from 0 to 16"
        );
        let error = scale(&DIGITS_KIND, &pixels[1..]).unwrap_err().to_string();
        assert_eq!(
            error,
            "an image of this model has 64 values (8 rows of 8), not 63"
        );
    }

    #[test]
    fn an_index_beyond_the_end_is_refused_with_the_range() {
        let shard = Shard {
            inputs: vec![0.0, 1.0, 2.0, 3.0],
            labels: vec![7, 8],
            inputs_per_sample: 2,
        };
        assert_eq!(sample(&shard, 1).unwrap(), (vec![2.0, 3.0], Some(8)));
        assert!(sample(&shard, 2).unwrap_err().to_string().contains("from 0 to 1"));
        assert!(sample(&shard, u32::MAX).is_err());
    }

    #[test]
    fn readings_follow_each_other_and_each_is_checked() {
        let readings = vec![vec![16; 64], vec![0; 64]];
        let inputs = scale_all(&DIGITS_KIND, &readings).unwrap();
        assert_eq!((inputs.len(), inputs[63], inputs[64]), (128, 1.0, 0.0));
        let found = |count: usize| scale_all(&DIGITS_KIND, &vec![vec![0; 64]; count]);
        assert!(found(MAX_READINGS).is_ok());
        for count in [0, MAX_READINGS + 1] {
            assert!(matches!(found(count), Err(AskError::WrongReadings { found }) if found == count));
        }
        assert!(matches!(
            scale_all(&DIGITS_KIND, &[vec![0; 64], vec![17; 64]]),
            Err(AskError::BadPixel { .. })
        ));
        assert!(matches!(
            scale_all(&DIGITS_KIND, &[vec![0; 64], vec![0; 63]]),
            Err(AskError::WrongPixels { .. })
        ));
    }
}
