//! The blobs that there are, or will be: what each is for, how large it is, and when it was used.
//!
//! Held in memory as it is on disk, and a little ahead of it. Must never let a claim shorten a blob's life: a stranger may put any hash
//! in one.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashSet},
    ops::Bound,
};

use hydra_primitives::H256;

use super::{
    absence::Of,
    record::{Purpose, Record, Stored},
};

/// Times of use are known to within this many seconds, so that a blob that many ask for is written seldom.
const COARSE: u64 = 3600;

/// What a change asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Change {
    /// Nothing.
    Nothing,
    /// To be written with whatever is written next.
    Lazy,
    /// To be written before anything follows from it.
    Durable,
}

/// The records.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    records: BTreeMap<H256, Record>,
    /// Those whose files are being deleted.
    leaving: HashSet<H256>,
    /// Bytes of all files, and of those that are only cached.
    bytes: u64,
    cached: u64,
}

impl Catalog {
    pub(super) fn get(&self, hash: &H256) -> Option<&Record> {
        self.records.get(hash)
    }

    /// The names of all.
    pub(super) fn all(&self) -> impl Iterator<Item = H256> {
        self.records.keys().copied()
    }

    /// Bytes of all files that are known.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes of those that may go when room is short.
    pub(super) fn cached(&self) -> u64 {
        self.cached
    }

    pub(super) fn set(&mut self, hash: H256, record: Record) {
        self.remove(&hash);
        let size = record.stored.map_or(0, |stored| stored.size);
        self.bytes = self.bytes.saturating_add(size);
        if record.purpose == Purpose::Cached {
            self.cached = self.cached.saturating_add(size);
        }
        self.records.insert(hash, record);
    }

    /// There is no such blob, and nobody is about to fetch it.
    pub(super) fn remove(&mut self, hash: &H256) {
        let Some(record) = self.records.remove(hash) else {
            return;
        };
        let size = record.stored.map_or(0, |stored| stored.size);
        self.bytes = self.bytes.saturating_sub(size);
        if record.purpose == Purpose::Cached {
            self.cached = self.cached.saturating_sub(size);
        }
    }

    /// A blob is needed for this.
    pub(super) fn note(&mut self, hash: H256, purpose: Purpose, now: u64) -> Change {
        let Some(mut record) = self.get(&hash).copied() else {
            let stored = None;
            let used = now;
            self.set(
                hash,
                Record {
                    purpose,
                    stored,
                    used,
                },
            );
            return Change::Durable;
        };
        if !replaces(&record.purpose, &purpose) {
            return self.touch(&hash, now);
        }
        record.purpose = purpose;
        record.used = now;
        self.set(hash, record);
        Change::Durable
    }

    /// Its file is there.
    pub(super) fn stored(&mut self, hash: H256, purpose: Purpose, size: u64, now: u64) -> Change {
        // Whoever deletes the file that was there before leaves this one's record alone.
        self.leaving.remove(&hash);
        // It may have become over while it was on its way: then the next sweep deletes it.
        let mut record = self.get(&hash).copied().unwrap_or(Record {
            purpose,
            stored: None,
            used: now,
        });
        if record.stored.is_some_and(|stored| stored.size == size) {
            return self.touch(&hash, now);
        }
        record.stored = Some(Stored { size, at: now });
        record.used = now;
        self.set(hash, record);
        Change::Lazy
    }

    /// Its file is gone, but not because of a rule: it may come again.
    pub(super) fn lost(&mut self, hash: H256) -> Change {
        match self.get(&hash).copied() {
            Some(mut record) if record.stored.is_some() => {
                record.stored = None;
                self.set(hash, record);
                Change::Lazy
            }
            _ => Change::Nothing,
        }
    }

    /// It was used.
    pub(super) fn touch(&mut self, hash: &H256, now: u64) -> Change {
        match self.records.get_mut(hash) {
            // Also if the clock was set back.
            Some(record) if record.used.abs_diff(now) >= COARSE => {
                record.used = now;
                Change::Lazy
            }
            _ => Change::Nothing,
        }
    }

    /// Looks at up to `most` records behind `from`. Those that are to go are leaving from now on. Returns them, and where to go on.
    pub(super) fn leave(
        &mut self,
        from: Option<H256>,
        most: usize,
        is_to_go: impl Fn(&H256, &Record) -> bool,
    ) -> (Vec<H256>, Option<H256>) {
        let from = from.map_or(Bound::Unbounded, Bound::Excluded);
        let seen = self.records.range((from, Bound::Unbounded)).take(most);
        let (mut going, mut last, mut count) = (Vec::new(), None, 0usize);
        for (hash, record) in seen {
            if !self.leaving.contains(hash) && is_to_go(hash, record) {
                going.push(*hash);
            }
            last = Some(*hash);
            count = count.saturating_add(1);
        }
        self.leaving.extend(&going);
        (going, last.filter(|_| count == most))
    }

