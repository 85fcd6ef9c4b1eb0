//! Shards: the blobs a data set is made of.
//!
//! A shard of images is a canonical safetensors file, so whoever has the samples gets the same hash, and a file from a
//! stranger is checked byte for byte before any of it is used. Must never look at more than the bytes it is given.

use hydra_primitives::dataset::{DatasetKind, DatasetManifest};

use crate::tensor_file::{self, Dtype, Entry};

/// A data set's samples for the model: decoded and scaled.
#[derive(Clone, PartialEq, Debug)]
pub struct Shard {
    /// Sample after sample, `samples × inputs` values in 0 to 1 (`value / max_value`, rounded once).
    pub inputs: Vec<f32>,
    /// A class per sample.
    pub labels: Vec<u8>,
    /// Numbers per sample.
    pub inputs_per_sample: u32,
}

impl Shard {
    /// How many samples it has; at least one.
    pub fn samples(&self) -> u32 {
        u32::try_from(self.labels.len()).unwrap_or(u32::MAX)
    }
}

/// A complete data set in memory: its manifest and the blobs that the manifest names.
#[derive(Clone, PartialEq, Debug)]
pub struct Dataset {
    /// What goes on chain.
    pub manifest: DatasetManifest,
    /// The training shards' files, in the manifest's order.
    pub shards: Vec<Vec<u8>>,
    /// The validation set's file.
    pub validation: Vec<u8>,
}

/// Why bytes are no shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DatasetError {
    /// The kind itself is impossible: no pixels, no classes or a full pixel of 0.
    #[error("the data set's kind has a zero in it: images need pixels, classes and a full pixel above 0")]
    BadKind,
    /// Not a shard of this kind: sizes or header are not what they must be.
    #[error("the file is no shard of this kind of data: its header or size is not what HydraAI writes")]
    Malformed,
    /// No samples.
    #[error("a shard needs one sample at least")]
    Empty,
    /// Numbers of inputs and labels don't go together.
    #[error("{inputs} values don't make {labels} samples of this kind")]
    Uneven {
        /// Input values.
        inputs: usize,
        /// Labels.
        labels: usize,
    },
    /// A pixel above the full one.
    #[error("sample {sample} has a pixel above the kind's full pixel")]
    BadPixel {
        /// Which sample, from 0.
        sample: usize,
    },
    /// A label that is no class.
    #[error("sample {sample} has a label that is no class of this kind")]
    BadLabel {
        /// Which sample, from 0.
        sample: usize,
    },
}

struct Layout {
    sample: usize,
    classes: u8,
    max_value: u8,
    shape: [u64; 3],
}

impl Layout {
    fn of(kind: &DatasetKind) -> Result<Self, DatasetError> {
        let DatasetKind::Images {
            height,
            width,
            channels,
            classes,
            max_value,
        } = kind;
        let sample = usize::try_from(kind.inputs()).map_err(|_| DatasetError::BadKind)?;
        if sample == 0 || *classes == 0 || *max_value == 0 {
            return Err(DatasetError::BadKind);
        }
        let shape = [u64::from(*height), u64::from(*width), u64::from(*channels)];
        Ok(Self {
            sample,
            classes: *classes,
            max_value: *max_value,
            shape,
        })
    }

    fn header(&self, samples: usize) -> Vec<u8> {
        let n = samples as u64;
        let [height, width, channels] = self.shape;
        tensor_file::header(&[
            Entry {
                name: "inputs".into(),
                dtype: Dtype::U8,
                shape: vec![n, height, width, channels],
            },
            Entry {
                name: "labels".into(),
                dtype: Dtype::U8,
                shape: vec![n],
            },
        ])
    }

    fn check(&self, inputs: &[u8], labels: &[u8]) -> Result<(), DatasetError> {
        if labels.is_empty() {
            return Err(DatasetError::Empty);
        }
        if labels.len().checked_mul(self.sample) != Some(inputs.len()) {
            return Err(DatasetError::Uneven {
                inputs: inputs.len(),
                labels: labels.len(),
            });
        }
        if let Some(at) = inputs.iter().position(|v| *v > self.max_value) {
            return Err(DatasetError::BadPixel {
                sample: at / self.sample,
            });
        }
        if let Some(sample) = labels.iter().position(|l| *l >= self.classes) {
            return Err(DatasetError::BadLabel { sample });
        }
        Ok(())
    }
}

/// The file of a shard: `inputs` are the raw pixels, sample after sample, row by row; `labels` one class per sample.
pub fn encode_shard(kind: &DatasetKind, inputs: &[u8], labels: &[u8]) -> Result<Vec<u8>, DatasetError> {
    let layout = Layout::of(kind)?;
    layout.check(inputs, labels)?;
    let mut bytes = layout.header(labels.len());
    bytes.extend_from_slice(inputs);
    bytes.extend_from_slice(labels);
    Ok(bytes)
}

