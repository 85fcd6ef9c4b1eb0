//! Copies of pieces of matrices, in the order in which tiles read them.

use super::{cut::cut, matrix::Matrix};
use crate::lanes::{LANES, Lanes, copy_few};

/// A right matrix of at most `width` columns, as one group of [`super::Columns::pack`]. `next` begins where the next group will be read.
#[inline(always)]
pub(super) fn right<L: Lanes>(lanes: L, b: Matrix, next: &[f32], width: usize, panel: &mut [f32]) {
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
                soon(lanes, next, p * row_step + v * LANES);
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
                soon(lanes, next, row * column_step + p);
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

/// Has the next group on its way. It is far from this one where it is read next, though beside it in memory: no processor foresees that.
#[inline(always)]
fn soon<L: Lanes>(lanes: L, next: &[f32], at: usize) {
    if let Some(from) = next.get(at..) {
        lanes.prefetch(from);
    }
}

/// A left matrix, cut into tiles of so many rows at most, one after the other: column after column each.
#[inline(always)]
pub(super) fn left(a: Matrix, most: usize, panel: &mut [f32]) {
    let depth = a.columns();
    if a.row_step() == 1 {
        return left_columns(a, most, panel);
    }
    macro_rules! choose {
        ($tile:ident, $panel:ident, $($rows:literal)*) => {
            match $tile.rows() {
                $($rows => left_rows::<$rows>($tile, $panel),)*
                0 => (),
                rows => unreachable!("no tile has {rows} rows"),
            }
        };
    }
    for tile in cut(0..a.rows(), most) {
        let panel = &mut panel[tile.start * depth..tile.end * depth];
        let tile = a.part(tile, 0..depth);
        choose!(tile, panel, 1 2 3 4 5 6);
    }
}

/// The same, where each column's values are beside each other: for some tiles at once, so that cache lines are read as a whole.
#[inline(always)]
fn left_columns(a: Matrix, most: usize, panel: &mut [f32]) {
    const TILES: usize = 8;
    let (rows, depth) = (a.rows(), a.columns());
    let mut all = cut(0..rows, most);
    loop {
        let mut tiles = [(0, 0); TILES];
        let mut count = 0;
        for (to, tile) in tiles.iter_mut().zip(&mut all) {
            *to = (tile.start, tile.len());
            count += 1;
        }
        if count == 0 {
            return;
        }
        for p in 0..depth {
            let column = &a.values()[p * a.column_step()..][..rows];
            for (start, length) in tiles[..count].iter().copied() {
                let (from, to) = (&column[start..], &mut panel[start * depth + p * length..]);
                match (from.first_chunk::<8>(), to.first_chunk_mut::<8>()) {
                    // What is too much is overwritten by the tile's next column.
                    (Some(from), Some(to)) if p + 1 < depth && length >= 4 => *to = *from,
                    _ => copy_few(&from[..length], &mut to[..length]),
                }
            }
        }
    }
}

/// A tile of R rows.
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
        let mut rows: [&[f32]; R] = [&[]; R];
        for (r, row) in rows.iter_mut().enumerate() {
            *row = &values[r * row_step..][..panel.len()];
        }
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

/// Copies `from [rows, columns]`, its rows `from_step` values apart, as `to [columns, rows]`, its rows `to_step` apart.
#[inline(always)]
pub(super) fn transposed<L: Lanes>(
    lanes: L,
    (from, from_step): (&[f32], usize),
    (rows, columns): (usize, usize),
    (to, to_step): (&mut [f32], usize),
) {
    for i in (0..rows).step_by(LANES) {
        for j in (0..columns).step_by(LANES) {
            if i + LANES <= rows && j + LANES <= columns {
                let from = &from[i * from_step + j..];
                lanes.transpose(from, from_step, &mut to[j * to_step + i..], to_step);
                continue;
            }
            for i in i..rows.min(i + LANES) {
                for j in j..columns.min(j + LANES) {
                    to[j * to_step + i] = from[i * from_step + j];
                }
            }
        }
    }
}
