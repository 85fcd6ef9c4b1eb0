//! A reference to bytes that live off chain.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::H256;

/// Bytes that live off chain, by name and size. The size is part of the reference, so that whoever fetches the blob
/// knows before the first byte how much to expect.
#[derive(
    Clone,
    Copy,
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
pub struct BlobRef {
    /// BLAKE3 of the bytes.
    pub hash: H256,
    /// Exact length in bytes.
    pub size: u64,
}

impl BlobRef {
    /// The reference to `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            hash: crate::content_hash(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }
}
