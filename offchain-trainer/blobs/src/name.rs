//! What blobs are called.

pub use primitive_types::H256;

/// A blob's name: the BLAKE3 hash of its content.
pub type Hash = H256;

/// The BLAKE3 hash of `bytes`: the name under which they are stored.
pub fn hash(bytes: &[u8]) -> H256 {
    H256(*blake3::hash(bytes).as_bytes())
}

/// The blob that a file with this name holds. Our names are exactly 64 lower-case hex digits.
pub(crate) fn parse(name: &str) -> Option<H256> {
    if name.len() != 64 || !name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut hash = H256::zero();
    for (i, byte) in hash.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(name.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(hash)
}
