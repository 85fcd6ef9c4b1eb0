//! Blobs: content-addressed storage for everything that is too big for the chain.
//!
//! Models, updates, checkpoints and data shards are named on chain by their BLAKE3 hash and kept here, one file
//! per blob. The crate also cuts *verified slices* out of a blob and checks incoming ones (BLAKE3 verified
//! streaming in groups of 16 KiB), so that a part of a blob can be trusted without having the rest.
//!
//! It must never
//! * hand out a byte that doesn't match its hash: a damaged file is moved aside, not served;
//! * allocate by a number that a peer sent: sizes are declared by our side, or proven first;
//! * leave a half-written file under a blob's name: files appear by rename, after they are on disk.
//!
//! There is no network code here; [`SliceDecoder`] is fed bytes by whoever received them.
//!
//! Start with [`BlobStore`], then `slice` (what is sent) and `partial` (what has come so far).

mod error;
mod outboard;
mod partial;
mod range;
mod slice;
mod store;

pub use error::{BlobError, SliceError};
pub use partial::PartialBlob;
pub use primitive_types::H256;
pub use range::{GROUP_SIZE, MAX_BLOB_SIZE, MAX_SLICE_SIZE, SliceRange, slice_ranges};
pub use slice::{SliceDecoder, VerifiedSlice};
pub use store::{BlobStore, EncodedSlice};

/// A blob's name: the BLAKE3 hash of its content.
pub type Hash = H256;

/// The BLAKE3 hash of `bytes`: the name under which they are stored.
pub fn hash(bytes: &[u8]) -> H256 {
    H256(*blake3::hash(bytes).as_bytes())
}
