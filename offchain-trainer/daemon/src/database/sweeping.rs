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
    /// What the file system says of a blob; the others are tried again with the next sweep.
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
        let mut swept = Swept::default();
        if bytes == 0 {
            return Ok(swept);
        }
        let candidates = lock(&self.memory).catalog.evictable();
        for (_, hash, _) in candidates {
            if swept.bytes >= bytes {
                break;
            }
            // Somebody may need it since.
            let is_cached = |record: &Record| record.purpose == Purpose::Cached;
            if lock(&self.memory).catalog.leave_one(hash, is_cached) {
                swept.add(self.delete(store, &[hash])?);
            }
        }
        Ok(swept)
    }

    fn delete_all(
        &self,
        store: &BlobStore,
        is_to_go: impl Fn(&H256, &Record) -> bool,
    ) -> Result<Swept, BlobError> {
        let (mut swept, mut from) = (Swept::default(), None);
        loop {
            let (going, next) = lock(&self.memory).catalog.leave(from, PORTION, &is_to_go);
            swept.add(self.delete(store, &going)?);
            match next {
                Some(next) => from = Some(next),
                None => return Ok(swept),
            }
        }
    }

    /// Deletes the files of blobs that are leaving, and their records. These come to disk with whatever is written next: until then they
    /// are records without a file, which the next start forgets.
    fn delete(&self, store: &BlobStore, going: &[H256]) -> Result<Swept, BlobError> {
        let mut swept = Swept::default();
        for (at, hash) in going.iter().enumerate() {
            let removed = store.remove(*hash);
            let mut memory = lock(&self.memory);
            if let Err(error) = removed {
                let rest = going.iter().skip(at);
                rest.for_each(|hash| memory.catalog.stays(hash));
                drop(memory);
                self.left.notify_all();
                return Err(error);
            }
            let stored = memory.catalog.get(hash).and_then(|record| record.stored);
            let bytes = stored.map_or(0, |stored| stored.size);
            swept.add(Swept { blobs: 1, bytes });
            memory.catalog.left(hash);
            memory.unwritten.blobs.insert(*hash);
            drop(memory);
            self.left.notify_all();
        }
        Ok(swept)
    }
}