/// Reads a shard from bytes that may come from anyone. What decodes is what [`encode_shard`] writes.
pub fn decode_shard(kind: &DatasetKind, bytes: &[u8]) -> Result<Shard, DatasetError> {
    let layout = Layout::of(kind)?;
    let (inputs, labels) = parts(&layout, bytes)?;
    let full = f32::from(layout.max_value);
    Ok(Shard {
        inputs: inputs.iter().map(|v| f32::from(*v) / full).collect(),
        labels: labels.to_vec(),
        inputs_per_sample: kind.inputs(),
    })
}

/// Whether [`decode_shard`] takes these bytes, without the memory that it needs.
pub fn check_shard(kind: &DatasetKind, bytes: &[u8]) -> Result<(), DatasetError> {
    count_samples(kind, bytes).map(drop)
}

/// How many samples the shard has that [`decode_shard`] makes of these bytes, without the memory that it needs.
pub fn count_samples(kind: &DatasetKind, bytes: &[u8]) -> Result<u32, DatasetError> {
    let (_, labels) = parts(&Layout::of(kind)?, bytes)?;
    Ok(u32::try_from(labels.len()).unwrap_or(u32::MAX))
}

/// The inputs and the labels of a shard's file, once all of it is checked.
fn parts<'a>(layout: &Layout, bytes: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), DatasetError> {
    // The number of samples follows from the sizes; then the whole header follows from it and is compared as bytes.
    let (length, _) = bytes.split_first_chunk::<8>().ok_or(DatasetError::Malformed)?;
    let values = usize::try_from(u64::from_le_bytes(*length))
        .ok()
        .and_then(|header| bytes.len().checked_sub(header.checked_add(8)?))
        .ok_or(DatasetError::Malformed)?;
    let per_sample = layout.sample.checked_add(1).ok_or(DatasetError::BadKind)?;
    if !values.is_multiple_of(per_sample) {
        return Err(DatasetError::Malformed);
    }
    let samples = values / per_sample;
    let values = bytes
        .strip_prefix(layout.header(samples).as_slice())
        .ok_or(DatasetError::Malformed)?;
    let (inputs, labels) = values
        .split_at_checked(samples * layout.sample)
        .ok_or(DatasetError::Malformed)?;
    layout.check(inputs, labels)?;
    Ok((inputs, labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KIND: DatasetKind = DatasetKind::Images {
        height: 2,
        width: 1,
        channels: 1,
        classes: 3,
        max_value: 16,
    };

    #[test]
    fn shards_survive_the_round_trip_scaled() {
        let bytes = encode_shard(&KIND, &[0, 4, 8, 16], &[2, 0]).unwrap();
        let shard = decode_shard(&KIND, &bytes).unwrap();
        assert_eq!(shard.inputs, [0.0, 0.25, 0.5, 1.0]);
        assert_eq!((shard.labels.as_slice(), shard.samples()), (&[2, 0][..], 2));
        assert_eq!(count_samples(&KIND, &bytes), Ok(2));
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.tensor("inputs").unwrap().shape(), [2, 2, 1, 1]);
        assert_eq!(file.tensor("labels").unwrap().data(), [2, 0]);
    }

    #[test]
    fn every_defect_has_its_error() {
        assert_eq!(encode_shard(&KIND, &[], &[]), Err(DatasetError::Empty));
        assert_eq!(
            encode_shard(&KIND, &[0], &[0]),
            Err(DatasetError::Uneven { inputs: 1, labels: 1 })
        );
        assert_eq!(
            encode_shard(&KIND, &[0, 0, 17, 0], &[0, 0]),
            Err(DatasetError::BadPixel { sample: 1 })
        );
        assert_eq!(
            encode_shard(&KIND, &[0, 0, 0, 0], &[0, 3]),
            Err(DatasetError::BadLabel { sample: 1 })
        );
        let mut bad = KIND;
        let DatasetKind::Images { max_value, .. } = &mut bad;
        *max_value = 0;
        assert_eq!(decode_shard(&bad, &[0; 100]), Err(DatasetError::BadKind));
        let good = encode_shard(&KIND, &[0, 4, 8, 16], &[2, 0]).unwrap();
        assert_eq!(
            decode_shard(&KIND, &good[..good.len() - 1]),
            Err(DatasetError::Malformed)
        );
        assert_eq!(
            decode_shard(&KIND, &u64::MAX.to_le_bytes()),
            Err(DatasetError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_that_decode_encode_to_the_same_bytes(at in 0usize..200, value: u8) {
            let mut bytes = encode_shard(&KIND, &[0, 4, 8, 16], &[2, 0]).unwrap();
            let at = at % bytes.len();
            bytes[at] = value;
            let decoded = decode_shard(&KIND, &bytes);
            prop_assert_eq!(check_shard(&KIND, &bytes), decoded.as_ref().map(|_| ()).map_err(|error| *error));
            if let Ok(shard) = decoded {
                let raw: Vec<u8> = shard.inputs.iter().map(|v| (v * 16.0) as u8).collect();
                prop_assert_eq!(encode_shard(&KIND, &raw, &shard.labels).unwrap(), bytes);
            }
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode_shard(&KIND, &bytes);
        }
    }
}
