//! Which blobs may be deleted, and when.
//!
//! The rule, by round and version of the model that a blob was stored for:
//!
//! | blob | stays while |
//! |------|-------------|
//! | an update | its round is one of the current one and the three before |
//! | weights | their version is one of the newest confirmed and the two before |
//! | anything that the newest versions are named by or folded from | they are the newest, confirmed and not |
//! | anything else (data sets) | always |
//!
//! Kept in a file, so that a restart leaves nothing behind: records written before the blob itself, each with the first 8
//! bytes of its BLAKE3. A damaged one is lost alone: what it named is then not deleted, or not known as a data set until
//! the next duty sheet. Must never name a blob that was in the store before without a record, nor one of a data set: a
//! stranger may put any hash in a claim.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    path::{Path, PathBuf},
    sync::Mutex,
};

use codec::{Decode, Encode};
use hydra_blobs::{BlobError, BlobStore};
use hydra_primitives::{H256, ModelId, RoundNumber, Version};

use crate::{
    append::{AppendError, Appender, CHECKSUM, checksum, is_full, replace, salvage},
    lock,
};

/// Rounds that updates outlive their own.
const UPDATE_ROUNDS: RoundNumber = 3;
/// Versions that weights outlive their own.
const VERSIONS: Version = 2;

/// What a blob is. Ordered: of two descriptions of one blob the later one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub enum Kind {
    /// An update; the number is a round.
    Update,
    /// Weights; the number is a version.
    Weights,
}

/// What a blob was stored for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Tag {
    /// The chain.
    pub genesis: H256,
    /// The model.
    pub model: ModelId,
    /// What it is.
    pub kind: Kind,
    /// Round or version.
    pub number: u32,
}

impl Tag {
    fn is_over(&self, genesis: H256, model: ModelId, round: RoundNumber, version: Version) -> bool {
        if self.genesis != genesis {
            return true;
        }
        if self.model != model {
            return false;
        }
        let (keep, now) = match self.kind {
            Kind::Update => (UPDATE_ROUNDS, round),
            Kind::Weights => (VERSIONS, version),
        };
        self.number.saturating_add(keep) < now
    }
}

#[derive(Debug)]
struct Records {
    /// What blobs are for; `None`: for a data set.
    tags: HashMap<H256, Option<Tag>>,
    file: Appender,
    /// Records in the file, outdated ones included.
    in_file: usize,
}

/// The records, in memory and on disk.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    records: Mutex<Records>,
}

impl Ledger {
    /// Opens or makes the file. Records that a crash or the disk damaged are forgotten.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let (records, damaged) = salvage(&bytes, parse_one);
        if damaged > 0 {
            tracing::warn!(
                "{damaged} bytes of the list of blobs {} are damaged, by a crash or by the disk, and were left out; the \
                 {} records beside them are whole. A blob that was named there may never be deleted. If it happens \
                 again without a crash, check the disk",
                path.display(),
                records.len()
            );
        }
        let tags: HashMap<H256, Option<Tag>> = records.into_iter().collect();
        let file = match rewrite(&path, &tags) {
            // Blobs can be served and deleted all the same; the next record tries again.
            Err(error) if is_full(&error) => {
                let mut file = Appender::open(&path)?;
                file.close();
                file
            }
            rewritten => rewritten?,
        };
        let in_file = tags.len();
        Ok(Self {
            path,
            records: Mutex::new(Records { tags, file, in_file }),
        })
    }

    /// Records what a blob is for. Call this before the blob is stored.
    ///
    /// # Errors
    /// [`AppendError`]: the blob must then not be stored.
    pub fn note(&self, store: &BlobStore, hash: H256, tag: Tag) -> Result<(), AppendError> {
        let mut records = lock(&self.records);
        match records.tags.get(&hash) {
            // A stranger may name any blob as part of a claim: that must not shorten its life.
            Some(None) => return Ok(()),
            Some(Some(old))
                if (old.kind, old.number) >= (tag.kind, tag.number) && old.genesis == tag.genesis =>
            {
                return Ok(());
            }
            None if store.has(hash) => return Ok(()),
            _ => {}
        }
        records.append(&self.path, hash, Some(tag))?;
        records.tags.insert(hash, Some(tag));
        Ok(())
    }

    /// Records that these blobs belong to a data set and stay, whatever they were noted as before or will be.
    ///
    /// # Errors
    /// [`AppendError`]: they stay, but the next start doesn't know it.
    pub fn keep(&self, hashes: impl IntoIterator<Item = H256>) -> Result<(), AppendError> {
        let mut records = lock(&self.records);
        let mut result = Ok(());
        for hash in hashes {
            if records.tags.insert(hash, None) != Some(None) && result.is_ok() {
                result = records.append(&self.path, hash, None);
            }
        }
        if result.is_err() {
            // What is written next brings all of it to disk.
            records.file.close();
        }
        result
    }

    /// Deletes what the rule at the top of this file no longer keeps, given a model's round and confirmed version.
    /// Whatever is in `needed` stays. Blocks. Returns how many blobs were deleted.
    ///
    /// # Errors
    /// What the file system says.
    pub fn sweep(
        &self,
        store: &BlobStore,
        (genesis, model, round, version): (H256, ModelId, RoundNumber, Version),
        needed: &HashSet<H256>,
    ) -> Result<usize, BlobError> {
        let mut records = lock(&self.records);
        let over = |(hash, tag): (&H256, &Option<Tag>)| {
            let tag = tag.as_ref()?;
            (tag.is_over(genesis, model, round, version) && !needed.contains(hash)).then_some(*hash)
        };
        let over: Vec<H256> = records.tags.iter().filter_map(over).collect();
        for hash in &over {
            store.remove(*hash)?;
            records.tags.remove(hash);
        }
        if records.in_file > records.tags.len().saturating_mul(2).saturating_add(1000) {
            match rewrite(&self.path, &records.tags) {
                Ok(file) => {
                    records.file = file;
                    records.in_file = records.tags.len();
                }
                Err(error) => {
                    // The file may have been replaced already; the next record tries again.
                    records.file.close();
                    tracing::warn!("can't rewrite {}: {error}", self.path.display());
                }
            }
        }
        Ok(over.len())
    }
}

