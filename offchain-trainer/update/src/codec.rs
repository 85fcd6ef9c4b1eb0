//! Updates as blobs: what a proposer sends, and what everyone folds.
//!
//! An update is the difference of trained and base weights, one rounding per value. Must never accept
//! bytes that [`encode_update`] would not have written.

use hydra_primitives::{
    model::ModelSpec,
    update::{Encoding, HeaderError, UpdateHeader},
};

use crate::Weights;

/// A difference of weights, finite, one value per parameter of the model it was decoded for.
#[derive(Clone, PartialEq, Debug)]
pub struct Update(Weights);

/// Why bytes or weights make no update.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum UpdateError {
    /// Another size than the spec implies.
    #[error("the update has {found} bytes where this model's updates have {expected}")]
    WrongSize {
        /// What the spec implies.
        expected: u64,
        /// What was given.
        found: u64,
    },
    /// The header does not decode.
    #[error("the update's header does not decode: {0:?}")]
    Header(HeaderError),
    /// It is an update of a model with another number of parameters.
    #[error("the update is for a model with {found} parameters; this one has {expected}")]
    WrongShape {
        /// The model's.
        expected: u64,
        /// The update's.
        found: u64,
    },
    /// A value is infinite or not a number.
    #[error(
        "the update holds a value that is not a finite number: the training diverged, there is nothing to share"
    )]
    NotFinite,
}

fn header(spec: &ModelSpec) -> UpdateHeader {
    UpdateHeader {
        encoding: Encoding::Dense,
        parameters: spec.architecture.parameters(),
    }
}

/// Exact size in bytes of every update of `spec`.
pub fn update_size(spec: &ModelSpec) -> u64 {
    header(spec).blob_size()
}

impl Update {
    /// `trained − base`, one rounding to single precision per value.
    pub fn between(base: &Weights, trained: &Weights) -> Result<Self, UpdateError> {
        if base.len() != trained.len() {
            return Err(UpdateError::WrongShape {
                expected: base.len() as u64,
                found: trained.len() as u64,
            });
        }
        let delta = Weights::new(
            base.as_slice()
                .iter()
                .zip(trained.as_slice())
                .map(|(b, t)| t - b)
                .collect(),
        );
        if delta.all_finite() {
            Ok(Self(delta))
        } else {
            Err(UpdateError::NotFinite)
        }
    }

    /// `base + update`, one rounding to single precision per value. It may differ from the trained weights in the last
    /// bits, and overflow to infinity.
    pub fn apply(&self, base: &Weights) -> Result<Weights, UpdateError> {
        if base.len() != self.0.len() {
            return Err(UpdateError::WrongShape {
                expected: base.len() as u64,
                found: self.0.len() as u64,
            });
        }
        Ok(Weights::new(
            base.as_slice()
                .iter()
                .zip(self.0.as_slice())
                .map(|(b, d)| b + d)
                .collect(),
        ))
    }

    /// The differences, in canonical order.
    pub fn values(&self) -> &Weights {
        &self.0
    }

    /// The blob.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = UpdateHeader {
            encoding: Encoding::Dense,
            parameters: self.0.len() as u64,
        }
        .encode();
        self.0.write_le_bytes(&mut bytes);
        bytes
    }
}

/// The blob of `trained − base`.
pub fn encode_update(base: &Weights, trained: &Weights) -> Result<Vec<u8>, UpdateError> {
    Ok(Update::between(base, trained)?.encode())
}

/// Reads an update of `spec` from bytes that may come from anyone. What decodes encodes to the same bytes.
pub fn decode_update(spec: &ModelSpec, bytes: &[u8]) -> Result<Update, UpdateError> {
    let (expected, found) = (update_size(spec), bytes.len() as u64);
    if expected != found {
        return Err(UpdateError::WrongSize { expected, found });
    }
    let values = after_header(spec, bytes)?;
    let values = Weights::from_le_bytes(values).ok_or(UpdateError::WrongSize { expected, found })?;
    if values.all_finite() {
        Ok(Update(values))
    } else {
        Err(UpdateError::NotFinite)
    }
}

/// What follows the header of an update of `spec` at the start of `bytes`.
pub(crate) fn after_header<'a>(spec: &ModelSpec, bytes: &'a [u8]) -> Result<&'a [u8], UpdateError> {
    let (read, values) = UpdateHeader::decode(bytes).map_err(UpdateError::Header)?;
    let (expected, found) = (header(spec).parameters, read.parameters);
    if expected != found {
        return Err(UpdateError::WrongShape { expected, found });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::initial_weights;
    use hydra_primitives::digits::digits_spec;
    use proptest::prelude::*;

    fn blob() -> Vec<u8> {
        let base = initial_weights(&digits_spec());
        let trained = Weights::new(base.as_slice().iter().map(|v| v * 1.5 + 0.01).collect());
        encode_update(&base, &trained).unwrap()
    }

    #[test]
    fn updates_survive_the_round_trip() {
        let bytes = blob();
        assert_eq!(bytes.len() as u64, update_size(&digits_spec()));
        assert_eq!(decode_update(&digits_spec(), &bytes).unwrap().encode(), bytes);
    }

    #[test]
    fn every_defect_has_its_error() {
        let spec = digits_spec();
        let error = |bytes: &[u8]| decode_update(&spec, bytes).unwrap_err();
        let good = blob();
        assert!(matches!(
            error(&good[..good.len() - 1]),
            UpdateError::WrongSize { .. }
        ));
        let with = |at: usize, value: &[u8]| {
            let mut bytes = good.clone();
            bytes[at..at + value.len()].copy_from_slice(value);
            bytes
        };
        assert_eq!(
            error(&with(0, b"X")),
            UpdateError::Header(HeaderError::NotAnUpdate)
        );
        assert_eq!(
            error(&with(6, &[1])),
            UpdateError::Header(HeaderError::NotCanonical)
        );
        assert!(matches!(error(&with(8, &[0])), UpdateError::WrongShape { .. }));
        for (at, value) in [(16, f32::INFINITY), (good.len() - 4, f32::NAN)] {
            assert_eq!(error(&with(at, &value.to_le_bytes())), UpdateError::NotFinite);
        }
    }

    #[test]
    fn weights_that_diverged_make_no_update() {
        let base = Weights::new(vec![1.0, -f32::MAX]);
        assert_eq!(
            Update::between(&base, &Weights::new(vec![f32::NAN, 0.0])),
            Err(UpdateError::NotFinite)
        );
        assert_eq!(
            Update::between(&base, &Weights::new(vec![1.0, f32::MAX])),
            Err(UpdateError::NotFinite)
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_that_decode_encode_to_the_same_bytes(at in 0usize..200, value: u8) {
            let mut bytes = blob();
            bytes[at] = value;
            if let Ok(update) = decode_update(&digits_spec(), &bytes) {
                prop_assert_eq!(update.encode(), bytes);
            }
        }
    }
}
