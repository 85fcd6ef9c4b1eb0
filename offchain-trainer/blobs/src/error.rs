//! What can go wrong with a blob, in words that tell the reader what to do about it.

use crate::{name::H256, size::MAX_BLOB_SIZE};
use std::{io, path::PathBuf};

/// Whether a blob may have `size` bytes.
///
/// # Errors
/// [`SliceError::BlobTooLarge`].
pub(crate) fn check_size(size: u64) -> Result<(), SliceError> {
    if size > MAX_BLOB_SIZE {
        return Err(SliceError::BlobTooLarge { size });
    }
    Ok(())
}

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The file system refused. `action` completes the sentence "can't …".
    #[error("can't {action} {path:?}: {source}. Check free disk space and the folder's permissions")]
    Io {
        /// What was being done, as a verb phrase.
        action: &'static str,
        /// The file or folder it was done to.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file's content didn't match its name. It has been moved aside, so the blob can be fetched again.
    #[error(
        "blob {hash:?} is damaged on disk and was moved to {moved_to:?}. Fetch it again; if this repeats, check the disk and memory"
    )]
    Corrupt {
        /// The blob's name.
        hash: H256,
        /// Where the damaged file is now.
        moved_to: PathBuf,
    },
    /// The blob is larger than the reader allows.
    #[error(
        "blob {hash:?} has {size} bytes, more than the {max} allowed here. It isn't what was expected under this hash"
    )]
    TooLarge {
        /// The blob's name.
        hash: H256,
        /// Its size in bytes.
        size: u64,
        /// The reader's limit in bytes.
        max: u64,
    },
    /// A range that doesn't lie in the blob, or isn't cut at group boundaries.
    #[error(transparent)]
    Slice(#[from] SliceError),
    /// [`PartialBlob::finish`](crate::PartialBlob::finish) before all of it was there.
    #[error(
        "blob {hash:?} is incomplete: {missing} groups of 16 KiB are missing. Write the missing slices first"
    )]
    Incomplete {
        /// The blob's name.
        hash: H256,
        /// How many 16 KiB groups were never written.
        missing: u64,
    },
    /// A slice of one blob was written into another.
    #[error(
        "a slice of blob {slice:?} can't be written into blob {partial:?}. Pass it to the blob it belongs to"
    )]
    WrongBlob {
        /// The blob the slice was cut from.
        slice: H256,
        /// The blob it was written to.
        partial: H256,
    },
}

impl BlobError {
    /// For `map_err`: an I/O error with its action and path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}

/// Why a slice was refused. None of these needs more of the slice to be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SliceError {
    /// The offset isn't a multiple of 16 KiB, or the length isn't one between 16 KiB and 1 MiB.
    #[error(
        "a slice starts and ends at multiples of 16384 bytes and has at most 1048576; got offset {offset}, length {length}"
    )]
    Misaligned {
        /// Bytes from the blob's start.
        offset: u64,
        /// Bytes asked for.
        length: u64,
    },
    /// The offset lies behind the blob's end.
    #[error("offset {offset} lies behind the end of a blob of {size} bytes")]
    OutOfRange {
        /// Bytes from the blob's start.
        offset: u64,
        /// The blob's size in bytes.
        size: u64,
    },
    /// No blob may be that large.
    #[error("{size} bytes is more than any blob may have ({max})", max = MAX_BLOB_SIZE)]
    BlobTooLarge {
        /// The declared size in bytes.
        size: u64,
    },
    /// The bytes don't hash to what they should: whoever sent them sent something else, or lied about the size.
    #[error("the bytes at offset {offset} don't belong to the blob. Ask another peer")]
    Mismatch {
        /// Where in the blob the first wrong subtree starts, in bytes.
        offset: u64,
    },
    /// There are more or fewer bytes than there must be.
    #[error("there must be {wanted} bytes, not {got}. Ask another peer")]
    WrongLength {
        /// Bytes there must be.
        wanted: usize,
        /// Bytes there are.
        got: usize,
    },
    /// Bits that stand for slices behind the blob's end.
    #[error("there are slices behind the end of the blob. Ask another peer")]
    TrailingBytes,
}