impl Records {
    fn append(&mut self, path: &Path, hash: H256, tag: Option<Tag>) -> Result<(), AppendError> {
        if self.file.is_closed() {
            self.file = rewrite(path, &self.tags).map_err(AppendError::Write)?;
            self.in_file = self.tags.len();
        }
        self.file.append(&record(&hash, &tag))?;
        self.in_file = self.in_file.saturating_add(1);
        Ok(())
    }
}

/// Puts a file with these records in the old one's place.
fn rewrite(path: &Path, tags: &HashMap<H256, Option<Tag>>) -> io::Result<Appender> {
    let bytes: Vec<u8> = tags.iter().flat_map(|(hash, tag)| record(hash, tag)).collect();
    replace(path, &bytes)?;
    Appender::open(path)
}

fn record(hash: &H256, tag: &Option<Tag>) -> Vec<u8> {
    let mut bytes = (hash, tag).encode();
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// A blob, and what it is for; `None`: for a data set.
type Record = (H256, Option<Tag>);

fn parse_one(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let mut rest = bytes;
    let entry = Decode::decode(&mut rest).ok()?;
    let (payload, _) = bytes.split_at_checked(bytes.len().checked_sub(rest.len())?)?;
    let (sum, rest) = rest.split_at_checked(CHECKSUM)?;
    (sum == checksum(payload)).then_some((entry, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CHAIN: H256 = H256::repeat_byte(1);

    struct Fixture {
        folder: tempfile::TempDir,
        store: BlobStore,
        ledger: Ledger,
    }

    fn fixture() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path().join("blobs")).unwrap();
        let ledger = Ledger::open(folder.path().join("ledger")).unwrap();
        Fixture {
            folder,
            store,
            ledger,
        }
    }

    impl Fixture {
        fn put(&self, bytes: &[u8], kind: Kind, number: u32) -> H256 {
            let hash = hydra_primitives::content_hash(bytes);
            self.ledger
                .note(
                    &self.store,
                    hash,
                    Tag {
                        genesis: CHAIN,
                        model: 0,
                        kind,
                        number,
                    },
                )
                .unwrap();
            self.store.put(bytes).unwrap()
        }

        fn sweep(&self, round: u32, version: u32, needed: &[H256]) -> usize {
            let needed = needed.iter().copied().collect();
            self.ledger
                .sweep(&self.store, (CHAIN, 0, round, version), &needed)
                .unwrap()
        }
    }

    #[test]
    fn updates_go_by_round_and_weights_by_version() {
        let f = fixture();
        let update = f.put(b"update", Kind::Update, 5);
        let weights = f.put(b"weights", Kind::Weights, 2);
        let there = || [update, weights].map(|hash| f.store.has(hash));
        f.sweep(8, 4, &[]);
        assert_eq!(there(), [true, true]);
        f.sweep(9, 4, &[]);
        assert_eq!(there(), [false, true]);
        f.sweep(9, 5, &[]);
        assert_eq!(there(), [false, false]);
    }

    #[test]
    fn what_is_needed_and_what_has_no_record_stays() {
        let f = fixture();
        let data = f.store.put(b"data set").unwrap();
        let named = f.put(b"data set", Kind::Update, 0);
        assert_eq!(data, named);
        let weights = f.put(b"weights", Kind::Weights, 0);
        assert_eq!(f.sweep(100, 100, &[weights]), 0);
        assert!(f.store.has(data) && f.store.has(weights));
    }

    #[test]
    fn a_claim_that_names_a_shard_does_not_get_it_deleted() {
        let f = fixture();
        let tag = |number| Tag {
            genesis: CHAIN,
            model: 0,
            kind: Kind::Update,
            number,
        };
        // Named before the shard is known as one, and again when it is.
        let shard = f.put(b"shard", Kind::Update, 1);
        f.ledger.keep([shard]).unwrap();
        f.ledger.note(&f.store, shard, tag(2)).unwrap();
        // Known as one before it arrives.
        let late = hydra_primitives::content_hash(b"late");
        f.ledger.keep([late]).unwrap();
        f.put(b"late", Kind::Update, 1);
        let update = f.put(b"update", Kind::Update, 1);
        assert_eq!(f.sweep(100, 100, &[]), 1);
        let there = [shard, late, update].map(|hash| f.store.has(hash));
        assert_eq!(there, [true, true, false]);
        // After a restart, and on another chain.
        let again = Ledger::open(f.folder.path().join("ledger")).unwrap();
        again.note(&f.store, shard, tag(3)).unwrap();
        let other = (H256::repeat_byte(2), 0, 100, 100);
        again.sweep(&f.store, other, &HashSet::new()).unwrap();
        assert!(f.store.has(shard) && f.store.has(late));
    }

    #[test]
    fn a_damaged_record_is_lost_alone() {
        let f = fixture();
        let blobs = [b"1", b"2", b"3"].map(|bytes| f.put(bytes, Kind::Update, 1));
        let path = f.folder.path().join("ledger");
        let whole = fs::read(&path).unwrap();
        let length = whole.len() / 3;
        for at in length..2 * length {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            fs::write(&path, bytes).unwrap();
            let again = Ledger::open(&path).unwrap();
            let there = blobs.map(|hash| lock(&again.records).tags.contains_key(&hash));
            assert_eq!(there, [true, false, true], "byte {at}");
        }
    }

    #[test]
    fn naming_weights_as_an_update_does_not_shorten_their_life() {
        let f = fixture();
        let weights = f.put(b"weights", Kind::Weights, 4);
        f.put(b"weights", Kind::Update, 1);
        f.sweep(50, 4, &[]);
        assert!(f.store.has(weights));
    }

    #[test]
    fn records_survive_a_restart_and_half_a_record_does_no_harm() {
        let f = fixture();
        let old = f.put(b"old", Kind::Update, 1);
        let path = f.folder.path().join("ledger");
        let mut bytes = fs::read(&path).unwrap();
        bytes.extend_from_slice(&[1, 2, 3]);
        fs::write(&path, bytes).unwrap();
        let again = Ledger::open(&path).unwrap();
        assert_eq!(
            again.sweep(&f.store, (CHAIN, 0, 9, 0), &HashSet::new()).unwrap(),
            1
        );
        assert!(!f.store.has(old));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn after_a_record_that_could_not_be_written_the_file_is_made_anew() {
        let f = fixture();
        lock(&f.ledger.records).file = Appender::open(Path::new("/dev/full")).unwrap();
        let tag = Tag {
            genesis: CHAIN,
            model: 0,
            kind: Kind::Update,
            number: 1,
        };
        let note = || f.ledger.note(&f.store, H256::repeat_byte(5), tag);
        assert!(matches!(note(), Err(AppendError::Write(_))));
        assert_eq!(f.sweep(9, 9, &[]), 0);
        note().unwrap();
        let again = Ledger::open(f.folder.path().join("ledger")).unwrap();
        let swept = again.sweep(&f.store, (CHAIN, 0, 9, 0), &HashSet::new());
        assert_eq!(swept.unwrap(), 1);
    }

    #[test]
    fn blobs_of_another_chain_go() {
        let f = fixture();
        let old = f.put(b"old", Kind::Weights, 9);
        let other = (H256::repeat_byte(2), 0, 0, 0);
        assert_eq!(f.ledger.sweep(&f.store, other, &HashSet::new()).unwrap(), 1);
        assert!(!f.store.has(old));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn on_a_full_disk_the_list_is_read_and_made_anew_when_there_is_room() {
        let f = fixture();
        let old = f.put(b"old", Kind::Update, 1);
        let path = f.folder.path().join("ledger");
        std::os::unix::fs::symlink("/dev/full", f.folder.path().join("ledger.new")).unwrap();
        let again = Ledger::open(&path).unwrap();
        assert!(lock(&again.records).tags.contains_key(&old));
        let tag = Tag {
            genesis: CHAIN,
            model: 0,
            kind: Kind::Update,
            number: 2,
        };
        let new = H256::repeat_byte(6);
        again.note(&f.store, new, tag).unwrap();
        let third = Ledger::open(&path).unwrap();
        let known = lock(&third.records).tags.clone();
        assert!(known.contains_key(&old) && known.contains_key(&new));
    }

    proptest! {
        #[test]
        fn hostile_bytes_hide_no_whole_record(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            number in proptest::option::of(any::<u32>()),
        ) {
            let hash = H256::repeat_byte(3);
            let tag = number.map(|number| Tag { genesis: CHAIN, model: 1, kind: Kind::Update, number });
            let (records, damaged) = salvage(&[&before[..], &record(&hash, &tag), &after].concat(), parse_one);
            prop_assert_eq!(records, vec![(hash, tag)]);
            prop_assert_eq!(damaged, before.len() + after.len());
        }
    }
}
