//! What this trainer found, by poll: so that it can open a poll after a restart without computing again.
//!
//! What a digest was made of can't be taken back, so the first finding of a poll counts. It is remembered even where it can't
//! be written: what a restart forgets is computed again.
//!
//! File: records of 1 byte length, that many bytes of SCALE, and the first 8 bytes of the payload's BLAKE3. A crash can
//! leave half a record at the end; it is cut off at the next start. A record that the disk damaged is lost alone. Only the
//! newest are kept. Only its owner may read the file: it holds witnesses that are not public yet.

use std::{
    collections::{HashMap, VecDeque},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use codec::{DecodeAll, Encode};
use hydra_primitives::poll::{Opening, PollId};

use crate::{
    append::{AppendError, Appender, CHECKSUM, checksum, is_full, replace, salvage},
    lock,
};

/// How many of the newest findings are kept, and survive a restart: far more than there are polls to be opened. The file may
/// grow to twice as many before it is made anew.
const KEPT: usize = 10_000;

/// Why the journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It can't be read or made.
    #[error("can't {action} the journal of findings {}: {source}. Check free disk space and the folder's permissions", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A finding can't be written.
    #[error(
        "can't write to the journal of findings {}: {source}. After a restart it would be computed again. Check free disk space \
         and the folder's permissions", path.display()
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// Why.
        source: AppendError,
    },
}

#[derive(Debug)]
struct Records {
    file: Appender,
    found: HashMap<PollId, Opening>,
    /// Oldest first.
    order: VecDeque<PollId>,
}

impl Records {
    /// Forgets all but the newest, and puts a file with those in the old one's place.
    fn rewrite(&mut self, path: &Path, kept: usize) -> io::Result<()> {
        // Whatever fails from here on: the open file may not be the one with the records any more.
        self.file.close();
        let over = self.order.len().saturating_sub(kept);
        for poll in self.order.drain(..over) {
            self.found.remove(&poll);
        }
        let entries = self
            .order
            .iter()
            .filter_map(|poll| Some((*poll, *self.found.get(poll)?)));
        let bytes: Vec<u8> = entries.flat_map(|entry| record(&entry)).collect();
        replace(path, &bytes)?;
        self.file = Appender::open(path)?;
        Ok(())
    }
}

/// The journal, open for appending.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    kept: usize,
    inner: Mutex<Records>,
}

impl Journal {
    /// Opens the journal, leaving out what a crash or the disk damaged and all but the newest.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, JournalError> {
        Self::keeping(path.into(), KEPT)
    }

    fn keeping(path: PathBuf, kept: usize) -> Result<Self, JournalError> {
        let fail = |action| {
            let path = path.clone();
            move |source| JournalError::File { action, path, source }
        };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(fail("read")(error)),
        };
        let (mut records, damaged) = salvage(&bytes, parse_one);
        if damaged > 0 {
            tracing::warn!(
                "{damaged} bytes of the journal of findings {} are damaged, by a crash or by the disk, and were left out; \
                 the {} records beside them are whole. If it happens again without a crash, check the disk",
                path.display(),
                records.len()
            );
        }
        records.drain(..records.len().saturating_sub(kept));
        let clean: Vec<u8> = records.iter().flat_map(record).collect();
        // Also where there was none: so that it has the right permissions.
        let rewritten = match clean != bytes || clean.is_empty() {
            true => replace(&path, &clean),
            false => Ok(()),
        };
        let mut file = Appender::open(&path).map_err(fail("open"))?;
        match rewritten {
            // What is in it can be opened with all the same; the next finding to be recorded tries again.
            Err(error) if is_full(&error) => file.close(),
            rewritten => rewritten.map_err(fail("rewrite"))?,
        }
        Ok(Self {
            path,
            kept,
            inner: Mutex::new(Records {
                file,
                order: records.iter().map(|(poll, _)| *poll).collect(),
                found: records.into_iter().collect(),
            }),
        })
    }

    /// What was found of this poll.
    pub fn get(&self, poll: &PollId) -> Option<Opening> {
        lock(&self.inner).found.get(poll).copied()
    }

    /// Remembers what was found, unless something was before.
    ///
    /// # Errors
    /// [`JournalError`]: it is remembered, but not yet on disk.
    pub fn record(&self, poll: PollId, opening: Opening) -> Result<(), JournalError> {
        let mut inner = lock(&self.inner);
        if inner.found.contains_key(&poll) {
            return Ok(());
        }
        inner.found.insert(poll, opening);
        inner.order.push_back(poll);
        let written = if inner.file.is_closed() || inner.order.len() > self.kept.saturating_mul(2) {
            inner.rewrite(&self.path, self.kept).map_err(AppendError::Write)
        } else {
            inner.file.append(&record(&(poll, opening)))
        };
        written.map_err(|source| {
            // What is written next brings all of it to disk.
            inner.file.close();
            JournalError::Record {
                path: self.path.clone(),
                source,
            }
        })
    }
}

fn record(entry: &(PollId, Opening)) -> Vec<u8> {
    let payload = entry.encode();
    // 32 bytes each of poll, weights and witness, 12 of a score, and one that says what was found.
    let mut bytes = vec![payload.len() as u8];
    bytes.extend_from_slice(&payload);
    bytes.extend_from_slice(&checksum(&payload));
    bytes
}

