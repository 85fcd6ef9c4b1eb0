//! Getting a whole blob from several peers.
//!
//! The blob is asked for in slices of 1 MiB, several at a time, from the preferred peers, or from all others once no
//! preferred one is left or all of them are slow: a slice that doesn't arrive is asked of others as well after a second
//! ([`Limits::hedge`](crate::Limits::hedge)), and whoever delivers first is used; the others are called off. Every slice
//! is verified on arrival, so peers can be mixed freely and a liar costs one group of 16 KiB. Where the caller doesn't
//! know the size, it isn't believed until the blob's last group has proven it.

mod attempt;
mod open;
mod proof;
mod sources;

use self::{
    attempt::Asker,
    open::{Open, OpenRequests},
    proof::prove_size,
    sources::Sources,
};
use crate::{
    client::Progress, config::Limits, disk::blocking, error::FetchError, peers::PeerInfo, pool::Pool,
    size::SizeRule,
};
use futures::{StreamExt, future::abortable, stream::FuturesUnordered};
use hydra_blobs::{BlobStore, H256, PartialBlob, SliceRange, VerifiedSlice, slice_ranges};
use libp2p::PeerId;
use std::{collections::HashSet, sync::Arc};
use tokio::{sync::watch, time::Instant};

/// One fetch.
pub(crate) struct Fetcher<'a> {
    asker: Asker<'a>,
    rule: SizeRule,
    store: &'a Arc<BlobStore>,
    sources: Sources,
    partial: Option<PartialBlob>,
}

impl<'a> Fetcher<'a> {
    #[allow(clippy::too_many_arguments)] // All of it is needed, and there is one caller.
    pub(crate) fn new(
        hash: H256,
        rule: SizeRule,
        pool: &'a Pool,
        store: &'a Arc<BlobStore>,
        limits: &'a Limits,
        peers: watch::Receiver<Vec<PeerInfo>>,
        local: PeerId,
        providers: &[PeerId],
    ) -> Self {
        Self {
            sources: Sources::new(providers, local, peers.clone(), limits),
            asker: Asker {
                hash,
                pool,
                limits,
                peers,
            },
            rule,
            store,
            partial: None,
        }
    }

    pub(crate) async fn run(mut self) -> Result<u64, FetchError> {
        let size = match self.rule {
            SizeRule::Exact(size) => size,
            SizeRule::AtMost(_) => self.prove_size().await?,
        };
        let mut todo = slice_ranges(size)?;
        let mut missing = slice_ranges(size)?.filter(|range| !self.has(*range)).count();
        // Slices that a peer failed to deliver, or is late with.
        let mut again: Vec<SliceRange> = Vec::new();
        let mut open = OpenRequests::new(self.asker.limits.hedge);
        let mut next_id: u64 = 0;
        let mut running = FuturesUnordered::new();
        while missing > 0 {
            while open.in_time() < self.asker.limits.slices_fetched {
                let placed = self.place(&mut again, &open).or_else(|| {
                    let index = self.sources.next(&HashSet::new())?;
                    // Proving the size may have brought two.
                    Some((todo.find(|range| !self.has(*range))?, index))
                });
                let Some((range, index)) = placed else { break };
                let whom = self.sources.ask(index);
                let progress = Arc::<Progress>::default();
                next_id += 1;
                let rule = SizeRule::Exact(size);
                let attempt = self.asker.attempt(next_id, whom, range, rule, progress.clone());
                let (attempt, abort) = abortable(attempt);
                running.push(attempt);
                open.insert(
                    next_id,
                    Open {
                        index,
                        range,
                        made: Instant::now(),
                        progress,
                        abort,
                        late: false,
                    },
                );
            }
            if open.is_empty() {
                if self.sources.pardon() || self.sources.arrival().await {
                    continue;
                }
                return Err(self.failure());
            }
            let due = open.next_late();
            let ended = tokio::select! {
                Some(ended) = running.next() => ended,
                () = until(due) => {
                    again.extend(open.find_late(&mut self.sources));
                    continue;
                }
                true = self.sources.changed() => {
                    self.sources.meet();
                    continue;
                }
            };
            // What was called off isn't open any more.
            let Ok(attempt) = ended else { continue };
            open.remove(attempt.id);
            self.sources.ended(attempt.index);
            let range = attempt.range;
            let slice = self.sources.judge(self.asker.hash, attempt);
            if self.has(range) {
                continue;
            }
            match slice {
                Some(slice) => {
                    self.write(slice).await?;
                    missing -= 1;
                    again.retain(|other| *other != range);
                    open.call_off(range, &mut self.sources);
                }
                None if again.contains(&range) => {}
                None => again.push(range),
            }
        }
        drop(running);
        match self.partial.take() {
            Some(partial) => blocking(move || partial.finish()).await,
            None => Err(self.failure()),
        }
    }

    /// The blob's size. Keeps what proves it.
    async fn prove_size(&mut self) -> Result<u64, FetchError> {
        let slices = prove_size(&mut self.sources, &self.asker, self.rule).await?;
        let size = slices.first().map_or(0, VerifiedSlice::blob_size);
        for slice in slices {
            self.write(slice).await?;
        }
        Ok(size)
    }

    /// One of the ranges in `again` with somebody who wasn't asked for it yet.
    fn place(&self, again: &mut Vec<SliceRange>, open: &OpenRequests) -> Option<(SliceRange, usize)> {
        let (at, index) = again.iter().enumerate().find_map(|(at, range)| {
            let index = self.sources.next(&open.asked_for(*range))?;
            Some((at, index))
        })?;
        Some((again.swap_remove(at), index))
    }

    fn has(&self, range: SliceRange) -> bool {
        self.partial.as_ref().is_some_and(|partial| partial.has(range))
    }

    /// The file is only made once a slice of it has been verified.
    async fn write(&mut self, slice: VerifiedSlice) -> Result<(), FetchError> {
        self.sources.progress();
        let (partial, store, hash) = (self.partial.take(), self.store.clone(), self.asker.hash);
        let written = blocking(move || {
            let mut partial = match partial {
                Some(partial) => partial,
                None => store.partial(hash, slice.blob_size())?,
            };
            partial.write(&slice)?;
            Ok(partial)
        });
        self.partial = Some(written.await?);
        Ok(())
    }

    fn failure(&mut self) -> FetchError {
        self.sources.failure(self.asker.hash)
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