    /// As [`leave`](Self::leave), for one.
    pub(super) fn leave_one(&mut self, hash: H256, is_to_go: impl Fn(&Record) -> bool) -> bool {
        let goes = self.get(&hash).is_some_and(is_to_go) && !self.leaving.contains(&hash);
        goes && self.leaving.insert(hash)
    }

    /// Whether its file is being deleted.
    pub(super) fn is_leaving(&self, hash: &H256) -> bool {
        self.leaving.contains(hash)
    }

    /// Its file is deleted, or was not there. Returns whether its record went, too: not if the blob has come again meanwhile.
    pub(super) fn left(&mut self, hash: &H256) -> bool {
        let goes = self.leaving.remove(hash);
        if goes {
            self.remove(hash);
        }
        goes
    }

    /// Its file can't be deleted.
    pub(super) fn stays(&mut self, hash: &H256) {
        self.leaving.remove(hash);
    }

    /// Those that may go when room is short, in the order in which they go.
    pub(super) fn evictable(&self) -> Vec<(u64, H256, u64)> {
        let cached = self.records.iter().filter_map(|(hash, record)| {
            let stored = record.stored.filter(|_| record.purpose == Purpose::Cached)?;
            Some((record.used, *hash, stored.size))
        });
        let mut cached: Vec<_> = cached.collect();
        cached.sort_unstable();
        cached
    }

    /// Those whose files have at least so many bytes, the one used last first.
    pub(super) fn large(&self, least: u64, most: usize) -> Vec<H256> {
        let large = self.records.iter().filter_map(|(hash, record)| {
            let stored = record.stored.filter(|stored| stored.size >= least)?;
            Some((Reverse(record.used), Reverse(stored.at), *hash))
        });
        let mut large: Vec<_> = large.collect();
        large.sort_unstable();
        large.truncate(most);
        large.into_iter().map(|(.., hash)| hash).collect()
    }

    /// The models of which there are blobs.
    pub(super) fn models(&self) -> BTreeSet<Of> {
        let tags = self.records.values().filter_map(|record| match record.purpose {
            Purpose::For(tag) => Some((tag.genesis, tag.model)),
            _ => None,
        });
        tags.collect()
    }
}

