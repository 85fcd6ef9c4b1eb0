//! Files that are read little by little, and hashed meanwhile.
//!
//! What is read is what is hashed, so nothing that happens to a file between two looks at it goes unnoticed. Nobody may use what was
//! read before [`Hashed::ends_whole`] has said that it is the file's content, nor call a file wrong that is merely damaged.

use std::io::{self, ErrorKind, Read};

use hydra_primitives::BlobRef;

/// Bytes of a file that are in memory at a time.
pub(crate) const PIECE: usize = 128 * 1024;

/// A file that is being read.
pub(crate) struct Hashed<R> {
    from: R,
    blob: BlobRef,
    hasher: blake3::Hasher,
    /// Bytes read so far.
    at: u64,
}

impl<R: Read> Hashed<R> {
    /// From the beginning of what should be `blob`.
    pub(crate) fn new(from: R, blob: BlobRef) -> Self {
        Self {
            from,
            blob,
            hasher: blake3::Hasher::new(),
            at: 0,
        }
    }

    /// The next bytes, as many as there is room for in `to`.
    pub(crate) fn fill(&mut self, to: &mut [u8]) -> io::Result<()> {
        if let Err(error) = self.from.read_exact(to) {
            // Some of it may have come, and isn't hashed.
            self.at = u64::MAX;
            return Err(error);
        }
        self.hasher.update(to);
        self.at = self.at.saturating_add(to.len() as u64);
        Ok(())
    }

    /// The next values, little-endian; `piece` is room for [`PIECE`] bytes of them.
    pub(crate) fn values(&mut self, to: &mut [f32], piece: &mut [u8]) -> io::Result<()> {
        let mut rest = to;
        while !rest.is_empty() {
            // Up to a whole number of pieces in the file: those are hashed fastest.
            let room = piece.len() - (self.at % piece.len() as u64) as usize;
            let count = (room / 4).max(1).min(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(count);
            let bytes = &mut piece[..4 * count];
            self.fill(bytes)?;
            for (value, bytes) in now.iter_mut().zip(bytes.as_chunks::<4>().0) {
                *value = f32::from_le_bytes(*bytes);
            }
            rest = later;
        }
        Ok(())
    }

    /// Reads what is left, and says whether all of it is what the name promises.
    pub(crate) fn ends_whole(mut self, piece: &mut [u8]) -> io::Result<bool> {
        // One byte too many is enough.
        while self.at <= self.blob.size {
            match self.from.read(piece) {
                Ok(0) => break,
                Ok(read) => {
                    self.hasher.update(&piece[..read]);
                    self.at = self.at.saturating_add(read as u64);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.at == self.blob.size && self.hasher.finalize().as_bytes() == &self.blob.hash.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_come_as_they_are_in_the_file_whatever_the_pieces(
            before in 0usize..20,
            bits in prop::collection::vec(any::<u32>(), 0..60),
            asked in 1usize..40,
            piece in 1usize..10,
        ) {
            let mut bytes = vec![7; before];
            bytes.extend(bits.iter().flat_map(|bits| bits.to_le_bytes()));
            let mut file = Hashed::new(&bytes[..], BlobRef::of(&bytes));
            let mut piece = vec![0; 4 * piece];
            file.fill(&mut vec![0; before]).unwrap();
            let mut found = vec![0.0; bits.len()];
            for part in found.chunks_mut(asked) {
                file.values(part, &mut piece).unwrap();
            }
            let found: Vec<u32> = found.into_iter().map(f32::to_bits).collect();
            prop_assert_eq!(found, bits);
            prop_assert!(file.ends_whole(&mut piece).unwrap());
        }

        #[test]
        fn a_file_that_is_not_what_its_name_says_is_not_whole(
            bytes in prop::collection::vec(any::<u8>(), 1..100),
            at: prop::sample::Index,
            bit in 0u32..8,
            read in 0usize..50,
        ) {
            let blob = BlobRef::of(&bytes);
            let (mut flipped, mut long) = (bytes.clone(), bytes.clone());
            flipped[at.index(bytes.len())] ^= 1 << bit;
            long.push(0);
            let others = [&bytes[..], &flipped[..], &long[..], &bytes[1..]];
            for (other, whole) in others.into_iter().zip([true, false, false, false]) {
                let mut file = Hashed::new(other, blob);
                let short = file.fill(&mut vec![0; read]).is_err();
                prop_assert_eq!(short, other.len() < read);
                prop_assert_eq!(file.ends_whole(&mut [0; 16]).unwrap(), whole && !short);
            }
        }
    }
}
