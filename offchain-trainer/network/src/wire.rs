//! The wire format of `/hydra/blob/2`.
//!
//! Over one stream the client sends any number of requests, the next one while the answer to the last is still arriving if it
//! likes; answers come in the same order. Closing the stream ends the conversation. Integers are little-endian, layouts fixed, so that
//! there is nothing to allocate and one meaning has one encoding.
//!
//! | request | bytes | |
//! |---------|-------|-|
//! | kind    | 1     | 1 get, 2 have |
//! | hash    | 32    | BLAKE3 of the blob |
//! | count   | 1     | get only: how many ranges, 1 to 8 |
//! | ranges  | 5 each | get only: 4 bytes number of the first group of 16,384 bytes (below 2²⁶), 1 byte number of groups (1 to 64); cut off at the blob's end |
//!
//! To *get*, there is one answer for each range, in their order. *Not found* and *busy* are the last ones to their request:
//! they go for all ranges that are left of it.
//!
//! | answer to get | bytes | |
//! |------------|-------|-|
//! | status     | 1     | 0 found, 1 not found (or it lies behind the blob's end), 2 busy (ask again later), 3 not yet (the blob is still arriving here, without this range) |
//! | total size | 8     | only if found: of the whole blob, at most 2⁴⁰ bytes |
//! | slice      |       | only if found: what [`VerifiedSlice::verify`](hydra_blobs::VerifiedSlice::verify) takes, [`slice_len`](hydra_blobs::slice_len) bytes: hash pairs (64 bytes) of the nodes of the tree that the range covers in part, in pre-order, then the content |
//!
//! | answer to have | bytes | |
//! |------------|-------|-|
//! | status     | 1     | 0 all of it, 1 nothing, 2 busy, 3 some of it |
//! | total size | 8     | only if there is something: of the whole blob, at most 2⁴⁰ bytes |
//! | slices     |       | only if there is some: one bit for each slice of 1 MiB, the lowest of the first byte first; bits behind the last slice are 0; neither none nor all are set |
//!
//! Whoever breaks these rules has the stream closed on them, without an answer. This module does no I/O and must
//! never panic, whatever it is given.

use hydra_blobs::{Availability, GROUP_SIZE, H256, MAX_BLOB_SIZE, SliceError, SliceRange, SliceSet};
use libp2p::StreamProtocol;

/// The protocol's name on the network.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/hydra/blob/2");
/// Ranges in one request, at most: 8 MiB of content.
pub const MAX_RANGES: usize = 8;
/// Bytes of a request that come first: all of *have*; of *get*, as much as says how much more there is.
pub const REQUEST_HEAD: usize = 33;
/// Bytes of each range in a request.
pub const RANGE_SIZE: usize = 5;
/// Bytes in a request, at most.
pub const MAX_REQUEST_SIZE: usize = REQUEST_HEAD + 1 + MAX_RANGES * RANGE_SIZE;
/// Bytes of a blob's size in an answer.
pub const SIZE_SIZE: usize = 8;

const GET: u8 = 1;
const HAVE: u8 = 2;

const FOUND: u8 = 0;
const NOT_FOUND: u8 = 1;
const BUSY: u8 = 2;
const PARTLY: u8 = 3;

/// What somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// For parts of a blob.
    Get {
        /// Which blob.
        hash: H256,
        /// Which parts of it: 1 to [`MAX_RANGES`].
        ranges: Vec<SliceRange>,
    },
    /// How much of a blob the peer has.
    Have {
        /// Which blob.
        hash: H256,
    },
}

/// How a request begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestHead {
    /// One byte with the number of ranges follows, then the ranges.
    Get {
        /// Which blob.
        hash: H256,
    },
    /// That was all.
    Have {
        /// Which blob.
        hash: H256,
    },
}

