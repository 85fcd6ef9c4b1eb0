//! The bundled data set: the UCI handwritten digits (see `datasets/digits/README.md` for source and licence), cut into
//! shards the same way on every machine.
//!
//! Must never change what it writes: the chain's genesis names these shards by hash.

use std::io::Read as _;

use hydra_primitives::{
    BlobRef,
    dataset::DatasetManifest,
    digits::{DIGITS_KIND, DIGITS_NAME},
    domain_hash,
};

use crate::dataset::{Dataset, DatasetError, encode_shard};

/// The file as bundled.
pub const BUNDLED: &[u8] = include_bytes!("../../../datasets/digits/digits.csv.gz");
/// Images in the file.
pub const IMAGES: usize = 1797;
/// Images held out for validation.
pub const VALIDATION: usize = 360;
/// Training shards.
pub const SHARDS: usize = 16;

const SPLIT: &str = "hydraai 2026 digits split v1";
const PIXELS: usize = 64;
/// More than the unpacked file has (264,712 bytes), so that a crafted file can't fill the memory.
const MAX_UNPACKED: u64 = 1 << 20;

/// Why a file is not the digits.
#[derive(Debug, thiserror::Error)]
pub enum DigitsError {
    /// It does not unpack.
    #[error("digits.csv.gz does not unpack ({0}): restore datasets/digits/digits.csv.gz from the repository")]
    Unpack(#[from] std::io::Error),
    /// A line is not 64 pixels and a digit.
    #[error("line {line} of digits.csv is not 64 pixels and a digit: restore the file from the repository")]
    Line {
        /// Which, from 1.
        line: usize,
    },
    /// Another number of images.
    #[error("digits.csv has {found} images instead of 1797: restore the file from the repository")]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A value is out of range.
    #[error(transparent)]
    Data(#[from] DatasetError),
}

/// The digits from `digits.csv.gz`; pass [`BUNDLED`] for the copy in this program.
pub fn import(gz: &[u8]) -> Result<Dataset, DigitsError> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(gz)
        .take(MAX_UNPACKED)
        .read_to_string(&mut text)?;
    let images = text
        .lines()
        .enumerate()
        .map(|(i, line)| parse(line).ok_or(DigitsError::Line { line: i + 1 }));
    let images: Vec<[u8; PIXELS + 1]> = images.collect::<Result<_, _>>()?;
    if images.len() != IMAGES {
        return Err(DigitsError::Count { found: images.len() });
    }
    let mut keyed: Vec<_> = images
        .iter()
        .zip(0u32..)
        .map(|(image, i)| (domain_hash(SPLIT, &[&i.to_le_bytes()]), image))
        .collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    let mut rest: Vec<&[u8; PIXELS + 1]> = keyed.into_iter().map(|(_, image)| image).collect();
    let training = rest.split_off(VALIDATION);
    let validation = shard(&rest)?;
    // As even as it goes: the first `longer` shards have one image more.
    let (short, longer) = (training.len() / SHARDS, training.len() % SHARDS);
    let (long_part, short_part) = training.split_at(longer * (short + 1));
    let parts = long_part.chunks(short + 1).chain(short_part.chunks(short));
    let shards: Vec<Vec<u8>> = parts.map(shard).collect::<Result<_, _>>()?;
    let manifest = DatasetManifest {
        name: DIGITS_NAME.to_vec().try_into().unwrap_or_default(),
        kind: DIGITS_KIND,
        shards: shards
            .iter()
            .map(|bytes| BlobRef::of(bytes))
            .collect::<Vec<_>>()
            .try_into()
            .unwrap_or_default(),
        validation: BlobRef::of(&validation),
    };
    Ok(Dataset {
        manifest,
        shards,
        validation,
    })
}

fn parse(line: &str) -> Option<[u8; PIXELS + 1]> {
    let values: Vec<u8> = line.split(',').map(|v| v.parse().ok()).collect::<Option<_>>()?;
    values.try_into().ok()
}

fn shard(images: &[&[u8; PIXELS + 1]]) -> Result<Vec<u8>, DatasetError> {
    let inputs: Vec<u8> = images
        .iter()
        .flat_map(|image| &image[..PIXELS])
        .copied()
        .collect();
    let labels: Vec<u8> = images.iter().map(|image| image[PIXELS]).collect();
    encode_shard(&DIGITS_KIND, &inputs, &labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode_shard;
    use hydra_primitives::digits::{digits_manifest, digits_spec};

    #[test]
    fn the_manifest_is_pinned() {
        let dataset = import(BUNDLED).unwrap();
        assert_eq!(dataset.manifest, digits_manifest(), "{:#?}", dataset.manifest);
        assert_eq!(digits_spec().validate(&dataset.manifest), Ok(()));
    }

    #[test]
    fn every_image_is_in_exactly_one_part_and_classes_are_balanced() {
        let dataset = import(BUNDLED).unwrap();
        let shards: Vec<_> = dataset
            .shards
            .iter()
            .map(|b| decode_shard(&DIGITS_KIND, b).unwrap())
            .collect();
        let validation = decode_shard(&DIGITS_KIND, &dataset.validation).unwrap();
        assert_eq!(validation.samples() as usize, VALIDATION);
        assert_eq!(
            shards.iter().map(|s| s.samples() as usize).sum::<usize>(),
            IMAGES - VALIDATION
        );
        assert!(shards.iter().all(|s| [89, 90].contains(&s.samples())));
        for digit in 0..10u8 {
            let count = |labels: &[u8]| labels.iter().filter(|l| **l == digit).count();
            // 36 of 360 and 9 of 90 expected.
            assert!(
                (22..=50).contains(&count(&validation.labels)),
                "{digit}: {}",
                count(&validation.labels)
            );
            assert!(
                shards.iter().all(|s| (1..=20).contains(&count(&s.labels))),
                "{digit}"
            );
        }
    }

    #[test]
    fn a_damaged_file_is_refused_with_advice() {
        let error = import(&BUNDLED[..BUNDLED.len() / 2]).unwrap_err();
        assert!(error.to_string().contains("restore"), "{error}");
        assert!(matches!(import(b"nonsense"), Err(DigitsError::Unpack(_))));
    }
}
