//! Copies of pieces of matrices, in the order in which tiles read them.

use std::array;

use super::matrix::Matrix;
use crate::lanes::{LANES, Lanes};

/// A right matrix of at most `width` columns, as one group of [`super::Columns::pack`]. `next` begins where the next group will be read.
#[inline(always)]
pub(super) fn right<L: Lanes>(lanes: L, b: Matrix, next: &[f32], width: usize, panel: &mut [f32]) {
    // The next group is far away in memory, but the groups of each row are beside each other (or those of each column): no processor
    // foresees that.
    let soon = |at: usize| {
        if let Some(from) = next.get(at..) {
            lanes.prefetch(from);
        }
    };
    let (values, row_step, column_step) = (b.values(), b.row_step(), b.column_step());
    let (depth, count) = (b.rows(), b.columns());
    if depth == 0 || count == 0 {
        return;
    }
    if column_step == 1 {
        for (p, to) in panel.chunks_exact_mut(width).enumerate() {
            let from = &values[p * row_step..][..count];
            let (to, _) = to.as_chunks_mut::<LANES>();
            for v in 0..to.len() {
                soon(p * row_step + v * LANES);
            }
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
            for row in first..first + LANES {
                soon(row * column_step + p);
            }
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
    macro_rules! choose {
        ($($rows:literal)*) => {
            match a.rows() {
                $($rows => left_rows::<$rows>(a, panel),)*
                0 => (),
                rows => unreachable!("no tile has {rows} rows"),
            }
        };
    }
    choose!(1 2 3 4 5 6)
}

/// The same, of R rows.
#[inline(always)]
fn left_rows<const R: usize>(a: Matrix, panel: &mut [f32]) {
    let (values, row_step, column_step) = (a.values(), a.row_step(), a.column_step());
    let (panel, _) = panel.as_chunks_mut::<R>();
    if row_step == 1 {
        for (p, to) in panel.iter_mut().enumerate() {
            *to = *values[p * column_step..]
                .first_chunk()
                .expect("the matrix has its rows");
        }
    } else if column_step == 1 {
        let rows: [&[f32]; R] = array::from_fn(|r| &values[r * row_step..][..panel.len()]);
        for (p, to) in panel.iter_mut().enumerate() {
            for r in 0..R {
                to[r] = rows[r][p];
            }
        }
    } else {
        for (p, to) in panel.iter_mut().enumerate() {
            for (r, to) in to.iter_mut().enumerate() {
                *to = values[r * row_step + p * column_step];
            }
        }
    }
}
