//! Which parts of a blob can be asked for.
//!
//! Everything is cut at multiples of the 16 KiB chunk group, because inside a group there are no stored hashes to
//! prove anything with.

use crate::{
    error::{SliceError, check_size},
    size::{GROUP_SIZE, MAX_BLOB_SIZE, MAX_SLICE_SIZE},
};

/// A part of a blob that may be asked for: aligned to groups, 16 KiB to 1 MiB long. Whether it lies inside the blob
/// shows when it meets the blob's size ([`SliceRange::bytes_in`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SliceRange {
    offset: u64,
    length: u64,
}

impl SliceRange {
    /// `offset` and `length` in bytes, both multiples of 16 KiB; `length` 16 KiB to 1 MiB.
    ///
    /// # Errors
    /// [`SliceError::Misaligned`] or, for an offset behind any possible blob, [`SliceError::OutOfRange`].
    pub fn new(offset: u64, length: u64) -> Result<Self, SliceError> {
        let aligned = offset.is_multiple_of(GROUP_SIZE) && length.is_multiple_of(GROUP_SIZE);
        if !aligned || length == 0 || length > MAX_SLICE_SIZE {
            return Err(SliceError::Misaligned { offset, length });
        }
        if offset >= MAX_BLOB_SIZE {
            return Err(SliceError::OutOfRange {
                offset,
                size: MAX_BLOB_SIZE,
            });
        }
        Ok(Self { offset, length })
    }

    /// The first 1 MiB: what to ask for while the size is unknown.
    pub const fn first() -> Self {
        Self {
            offset: 0,
            length: MAX_SLICE_SIZE,
        }
    }

    /// Bytes from the blob's start.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes asked for; fewer come when the blob ends earlier.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes of a blob of `size` bytes the range covers: 0 only for the empty blob.
    ///
    /// # Errors
    /// [`SliceError::OutOfRange`] when it starts behind the end, [`SliceError::BlobTooLarge`].
    pub fn bytes_in(&self, size: u64) -> Result<u64, SliceError> {
        check_size(size)?;
        match size.checked_sub(self.offset) {
            Some(rest) if rest > 0 || self.offset == 0 => Ok(rest.min(self.length)),
            _ => Err(SliceError::OutOfRange {
                offset: self.offset,
                size,
            }),
        }
    }
}

/// Slice number `index` of a blob: 1 MiB at a multiple of 1 MiB. `None` behind the end of any blob.
pub fn nth_slice(index: u64) -> Option<SliceRange> {
    SliceRange::new(index.checked_mul(MAX_SLICE_SIZE)?, MAX_SLICE_SIZE).ok()
}

/// How many slices of 1 MiB a blob of `size` bytes has: at least one, also the empty blob.
pub fn slice_count(size: u64) -> u64 {
    size.div_ceil(MAX_SLICE_SIZE).max(1)
}

/// The slices of 1 MiB that together make a blob of `size` bytes, in order. At least one, also for an empty blob.
///
/// # Errors
/// [`SliceError::BlobTooLarge`].
pub fn slice_ranges(size: u64) -> Result<impl DoubleEndedIterator<Item = SliceRange>, SliceError> {
    check_size(size)?;
    Ok((0..slice_count(size)).map(|i| SliceRange {
        offset: i * MAX_SLICE_SIZE,
        length: MAX_SLICE_SIZE,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_ranges_off_the_grid_or_too_long() {
        for (offset, length) in [
            (1, GROUP_SIZE),
            (0, 1),
            (0, 0),
            (0, MAX_SLICE_SIZE + GROUP_SIZE),
            (u64::MAX, GROUP_SIZE),
        ] {
            assert_eq!(
                SliceRange::new(offset, length),
                Err(SliceError::Misaligned { offset, length })
            );
        }
        assert!(matches!(
            SliceRange::new(MAX_BLOB_SIZE, GROUP_SIZE),
            Err(SliceError::OutOfRange { .. })
        ));
        assert!(SliceRange::new(MAX_BLOB_SIZE - GROUP_SIZE, MAX_SLICE_SIZE).is_ok());
    }

    #[test]
    fn is_cut_off_at_the_end_of_the_blob() {
        let range = SliceRange::new(GROUP_SIZE, MAX_SLICE_SIZE).unwrap();
        assert_eq!(range.bytes_in(GROUP_SIZE + 5), Ok(5));
        assert_eq!(range.bytes_in(MAX_BLOB_SIZE), Ok(MAX_SLICE_SIZE));
        assert!(range.bytes_in(GROUP_SIZE).is_err());
        assert!(range.bytes_in(0).is_err());
        assert!(range.bytes_in(MAX_BLOB_SIZE + 1).is_err());
        assert_eq!(SliceRange::first().bytes_in(0), Ok(0));
    }

    #[test]
    fn the_slices_of_a_blob_cover_it_once() {
        for size in [0, 1, MAX_SLICE_SIZE, MAX_SLICE_SIZE + 1, 5 * MAX_SLICE_SIZE] {
            let total: u64 = slice_ranges(size)
                .unwrap()
                .map(|r| r.bytes_in(size).unwrap())
                .sum();
            assert_eq!(total, size);
        }
        assert!(slice_ranges(MAX_BLOB_SIZE + 1).is_err());
    }
}
