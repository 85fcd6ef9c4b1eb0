//! The wire format of `/hydra/blob/1`.
//!
//! Over one stream the client sends any number of requests, each after the answer to the one before; closing the
//! stream ends the conversation. Integers are little-endian, layouts fixed, so that there is nothing to allocate and
//! one meaning has one encoding.
//!
//! | request   | bytes | |
//! |-----------|-------|-|
//! | hash      | 32    | BLAKE3 of the blob |
//! | offset    | 8     | bytes; a multiple of 16,384 |
//! | length    | 4     | bytes; a multiple of 16,384 from 16,384 to 1,048,576; cut off at the blob's end |
//!
//! | answer     | bytes | |
//! |------------|-------|-|
//! | status     | 1     | 0 found, 1 not found, 2 busy (ask again later) |
//! | total size | 8     | of the whole blob, at most 2⁴⁰ bytes; 0 unless found |
//! | slice      |       | only if found: what [`SliceDecoder`](hydra_blobs::SliceDecoder) takes: hash pairs (64 bytes) of the tree in pre-order, with the groups (≤ 16,384 bytes) in their places |
//!
//! Whoever breaks these rules has the stream closed on them, without an answer. This module does no I/O and must
//! never panic, whatever it is given.

use hydra_blobs::{H256, MAX_BLOB_SIZE, SliceError, SliceRange};
use libp2p::StreamProtocol;

/// The protocol's name on the network.
pub const PROTOCOL: StreamProtocol = StreamProtocol::new("/hydra/blob/1");
/// Bytes in a request.
pub const REQUEST_SIZE: usize = 44;
/// Bytes in an answer before the slice.
pub const HEADER_SIZE: usize = 9;

const FOUND: u8 = 0;
const NOT_FOUND: u8 = 1;
const BUSY: u8 = 2;

/// One request: a part of one blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Which blob.
    pub hash: H256,
    /// Which part of it.
    pub range: SliceRange,
}

/// How an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The slice follows.
    Found {
        /// The whole blob's size in bytes. Not proven yet.
        total_size: u64,
    },
    /// The peer doesn't have the blob.
    NotFound,
    /// The peer has too much to do.
    Busy,
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
    /// The request's range isn't one that may be asked for.
    #[error(transparent)]
    Range(#[from] SliceError),
    /// An unknown status.
    #[error("an answer can't have status {0}")]
    Status(u8),
    /// A size where there must be none, or a larger one than blobs may have.
    #[error("an answer with status {status} can't have size {size}")]
    Size {
        /// The status byte.
        status: u8,
        /// The size in bytes.
        size: u64,
    },
}

/// The bytes of a request.
pub fn encode_request(request: &Request) -> [u8; REQUEST_SIZE] {
    let mut bytes = [0; REQUEST_SIZE];
    bytes[..32].copy_from_slice(&request.hash.0);
    bytes[32..40].copy_from_slice(&request.range.offset().to_le_bytes());
    // At most 1 MiB, by the range's type.
    bytes[40..].copy_from_slice(&(request.range.length() as u32).to_le_bytes());
    bytes
}

/// Reads a request from exactly [`REQUEST_SIZE`] bytes.
///
/// # Errors
/// [`WireError`]; the request must then not be answered.
pub fn decode_request(bytes: &[u8]) -> Result<Request, WireError> {
    let bytes: &[u8; REQUEST_SIZE] = exactly(bytes)?;
    let (hash, rest) = bytes.split_at(32);
    let (offset, length) = rest.split_at(8);
    let range = SliceRange::new(little_endian(offset), little_endian(length))?;
    Ok(Request {
        hash: H256::from_slice(hash),
        range,
    })
}

/// The bytes of an answer's beginning.
pub fn encode_header(header: &Header) -> [u8; HEADER_SIZE] {
    let (status, size) = match header {
        Header::Found { total_size } => (FOUND, *total_size),
        Header::NotFound => (NOT_FOUND, 0),
        Header::Busy => (BUSY, 0),
    };
    let mut bytes = [status; HEADER_SIZE];
    bytes[1..].copy_from_slice(&size.to_le_bytes());
    bytes
}

/// Reads an answer's beginning from exactly [`HEADER_SIZE`] bytes.
///
/// # Errors
/// [`WireError`]; nothing else that the peer sends on this stream means anything then.
pub fn decode_header(bytes: &[u8]) -> Result<Header, WireError> {
    let bytes: &[u8; HEADER_SIZE] = exactly(bytes)?;
    let (status, size) = (bytes[0], little_endian(&bytes[1..]));
    match (status, size) {
        (FOUND, total_size) if total_size <= MAX_BLOB_SIZE => Ok(Header::Found { total_size }),
        (NOT_FOUND, 0) => Ok(Header::NotFound),
        (BUSY, 0) => Ok(Header::Busy),
        (FOUND | NOT_FOUND | BUSY, size) => Err(WireError::Size { status, size }),
        _ => Err(WireError::Status(status)),
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
