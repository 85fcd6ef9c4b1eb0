//! What this trainer remembers beyond a restart: its blobs, and what it found of polls. One file, `trainer.redb`.
//!
//! Blobs, by round and version of the model that each was stored for:
//!
//! | blob | stays while |
//! |------|-------------|
//! | an update | its round is one of the current one and the three before |
//! | weights | their version is one of the newest confirmed and the two before |
//! | anything that the newest versions are named by or folded from | they are the newest, confirmed and not |
//! | updates and weights of a model that is gone | for 60,480 more sheets in a row no duty sheet of its chain named it: a week of blocks of 10 s |
//! | updates and weights of another chain | until the node's first sheet of this one |
//! | data sets, imported or named by a sheet | always |
//! | a file without a record, found at the start | there is room: it is only cached, and the one that was used least lately goes first |
//!
//! And beside them:
//!
//! | what | stays while |
//! |------|-------------|
//! | findings | they are among the newest 10,000 |
//! | damaged blobs in `blobs/corrupt/` | they are among the newest 4, at most 256 MiB, not older than 30 days, and more than the reserve is free |
//! | `trainer.redb.damaged` | no other one is moved there |
//! | `blobs.ledger.converted`, `findings.journal.converted` of releases before this one | nobody deletes them |
//!
//! There is room while more than twice the reserve is free on the disk (`--reserve-space`), and the store has no more than
//! `--store-quota`. Only what is cached is deleted for room, below the reserve damaged blobs, too; there no new work is taken.
//!
//! A blob's record is on disk before the blob is, and a finding before it is given, so a power cut leaks no blob and takes no word
//! back. But for one case: a finding that can't be written, as on a full disk, is given all the same, as its seat would be missed
//! otherwise, and is written with whatever is written next. What is deleted is deleted first, and its record then: a file that comes back with the power is one without a record.
//!
//! Memory has all of it, and is a little ahead of the file: whoever needs a change on disk waits for it, and all who wait at a time are
//! served by one write. What can't be written is remembered, and written with what is written next. No lock is held while a blob is
//! deleted or anything is written but the one that orders writes, and nobody who answers the node takes that one.
//!
//! Must never name a blob of a data set as something else: a stranger may put any hash in a claim.

mod absence;
mod catalog;
mod convert;
mod error;
mod file;
mod findings;
#[cfg(test)]
mod killed;
mod record;
mod retention;
mod salvage;
mod sweeping;
#[cfg(test)]
mod tests;

pub use error::DatabaseError;
pub use record::{Kind, Purpose, Tag};
pub use retention::Standing;
pub use sweeping::Swept;

