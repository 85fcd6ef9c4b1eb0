//! Which parts of a blob somebody has.

use crate::{
    error::SliceError,
    range::slice_count,
    size::{MAX_BLOB_SIZE, MAX_SLICE_SIZE},
    tree::Tree,
};

/// How much of a blob is here, or with a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Availability {
    /// Nothing of it.
    None,
    /// Some slices: neither none nor all.
    Some(SliceSet),
    /// All of it.
    Whole {
        /// The blob's size in bytes.
        size: u64,
    },
}

impl Availability {
    /// What `slices` come to.
    pub fn of(slices: SliceSet) -> Self {
        match slices.len() {
            0 => Self::None,
            all if all == slice_count(slices.size) => Self::Whole { size: slices.size },
            _ => Self::Some(slices),
        }
    }
}

/// A set of a blob's slices of 1 MiB, by number: one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SliceSet {
    size: u64,
    /// The lowest bit of the first byte is slice 0; bits behind the last slice are 0.
    bits: Vec<u8>,
}

impl SliceSet {
    /// How many bytes the bits of a blob of `size` bytes take: 128 KiB at the most.
    ///
    /// # Errors
    /// [`SliceError::BlobTooLarge`].
    pub fn byte_len(size: u64) -> Result<usize, SliceError> {
        if size > MAX_BLOB_SIZE {
            return Err(SliceError::BlobTooLarge { size });
        }
        Ok(slice_count(size).div_ceil(8) as usize)
    }

    /// No slice of a blob of `size` bytes.
    ///
    /// # Errors
    /// [`SliceError::BlobTooLarge`].
    pub fn empty(size: u64) -> Result<Self, SliceError> {
        let bits = vec![0; Self::byte_len(size)?];
        Ok(Self { size, bits })
    }

    /// No slice of the blob with this tree.
    pub(crate) fn none_of(tree: &Tree) -> Self {
        let size = tree.size();
        // 128 KiB at the most, as there is no tree of a larger blob.
        let bits = vec![0; slice_count(size).div_ceil(8) as usize];
        Self { size, bits }
    }

    /// The set with these bits, of a blob of `size` bytes.
    ///
    /// # Errors
    /// [`SliceError::BlobTooLarge`]; [`SliceError::WrongLength`] or [`SliceError::TrailingBytes`] if there are bits missing or
    /// set behind the last slice.
    pub fn from_bytes(size: u64, bits: Vec<u8>) -> Result<Self, SliceError> {
        let wanted = Self::byte_len(size)?;
        if bits.len() != wanted {
            return Err(SliceError::WrongLength {
                wanted,
                got: bits.len(),
            });
        }
        let used = slice_count(size) % 8;
        if used > 0 && bits.last().is_some_and(|last| last >> used != 0) {
            return Err(SliceError::TrailingBytes);
        }
        Ok(Self { size, bits })
    }

    /// The bits: the lowest of the first byte is slice 0.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bits
    }

    /// The blob's size in bytes.
    pub fn blob_size(&self) -> u64 {
        self.size
    }

    /// Adds slice number `index`; nothing happens if the blob has fewer.
    pub fn insert(&mut self, index: u64) {
        if index >= slice_count(self.size) {
            return;
        }
        if let Some(byte) = self.bits.get_mut((index / 8) as usize) {
            *byte |= 1 << (index % 8);
        }
    }

    /// Whether slice number `index` is in it.
    pub fn contains(&self, index: u64) -> bool {
        let byte = usize::try_from(index / 8).ok().and_then(|at| self.bits.get(at));
        byte.is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }

    /// How many slices are in it.
    pub fn len(&self) -> u64 {
        self.bits.iter().map(|byte| u64::from(byte.count_ones())).sum()
    }

    /// Whether there is none in it.
    pub fn is_empty(&self) -> bool {
        self.bits.iter().all(|byte| *byte == 0)
    }

    /// The numbers of the slices in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        (0..slice_count(self.size)).filter(|index| self.contains(*index))
    }

    /// Bytes of content in it.
    pub fn bytes(&self) -> u64 {
        let last = slice_count(self.size) - 1;
        let missing = match self.contains(last) {
            true => (last + 1) * MAX_SLICE_SIZE - self.size,
            false => 0,
        };
        self.len() * MAX_SLICE_SIZE - missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hostile_bytes_are_a_set_with_one_encoding_or_none(
            size in prop_oneof![0..=MAX_SLICE_SIZE * 100, any::<u64>()],
            bits in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            if let Ok(set) = SliceSet::from_bytes(size, bits.clone()) {
                prop_assert_eq!(set.as_bytes(), &bits[..]);
                prop_assert!(set.iter().all(|index| index < slice_count(size)));
                prop_assert_eq!(set.iter().count() as u64, set.len());
                prop_assert!(set.bytes() <= size);
            }
        }

        #[test]
        fn what_was_put_in_is_in_it(size in 0..=MAX_SLICE_SIZE * 30, indices in prop::collection::btree_set(0u64..40, 0..30)) {
            let mut set = SliceSet::empty(size).unwrap();
            indices.iter().for_each(|index| set.insert(*index));
            let expected: Vec<_> = indices.into_iter().filter(|index| *index < slice_count(size)).collect();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), expected);
            let again = SliceSet::from_bytes(size, set.as_bytes().to_vec());
            prop_assert_eq!(again, Ok(set.clone()));
            prop_assert_eq!(Availability::of(set.clone()) == Availability::None, set.is_empty());
        }
    }
}
