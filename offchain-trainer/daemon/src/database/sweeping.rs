//! Deleting blobs: what the rule says is over, what belongs to models that are gone, and what is only cached, when room is short.
//!
//! In portions: a few records are looked at under the lock, the files of those that go are deleted without it, and then their records
//! are. Who needs such a blob meanwhile waits until it is gone, and gets it anew. All of it blocks.

use std::collections::HashSet;

use hydra_blobs::{BlobError, BlobStore};
use hydra_primitives::H256;

use super::{
    Database,
    record::{Purpose, Record},
    retention::{Standing, is_over},
};
use crate::lock;

/// Records that are looked at while nobody else may.
const PORTION: usize = 1024;

/// What was deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Blobs.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Swept {
    /// And this, too.
    pub fn add(&mut self, other: Self) {
        self.blobs = self.blobs.saturating_add(other.blobs);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

impl Database {
    /// Deletes what is over where a model is now; see `retention`. Whatever is in `needed` stays.
    ///
    /// # Errors
    /// What the file system says of the first blob that it can't delete. All others that are to go are gone then; that one is tried
    /// again with the next sweep.
    pub fn sweep(
        &self,
        store: &BlobStore,
        at: &Standing,
        needed: &HashSet<H256>,
    ) -> Result<Swept, BlobError> {
        self.delete_all(store, |hash, record| {
            is_over(record, at) && !needed.contains(hash)
        })
    }

    /// Counts for how long models were away, if that is due, and deletes what was stored for those that are gone.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub fn sweep_gone(&self, store: &BlobStore) -> Result<Swept, BlobError> {
        let gone = {
            let mut memory = lock(&self.memory);
            if !memory.absence.is_due() {
                return Ok(Swept::default());
            }
            let known = memory.catalog.models();
            let (changed, gone) = memory.absence.end_period(&known);
            memory.unwritten.away.extend(changed);
            gone
        };
        if gone.is_empty() {
            return Ok(Swept::default());
        }
        self.delete_all(store, |_, record| {
            matches!(record.purpose, Purpose::For(tag) if gone.contains(&(tag.genesis, tag.model)))
        })
    }

    /// Deletes what is only cached, the least used first, until `bytes` are freed or nothing is left of it.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub fn evict(&self, store: &BlobStore, bytes: u64) -> Result<Swept, BlobError> {
        let mut done = Done::default();
        if bytes == 0 {
            return done.result();
        }
        let candidates = lock(&self.memory).catalog.evictable();
        for (_, hash, _) in candidates {
            if done.swept.bytes >= bytes {
                break;
            }
            // Somebody may need it since.
            let is_cached = |record: &Record| record.purpose == Purpose::Cached;
            if lock(&self.memory).catalog.leave_one(hash, is_cached) {
                self.delete(store, &[hash], &mut done);
            }
        }
        done.result()
    }

    fn delete_all(
        &self,
        store: &BlobStore,
        is_to_go: impl Fn(&H256, &Record) -> bool,
    ) -> Result<Swept, BlobError> {
        let (mut done, mut from) = (Done::default(), None);
        loop {
            let (going, next) = lock(&self.memory).catalog.leave(from, PORTION, &is_to_go);
            self.delete(store, &going, &mut done);
            match next {
                Some(next) => from = Some(next),
                None => return done.result(),
            }
        }
    }

    /// Deletes the files of blobs that are leaving, and their records. These come to disk with whatever is written next: until then they
    /// are records without a file, which the next start forgets.
    fn delete(&self, store: &BlobStore, going: &[H256], done: &mut Done) {
        for hash in going {
            if !lock(&self.memory).catalog.is_leaving(hash) {
                continue;
            }
            let removed = store.remove(*hash);
            let mut memory = lock(&self.memory);
            match removed {
                Ok(_) => {
                    let stored = memory.catalog.get(hash).and_then(|record| record.stored);
                    // One that has come again meanwhile stays, and its record with it.
                    if memory.catalog.left(hash) {
                        let bytes = stored.map_or(0, |stored| stored.size);
                        done.swept.add(Swept { blobs: 1, bytes });
                        memory.unwritten.blobs.insert(*hash);
                    }
                }
                Err(error) => {
                    memory.catalog.stays(hash);
                    done.error.get_or_insert(error);
                }
            }
            drop(memory);
            self.left.notify_all();
        }
    }
}

/// What was deleted, and the first that could not be.
#[derive(Default)]
struct Done {
    swept: Swept,
    error: Option<BlobError>,
}

impl Done {
    fn result(self) -> Result<Swept, BlobError> {
        self.error.map_or(Ok(self.swept), Err)
    }
}
