//! Getting a whole blob from several peers.
//!
//! The blob is asked for in slices of 1 MiB, several at a time, from the preferred peers, or from all others once no
//! preferred one is left or all of them are slow: a slice that doesn't arrive is asked of others as well after a second
//! ([`Limits::hedge`](crate::Limits::hedge)), and whoever delivers first is used; the others are called off. Every slice
//! is verified on arrival, so peers can be mixed freely and a liar costs one slice. Where the caller doesn't
//! know the size, it isn't believed until the blob's last group has proven it.
//!
//! Peers that are fast are asked for more, and those that are still getting the blob themselves for what they have; what few have
//! comes first. What has arrived of a large blob stays when a fetch is given up or the program ends, and the next one goes on from there.

mod attempt;
mod landing;
mod open;
mod proof;
mod sources;
mod todo;

use self::{
    attempt::Asker,
    landing::{Arrival, Arrived, Landing},
    open::{Open, OpenRequests},
    proof::prove_size,
    sources::Sources,
    todo::Todo,
};
use crate::{
    config::Limits,
    disk::blocking,
    error::{FetchError, PeerFault},
    peers::PeerInfo,
    pool::Pool,
    priority::Priority,
    progress::Progress,
    size::SizeRule,
};
use futures::{StreamExt, future::abortable, stream::FuturesUnordered};
use hydra_blobs::{
    Availability, BlobStore, H256, MAX_SLICE_SIZE, SliceRange, SliceSet, VerifiedSlice, nth_slice,
    slice_count,
};
use libp2p::PeerId;
use std::{collections::HashSet, sync::Arc};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

/// Arrivals that wait to be looked at.
const ARRIVALS: usize = 64;

/// What to fetch, and for what.
pub(crate) struct Wanted<'a> {
    pub(crate) hash: H256,
    pub(crate) rule: SizeRule,
    pub(crate) providers: &'a [PeerId],
    pub(crate) priority: Priority,
}

/// One fetch.
pub(crate) struct Fetcher<'a> {
    asker: Asker<'a>,
    rule: SizeRule,
    sources: Sources<'a>,
    landing: Landing,
    /// Where to begin.
    seed: u64,
}

/// How far a fetch has come.
struct Course {
    /// Slices that nobody was asked for.
    todo: Todo,
    /// Slices that a peer failed to deliver, or is late with.
    again: Vec<SliceRange>,
    open: OpenRequests,
    here: SliceSet,
    missing: u64,
}

impl<'a> Fetcher<'a> {
    pub(crate) fn new(
        wanted: &Wanted<'_>,
        pool: &'a Pool,
        store: &Arc<BlobStore>,
        limits: &'a Limits,
        peers: watch::Receiver<Vec<PeerInfo>>,
        local: PeerId,
    ) -> Self {
        let Wanted {
            hash,
            rule,
            providers,
            priority,
        } = *wanted;
        // Any number will do that differs from PC to PC.
        let own = local.to_bytes();
        let seed = own
            .iter()
            .rev()
            .take(8)
            .fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        Self {
            sources: Sources::new(providers, local, peers.clone(), pool, limits),
            landing: Landing::new(store.clone(), hash, pool.buffers.clone()),
            asker: Asker {
                hash,
                pool,
                limits,
                peers,
                priority,
            },
            rule,
            seed,
        }
    }

    pub(crate) async fn run(mut self) -> Result<u64, FetchError> {
        let resumed = self.landing.resume(self.rule).await?;
        let size = match (self.rule, resumed) {
            (SizeRule::Exact(size), _) | (SizeRule::AtMost(_), Some(size)) => size,
            (SizeRule::AtMost(_), None) => self.prove_size().await?,
        };
        let here = self.landing.slices(size)?;
        let count = slice_count(size);
        let mut course = Course {
            todo: Todo::new(count, &here, self.seed),
            again: Vec::new(),
            open: OpenRequests::new(self.asker.limits.hedge),
            missing: count - here.len(),
            here,
        };
        let (arrivals, mut arrived) = mpsc::channel(ARRIVALS);
        let mut next_id: u64 = 0;
        let mut running = FuturesUnordered::new();
        let mut asking = FuturesUnordered::new();
        while course.missing > 0 {
            // A blob of one slice is asked for at once: whoever has something of it has all.
            if count > 1 {
                for whom in self.sources.due_questions() {
                    asking.push(self.asker.availability(whom, size));
                }
            }
            while let Some((ranges, index)) = self.place(&mut course) {
                let whom = self.sources.ask(index, ranges.len());
                let progress = Arc::<Progress>::default();
                next_id += 1;
                let to = (self.landing.clone(), arrivals.clone());
                let attempt = self
                    .asker
                    .attempt(next_id, whom, (ranges.clone(), size), to, progress.clone());
                let (attempt, abort) = abortable(attempt);
                running.push(attempt);
                let open = Open {
                    index,
                    ranges,
                    made: Instant::now(),
                    progress,
                    abort,
                    late: false,
                };
                course.open.insert(next_id, open);
                // Those that are late count for nothing, but each takes memory and a stream.
                let most = 2 * self.asker.limits.slices_fetched;
                let given_up = course.open.give_up(most, &mut self.sources);
                given_up.into_iter().for_each(|range| course.again(range));
            }
            if course.open.is_empty() && !self.sources.is_anybody_getting_more() {
                if self.sources.pardon() || self.sources.arrival().await {
                    continue;
                }
                return Err(self.failure());
            }
            let late = course.open.next_late();
            let question = self.sources.next_question().filter(|_| count > 1);
            tokio::select! {
                // What has arrived comes before the news that the request it came with has ended.
                biased;
                Some(arrival) = arrived.recv() => self.arrived(&mut course, arrival)?,
                Some(ended) = running.next() => {
                    while let Ok(arrival) = arrived.try_recv() {
                        self.arrived(&mut course, arrival)?;
                    }
                    // What was called off isn't open any more.
                    let Ok(attempt) = ended else { continue };
                    self.ended(&mut course, attempt);
                }
                Some((index, has)) = asking.next() => match has {
                    Ok(has) => {
                        let (before, after) = self.sources.learn(index, has, &course.here);
                        course.todo.learn(&before, &after);
                    }
                    Err(fault) => self.sources.unknown(index, fault),
                },
                () = until(late) => {
                    let late = course.open.find_late(&mut self.sources);
                    course.again.extend(late);
                }
                () = until(question) => {}
                true = self.sources.changed() => {
                    self.sources.meet();
                }
            }
        }
        drop(running);
        self.landing.finish().await
    }

