//! What this version can't work with, found out from sizes alone.
//!
//! A chain of another release may describe a model that fits no frame between engine and worker, or a batch that fits no
//! PC. Such a job is refused here, before a process is started for it, anything is fetched or any memory reserved. Must
//! never depend on the PC: whoever runs this version refuses the same models.

use hydra_primitives::{
    dataset::DatasetManifest,
    model::{Architecture, EVALUATION_BATCH, MAX_VALUES, MESSAGE_OVERHEAD, ModelSpec},
};

use crate::{EngineError, protocol::MAX_FRAME};

/// Samples per call of LibTorch when weights are measured.
pub const CHUNK: usize = EVALUATION_BATCH as usize;
/// Room for a message around its values.
pub(crate) const OVERHEAD: u64 = MESSAGE_OVERHEAD as u64;

/// Whether this version can work with a model of this spec on this data set.
///
/// # Errors
/// [`EngineError::TooBig`].
pub fn fits(spec: &ModelSpec, dataset: &DatasetManifest) -> Result<(), EngineError> {
    fits_spec(spec)?;
    let shard = dataset.shards.iter().map(|blob| blob.size).max().unwrap_or(0);
    let weights = spec.architecture.parameters().saturating_mul(4);
    fits_frame("a training task with its data", [weights, shard])?;
    fits_frame("an evaluation with its data", [weights, dataset.validation.size])
}

/// Whether this version can work with a model of this spec, whatever its data.
///
/// # Errors
/// [`EngineError::TooBig`].
pub fn fits_spec(spec: &ModelSpec) -> Result<(), EngineError> {
    fits_frame("what training gives", [trained_size(spec)])?;
    fits_memory(&spec.architecture, u64::from(spec.task.batch_size))
}

/// Bytes of weights and buffers after training: 4 per parameter, and as many again if the task has momentum.
pub(crate) fn trained_size(spec: &ModelSpec) -> u64 {
    let per_parameter = if spec.task.momentum.deconstruct() == 0 {
        4
    } else {
        8
    };
    spec.architecture.parameters().saturating_mul(per_parameter)
}

/// Whether so many samples, or as many as are measured at once, can be worked on by this network.
pub(crate) fn fits_memory(architecture: &Architecture, samples: u64) -> Result<(), EngineError> {
    let Architecture::Mlp { layers } = architecture;
    let widths = layers
        .iter()
        .fold(0u64, |sum, width| sum.saturating_add(u64::from(*width)));
    let at_once = samples.max(CHUNK as u64);
    let bytes = at_once.saturating_mul(widths).saturating_mul(4);
    let most = MAX_VALUES.saturating_mul(4);
    if bytes > most {
        let what = "a batch in all layers";
        return Err(EngineError::TooBig { what, bytes, most });
    }
    Ok(())
}

/// Whether parts of these sizes fit in a frame.
pub(crate) fn fits_frame(
    what: &'static str,
    parts: impl IntoIterator<Item = u64>,
) -> Result<(), EngineError> {
    let bytes = parts.into_iter().fold(OVERHEAD, u64::saturating_add);
    let most = u64::from(MAX_FRAME);
    if bytes > most {
        return Err(EngineError::TooBig { what, bytes, most });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{
        digits::{digits_manifest, digits_spec},
        model::MAX_PARAMETERS,
    };

    fn wide(layers: Vec<u32>) -> ModelSpec {
        let mut spec = digits_spec();
        spec.architecture = Architecture::Mlp {
            layers: layers.try_into().unwrap(),
        };
        spec
    }

    fn refused(spec: &ModelSpec, dataset: &DatasetManifest) -> &'static str {
        match fits(spec, dataset) {
            Err(EngineError::TooBig { what, bytes, most }) => {
                assert!(bytes > most);
                what
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_digits_fit() {
        fits(&digits_spec(), &digits_manifest()).unwrap();
    }

    #[test]
    fn models_that_no_frame_holds_are_refused_even_if_a_chain_allowed_them() {
        // 2³⁰ parameters, which version 0.1 allowed, and as many as fit with 8 bytes each, but not with the message
        // around them.
        for layers in [vec![64, 16_268_815, 1], vec![64, 2_003_243, 2]] {
            let spec = wide(layers);
            assert!(spec.architecture.parameters() > MAX_PARAMETERS);
            assert_eq!(refused(&spec, &digits_manifest()), "what training gives");
        }
    }

    #[test]
    fn a_batch_that_fits_no_memory_is_refused() {
        let mut spec = digits_spec();
        spec.task.batch_size = u32::MAX;
        assert_eq!(refused(&spec, &digits_manifest()), "a batch in all layers");
        // Measuring takes this many samples at once, however small the batch.
        let mut spec = wide(vec![1, 2_000_000, 1]);
        spec.task.batch_size = 1;
        assert_eq!(refused(&spec, &digits_manifest()), "a batch in all layers");
    }

    #[test]
    fn data_that_fit_no_frame_are_refused() {
        let mut dataset = digits_manifest();
        dataset.validation.size = u64::MAX;
        assert_eq!(refused(&digits_spec(), &dataset), "an evaluation with its data");
        let mut dataset = digits_manifest();
        dataset.shards.last_mut().unwrap().size = u64::from(MAX_FRAME) - 20_000;
        assert_eq!(refused(&digits_spec(), &dataset), "a training task with its data");
    }
}
