//! Whom the faucet has paid, in a file that is only ever appended to: a line before it pays and a line after. What it is about
//! to do is on disk before it does it.
//!
//! It must never take a half written line for one, nor forget an address that may have been paid. Who asked is not in it.

use hydra_primitives::AccountBytes;
use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use crate::{accounts, error::Error, files, keys::address};

/// A longer file is none of a faucet: as many lines as it writes in decades.
const LONGEST: u64 = 64 << 20;

/// An address that was paid, or perhaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub account: AccountBytes,
    /// When it was about to be paid, in seconds since 1970.
    pub at: u64,
    /// The block of the payment; `None` if it isn't known what became of it.
    pub block: Option<u64>,
}

/// Why something could not be noted.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// It could not be written. The file is as it was.
    #[error("{0}")]
    Write(#[source] io::Error),
    /// An earlier line is half written, so that none can follow.
    #[error(
        "an earlier line is half written and can't be removed: start the faucet again to repair the file"
    )]
    Closed,
}

/// What the file is on.
pub trait Disk {
    /// Writes at its end.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Returns when what was written survives a power cut.
    fn sync(&mut self) -> io::Result<()>;
    /// Makes it this long again.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Disk for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_data()
    }
}

/// The open file.
#[derive(Debug)]
pub struct Memory<D = File> {
    disk: D,
    /// Bytes of whole lines.
    length: u64,
    closed: bool,
}

impl Memory {
    /// Opens or makes the file, and keeps other faucets away from it. Returns what is in it, too.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), Error> {
        let mut options = File::options();
        options.read(true).append(true).create(true).mode(0o600);
        let file = options.open(path).map_err(Error::file("open", path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::FaucetRuns(path.into())),
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", path)(error)),
        }
        let bad = |reason: String| Error::BadFaucetFile {
            path: path.into(),
            reason,
        };
        let bytes = files::read_from(&file, LONGEST).map_err(Error::file("read", path))?;
        let bytes = bytes.ok_or_else(|| bad(format!("it is larger than {} MiB", LONGEST >> 20)))?;
        let opened = Self::on(file, &bytes).map_err(Error::file("repair", path))?;
        // Its name is in the folder, which is written to disk by itself.
        if let Some(folder) = path.parent() {
            let synced = File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(Error::file("write", folder))?;
        }
        opened.map_err(bad)
    }
}

impl<D: Disk> Memory<D> {
    /// The same on any disk that holds these bytes. Half a line at the end is removed: what it says was not begun.
    pub fn on(mut disk: D, bytes: &[u8]) -> io::Result<Result<(Self, Vec<Entry>), String>> {
        let whole = bytes
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end.saturating_add(1));
        let (lines, half) = bytes.split_at(whole);
        let entries = match parse(lines) {
            Ok(entries) => entries,
            Err(reason) => return Ok(Err(reason)),
        };
        let length = lines.len() as u64;
        if !half.is_empty() {
            disk.cut(length)?;
        }
        let memory = Self {
            disk,
            length,
            closed: false,
        };
        Ok(Ok((memory, entries)))
    }

    /// It is about to be paid. When this returns, that is on disk.
    pub fn about_to_pay(&mut self, to: &AccountBytes, now: u64) -> Result<(), MemoryError> {
        self.write(&format!("paying {} {now}\n", accounts::address(to)))
    }

    /// It was paid in this block.
    pub fn paid(&mut self, to: &AccountBytes, block: u64) -> Result<(), MemoryError> {
        self.write(&format!("paid {} {block}\n", accounts::address(to)))
    }

    /// It was not paid, and won't be by what was about to be done.
    pub fn not_paid(&mut self, to: &AccountBytes) -> Result<(), MemoryError> {
        self.write(&format!("unpaid {}\n", accounts::address(to)))
    }

    fn write(&mut self, line: &str) -> Result<(), MemoryError> {
        if self.closed {
            return Err(MemoryError::Closed);
        }
        let appended = self.disk.append(line.as_bytes());
        let written = appended.and_then(|()| self.disk.sync());
        if let Err(error) = written {
            // The next line would be taken for the rest of this one.
            self.closed = self.disk.cut(self.length).is_err();
            return Err(MemoryError::Write(error));
        }
        self.length = self.length.saturating_add(line.len() as u64);
        Ok(())
    }
}

/// Whom these lines leave paid, or perhaps paid.
fn parse(lines: &[u8]) -> Result<Vec<Entry>, String> {
    let text = std::str::from_utf8(lines).map_err(|_| "it is no text".to_owned())?;
    let mut entries: BTreeMap<AccountBytes, Entry> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        if take(line, &mut entries).is_none() {
            return Err(format!("line {} is none of a faucet", number.saturating_add(1)));
        }
    }
    Ok(entries.into_values().collect())
}

