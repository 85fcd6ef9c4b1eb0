//! Ranges cut into shorter ones.

use std::ops::Range;

/// Ranges of at most `most`, as equal as can be.
#[inline(always)]
pub(super) fn cut(range: Range<usize>, most: usize) -> impl Iterator<Item = Range<usize>> {
    let pieces = range.len().div_ceil(most).max(1);
    let (each, longer) = (range.len() / pieces, range.len() % pieces);
    let begin = move |i: usize| range.start + i * each + i.min(longer);
    let end = begin;
    (0..pieces).map(move |i| begin(i)..end(i + 1))
}
