//! What a model learns from: a manifest of shards, each a blob.

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::BlobRef;

/// The most shards a data set may have.
pub const MAX_SHARDS: u32 = 1024;

/// What a data set's samples are.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub enum DatasetKind {
    /// Images with one class label each. A shard is a safetensors file with `inputs` (U8, `[n, height, width,
    /// channels]`) and `labels` (U8, `[n]`); a pixel enters the model as `value / max_value`.
    Images {
        /// Rows of an image.
        height: u16,
        /// Columns of an image.
        width: u16,
        /// Values per pixel.
        channels: u8,
        /// Number of classes; labels are `0..classes`.
        classes: u8,
        /// The value of a full pixel.
        max_value: u8,
    },
}

impl DatasetKind {
    /// How many numbers one sample has.
    pub fn inputs(&self) -> u32 {
        match self {
            Self::Images {
                height,
                width,
                channels,
                ..
            } => u32::from(*height)
                .saturating_mul(u32::from(*width))
                .saturating_mul(u32::from(*channels)),
        }
    }

    /// How many classes a sample may belong to.
    pub fn classes(&self) -> u32 {
        match self {
            Self::Images { classes, .. } => u32::from(*classes),
        }
    }
}

/// A data set on chain: names every byte of it without holding any.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct DatasetManifest {
    /// Its name, UTF-8.
    pub name: BoundedVec<u8, ConstU32<64>>,
    /// What its samples are.
    pub kind: DatasetKind,
    /// The shards to train on. Which trainer gets which one is drawn anew each round.
    pub shards: BoundedVec<BlobRef, ConstU32<MAX_SHARDS>>,
    /// Held-out samples that nobody trains on, in the format of a shard.
    pub validation: BlobRef,
}

impl DatasetManifest {
    /// Number of shards.
    pub fn shard_count(&self) -> u32 {
        u32::try_from(self.shards.len()).unwrap_or(u32::MAX)
    }

    /// The blob of shard `index`, if there is such a shard.
    pub fn shard(&self, index: u32) -> Option<BlobRef> {
        self.shards.get(usize::try_from(index).ok()?).copied()
    }
}