/// Takes a line in; `None` if it makes no sense there.
fn take(line: &str, entries: &mut BTreeMap<AccountBytes, Entry>) -> Option<()> {
    let mut words = line.split(' ');
    let (word, address) = (words.next()?, words.next()?);
    let account = address::read(address).ok().flatten()?;
    let number = words.next();
    if words.next().is_some() {
        return None;
    }
    match (word, number) {
        ("paying", Some(at)) => {
            let at = at.parse().ok()?;
            let entry = Entry {
                account,
                at,
                block: None,
            };
            // It was paid already, or perhaps.
            if entries.insert(account, entry).is_some() {
                return None;
            }
        }
        ("paid", Some(block)) => entries.get_mut(&account)?.block = Some(block.parse().ok()?),
        ("unpaid", None) => entries.remove(&account).map(|_| ())?,
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn entry(n: u8, at: u64, block: Option<u64>) -> Entry {
        Entry {
            account: [n; 32],
            at,
            block,
        }
    }

    #[test]
    fn what_was_noted_is_there_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faucet.log");
        let (mut memory, before) = Memory::open(&path).unwrap();
        assert!(before.is_empty());
        memory.about_to_pay(&[1; 32], 10).unwrap();
        memory.paid(&[1; 32], 7).unwrap();
        memory.about_to_pay(&[2; 32], 11).unwrap();
        memory.not_paid(&[2; 32]).unwrap();
        memory.about_to_pay(&[3; 32], 12).unwrap();
        // It is this faucet's until that ends.
        let second = Memory::open(&path).unwrap_err();
        assert!(matches!(second, Error::FaucetRuns(_)), "{second}");
        drop(memory);
        let (_, entries) = Memory::open(&path).unwrap();
        assert_eq!(entries, [entry(1, 10, Some(7)), entry(3, 12, None)]);
        assert!(!files::others_can_read(&path));
    }

    #[test]
    fn half_a_line_at_the_end_is_removed_and_anything_else_strange_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faucet.log");
        let one = format!("paying {} 10\n", accounts::address(&[1; 32]));
        fs::write(&path, format!("{one}paying 5G")).unwrap();
        let (memory, entries) = Memory::open(&path).unwrap();
        assert_eq!(entries, [entry(1, 10, None)]);
        assert_eq!(fs::read_to_string(&path).unwrap(), one);
        drop(memory);
        let address = accounts::address(&[2; 32]);
        for strange in [
            "thesis\n".to_owned(),
            "\n".into(),
            one.clone(),
            format!("paid {address} 3\n"),
            format!("unpaid {address}\n"),
            format!("paying {address} soon\n"),
            format!("paying {address}\n"),
            format!("paying {address} 3 4\n"),
            "paying 13DyfGHEWo6GF98AxoBbovBHy82rrr4H3LrWaxggtEpgku8o 3\n".into(),
        ] {
            let text = format!("{one}{strange}");
            fs::write(&path, &text).unwrap();
            let error = Memory::open(&path).unwrap_err();
            assert!(matches!(error, Error::BadFaucetFile { .. }), "{strange}: {error}");
            assert!(error.to_string().contains("line 2"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "it is left as it was");
        }
    }

    /// Takes so many bytes.
    struct Small {
        bytes: Vec<u8>,
        room: usize,
        can_cut: bool,
    }

    impl Disk for Small {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            let fits = bytes.len().min(self.room.saturating_sub(self.bytes.len()));
            self.bytes.extend_from_slice(&bytes[..fits]);
            match fits == bytes.len() {
                true => Ok(()),
                false => Err(io::ErrorKind::StorageFull.into()),
            }
        }

        fn sync(&mut self) -> io::Result<()> {
            Ok(())
        }

        fn cut(&mut self, length: u64) -> io::Result<()> {
            if !self.can_cut {
                return Err(io::ErrorKind::Other.into());
            }
            self.bytes.truncate(usize::try_from(length).unwrap());
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_leaves_no_half_line_or_ends_it() {
        for can_cut in [true, false] {
            let disk = Small {
                bytes: vec![],
                room: 10,
                can_cut,
            };
            let (mut memory, _) = Memory::on(disk, b"").unwrap().unwrap();
            let refused = memory.about_to_pay(&[1; 32], 1);
            assert!(matches!(refused, Err(MemoryError::Write(_))), "{refused:?}");
            assert_eq!(memory.disk.bytes.is_empty(), can_cut);
            memory.disk.room = 1_000;
            let again = memory.about_to_pay(&[1; 32], 2);
            assert_eq!(again.is_ok(), can_cut, "{again:?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_a_faucet_s_file_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..400), at in any::<usize>()) {
            let _ = parse(&bytes);
            let address = accounts::address(&[1; 32]);
            let mut almost = format!("paying {address} 10\npaid {address} 3\n").into_bytes();
            let at = at % almost.len();
            for (byte, other) in almost[at..].iter_mut().zip(&bytes) {
                *byte ^= other;
            }
            let _ = parse(&almost);
        }
    }
}
