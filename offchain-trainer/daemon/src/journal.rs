//! The votes this trainer committed to, on disk before the commitment leaves the trainer.
//!
//! A trainer that restarts between commit and reveal finds its vote here. Commitments can't be taken back, so a second
//! look at a proposal must never replace the first vote: what is journaled stays.
//!
//! File: records of 1 byte length, that many bytes of SCALE, and the first 8 bytes of the payload's BLAKE3. A crash can
//! leave half a record at the end; it is cut off at the next start, its commitment was never sent. A record that the disk
//! damaged is lost alone, and its vote is found again by trying when it is to be revealed. Only the newest votes are kept.
//! Only its owner may read the file: it holds votes that are not revealed yet.

use std::{
    collections::{HashMap, VecDeque},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use codec::{Decode, DecodeAll, Encode};
use hydra_primitives::{AccountBytes, H256, vote::Vote};

use crate::{
    append::{AppendError, Appender, CHECKSUM, checksum, is_full, replace, salvage},
    lock,
};

/// How many of the newest votes are kept, and survive a restart: far more than can be waiting to be revealed. The file may
/// grow to twice as many before it is made anew.
const KEPT: usize = 10_000;

/// Whose vote on which claim.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub struct VoteKey {
    /// The chain.
    pub genesis: H256,
    /// Who votes.
    pub account: AccountBytes,
    /// The proposal's name.
    pub proposal: H256,
    /// Hash of what the proposal claims: another fork may know another claim under the same name.
    pub claim: H256,
}

/// A vote and what hides it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct SaltedVote {
    /// The vote.
    pub vote: Vote,
    /// The salt.
    pub salt: H256,
}

/// Why the journal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It can't be read or made.
    #[error("can't {action} the journal of votes {}: {source}. Check free disk space and the folder's permissions", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A vote can't be recorded.
    #[error("can't write to the journal of votes {}: {source}. Check free disk space and the folder's permissions", path.display())]
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
    votes: HashMap<VoteKey, SaltedVote>,
    /// Oldest first.
    order: VecDeque<VoteKey>,
}

impl Records {
    /// Forgets all but the newest votes, and puts a file with those in the old one's place.
    fn rewrite(&mut self, path: &Path, kept: usize) -> io::Result<()> {
        // Whatever fails from here on: the open file may not be the one with the records any more.
        self.file.close();
        let over = self.order.len().saturating_sub(kept);
        for key in self.order.drain(..over) {
            self.votes.remove(&key);
        }
        let entries = self
            .order
            .iter()
            .filter_map(|key| Some((*key, *self.votes.get(key)?)));
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
    /// Opens the journal, leaving out what a crash or the disk damaged and all but the newest votes.
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
                "{damaged} bytes of the journal of votes {} are damaged, by a crash or by the disk, and were left out; \
                 the {} votes beside them are whole. If it happens again without a crash, check the disk",
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
            // What is in it can be revealed all the same; the next vote to be recorded tries again.
            Err(error) if is_full(&error) => file.close(),
            rewritten => rewritten.map_err(fail("rewrite"))?,
        }
        Ok(Self {
            path,
            kept,
            inner: Mutex::new(Records {
                file,
                order: records.iter().map(|(key, _)| *key).collect(),
                votes: records.into_iter().collect(),
            }),
        })
    }

    /// The vote on this claim, if there is one.
    pub fn get(&self, key: &VoteKey) -> Option<SaltedVote> {
        lock(&self.inner).votes.get(key).copied()
    }

    /// Records a vote unless there is one on this claim already; returns the one that counts. It is on disk when this
    /// returns. Blocks.
    ///
    /// # Errors
    /// [`JournalError`]: the vote must then not be committed to.
    pub fn record(&self, key: VoteKey, vote: SaltedVote) -> Result<SaltedVote, JournalError> {
        let mut inner = lock(&self.inner);
        if let Some(first) = inner.votes.get(&key) {
            return Ok(*first);
        }
        let fail = |source| JournalError::Record {
            path: self.path.clone(),
            source,
        };
        if inner.file.is_closed() || inner.order.len() >= self.kept.saturating_mul(2) {
            let rewritten = inner.rewrite(&self.path, self.kept);
            rewritten.map_err(|error| fail(AppendError::Write(error)))?;
        }
        inner.file.append_durably(&record(&(key, vote))).map_err(fail)?;
        inner.votes.insert(key, vote);
        inner.order.push_back(key);
        Ok(vote)
    }
}

fn record(entry: &(VoteKey, SaltedVote)) -> Vec<u8> {
    let payload = entry.encode();
    // 4 × 32 bytes of key, 32 of salt and at most a few of vote.
    let mut bytes = vec![payload.len() as u8];
    bytes.extend_from_slice(&payload);
    bytes.extend_from_slice(&checksum(&payload));
    bytes
}

