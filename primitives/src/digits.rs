//! The model every network starts with, and its data set: the UCI handwritten digits.
//!
//! The hashes are the ones that `hydra-update` computes from `datasets/digits/digits.csv.gz` and from the spec; its
//! tests compare. Must never change for a chain that exists: its genesis names them.

use alloc::{vec, vec::Vec};
use bounded_collections::BoundedVec;

use crate::{
    BlobRef, H256, Permill,
    dataset::{DatasetKind, DatasetManifest},
    model::{Aggregator, Architecture, ModelSpec, PhaseLengths, Profile, TaskSpec},
};

/// The data set's name.
pub const DIGITS_NAME: &[u8] = b"UCI handwritten digits";

/// 8×8 images with values 0 to 16 of the ten digits.
pub const DIGITS_KIND: DatasetKind = DatasetKind::Images {
    height: 8,
    width: 8,
    channels: 1,
    classes: 10,
    max_value: 16,
};

/// BLAKE3 of version 0's file: initial weights and outer momentum (all zero) of [`digits_spec`].
pub const DIGITS_INITIAL_WEIGHTS: H256 =
    hash(b"cf088e4a08be869bf29bfad26a822570e4516c2e4d49f2168aba9773cb7bf863");
/// Size of that file in bytes.
pub const DIGITS_INITIAL_WEIGHTS_SIZE: u64 = 39160;

const SHARDS: [(&[u8; 64], u64); 16] = [
    (
        b"c8321e4b271ab1388f1af119c3c180f0961f783cd46a9a325b4bfef1eb56b19d",
        5994,
    ),
    (
        b"19495f1076fec889d9cbbbe7180062232573531584a79f7ccd6454be03fc05f1",
        5994,
    ),
    (
        b"2f7c7dcbd874350787a931368eea81b1a22708f1532d0a65fee249f3810906bb",
        5994,
    ),
    (
        b"77199c11ca795929919872e432984e50fa71cd4cb25790406e14c98c9cb588f2",
        5994,
    ),
    (
        b"e8e611a21a6d06a8515a648a95a12ad7b96a895f4b166ba059d1089fad822234",
        5994,
    ),
    (
        b"0db281a2a7ef4889383d93c077e2e87bd458fc98078da920e3144bc47f8c0fbf",
        5994,
    ),
    (
        b"a2f1206e57c6b6ad7f24cb0f9a80d1b41168f5c93fb62ccd49f2238f96f7bf03",
        5994,
    ),
    (
        b"bc7e175dc4c7ac15419af96fab0e6a8e2c8a46ee6ae2c39b6510d029144bd1b5",
        5994,
    ),
    (
        b"24cef1a95317a6cddc84ac351a052bd7ab0c86b887fc42ec81da7aeb23896e46",
        5994,
    ),
    (
        b"a19769386351335e38414e2f0183a665e4505173d1caf1ead7dc89ec7d6e6441",
        5994,
    ),
    (
        b"d794b99ebda46aa48102d0976a42db1f87b8aee28462dee3aa85101f418d0b69",
        5994,
    ),
    (
        b"76d81db5bed6244e515c772aa499ee99a8d273eb0ff8c993e4b58c4ec5852ecb",
        5994,
    ),
    (
        b"e23e880b8f8059549fb544d64c2576b904c43f1fd403d1caeddaa7e09e3f140c",
        5994,
    ),
    (
        b"e64fc2fc3bfc4dab4d6ba9e0fb29e4ef28fd69da7478ab40c9395c3cd25d7cf7",
        5929,
    ),
    (
        b"28b725de406c82960ce71c0b313af33315fac890925fefab1897b51d77ea7c55",
        5929,
    ),
    (
        b"e3d02ae8a3e725f80a57bd799babaadf5dcdb6c7a751925f46d4b587608666e3",
        5929,
    ),
];
const VALIDATION: (&[u8; 64], u64) = (
    b"9d368b97aebc82ec3928dbf9a63863e63e97ab84be79a2f18fa396f3a9521355",
    23552,
);

/// The digits model: 64-64-10, 30 steps of 32 samples per round.
///
/// Learning rates were chosen with the worker's example (eight draws of shards each):
/// `cargo run --release -p hydra-torch-worker --example rounds -- TRAINERS 30 8`. Rounds to 95 % of the validation set,
/// median and range: one trainer 14 (8–24), two 6 (5–10), four 4 (2–6), eight 3 (2–5). With an inner rate of 0.1 here: 12,
/// 5, 5 and 4. An outer step of 0.9 with momentum 0.1 costs no round against the plain mean; more momentum helps eight
/// trainers and makes a single one unstable.
pub fn digits_spec() -> ModelSpec {
    ModelSpec {
        architecture: Architecture::Mlp {
            layers: BoundedVec::truncate_from(vec![64, 64, 10]),
        },
        profile: Profile::ArithmeticV1,
        task: TaskSpec {
            steps: 30,
            batch_size: 32,
            learning_rate: Permill::from_percent(20),
            momentum: Permill::from_percent(90),
        },
        aggregator: Aggregator::WeightedMean {
            outer_learning_rate: Permill::from_percent(90),
            outer_momentum: Permill::from_percent(10),
        },
        init_seed: 0,
        phases: PhaseLengths {
            train: 10,
            verify: 10,
        },
        roster: 32,
        first_seats: 20,
    }
}

/// The digits as 16 shards of 89 or 90 images and 360 images for validation.
pub fn digits_manifest() -> DatasetManifest {
    DatasetManifest {
        name: BoundedVec::truncate_from(DIGITS_NAME.to_vec()),
        kind: DIGITS_KIND,
        shards: BoundedVec::truncate_from(SHARDS.iter().map(blob).collect::<Vec<_>>()),
        validation: blob(&VALIDATION),
    }
}

fn blob((hex, size): &(&[u8; 64], u64)) -> BlobRef {
    BlobRef {
        hash: hash(hex),
        size: *size,
    }
}

/// The 32 bytes that 64 lower-case hexadecimal digits stand for.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "bounds are those of the array types"
)]
const fn hash(hex: &[u8; 64]) -> H256 {
    const fn digit(c: u8) -> u8 {
        if c.is_ascii_digit() {
            c - b'0'
        } else {
            c - b'a' + 10
        }
    }
    let mut bytes = [0u8; 32];
    let mut i = 0;
    while i < 32 {
        bytes[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
        i += 1;
    }
    H256(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spec_fits_its_data_set() {
        assert_eq!(digits_spec().validate(&digits_manifest()), Ok(()));
        assert_eq!(digits_spec().architecture.parameters(), 4810);
    }

    #[test]
    fn hexadecimal_reads_as_usual() {
        let bytes = hash(b"00ff10a000000000000000000000000000000000000000000000000000000009").0;
        assert_eq!((&bytes[..4], bytes[31]), (&[0x00, 0xff, 0x10, 0xa0][..], 9));
    }
}