use std::{
    collections::{BTreeSet, HashMap},
    fmt, mem,
    path::Path,
    sync::{Condvar, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_primitives::{
    H256, ModelId,
    poll::{Opening, PollId},
};

use absence::{Absence, Of};
use catalog::{Catalog, Change};
use convert::Old;
use file::{DatabaseFile, Engine, Loaded, Rows};
use findings::Findings;
use record::{Record, Stored};

use crate::lock;

/// The file's name under the base path.
const FILE: &str = "trainer.redb";

/// The database, open.
pub struct Database {
    /// Taken for the time of a write, by whoever set `is_writing`. Always before `memory`, if both are.
    file: Mutex<DatabaseFile>,
    memory: Mutex<Memory>,
    /// Blobs that were leaving are gone.
    left: Condvar,
    /// A write is over.
    wrote: Condvar,
    kept: usize,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Memory {
    catalog: Catalog,
    findings: Findings,
    absence: Absence,
    /// What the file doesn't have yet.
    unwritten: Unwritten,
    /// Changes that somebody waits for, counted, and how many of them are on disk.
    asked: u64,
    written: u64,
    /// Somebody writes.
    is_writing: bool,
    /// The blobs whose last such change isn't, and its number.
    waiting: HashMap<H256, u64>,
    said: Vec<String>,
}

#[derive(Debug, Default)]
struct Unwritten {
    blobs: BTreeSet<H256>,
    findings: BTreeSet<u64>,
    away: BTreeSet<Of>,
}

impl Unwritten {
    fn is_empty(&self) -> bool {
        self.blobs.is_empty() && self.findings.is_empty() && self.away.is_empty()
    }

    fn extend(&mut self, other: Self) {
        self.blobs.extend(other.blobs);
        self.findings.extend(other.findings);
        self.away.extend(other.away);
    }
}

/// What was found at the start that the records and the files didn't agree on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reconciled {
    /// Files without a record.
    pub adopted: usize,
    /// Records without a file.
    pub forgotten: usize,
}

impl Database {
    /// Opens or makes the database under this base path, and takes over what earlier releases have left there. Blocks.
    ///
    /// On a full disk it opens, too: what is there is known, and what is new is written when there is room.
    ///
    /// # Errors
    /// [`DatabaseError`]; nothing is lost then.
    pub fn open(base: &Path) -> Result<Self, DatabaseError> {
        Self::with_engine(base, file::engine(), findings::KEPT)
    }

    fn with_engine(base: &Path, engine: Engine, kept: usize) -> Result<Self, DatabaseError> {
        let old = Old::read(base)?;
        let (file, loaded) = DatabaseFile::open(base.join(FILE), engine)?;
        let is_unwritten = loaded.is_unwritten;
        let mut memory = Memory::new(loaded, kept);
        memory.convert(&old, kept);
        if is_unwritten {
            memory.unwritten = memory.everything();
        }
        let has_news = is_unwritten || !memory.unwritten.is_empty();
        let database = Self {
            file: Mutex::new(file),
            memory: Mutex::new(memory),
            left: Condvar::new(),
            wrote: Condvar::new(),
            kept,
        };
        if has_news {
            match database.write_all() {
                Err(error) if error.is_full() => {
                    lock(&database.memory).said.push(error.to_string());
                    // What the old files have is known, and taken over at the next start.
                    return Ok(database);
                }
                written => written?,
            }
        }
        if !old.is_empty() {
            old.finish()?;
        }
        Ok(database)
    }

    /// What a person should know of how it was opened. Told once.
    pub fn complaints(&self) -> Vec<String> {
        mem::take(&mut lock(&self.memory).said)
    }

    /// Compares records and files, before anything is fetched: a file without a record is only cached from now on, and a record without
    /// a file is forgotten. Blocks.
    ///
    /// # Errors
    /// What the file system says of the store.
    pub fn reconcile(&self, store: &BlobStore) -> Result<Reconciled, BlobError> {
        let files = store.files()?;
        let mut guard = lock(&self.memory);
        let Memory {
            catalog, unwritten, ..
        } = &mut *guard;
        let mut missing: BTreeSet<H256> = catalog.all().collect();
        let mut done = Reconciled::default();
        for file in files {
            let written = file.written.duration_since(UNIX_EPOCH).unwrap_or_default();
            let at = written.as_secs();
            let stored = Some(Stored { size: file.size, at });
            let known = missing.remove(&file.hash);
            let record = match catalog.get(&file.hash).filter(|_| known).copied() {
                Some(record) if record.stored.is_some_and(|stored| stored.size == file.size) => continue,
                Some(record) => Record { stored, ..record },
                None => {
                    done.adopted = done.adopted.saturating_add(1);
                    let purpose = Purpose::Cached;
                    Record {
                        purpose,
                        stored,
                        used: at,
                    }
                }
            };
            catalog.set(file.hash, record);
            unwritten.blobs.insert(file.hash);
        }
        done.forgotten = missing.len();
        for hash in missing {
            catalog.remove(&hash);
            unwritten.blobs.insert(hash);
        }
        Ok(done)
    }

    /// Records what a blob is for; that is on disk when this returns. Call this before the blob is stored. Blocks, also while the blob is
    /// just being deleted.
    ///
    /// # Errors
    /// [`DatabaseError`]: the blob must then not be stored.
    pub fn note(&self, hash: H256, purpose: impl Into<Purpose>) -> Result<(), DatabaseError> {
        let mut memory = lock(&self.memory);
        while memory.catalog.is_leaving(&hash) {
            memory = self.left.wait(memory).unwrap_or_else(PoisonError::into_inner);
        }
        memory.note(hash, purpose.into());
        // Others' changes are not waited for: on a full disk, what is known can be used all the same.
        let asked = memory.waiting.get(&hash).copied().unwrap_or_default();
        drop(memory);
        self.commit(asked)
    }

    /// Whether [`note`](Self::note) would neither write nor wait. Doesn't block.
    pub fn knows(&self, hash: H256, purpose: impl Into<Purpose>) -> bool {
        let mut memory = lock(&self.memory);
        !memory.catalog.is_leaving(&hash)
            && memory.note(hash, purpose.into()) < Change::Durable
            && !memory.waiting.contains_key(&hash)
    }

    /// From now on these blobs belong to a data set and stay, whatever they were noted as before or will be. Doesn't block; returns
    /// whether it has to be [written](Self::write_all), so that the next start knows it, too.
    pub fn keep(&self, hashes: impl IntoIterator<Item = H256>) -> bool {
        let mut memory = lock(&self.memory);
        let mut changes = false;
        for hash in hashes {
            changes |= memory.note(hash, Purpose::DataSet) == Change::Durable;
        }
        changes
    }

    /// A blob's file is there. Doesn't block.
    pub fn stored(&self, hash: H256, purpose: impl Into<Purpose>, size: u64) {
        let mut memory = lock(&self.memory);
        let change = memory.catalog.stored(hash, purpose.into(), size, now());
        memory.changed(hash, change);
    }

    /// A blob's file is gone, though no rule deleted it. Doesn't block.
    pub fn lost(&self, hash: H256) {
        let mut memory = lock(&self.memory);
        let change = memory.catalog.lost(hash);
        memory.changed(hash, change);
    }

    /// These blobs were used. Doesn't block.
    pub fn used(&self, hashes: impl IntoIterator<Item = H256>) {
        let (mut memory, now) = (lock(&self.memory), now());
        for hash in hashes {
            let change = memory.catalog.touch(&hash, now);
            memory.changed(hash, change);
        }
    }

    /// Bytes of all blobs, and of those that may be deleted when room is short.
    pub fn bytes(&self) -> (u64, u64) {
        let memory = lock(&self.memory);
        (memory.catalog.bytes(), memory.catalog.cached())
    }

    /// The blobs that are there with at least so many bytes, the one used last first, and at most so many.
    pub fn large(&self, least: u64, most: usize) -> Vec<H256> {
        lock(&self.memory).catalog.large(least, most)
    }

    /// What was found of this poll.
    pub fn finding(&self, poll: &PollId) -> Option<Opening> {
        lock(&self.memory).findings.get(poll)
    }

    /// Remembers what was found, unless something was before. Nobody is given it before it is on disk, as it is when this returns. Blocks.
    ///
    /// # Errors
    /// [`DatabaseError`]: it is remembered and given, but only comes to disk with what is written next.
    pub fn found(&self, poll: PollId, opening: Opening) -> Result<(), DatabaseError> {
        let mut memory = lock(&self.memory);
        if memory.findings.is_new(&poll) {
            let number = memory.findings.add(poll, opening);
            memory.findings.hide(poll);
            memory.unwritten.findings.insert(number);
            let forgotten = memory.findings.trim(self.kept);
            memory.unwritten.findings.extend(forgotten);
            memory.asked = memory.asked.saturating_add(1);
        } else if !memory.findings.is_coming(&poll) {
            return Ok(());
        }
        let asked = memory.asked;
        drop(memory);
        let written = self.commit(asked);
        lock(&self.memory).findings.written(&poll);
        written
    }

    /// A duty sheet of this chain names these models. Doesn't block. Returns whether it is time to [tidy up](Self::sweep_gone).
    pub fn sheet(&self, genesis: H256, models: impl IntoIterator<Item = ModelId>) -> bool {
        lock(&self.memory).absence.sheet(genesis, models.into_iter())
    }

    /// Writes whatever isn't on disk yet. Blocks.
    ///
    /// # Errors
    /// [`DatabaseError`]: it is remembered, and tried again with what is written next.
    pub fn write_all(&self) -> Result<(), DatabaseError> {
        self.commit(u64::MAX)
    }

    /// Writes whatever isn't on disk yet, and frees the file: nothing is written after that. Blocks.
    ///
    /// # Errors
    /// [`DatabaseError`]: what was changed last is lost.
    pub fn close(&self) -> Result<(), DatabaseError> {
        let written = self.write_all();
        lock(&self.file).close();
        written
    }

    /// Sees to it that what was asked for up to `asked` is on disk. Who comes while others write is served by the write after theirs,
    /// along with all who wait by then, and goes on as soon as that is over, whoever is in a hurry to write more.
    fn commit(&self, asked: u64) -> Result<(), DatabaseError> {
        let mut memory = lock(&self.memory);
        loop {
            if memory.written >= asked {
                return Ok(());
            }
            if !memory.is_writing {
                break;
            }
            memory = self.wrote.wait(memory).unwrap_or_else(PoisonError::into_inner);
        }
        memory.is_writing = true;
        let (unwritten, now) = (mem::take(&mut memory.unwritten), memory.asked);
        let rows = memory.rows(&unwritten);
        drop(memory);
        let written = self.write(&rows);
        let mut memory = lock(&self.memory);
        memory.is_writing = false;
        match &written {
            Ok(()) => {
                memory.written = now;
                memory.waiting.retain(|_, asked| *asked > now);
            }
            Err(_) => memory.unwritten.extend(unwritten),
        }
        drop(memory);
        self.wrote.notify_all();
        written
    }

    fn write(&self, rows: &Rows) -> Result<(), DatabaseError> {
        let mut file = lock(&self.file);
        if rows.is_empty() && file.is_open() {
            return Ok(());
        }
        file.write(rows, || {
            let memory = lock(&self.memory);
            memory.rows(&memory.everything())
        })
    }
}

impl Memory {
    fn new(loaded: Loaded, kept: usize) -> Self {
        let mut memory = Self::default();
        for (hash, record) in loaded.blobs {
            memory.catalog.set(hash, record);
        }
        for entry in loaded.findings {
            memory.findings.load(entry);
        }
        memory.unwritten.findings = memory.findings.trim(kept);
        memory.absence.away = loaded.away.into_iter().collect();
        memory.said = loaded.said;
        memory
    }

    /// Takes over what an earlier release has left, unless it is known already.
    fn convert(&mut self, old: &Old, kept: usize) {
        for (hash, tag) in &old.blobs {
            self.note(*hash, Purpose::from(*tag));
        }
        for (poll, opening) in &old.findings {
            if self.findings.is_new(poll) {
                let number = self.findings.add(*poll, *opening);
                self.unwritten.findings.insert(number);
            }
        }
        let forgotten = self.findings.trim(kept);
        self.unwritten.findings.extend(forgotten);
        self.said.extend(old.said.iter().cloned());
    }

    fn note(&mut self, hash: H256, purpose: Purpose) -> Change {
        let change = self.catalog.note(hash, purpose, now());
        self.changed(hash, change);
        change
    }

    fn changed(&mut self, hash: H256, change: Change) {
        if change > Change::Nothing {
            self.unwritten.blobs.insert(hash);
        }
        if change == Change::Durable {
            self.asked = self.asked.saturating_add(1);
            self.waiting.insert(hash, self.asked);
        }
    }

    /// All that there is.
    fn everything(&self) -> Unwritten {
        Unwritten {
            blobs: self.catalog.all().collect(),
            findings: self.findings.all().collect(),
            away: self.absence.away.keys().copied().collect(),
        }
    }

    /// These as they are now.
    fn rows(&self, which: &Unwritten) -> Rows {
        let away = |of: &Of| (*of, self.absence.away.get(of).copied().unwrap_or_default());
        Rows {
            blobs: which
                .blobs
                .iter()
                .map(|hash| (*hash, self.catalog.get(hash).copied()))
                .collect(),
            findings: which
                .findings
                .iter()
                .map(|number| (*number, self.findings.row(*number)))
                .collect(),
            away: which.away.iter().map(away).collect(),
        }
    }
}

/// Seconds since 1970, by this PC's clock.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
