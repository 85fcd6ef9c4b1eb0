//! The requests that are not answered yet, and what to do about late ones.

use super::sources::Sources;
use crate::progress::Progress;
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
    fn late_at(&self, hedge: Duration, now: Instant) -> Instant {
        // The peer's time begins with its turn. Before that we wait for ourselves, which mustn't take forever either.
        let Some(seen) = self.progress.seen(now) else {
            return self.made + hedge;
        };
        let by_rate =
            seen.since + hedge + Duration::from_millis(seen.received.saturating_mul(1000) / SLOWEST);
        let late = by_rate.min(seen.last + hedge * SILENCE);
        match seen.waits {
            // Not now: whether it is, we see when it no longer waits for us.
            true => late.max(now + hedge),
            false => late,
        }
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
        let now = Instant::now();
        let in_time = self.open.values().filter(|open| !open.late);
        in_time.map(|open| open.late_at(self.hedge, now)).min()
    }

    /// Marks what has become late, and returns what to ask of others: of twice as many with each time.
    pub(super) fn find_late(&mut self, sources: &mut Sources) -> Vec<SliceRange> {
        let now = Instant::now();
        let mut ranges = Vec::new();
        for late in self.open.values_mut().filter(|open| !open.late) {
            if late.late_at(self.hedge, now) <= now {
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

    /// Ends late requests, the oldest ones first, while more than `most` slices are open. Returns what nobody is asked for any more.
    pub(super) fn give_up(&mut self, most: usize, sources: &mut Sources) -> Vec<SliceRange> {
        let mut ranges = Vec::new();
        for id in self.too_many(most) {
            if let Some(late) = self.open.remove(&id) {
                late.abort.abort();
                sources.settled(late.index, late.ranges.len());
                sources.ended(late.index);
                ranges.extend(late.ranges);
            }
        }
        ranges.retain(|range| self.open.values().all(|open| !open.ranges.contains(range)));
        ranges
    }

    /// The oldest late requests without which no more than `most` slices are open, if there are enough late ones.
    fn too_many(&self, most: usize) -> Vec<u64> {
        let mut slices: usize = self.open.values().map(|open| open.ranges.len()).sum();
        if slices <= most {
            return Vec::new();
        }
        let late = self.open.iter().filter(|(_, open)| open.late);
        let mut late: Vec<_> = late
            .map(|(id, open)| (open.made, *id, open.ranges.len()))
            .collect();
        late.sort_unstable();
        late.into_iter()
            .take_while(|(_, _, len)| {
                let is_one_too_many = slices > most;
                slices = slices.saturating_sub(*len);
                is_one_too_many
            })
            .map(|(_, id, _)| id)
            .collect()
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
    use hydra_blobs::nth_slice;
    use tokio::time::advance;

    fn open(made: Instant, slices: std::ops::Range<u64>, late: bool) -> Open {
        Open {
            index: 0,
            ranges: slices.filter_map(nth_slice).collect(),
            made,
            progress: Arc::default(),
            abort: AbortHandle::new_pair().0,
            late,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peers_time_begins_with_its_turn() {
        let hedge = Duration::from_secs(1);
        let made = Instant::now();
        let open = open(made, 0..1, false);
        advance(hedge / 2).await;
        let late_at = |open: &Open| open.late_at(hedge, Instant::now());
        assert_eq!(late_at(&open), made + hedge, "our own queue may not take forever");
        open.progress.begin();
        assert_eq!(late_at(&open), made + hedge / 2 + hedge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_waits_for_us_is_not_late() {
        let hedge = Duration::from_secs(1);
        let open = open(Instant::now(), 0..1, false);
        let is_late = || open.late_at(hedge, Instant::now()) <= Instant::now();
        open.progress.begin();
        open.progress.note(1000);
        let excuse = open.progress.excuse();
        advance(100 * hedge).await;
        assert!(!is_late(), "our own limit keeps it waiting");
        drop(excuse);
        advance(hedge / 2).await;
        assert!(!is_late(), "it has had half of its time");
        advance(hedge).await;
        assert!(is_late());
    }

    #[test]
    fn of_too_many_the_oldest_late_ones_are_given_up() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let mut requests = OpenRequests::new(Duration::from_secs(1));
        requests.insert(1, open(at(3), 0..2, true));
        requests.insert(2, open(at(1), 2..4, true));
        requests.insert(3, open(at(0), 4..8, false));
        requests.insert(4, open(at(2), 8..9, true));
        assert!(requests.too_many(9).is_empty());
        assert_eq!(requests.too_many(8), [2]);
        assert_eq!(requests.too_many(6), [2, 4]);
        // Whoever is in time is waited for.
        assert_eq!(requests.too_many(0), [2, 4, 1]);
    }
}
