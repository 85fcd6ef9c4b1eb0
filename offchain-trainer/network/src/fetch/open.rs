//! The requests that are not answered yet, and what to do about late ones.

use super::sources::Sources;
use crate::client::Progress;
use futures::future::AbortHandle;
use hydra_blobs::SliceRange;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// Bytes a second of one request, below which it counts as late.
const SLOWEST: u64 = 32 * 1024;

/// Nothing for so many times the time that a request may be late counts as late as well, however much came before. A slow peer with
/// several streams fills them in turn.
const SILENCE: u32 = 4;

/// One request to one peer that is not answered yet.
pub(super) struct Open {
    pub(super) index: usize,
    /// What hasn't arrived of it.
    pub(super) ranges: Vec<SliceRange>,
    pub(super) made: Instant,
    pub(super) progress: Arc<Progress>,
    pub(super) abort: AbortHandle,
    /// It doesn't count any more; others were asked for the same.
    pub(super) late: bool,
}

impl Open {
    fn late_at(&self, hedge: Duration) -> Instant {
        // The peer's time begins with its turn. Before that we wait for ourselves, which mustn't take forever either.
        let since = self.progress.since().unwrap_or(self.made);
        let late =
            since + hedge + Duration::from_millis(self.progress.received().saturating_mul(1000) / SLOWEST);
        let last = self.progress.last().unwrap_or(self.made);
        late.min(last + hedge * SILENCE)
    }
}

/// All of them, by the number of their attempt.
pub(super) struct OpenRequests {
    open: HashMap<u64, Open>,
    hedge: Duration,
}

impl OpenRequests {
    pub(super) fn new(hedge: Duration) -> Self {
        Self {
            open: HashMap::new(),
            hedge,
        }
    }

    pub(super) fn insert(&mut self, id: u64, open: Open) {
        self.open.insert(id, open);
    }

    /// A request has ended; `None` if it had been called off.
    pub(super) fn remove(&mut self, id: u64) -> Option<Open> {
        self.open.remove(&id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// How many slices aren't late.
    pub(super) fn in_time(&self) -> usize {
        let in_time = self.open.values().filter(|open| !open.late);
        in_time.map(|open| open.ranges.len()).sum()
    }

    /// One range of a request is done with, one way or another. Returns whom it was asked of, unless the request has been called off.
    pub(super) fn settle(&mut self, id: u64, range: SliceRange) -> Option<usize> {
        let open = self.open.get_mut(&id)?;
        let at = open.ranges.iter().position(|other| *other == range)?;
        open.ranges.remove(at);
        Some(open.index)
    }

    /// Who has been asked for `range`.
    pub(super) fn asked_for(&self, range: SliceRange) -> HashSet<usize> {
        let asked = self.open.values().filter(|open| open.ranges.contains(&range));
        asked.map(|open| open.index).collect()
    }

    /// When the next one will be late.
    pub(super) fn next_late(&self) -> Option<Instant> {
        let in_time = self.open.values().filter(|open| !open.late);
        in_time.map(|open| open.late_at(self.hedge)).min()
    }

    /// Marks what has become late, and returns what to ask of others: of twice as many with each time.
    pub(super) fn find_late(&mut self, sources: &mut Sources) -> Vec<SliceRange> {
        let now = Instant::now();
        let mut ranges = Vec::new();
        for late in self.open.values_mut().filter(|open| !open.late) {
            if late.late_at(self.hedge) <= now {
                late.late = true;
                // Not if it is us who are late with asking.
                if late.progress.since().is_some() {
                    sources.is_slow(late.index);
                }
                ranges.extend(&late.ranges);
            }
        }
        let copies = |range: &SliceRange| {
            let asked = self
                .open
                .values()
                .filter(|open| open.ranges.contains(range))
                .count();
            std::iter::repeat_n(*range, asked + 1)
        };
        ranges.iter().flat_map(copies).collect()
    }

    /// Ends the requests for a slice that is here, if they are for nothing else: it would be sent again, and late answers would count
    /// against peers.
    pub(super) fn call_off(&mut self, range: SliceRange, sources: &mut Sources) {
        self.open.retain(|_, other| {
            let Some(at) = other.ranges.iter().position(|asked| *asked == range) else {
                return true;
            };
            other.ranges.remove(at);
            sources.settled(other.index, 1);
            if !other.ranges.is_empty() {
                return true;
            }
            other.abort.abort();
            sources.ended(other.index);
            if other.progress.received() > 0 {
                sources.is_not_slow(other.index);
            }
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peers_time_begins_with_its_turn() {
        let hedge = Duration::from_secs(1);
        let made = Instant::now() - hedge / 2;
        let open = Open {
            index: 0,
            ranges: vec![SliceRange::first()],
            made,
            progress: Arc::default(),
            abort: AbortHandle::new_pair().0,
            late: false,
        };
        assert_eq!(
            open.late_at(hedge),
            made + hedge,
            "our own queue may not take forever"
        );
        open.progress.begin();
        assert!(open.late_at(hedge) >= made + hedge / 2 + hedge);
    }
}
