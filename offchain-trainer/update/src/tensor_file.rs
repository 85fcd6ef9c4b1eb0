//! Canonical safetensors: one list of tensors has exactly one byte string.
//!
//! The format leaves order, spacing and metadata of its JSON header open. Here all of it follows from the tensors'
//! names, types and shapes: no metadata, no white space but the padding, tensors in the given order without gaps. So a
//! reader that knows what to expect compares the header as bytes and never parses JSON from a stranger. Any safetensors
//! reader can load the file (<https://github.com/huggingface/safetensors>, format section).

use std::fmt::Write as _;

/// Type of a tensor's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dtype {
    /// Single precision, 4 bytes.
    F32,
    /// One byte.
    U8,
}

/// One tensor as the header names it. `name` must need no escaping in JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Type of its values.
    pub dtype: Dtype,
    /// Its dimensions.
    pub shape: Vec<u64>,
}

impl Entry {
    /// Size of its values in bytes.
    pub fn bytes(&self) -> u64 {
        let width = match self.dtype {
            Dtype::F32 => 4,
            Dtype::U8 => 1,
        };
        self.shape.iter().fold(width, |n: u64, d| n.saturating_mul(*d))
    }
}

/// Everything before the values: the header's length (8 bytes, little-endian) and the header, padded with spaces to
/// a multiple of 8 bytes, as the reference implementation does.
pub fn header(entries: &[Entry]) -> Vec<u8> {
    let mut json = String::from("{");
    let mut offset = 0u64;
    for (i, entry) in entries.iter().enumerate() {
        let dtype = match entry.dtype {
            Dtype::F32 => "F32",
            Dtype::U8 => "U8",
        };
        let shape = entry
            .shape
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let end = offset.saturating_add(entry.bytes());
        let comma = if i == 0 { "" } else { "," };
        // Writing to a string can't fail.
        let _ = write!(
            json,
            "{comma}\"{}\":{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{offset},{end}]}}",
            entry.name
        );
        offset = end;
    }
    json.push('}');
    while !json.len().is_multiple_of(8) {
        json.push(' ');
    }
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(json.as_bytes());
    bytes
}

/// Exact size of the whole file in bytes.
pub fn size(entries: &[Entry]) -> u64 {
    entries
        .iter()
        .fold(header(entries).len() as u64, |n, e| n.saturating_add(e.bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use safetensors::{SafeTensors, tensor::Dtype as Theirs};

    #[test]
    fn the_reference_reader_finds_the_tensors() {
        let entries = [
            Entry {
                name: "b".into(),
                dtype: Dtype::F32,
                shape: vec![2, 1],
            },
            Entry {
                name: "a".into(),
                dtype: Dtype::U8,
                shape: vec![3],
            },
        ];
        let mut file = header(&entries);
        file.extend_from_slice(&1.5f32.to_le_bytes());
        file.extend_from_slice(&2.5f32.to_le_bytes());
        file.extend_from_slice(&[7, 8, 9]);
        assert_eq!(file.len() as u64, size(&entries));
        let read = SafeTensors::deserialize(&file).unwrap();
        let b = read.tensor("b").unwrap();
        assert_eq!((b.dtype(), b.shape()), (Theirs::F32, &[2, 1][..]));
        assert_eq!(b.data()[4..], 2.5f32.to_le_bytes());
        assert_eq!(read.tensor("a").unwrap().data(), [7, 8, 9]);
    }
}
