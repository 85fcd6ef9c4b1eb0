//! A file that is only ever appended to: a record is in it whole, or not at all.
//!
//! A write that fails may leave half a record behind, and whatever came after it would be lost at the next start. So
//! the half is cut off again; where even that fails, nothing more is taken.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Why a record is not in the file.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// It could not be written; the file is as it was.
    #[error("{0}")]
    Write(#[source] io::Error),
    /// An earlier record was left half written, so that nothing can follow it.
    #[error(
        "an earlier record was left half written and can't be removed; restart the trainer to repair the file"
    )]
    Damaged,
}

/// What the records are on.
pub(crate) trait Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_data()
    }
}

/// The file, open for appending.
#[derive(Debug)]
pub(crate) struct Appender<D = File> {
    disk: D,
    /// Bytes of whole records.
    length: u64,
    damaged: bool,
}

impl Appender {
    /// Opens or makes the file; what is in it must be whole records.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let disk = OpenOptions::new().create(true).append(true).open(path)?;
        let length = disk.metadata()?.len();
        Ok(Self {
            disk,
            length,
            damaged: false,
        })
    }
}

impl<D: Disk> Appender<D> {
    /// Appends a record.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<(), AppendError> {
        if self.damaged {
            return Err(AppendError::Damaged);
        }
        self.disk.append(record).map_err(|error| {
            self.damaged = self.disk.cut(self.length).is_err();
            AppendError::Write(error)
        })?;
        self.length = self.length.saturating_add(record.len() as u64);
        Ok(())
    }

    /// Whether it takes nothing more.
    pub(crate) fn is_closed(&self) -> bool {
        self.damaged
    }

    /// Takes nothing more: the file is not the one with the records any more.
    pub(crate) fn close(&mut self) {
        self.damaged = true;
    }
}

/// Whether there was no room for it: that passes, other errors need a person.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Puts `bytes` in the file's place at once, or leaves it as it is. Only the owner may read the file.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let written = write_private(&new, bytes).and_then(|()| fs::rename(&new, path));
    if let Err(error) = written {
        // On a full disk, half a file takes the room of what could still be written.
        drop(fs::remove_file(&new));
        return Err(error);
    }
    // The new name is in the folder, which is written to disk by itself.
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// All records that `take` finds, and how many bytes are none. It takes one off the front, if there is a whole one with
/// the right checksum. Damage costs the records it is in, not those behind them.
pub(crate) fn salvage<T>(mut bytes: &[u8], take: impl Fn(&[u8]) -> Option<(T, &[u8])>) -> (Vec<T>, usize) {
    let (mut records, mut damaged) = (Vec::new(), 0usize);
    while let Some((_, shifted)) = bytes.split_first() {
        bytes = match take(bytes) {
            Some((record, rest)) => {
                records.push(record);
                rest
            }
            None => {
                damaged = damaged.saturating_add(1);
                shifted
            }
        };
    }
    (records, damaged)
}

/// Bytes of a record's checksum.
pub(crate) const CHECKSUM: usize = 8;

/// The first bytes of a record's BLAKE3.
pub(crate) fn checksum(record: &[u8]) -> [u8; CHECKSUM] {
    let mut short = [0; CHECKSUM];
    short.copy_from_slice(&blake3::hash(record).as_bytes()[..CHECKSUM]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Has room for so many bytes.
    #[derive(Default)]
    struct Small {
        bytes: Vec<u8>,
        room: usize,
        cut_fails: bool,
    }

    impl Disk for Small {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let fits = bytes.len().min(self.room - self.bytes.len());
            self.bytes.extend_from_slice(&bytes[..fits]);
            match fits == bytes.len() {
                true => Ok(()),
                false => Err(io::ErrorKind::StorageFull.into()),
            }
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if self.cut_fails {
                return Err(io::ErrorKind::Other.into());
            }
            self.bytes.truncate(length as usize);
            Ok(())
        }
    }

    fn appender(disk: Small) -> Appender<Small> {
        Appender {
            disk,
            length: 0,
            damaged: false,
        }
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_nothing_behind() {
        let mut file = appender(Small {
            room: 6,
            ..Small::default()
        });
        file.append(b"1234").unwrap();
        assert!(matches!(file.append(b"5678"), Err(AppendError::Write(_))));
        assert_eq!(file.disk.bytes, b"1234");
        file.disk.room = 8;
        file.append(b"5678").unwrap();
        assert_eq!(file.disk.bytes, b"12345678");
    }

    #[test]
    fn nothing_follows_half_a_record_that_can_not_be_removed() {
        let mut file = appender(Small {
            room: 6,
            cut_fails: true,
            ..Small::default()
        });
        file.append(b"1234").unwrap();
        assert!(matches!(file.append(b"5678"), Err(AppendError::Write(_))));
        file.disk.room = 100;
        assert!(matches!(file.append(b"5678"), Err(AppendError::Damaged)));
        assert_eq!(file.disk.bytes, b"123456");
    }
}
