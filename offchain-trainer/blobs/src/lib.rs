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
//! There is no network code here; [`VerifiedSlice::verify`] is given the bytes by whoever received them.
//!
//! Start with [`BlobStore`], then `slice` (what is sent) and `partial` (what has come so far).

mod at;
mod availability;
mod error;
mod folder;
mod index;
mod name;
mod outboard;
mod partial;
mod range;
mod record;
mod size;
mod slice;
mod store;
mod tree;
mod upkeep;
mod uses;

pub use availability::{Availability, SliceSet};
pub use error::{BlobError, SliceError};
pub use name::{H256, Hash, hash};
pub use partial::PartialBlob;
pub use range::{SliceRange, nth_slice, slice_count, slice_ranges};
pub use size::{GROUP_SIZE, MAX_BLOB_SIZE, MAX_SLICE_SIZE};
pub use slice::{VerifiedSlice, slice_len};
pub use store::{BlobStore, Cut, EncodedSlice};
pub use upkeep::StoredFile;
