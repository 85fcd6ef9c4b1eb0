//! The record of a blob that is still arriving: which of its slices are here, and what proves them.
//!
//! A file beside the content, only ever appended to: 16 bytes that say what it is, the blob's size, then for each slice that
//! was verified and written where it lies (8 bytes), how long it is (4 bytes), and its proof. Integers are little-endian. What
//! comes out of it is believed only once content and proof have been verified again, so a torn or damaged record costs a slice, and never more.

use crate::{
    at::{read_exact_at, write_all_at},
    error::BlobError,
    name::H256,
    range::SliceRange,
    slice::{VerifiedSlice, proof_len, slice_len},
    tree::Tree,
};
use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// What the file begins with.
const MAGIC: &[u8; 16] = b"hydra partial 2\n";
/// Bytes before the first entry.
const HEADER: u64 = 24;

/// An open record.
#[derive(Debug)]
pub(crate) struct Record {
    file: File,
    path: PathBuf,
    /// Bytes up to the end of the last whole entry.
    end: u64,
}

impl Record {
    /// A record without entries, in place of whatever is in `file`.
    pub(crate) fn create(file: File, path: &Path, size: u64) -> Result<Self, BlobError> {
        let mut record = Self {
            file,
            path: path.to_owned(),
            end: HEADER,
        };
        let made = record.file.set_len(0).and_then(|()| {
            record.file.rewind()?;
            record.file.write_all(&[&MAGIC[..], &size.to_le_bytes()].concat())
        });
        made.map_err(BlobError::io("write", path))?;
        Ok(record)
    }

    /// The size in bytes that the blob is said to have, if `file` is a record.
    pub(crate) fn size(file: &mut File, path: &Path) -> Result<Option<u64>, BlobError> {
        let mut header = [0; HEADER as usize];
        let read = file.rewind().and_then(|()| file.read_exact(&mut header));
        match read {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(BlobError::io("read", path)(error)),
        }
        let (magic, size) = header.split_at(MAGIC.len());
        Ok(match size.try_into() {
            Ok(size) if magic == MAGIC => Some(u64::from_le_bytes(size)),
            _ => None,
        })
    }

    /// Goes on with a record of the blob `hash` of `size` bytes. Gives `found` every slice in it that `content` holds.
    pub(crate) fn resume(
        file: File,
        path: &Path,
        (hash, size): (H256, u64),
        content: &File,
        mut found: impl FnMut(&VerifiedSlice),
    ) -> Result<Self, BlobError> {
        let mut end = HEADER;
        let mut entries = BufReader::new(&file);
        entries
            .seek(SeekFrom::Start(HEADER))
            .map_err(BlobError::io("read", path))?;
        let mut buffer = Vec::new();
        loop {
            match entry(&mut entries, hash, size, content, buffer) {
                Ok(Entry::Holds(slice)) => {
                    end += entry_len(size, slice.range());
                    found(&slice);
                    buffer = slice.into_buffer();
                }
                Ok(Entry::Lost(range)) => {
                    end += entry_len(size, range);
                    buffer = Vec::new();
                }
                Ok(Entry::End) => break,
                Err(error) => return Err(BlobError::io("read", path)(error)),
            }
        }
        drop(entries);
        // What is behind the last whole entry would garble the next one.
        file.set_len(end).map_err(BlobError::io("write", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            end,
        })
    }

    /// Notes a slice that has been written.
    pub(crate) fn note(&mut self, slice: &VerifiedSlice) -> Result<(), BlobError> {
        self.note_by(slice, write_all_at)
    }

    fn note_by(
        &mut self,
        slice: &VerifiedSlice,
        write: impl FnOnce(&File, &[u8], u64) -> io::Result<()>,
    ) -> Result<(), BlobError> {
        let mut entry = Vec::with_capacity(12 + slice.proof().len());
        entry.extend(slice.range().offset().to_le_bytes());
        // At most 1 MiB, by the range's type.
        entry.extend((slice.range().length() as u32).to_le_bytes());
        entry.extend(slice.proof());
        let written = write(&self.file, &entry, self.end);
        if written.is_err() {
            // Half an entry would garble those behind it. If it can't be cut off, the next one is written over it.
            let _ = self.file.set_len(self.end);
        }
        written.map_err(BlobError::io("write", &self.path))?;
        self.end += entry.len() as u64;
        Ok(())
    }