/// How an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All that was asked for; the blob's size follows.
    Found,
    /// The peer has nothing of the blob.
    NotFound,
    /// The peer has too much to do.
    Busy,
    /// To *get*: not this range yet. To *have*: some slices; the blob's size follows.
    Partly,
}

/// Why bytes aren't a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Too few or too many bytes.
    #[error("a message of {expected} bytes can't have {got}")]
    Length {
        /// Bytes in such a message.
        expected: usize,
        /// Bytes received.
        got: usize,
    },
    /// Neither *get* nor *have*.
    #[error("a request can't be of kind {0}")]
    Kind(u8),
    /// No range or too many.
    #[error("a request has 1 to {MAX_RANGES} ranges, not {0}")]
    Count(u8),
    /// A range that may not be asked for, or slices that no blob of this size has.
    #[error(transparent)]
    Range(#[from] SliceError),
    /// An unknown status.
    #[error("an answer can't have status {0}")]
    Status(u8),
    /// A larger size than blobs may have.
    #[error("a blob can't have {0} bytes")]
    Size(u64),
    /// None or all slices, said in a way that isn't the shortest.
    #[error("some slices can't be none or all of them")]
    Slices,
}

/// The bytes of a request. Of more than [`MAX_RANGES`] ranges, the first ones.
pub fn encode_request(request: &Request) -> Vec<u8> {
    let (kind, hash) = match request {
        Request::Get { hash, .. } => (GET, hash),
        Request::Have { hash } => (HAVE, hash),
    };
    let mut bytes = Vec::with_capacity(MAX_REQUEST_SIZE);
    bytes.push(kind);
    bytes.extend(hash.0);
    if let Request::Get { ranges, .. } = request {
        let ranges = &ranges[..ranges.len().min(MAX_RANGES)];
        bytes.push(ranges.len() as u8);
        for range in ranges {
            // Below 2²⁶ and at most 64, by the range's type.
            bytes.extend(((range.offset() / GROUP_SIZE) as u32).to_le_bytes());
            bytes.push((range.length() / GROUP_SIZE) as u8);
        }
    }
    bytes
}

/// Reads how a request begins from exactly [`REQUEST_HEAD`] bytes.
///
/// # Errors
/// [`WireError`]; the request must then not be answered.
pub fn decode_head(bytes: &[u8]) -> Result<RequestHead, WireError> {
    let bytes: &[u8; REQUEST_HEAD] = exactly(bytes)?;
    let hash = H256::from_slice(&bytes[1..]);
    match bytes[0] {
        GET => Ok(RequestHead::Get { hash }),
        HAVE => Ok(RequestHead::Have { hash }),
        kind => Err(WireError::Kind(kind)),
    }
}

/// How many bytes the ranges of a request take, by the byte that says how many there are.
///
/// # Errors
/// [`WireError::Count`].
pub fn ranges_len(count: u8) -> Result<usize, WireError> {
    match usize::from(count) {
        count @ 1..=MAX_RANGES => Ok(count * RANGE_SIZE),
        _ => Err(WireError::Count(count)),
    }
}

/// Reads the ranges of a request, without the byte that says how many there are.
///
/// # Errors
/// [`WireError`]; the request must then not be answered.
pub fn decode_ranges(bytes: &[u8]) -> Result<Vec<SliceRange>, WireError> {
    let count = bytes.len() / RANGE_SIZE;
    if bytes.is_empty() || count > MAX_RANGES || !bytes.len().is_multiple_of(RANGE_SIZE) {
        return Err(WireError::Length {
            expected: count.clamp(1, MAX_RANGES) * RANGE_SIZE,
            got: bytes.len(),
        });
    }
    let range = |bytes: &[u8]| {
        let (first, groups) = bytes.split_at(RANGE_SIZE - 1);
        let range = SliceRange::new(
            little_endian(first) * GROUP_SIZE,
            little_endian(groups) * GROUP_SIZE,
        );
        range.map_err(WireError::Range)
    };
    bytes.chunks(RANGE_SIZE).map(range).collect()
}

