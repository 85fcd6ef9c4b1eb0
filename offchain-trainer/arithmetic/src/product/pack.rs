//! Copies of pieces of matrices, in the order in which tiles read them.

use super::matrix::Matrix;
use crate::lanes::{LANES, Lanes};

/// A right matrix of at most `width` columns, as one group of [`super::Columns::pack`].
#[inline(always)]
pub(super) fn right<L: Lanes>(lanes: L, b: Matrix, width: usize, panel: &mut [f32]) {
    let (values, row_step, column_step) = (b.values(), b.row_step(), b.column_step());
    let (depth, count) = (b.rows(), b.columns());
    if depth == 0 || count == 0 {
        return;
    }
    if column_step == 1 {
        for (p, to) in panel.chunks_exact_mut(width).enumerate() {
            let from = &values[p * row_step..][..count];
            let (to, _) = to.as_chunks_mut::<LANES>();
            if count == width {
                // Vectors one by one: a call that copies as many bytes as it is told costs more than they do.
                for (from, to) in from.as_chunks::<LANES>().0.iter().zip(to) {
                    lanes.store(lanes.load(from), to);
                }
            } else {
                for (v, to) in to.iter_mut().enumerate() {
                    let from = &from[(v * LANES).min(count)..((v + 1) * LANES).min(count)];
                    lanes.store(lanes.load_some(from, 0.0), to);
                }
            }
        }
        return;
    }
    let squares = if row_step == 1 { depth / LANES * LANES } else { 0 };
    for first in (0..width).step_by(LANES) {
        let beside = count.saturating_sub(first).min(LANES);
        let done = if beside == LANES { squares } else { 0 };
        for p in (0..done).step_by(LANES) {
            let from = &values[first * column_step + p..];
            lanes.transpose(from, column_step, &mut panel[p * width + first..], width);
        }
        for (p, to) in panel.chunks_exact_mut(width).enumerate().skip(done) {
            for (x, to) in to[first..first + LANES].iter_mut().enumerate() {
                *to = if x < beside {
                    values[p * row_step + (first + x) * column_step]
                } else {
                    0.0
                };
            }
        }
    }
}

/// A left matrix for one tile of as many rows: column after column.
#[inline(always)]
pub(super) fn left(a: Matrix, panel: &mut [f32]) {
    let (values, row_step, column_step) = (a.values(), a.row_step(), a.column_step());
    let count = a.rows();
    if count == 0 {
        return;
    }
    for (p, to) in panel.chunks_exact_mut(count).enumerate() {
        if row_step == 1 {
            let from = &values[p * column_step..][..count];
            for (to, from) in to.iter_mut().zip(from) {
                *to = *from;
            }
        } else {
            for (r, to) in to.iter_mut().enumerate() {
                *to = values[r * row_step + p * column_step];
            }
        }
    }
}
