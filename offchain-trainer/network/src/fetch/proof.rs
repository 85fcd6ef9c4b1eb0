//! Finding out how large a blob is, without believing anybody.

use super::{
    attempt::{Asker, Attempt},
    sources::Sources,
};
use crate::{error::FetchError, progress::Progress, size::SizeRule};
use hydra_blobs::{SliceRange, VerifiedSlice, slice_ranges};
use std::{collections::HashSet, sync::Arc, time::Duration};

/// Finds a peer that proves how large the blob is. Returns what it sent for that: at least one slice.
pub(super) async fn prove_size(
    sources: &mut Sources<'_>,
    asker: &Asker<'_>,
    rule: SizeRule,
) -> Result<Vec<VerifiedSlice>, FetchError> {
    loop {
        // Everyone gets a moment first, and who needed longer is waited for only after that.
        for hurried in [true, false] {
            sources.pardon();
            while let Some((index, ())) = sources.next(&HashSet::new(), |_| Some(())) {
                match proof(sources, asker, index, rule, hurried).await {
                    Ok(slices) => {
                        // Who was late with the proof may be in time with the rest.
                        sources.pardon();
                        return Ok(slices);
                    }
                    // Given up, unless it is only in doubt.
                    Err(error) => error.map_or(Ok(()), Err)?,
                }
                if !sources.is_given_up(index) {
                    sources.is_slow(index);
                }
                sources.meet();
            }
        }
        if !sources.arrival().await {
            return Err(sources.failure(asker.hash));
        }
    }
}

/// What proves the blob's size, from one peer: its first slice, and its last if that is another one.
async fn proof(
    sources: &mut Sources<'_>,
    asker: &Asker<'_>,
    index: usize,
    rule: SizeRule,
    hurried: bool,
) -> Result<Vec<VerifiedSlice>, Option<FetchError>> {
    let first = SliceRange::first();
    let Some(first) = insist(sources, asker, index, first, rule, hurried).await else {
        return Err(None);
    };
    if first.proves_size() {
        return Ok(vec![first]);
    }
    let size = first.blob_size();
    let last = slice_ranges(size)
        .map_err(|error| Some(error.into()))?
        .next_back();
    let Some(last) = last else { return Err(None) };
    // If the size is a lie, this is where it falls: nobody can make a last group that fits.
    match insist(sources, asker, index, last, SizeRule::Exact(size), hurried).await {
        Some(last) => Ok(vec![first, last]),
        None => Err(None),
    }
}

/// Asks one peer for one slice: if `hurried`, once and for a moment, otherwise until it delivers or is given up.
async fn insist(
    sources: &mut Sources<'_>,
    asker: &Asker<'_>,
    index: usize,
    range: SliceRange,
    rule: SizeRule,
    hurried: bool,
) -> Option<VerifiedSlice> {
    while !sources.is_given_up(index) {
        let progress = Arc::<Progress>::default();
        let whom = sources.whom(index);
        let single = asker.single(whom, range, rule, progress.clone());
        let answer = tokio::select! {
            answer = single => answer,
            () = moment(&progress, asker.limits.hedge), if hurried => return None,
        };
        let (slice, answer) = match answer {
            Ok(slice) => (Some(slice), Ok(())),
            Err(fault) => (None, Err(fault)),
        };
        if let Some(slice) = &slice {
            sources.delivered(index, slice.data().len() as u64);
        }
        sources.judge(
            asker.hash,
            Attempt {
                id: 0,
                index,
                strikes: whom.strikes,
                answer,
            },
        );
        if slice.is_some() || hurried {
            return slice;
        }
    }
    None
}

/// Ends when we have waited `limit` for our turn to ask, or from then on `limit` for the peer.
async fn moment(progress: &Progress, limit: Duration) {
    tokio::time::sleep(limit).await;
    if let Some(since) = progress.since() {
        tokio::time::sleep_until(since + limit).await;
    }
}
