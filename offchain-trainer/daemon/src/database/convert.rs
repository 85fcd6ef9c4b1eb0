//! What releases before this one kept in `blobs.ledger` and `findings.journal`: taken over once, and then renamed to `….converted`.
//!
//! Both were lists of records, each with a checksum, so that a damaged one was lost alone; here, too. Must never rename a file before
//! what is in it is on disk here.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use codec::{Decode, DecodeAll};
use hydra_primitives::{
    H256,
    poll::{Opening, PollId},
};

use super::{
    error::DatabaseError,
    record::Tag,
    salvage::{CHECKSUM, checksum, salvage},
};

/// Blobs, and what they are for.
const LEDGER: &str = "blobs.ledger";
/// Findings by poll, the oldest first.
const JOURNAL: &str = "findings.journal";
const CONVERTED: &str = "converted";

/// A blob, and what it is for; `None`: for a data set.
type Entry = (H256, Option<Tag>);

/// What an earlier release has left.
#[derive(Debug, Default)]
pub(super) struct Old {
    pub(super) blobs: Vec<Entry>,
    pub(super) findings: Vec<(PollId, Opening)>,
    /// What a person should know.
    pub(super) said: Vec<String>,
    files: Vec<PathBuf>,
}

impl Old {
    /// Reads what is there, leaving out what is damaged.
    pub(super) fn read(base: &Path) -> Result<Self, DatabaseError> {
        let mut old = Self::default();
        old.blobs = old.list(base.join(LEDGER), ledger_entry)?;
        old.findings = old.list(base.join(JOURNAL), journal_entry)?;
        Ok(old)
    }

    /// Whether there is nothing to convert.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Gives the files names that say that they are done with.
    pub(super) fn finish(&self) -> Result<(), DatabaseError> {
        for path in &self.files {
            let mut name = path.as_os_str().to_owned();
            name.push(".");
            name.push(CONVERTED);
            fs::rename(path, PathBuf::from(name)).map_err(|source| DatabaseError::Old {
                action: "rename",
                path: path.clone(),
                source,
            })?;
        }
        Ok(())
    }

    fn list<T>(
        &mut self,
        path: PathBuf,
        take: impl Fn(&[u8]) -> Option<(T, &[u8])>,
    ) -> Result<Vec<T>, DatabaseError> {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => {
                let action = "read";
                return Err(DatabaseError::Old { action, path, source });
            }
        };
        let (records, damaged) = salvage(&bytes, take);
        if damaged > 0 {
            self.said.push(format!(
                "{damaged} bytes of {} are damaged, by a crash or by the disk, and were left out; the {} records beside them are whole",
                path.display(),
                records.len()
            ));
        }
        self.files.push(path);
        Ok(records)
    }
}

/// SCALE, then a checksum.
fn ledger_entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let mut rest = bytes;
    let entry = Decode::decode(&mut rest).ok()?;
    let (payload, _) = bytes.split_at_checked(bytes.len().checked_sub(rest.len())?)?;
    let (sum, rest) = rest.split_at_checked(CHECKSUM)?;
    (sum == checksum(payload)).then_some((entry, rest))
}

/// 1 byte length, that many bytes of SCALE, then a checksum.
fn journal_entry(bytes: &[u8]) -> Option<((PollId, Opening), &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (payload, rest) = rest.split_at_checked(usize::from(*length))?;
    let (sum, rest) = rest.split_at_checked(CHECKSUM)?;
    if sum != checksum(payload) {
        return None;
    }
    Some((DecodeAll::decode_all(&mut &*payload).ok()?, rest))
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::{
        findings::tests::{opening, poll},
        record::Kind,
    };
    use super::*;
    use codec::Encode;
    use proptest::prelude::*;

    /// A record as the ledger had it.
    pub(in crate::database) fn ledger_record(hash: &H256, tag: &Option<Tag>) -> Vec<u8> {
        let bytes = (hash, tag).encode();
        [&bytes[..], &checksum(&bytes)].concat()
    }

    /// A record as the journal had it.
    pub(in crate::database) fn journal_record(n: u64) -> Vec<u8> {
        let payload = (poll(n), opening(n)).encode();
        [&[payload.len() as u8], &payload[..], &checksum(&payload)].concat()
    }

    proptest! {
        #[test]
        fn hostile_bytes_hide_no_whole_record(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            number in proptest::option::of(any::<u32>()),
            n in any::<u64>(),
        ) {
            let hash = H256::repeat_byte(3);
            let genesis = H256::repeat_byte(1);
            let tag = number.map(|number| Tag { genesis, model: 1, kind: Kind::Update, number });
            let bytes = [&before[..], &ledger_record(&hash, &tag), &after].concat();
            prop_assert_eq!(salvage(&bytes, ledger_entry), (vec![(hash, tag)], before.len() + after.len()));
            let bytes = [&before[..], &journal_record(n), &after].concat();
            prop_assert_eq!(salvage(&bytes, journal_entry), (vec![(poll(n), opening(n))], before.len() + after.len()));
        }
    }
}