/// Whether a new purpose counts more than the one before.
fn replaces(old: &Purpose, new: &Purpose) -> bool {
    match (old, new) {
        (Purpose::DataSet, _) | (_, Purpose::Cached) => false,
        (_, Purpose::DataSet) | (Purpose::Cached, _) => true,
        (Purpose::For(old), Purpose::For(new)) => {
            (old.kind, old.number) < (new.kind, new.number) || old.genesis != new.genesis
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Kind, Tag};
    use super::*;

    fn blob(n: u8) -> H256 {
        H256::repeat_byte(n)
    }

    fn update(number: u32) -> Purpose {
        tagged(Kind::Update, number)
    }

    fn tagged(kind: Kind, number: u32) -> Purpose {
        Purpose::For(Tag {
            genesis: blob(1),
            model: 0,
            kind,
            number,
        })
    }

    fn purpose(catalog: &Catalog, n: u8) -> Option<Purpose> {
        catalog.get(&blob(n)).map(|record| record.purpose)
    }

    #[test]
    fn a_claim_that_names_a_shard_does_not_get_it_deleted() {
        let mut catalog = Catalog::default();
        // Named before the shard is known as one, and again when it is.
        assert_eq!(catalog.note(blob(1), update(1), 0), Change::Durable);
        assert_eq!(catalog.note(blob(1), Purpose::DataSet, 0), Change::Durable);
        assert_eq!(catalog.note(blob(1), update(2), 0), Change::Nothing);
        assert_eq!(purpose(&catalog, 1), Some(Purpose::DataSet));
        let again = catalog.note(blob(1), Purpose::DataSet, 0);
        assert_eq!(again, Change::Nothing);
    }

    #[test]
    fn naming_weights_as_an_update_does_not_shorten_their_life() {
        let mut catalog = Catalog::default();
        catalog.note(blob(1), tagged(Kind::Weights, 4), 0);
        assert_eq!(catalog.note(blob(1), update(100), 0), Change::Nothing);
        assert_eq!(purpose(&catalog, 1), Some(tagged(Kind::Weights, 4)));
        let later = tagged(Kind::Weights, 5);
        assert_eq!(catalog.note(blob(1), later, 0), Change::Durable);
        assert_eq!(purpose(&catalog, 1), Some(later));
    }

    #[test]
    fn what_was_only_cached_is_kept_by_the_rules_once_it_is_needed() {
        let mut catalog = Catalog::default();
        catalog.stored(blob(1), Purpose::Cached, 10, 0);
        assert_eq!(catalog.cached(), 10);
        assert_eq!(catalog.note(blob(1), update(1), 0), Change::Durable);
        assert_eq!((catalog.bytes(), catalog.cached()), (10, 0));
        assert_eq!(catalog.note(blob(1), Purpose::Cached, 0), Change::Nothing);
        assert_eq!(purpose(&catalog, 1), Some(update(1)));
    }

    #[test]
    fn use_is_written_at_most_once_an_hour_and_decides_who_goes_first() {
        let mut catalog = Catalog::default();
        for n in 1..=3 {
            catalog.stored(blob(n), Purpose::Cached, 10, 1000);
        }
        assert_eq!(catalog.touch(&blob(1), 1000 + COARSE - 1), Change::Nothing);
        assert_eq!(catalog.touch(&blob(1), 1000 + COARSE), Change::Lazy);
        assert_eq!(catalog.touch(&blob(9), 1000 + COARSE), Change::Nothing);
        assert_eq!(catalog.touch(&blob(2), 2000 + COARSE), Change::Lazy);
        let order: Vec<_> = catalog.evictable().iter().map(|(_, hash, _)| *hash).collect();
        assert_eq!(order, [blob(3), blob(1), blob(2)]);
        // A clock that was set back.
        assert_eq!(catalog.touch(&blob(2), 0), Change::Lazy);
        assert_eq!(catalog.get(&blob(2)).unwrap().used, 0);
    }

    #[test]
    fn bytes_are_counted_once_and_only_of_files_that_are_there() {
        let mut catalog = Catalog::default();
        catalog.note(blob(1), update(1), 0);
        assert_eq!(catalog.bytes(), 0);
        assert_eq!(catalog.stored(blob(1), update(1), 10, 0), Change::Lazy);
        assert_eq!(catalog.stored(blob(1), update(1), 10, 0), Change::Nothing);
        assert_eq!(catalog.bytes(), 10);
        assert_eq!(catalog.lost(blob(1)), Change::Lazy);
        assert_eq!((catalog.bytes(), catalog.lost(blob(1))), (0, Change::Nothing));
        catalog.stored(blob(1), update(1), 7, 0);
        assert!(catalog.leave_one(blob(1), |_| true));
        assert!(!catalog.leave_one(blob(1), |_| true), "only once");
        assert!(catalog.left(&blob(1)));
        assert_eq!((catalog.bytes(), catalog.get(&blob(1))), (0, None));
    }

    #[test]
    fn a_blob_that_comes_again_while_it_is_deleted_keeps_its_record() {
        let mut catalog = Catalog::default();
        catalog.stored(blob(1), update(1), 10, 0);
        assert!(catalog.leave_one(blob(1), |_| true));
        catalog.stored(blob(1), update(1), 10, 0);
        assert!(!catalog.left(&blob(1)));
        assert_eq!((catalog.bytes(), purpose(&catalog, 1)), (10, Some(update(1))));
        assert!(catalog.leave_one(blob(1), |_| true), "the next sweep finds it");
    }

    #[test]
    fn what_is_to_go_is_found_in_portions() {
        let mut catalog = Catalog::default();
        for n in 1..=10 {
            catalog.note(blob(n), update(u32::from(n)), 0);
        }
        let odd =
            |_: &H256, record: &Record| matches!(record.purpose, Purpose::For(tag) if tag.number % 2 == 1);
        let (mut all, mut from) = (Vec::new(), None);
        loop {
            let (going, next) = catalog.leave(from, 3, odd);
            all.extend(going);
            match next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        assert_eq!(all, [1, 3, 5, 7, 9].map(blob));
        assert!(catalog.is_leaving(&blob(1)) && !catalog.is_leaving(&blob(2)));
        // Not twice at a time.
        assert!(catalog.leave(None, 100, odd).0.is_empty());
        catalog.stays(&blob(1));
        assert_eq!(catalog.leave(None, 100, odd).0, [blob(1)]);
        assert_eq!(catalog.models(), BTreeSet::from([(H256::repeat_byte(1), 0)]));
    }
}