    /// What to ask next, and of whom: something that was asked of somebody else before, or something new.
    fn place(&self, course: &mut Course) -> Option<(Vec<SliceRange>, usize)> {
        let room = self
            .asker
            .limits
            .fetched_at_once()
            .saturating_sub(course.open.in_time());
        if room == 0 {
            return None;
        }
        let Course {
            todo, again, open, ..
        } = course;
        let placed = again.iter().enumerate().find_map(|(at, range)| {
            let slice = range.offset() / MAX_SLICE_SIZE;
            let not = open.asked_for(*range);
            let (index, ()) = self.sources.next(&not, |has| has(slice).then_some(()))?;
            Some((at, index))
        });
        if let Some((at, index)) = placed {
            return Some((vec![again.swap_remove(at)], index));
        }
        let (index, mut next) = self.sources.next(&HashSet::new(), |has| todo.next(has))?;
        // Towards the end everybody gets one at a time: nobody waits for the last one who has many left.
        let share = todo.len() / (4 * self.sources.usable().max(1));
        let at_once = self.sources.at_once(index).min(share.max(1)).min(room);
        let mut ranges = Vec::with_capacity(at_once);
        loop {
            todo.remove(next);
            ranges.extend(nth_slice(next));
            if ranges.len() >= at_once {
                break;
            }
            match todo.next(|slice| self.sources.may_have(index, slice)) {
                Some(further) => next = further,
                None => break,
            }
        }
        Some((ranges, index))
    }

    /// One range of a request has come to something.
    fn arrived(&mut self, course: &mut Course, arrival: Arrival) -> Result<(), FetchError> {
        let Arrival { id, range, what } = arrival;
        let slice = range.offset() / MAX_SLICE_SIZE;
        let index = course.open.settle(id, range);
        if let Some(index) = index {
            self.sources.settled(index, 1);
        }
        match what {
            Arrived::Slice { bytes } => {
                self.sources.progress();
                if let Some(index) = index {
                    self.sources.delivered(index, bytes);
                }
                if !course.here.contains(slice) {
                    course.here.insert(slice);
                    course.missing = course.missing.saturating_sub(1);
                }
                course.todo.remove(slice);
                course.again.retain(|other| *other != range);
                course.open.call_off(range, &mut self.sources);
            }
            Arrived::NotYet => {
                if let Some(index) = index {
                    self.sources.lacks(index, slice);
                }
                course.again(range);
            }
            Arrived::Trouble(error) => return Err(FetchError::Store(error)),
        }
        Ok(())
    }

    /// A request has ended; what hasn't come of it is asked of others.
    fn ended(&mut self, course: &mut Course, attempt: attempt::Attempt) {
        let Some(open) = course.open.remove(attempt.id) else {
            return;
        };
        self.sources.settled(open.index, open.ranges.len());
        self.sources.ended(open.index);
        if attempt.answer == Err(PeerFault::NotFound) {
            let (before, after) = self.sources.learn(open.index, Availability::None, &course.here);
            course.todo.learn(&before, &after);
        } else {
            self.sources.judge(self.asker.hash, attempt);
        }
        open.ranges.into_iter().for_each(|range| course.again(range));
    }

    /// The blob's size. Keeps what proves it.
    async fn prove_size(&mut self) -> Result<u64, FetchError> {
        let slices = prove_size(&mut self.sources, &self.asker, self.rule).await?;
        let size = slices.first().map_or(0, VerifiedSlice::blob_size);
        let landing = self.landing.clone();
        self.sources.progress();
        blocking(move || slices.into_iter().try_for_each(|slice| landing.write(slice))).await?;
        Ok(size)
    }

    fn failure(&mut self) -> FetchError {
        self.sources.failure(self.asker.hash)
    }
}

impl Course {
    /// A slice has to be asked for again, unless it is here or on the list already.
    fn again(&mut self, range: SliceRange) {
        if !self.here.contains(range.offset() / MAX_SLICE_SIZE) && !self.again.contains(&range) {
            self.again.push(range);
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