/// Reads a whole request.
///
/// # Errors
/// [`WireError`]; the request must then not be answered.
pub fn decode_request(bytes: &[u8]) -> Result<Request, WireError> {
    let (head, rest) = bytes.split_at_checked(REQUEST_HEAD).ok_or(WireError::Length {
        expected: REQUEST_HEAD,
        got: bytes.len(),
    })?;
    match (decode_head(head)?, rest) {
        (RequestHead::Have { hash }, []) => Ok(Request::Have { hash }),
        (RequestHead::Get { hash }, [count, ranges @ ..]) if ranges_len(*count)? == ranges.len() => {
            let ranges = decode_ranges(ranges)?;
            Ok(Request::Get { hash, ranges })
        }
        (head, _) => Err(WireError::Length {
            expected: match head {
                RequestHead::Have { .. } => REQUEST_HEAD,
                RequestHead::Get { .. } => REQUEST_HEAD + 1 + RANGE_SIZE,
            },
            got: bytes.len(),
        }),
    }
}

/// The byte of a status.
pub fn encode_status(status: Status) -> u8 {
    match status {
        Status::Found => FOUND,
        Status::NotFound => NOT_FOUND,
        Status::Busy => BUSY,
        Status::Partly => PARTLY,
    }
}

/// Reads how an answer begins.
///
/// # Errors
/// [`WireError::Status`]; nothing else that the peer sends on this stream means anything then.
pub fn decode_status(byte: u8) -> Result<Status, WireError> {
    match byte {
        FOUND => Ok(Status::Found),
        NOT_FOUND => Ok(Status::NotFound),
        BUSY => Ok(Status::Busy),
        PARTLY => Ok(Status::Partly),
        other => Err(WireError::Status(other)),
    }
}

/// The bytes before a slice.
pub fn encode_found(total_size: u64) -> [u8; 1 + SIZE_SIZE] {
    let mut bytes = [FOUND; 1 + SIZE_SIZE];
    bytes[1..].copy_from_slice(&total_size.to_le_bytes());
    bytes
}

/// Reads a blob's size from exactly [`SIZE_SIZE`] bytes.
///
/// # Errors
/// [`WireError`]; nothing else that the peer sends on this stream means anything then.
pub fn decode_size(bytes: &[u8]) -> Result<u64, WireError> {
    let bytes: &[u8; SIZE_SIZE] = exactly(bytes)?;
    match u64::from_le_bytes(*bytes) {
        size if size <= MAX_BLOB_SIZE => Ok(size),
        size => Err(WireError::Size(size)),
    }
}

/// The answer to *have*.
pub fn encode_availability(availability: &Availability) -> Vec<u8> {
    match availability {
        Availability::None => vec![NOT_FOUND],
        Availability::Whole { size } => encode_found(*size).to_vec(),
        Availability::Some(slices) => {
            let size = slices.blob_size().to_le_bytes();
            [&[PARTLY], &size[..], slices.as_bytes()].concat()
        }
    }
}

/// Reads some slices of a blob of `size` bytes from exactly [`SliceSet::byte_len`] bytes.
///
/// # Errors
/// [`WireError`]; nothing else that the peer sends on this stream means anything then.
pub fn decode_slices(size: u64, bytes: Vec<u8>) -> Result<SliceSet, WireError> {
    let slices = SliceSet::from_bytes(size, bytes)?;
    match Availability::of(slices) {
        Availability::Some(slices) => Ok(slices),
        Availability::None | Availability::Whole { .. } => Err(WireError::Slices),
    }
}

fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], WireError> {
    bytes.try_into().map_err(|_| WireError::Length {
        expected: N,
        got: bytes.len(),
    })
}

/// At most eight bytes, least significant first.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .take(8)
        .fold(0, |value, byte| value << 8 | u64::from(*byte))
}