fn parse_one(bytes: &[u8]) -> Option<((PollId, Opening), &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (payload, rest) = rest.split_at_checked(usize::from(*length))?;
    let (sum, rest) = rest.split_at_checked(CHECKSUM)?;
    if sum != checksum(payload) {
        return None;
    }
    Some((DecodeAll::decode_all(&mut &*payload).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::{H256, poll::Finding, proposal::Score};
    use proptest::prelude::*;

    fn poll(n: u8) -> PollId {
        H256::repeat_byte(n)
    }

    fn opening(n: u8) -> Opening {
        Opening {
            finding: Finding::Update(H256::repeat_byte(n)),
            witness: H256::repeat_byte(9),
        }
    }

    #[test]
    fn findings_survive_a_restart_and_the_first_of_a_poll_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        let journal = Journal::open(&path).unwrap();
        let score = Score {
            correct: 1,
            total: 2,
            loss: 3,
        };
        let weights = H256::repeat_byte(4);
        let version = Opening {
            finding: Finding::Version { weights, score },
            ..opening(0)
        };
        journal.record(poll(1), version).unwrap();
        journal.record(poll(1), opening(1)).unwrap();
        assert_eq!(journal.get(&poll(1)), Some(version));
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.get(&poll(1)), Some(version));
        assert_eq!(journal.get(&poll(2)), None);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        Journal::open(&path).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_could_not_be_written_is_remembered_and_comes_to_disk_with_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        let journal = Journal::open(&path).unwrap();
        journal.record(poll(1), opening(1)).unwrap();
        // Always full, and can't be cut.
        lock(&journal.inner).file = Appender::open(Path::new("/dev/full")).unwrap();
        let refused = journal.record(poll(2), opening(2));
        assert!(
            matches!(
                refused,
                Err(JournalError::Record {
                    source: AppendError::Write(_),
                    ..
                })
            ),
            "{refused:?}"
        );
        assert_eq!(journal.get(&poll(2)), Some(opening(2)));
        journal.record(poll(3), opening(3)).unwrap();
        let again = Journal::open(&path).unwrap();
        assert_eq!(
            [1, 2, 3].map(|n| again.get(&poll(n))),
            [1, 2, 3].map(|n| Some(opening(n)))
        );
    }

    #[test]
    fn old_findings_leave_memory_and_file_while_running() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        let journal = Journal::keeping(path.clone(), 3).unwrap();
        let one = record(&(poll(0), opening(0))).len() as u64;
        for n in 0..50 {
            journal.record(poll(n), opening(n)).unwrap();
            assert!(lock(&journal.inner).found.len() <= 6);
            assert!(fs::metadata(&path).unwrap().len() <= 6 * one);
            // Those that may still have to be opened are there.
            assert!((n.saturating_sub(2)..=n).all(|n| journal.get(&poll(n)).is_some()));
        }
        assert_eq!(journal.get(&poll(0)), None);
        let held = lock(&journal.inner).order.clone();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(lock(&journal.inner).order, held);
    }

    #[test]
    fn a_damaged_finding_is_lost_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        let journal = Journal::open(&path).unwrap();
        for n in 1..=3 {
            journal.record(poll(n), opening(n)).unwrap();
        }
        let whole = fs::read(&path).unwrap();
        let length = whole.len() / 3;
        // Any byte of the second one: its length, its content, its checksum.
        for at in length..2 * length {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            fs::write(&path, bytes).unwrap();
            let journal = Journal::open(&path).unwrap();
            let there = [1, 2, 3].map(|n| journal.get(&poll(n)).is_some());
            assert_eq!(there, [true, false, true], "byte {at}");
            assert_eq!(fs::read(&path).unwrap().len(), 2 * length);
        }
    }

    #[test]
    fn half_a_record_is_cut_off_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        let journal = Journal::open(&path).unwrap();
        journal.record(poll(1), opening(1)).unwrap();
        let whole = fs::read(&path).unwrap();
        journal.record(poll(2), opening(2)).unwrap();
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        for cut in whole.len()..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.get(&poll(1)), Some(opening(1)));
            assert_eq!(journal.get(&poll(2)), None);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_a_full_disk_the_findings_are_there_and_the_next_one_is_recorded_when_there_is_room() {
        // Whatever is made anew beside the file finds no room.
        let fill = |path: &Path| {
            let mut new = path.as_os_str().to_owned();
            new.push(".new");
            std::os::unix::fs::symlink("/dev/full", new).unwrap();
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("findings");
        let journal = Journal::open(&path).unwrap();
        journal.record(poll(1), opening(1)).unwrap();
        drop(journal);
        let mut bytes = fs::read(&path).unwrap();
        // Half of a second one, as a disk that got full leaves it: the file is to be made anew.
        bytes.extend_from_slice(&bytes.clone()[..20]);
        fs::write(&path, &bytes).unwrap();
        fill(&path);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.get(&poll(1)), Some(opening(1)));
        fill(&path);
        let refused = journal.record(poll(2), opening(2));
        assert!(matches!(refused, Err(JournalError::Record { .. })), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), bytes, "what was there is untouched");
        journal.record(poll(3), opening(3)).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert!([1, 2, 3].iter().all(|n| journal.get(&poll(*n)).is_some()));
    }

    proptest! {
        #[test]
        fn hostile_bytes_hide_no_whole_finding(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            n in any::<u8>(),
        ) {
            let entry = (poll(n), opening(n));
            let (records, damaged) = salvage(&[&before[..], &record(&entry), &after].concat(), parse_one);
            prop_assert_eq!(records, vec![entry]);
            prop_assert_eq!(damaged, before.len() + after.len());
        }
    }
}
