//! The header of an update blob. One update has exactly one byte string.
//!
//! Layout: 4 bytes magic `HYUP`, 1 byte format version, 1 byte encoding, 2 bytes zero, 8 bytes number of parameters
//! (little-endian), then the values. Dense: 4 bytes per parameter, the difference `trained − base` as little-endian
//! IEEE-754 single precision, tensors in canonical order.

use alloc::vec::Vec;

/// First bytes of every update.
pub const MAGIC: [u8; 4] = *b"HYUP";
/// The only format version.
pub const FORMAT: u8 = 1;
/// Bytes before the values.
pub const HEADER_SIZE: usize = 16;

/// How an update's values are encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Every value in full.
    Dense,
}

/// What an update says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UpdateHeader {
    /// How the values are encoded.
    pub encoding: Encoding,
    /// Number of parameters.
    pub parameters: u64,
}

/// Why bytes are no update.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeaderError {
    /// Shorter than a header.
    TooShort,
    /// Does not begin with the magic bytes.
    NotAnUpdate,
    /// A format version or encoding that this version does not know.
    UnknownFormat,
    /// Bytes that must be zero are not.
    NotCanonical,
}

impl UpdateHeader {
    /// Exact size of the blob this header begins, in bytes.
    pub fn blob_size(&self) -> u64 {
        match self.encoding {
            Encoding::Dense => self
                .parameters
                .saturating_mul(4)
                .saturating_add(HEADER_SIZE as u64),
        }
    }

    /// The header as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let Encoding::Dense = self.encoding;
        let mut bytes = Vec::with_capacity(HEADER_SIZE);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[FORMAT, 0, 0, 0]);
        bytes.extend_from_slice(&self.parameters.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `bytes`, and returns it with what follows.
    pub fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), HeaderError> {
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(HeaderError::TooShort)?;
        let (kind, rest) = rest.split_first_chunk::<4>().ok_or(HeaderError::TooShort)?;
        let (parameters, rest) = rest.split_first_chunk::<8>().ok_or(HeaderError::TooShort)?;
        if *magic != MAGIC {
            return Err(HeaderError::NotAnUpdate);
        }
        let [format, encoding, zero_a, zero_b] = *kind;
        if format != FORMAT || encoding != 0 {
            return Err(HeaderError::UnknownFormat);
        }
        if (zero_a, zero_b) != (0, 0) {
            return Err(HeaderError::NotCanonical);
        }
        Ok((
            Self {
                encoding: Encoding::Dense,
                parameters: u64::from_le_bytes(*parameters),
            },
            rest,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hostile_bytes_that_decode_encode_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Ok((header, rest)) = UpdateHeader::decode(&bytes) {
                prop_assert_eq!(&header.encode(), &bytes[..HEADER_SIZE]);
                prop_assert_eq!(rest, &bytes[HEADER_SIZE..]);
            }
        }

        #[test]
        fn headers_survive_the_round_trip(parameters: u64) {
            let header = UpdateHeader { encoding: Encoding::Dense, parameters };
            let bytes = header.encode();
            prop_assert_eq!(UpdateHeader::decode(&bytes), Ok((header, &[][..])));
        }
    }
}