    /// Returns when all that was noted is on disk.
    pub(crate) fn sync(&self) -> Result<(), BlobError> {
        self.file
            .sync_data()
            .map_err(BlobError::io("write to disk", &self.path))
    }
}

enum Entry {
    Holds(VerifiedSlice),
    /// The content isn't what was noted.
    Lost(SliceRange),
    /// There is no further one, or not a whole one.
    End,
}

fn entry_len(size: u64, range: SliceRange) -> u64 {
    let proof = Tree::new(size).and_then(|tree| Ok(proof_len(&tree, tree.span(range)?)));
    12 + proof.unwrap_or(0) as u64
}

fn entry(
    entries: &mut impl Read,
    hash: H256,
    size: u64,
    content: &File,
    mut buffer: Vec<u8>,
) -> io::Result<Entry> {
    let (mut offset, mut length) = ([0; 8], [0; 4]);
    if !(filled(entries, &mut offset)? && filled(entries, &mut length)?) {
        return Ok(Entry::End);
    }
    let (offset, length) = (u64::from_le_bytes(offset), u64::from(u32::from_le_bytes(length)));
    let fits = SliceRange::new(offset, length).and_then(|range| {
        let tree = Tree::new(size)?;
        Ok((
            range,
            slice_len(size, range)?,
            proof_len(&tree, tree.span(range)?),
        ))
    });
    let Ok((range, len, proof)) = fits else {
        return Ok(Entry::End);
    };
    buffer.resize(len, 0);
    if !filled(entries, &mut buffer[..proof])? {
        return Ok(Entry::End);
    }
    match read_exact_at(content, &mut buffer[proof..], offset) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Entry::Lost(range)),
        Err(error) => return Err(error),
    }
    Ok(match VerifiedSlice::verify(hash, size, range, buffer) {
        Ok(slice) => Entry::Holds(slice),
        Err(_) => Entry::Lost(range),
    })
}

/// Whether there was enough to fill `buffer`.
fn filled(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{name::hash, range::nth_slice, store::BlobStore};

    #[test]
    fn a_note_that_fails_halfway_spoils_none_after_it() {
        let dir = tempfile::TempDir::new().unwrap();
        let store = BlobStore::open(dir.path()).unwrap();
        let bytes: Vec<u8> = (0..3u32 << 18).flat_map(|n| n.to_le_bytes()).collect();
        let (name, size) = (store.put(&bytes).unwrap(), bytes.len() as u64);
        assert_eq!(name, hash(&bytes));
        let slice = |index| {
            let range = nth_slice(index).unwrap();
            let sent = store.encode_slice(name, range).unwrap().unwrap();
            VerifiedSlice::verify(name, size, range, sent.bytes).unwrap()
        };
        let path = dir.path().join("record");
        let open = || {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
        };
        let mut record = Record::create(open().unwrap(), &path, size).unwrap();
        record.note(&slice(0)).unwrap();
        let half = |file: &File, entry: &[u8], at: u64| {
            write_all_at(file, &entry[..entry.len() / 2], at)?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert!(record.note_by(&slice(1), half).is_err());
        assert_eq!(
            std::fs::metadata(&path).unwrap().len(),
            record.end,
            "nothing of it is left"
        );
        record.note(&slice(2)).unwrap();
        drop(record);
        let mut found = Vec::new();
        let content = File::open(store.path(name)).unwrap();
        let note = |slice: &VerifiedSlice| found.push(slice.offset());
        Record::resume(open().unwrap(), &path, (name, size), &content, note).unwrap();
        assert_eq!(found, [0, 2 << 20]);
    }
}