fn parse_one(bytes: &[u8]) -> Option<((VoteKey, SaltedVote), &[u8])> {
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
    use hydra_primitives::vote::{Missing, RejectReason};
    use proptest::prelude::*;

    fn key(n: u8) -> VoteKey {
        VoteKey {
            genesis: H256::zero(),
            account: [n; 32],
            proposal: H256::repeat_byte(n),
            claim: H256::zero(),
        }
    }

    fn vote(vote: Vote) -> SaltedVote {
        SaltedVote {
            vote,
            salt: H256::repeat_byte(9),
        }
    }

    #[test]
    fn votes_survive_a_restart_and_the_first_one_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let journal = Journal::open(&path).unwrap();
        let first = vote(Vote::Reject(RejectReason::SegmentDiffers));
        assert_eq!(journal.record(key(1), first).unwrap(), first);
        assert_eq!(journal.record(key(1), vote(Vote::Accept)).unwrap(), first);
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.get(&key(1)), Some(first));
        assert_eq!(journal.get(&key(2)), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_vote_that_could_not_be_written_is_not_taken_for_recorded_and_the_file_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let journal = Journal::open(&path).unwrap();
        journal.record(key(1), vote(Vote::Accept)).unwrap();
        // Always full, and can't be cut.
        lock(&journal.inner).file = Appender::open(Path::new("/dev/full")).unwrap();
        let refused = journal.record(key(2), vote(Vote::Accept));
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
        assert_eq!(journal.get(&key(2)), None);
        assert_eq!(journal.get(&key(1)), Some(vote(Vote::Accept)));
        journal.record(key(2), vote(Vote::Accept)).unwrap();
        let again = Journal::open(&path).unwrap();
        assert!(again.get(&key(1)).is_some() && again.get(&key(2)).is_some());
    }

    #[test]
    fn old_votes_leave_memory_and_file_while_running() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let journal = Journal::keeping(path.clone(), 3).unwrap();
        let one = |n| record(&(key(n), vote(Vote::Accept))).len() as u64;
        for n in 0..50 {
            journal.record(key(n), vote(Vote::Accept)).unwrap();
            assert!(lock(&journal.inner).votes.len() <= 6);
            assert!(fs::metadata(&path).unwrap().len() <= 6 * one(n));
            // Those that may still have to be revealed are there.
            assert!((n.saturating_sub(2)..=n).all(|n| journal.get(&key(n)).is_some()));
        }
        assert_eq!(journal.get(&key(0)), None);
        let held = lock(&journal.inner).order.clone();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(lock(&journal.inner).order, held);
    }

    #[test]
    fn a_damaged_vote_is_lost_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let journal = Journal::open(&path).unwrap();
        for n in 1..=3 {
            journal.record(key(n), vote(Vote::Accept)).unwrap();
        }
        let whole = fs::read(&path).unwrap();
        let length = whole.len() / 3;
        // Any byte of the second one: its length, its content, its checksum.
        for at in length..2 * length {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            fs::write(&path, bytes).unwrap();
            let journal = Journal::open(&path).unwrap();
            let there = [1, 2, 3].map(|n| journal.get(&key(n)).is_some());
            assert_eq!(there, [true, false, true], "byte {at}");
            assert_eq!(fs::read(&path).unwrap().len(), 2 * length);
        }
    }

    #[test]
    fn half_a_record_is_cut_off_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let journal = Journal::open(&path).unwrap();
        journal.record(key(1), vote(Vote::Accept)).unwrap();
        let whole = fs::read(&path).unwrap();
        journal
            .record(key(2), vote(Vote::Unavailable(Missing::State)))
            .unwrap();
        drop(journal);
        let bytes = fs::read(&path).unwrap();
        for cut in whole.len()..bytes.len() {
            fs::write(&path, &bytes[..cut]).unwrap();
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.get(&key(1)), Some(vote(Vote::Accept)));
            assert_eq!(journal.get(&key(2)), None);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    /// Whatever is made anew beside the file finds no room.
    #[cfg(target_os = "linux")]
    fn fill(path: &Path) {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        std::os::unix::fs::symlink("/dev/full", new).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_a_full_disk_the_votes_are_there_and_the_next_one_is_recorded_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("votes");
        let journal = Journal::open(&path).unwrap();
        journal.record(key(1), vote(Vote::Accept)).unwrap();
        drop(journal);
        let mut bytes = fs::read(&path).unwrap();
        // Half of a second one, as a disk that got full leaves it: the file is to be made anew.
        bytes.extend_from_slice(&bytes.clone()[..20]);
        fs::write(&path, &bytes).unwrap();
        fill(&path);
        let journal = Journal::open(&path).unwrap();
        assert_eq!(journal.get(&key(1)), Some(vote(Vote::Accept)));
        fill(&path);
        let refused = journal.record(key(2), vote(Vote::Accept));
        assert!(matches!(refused, Err(JournalError::Record { .. })), "{refused:?}");
        assert_eq!(journal.get(&key(2)), None);
        assert_eq!(fs::read(&path).unwrap(), bytes, "what was there is untouched");
        journal.record(key(2), vote(Vote::Accept)).unwrap();
        drop(journal);
        let journal = Journal::open(&path).unwrap();
        assert!(journal.get(&key(1)).is_some() && journal.get(&key(2)).is_some());
    }

    proptest! {
        #[test]
        fn hostile_bytes_hide_no_whole_vote(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            n in any::<u8>(),
        ) {
            let entry = (key(n), vote(Vote::Accept));
            let (records, damaged) = salvage(&[&before[..], &record(&entry), &after].concat(), parse_one);
            prop_assert_eq!(records, vec![entry]);
            prop_assert_eq!(damaged, before.len() + after.len());
        }
    }
}
