//! The innermost part of a product: one tile of the result, which stays in registers.

use std::ops::Range;

use super::{Start, output::Rectangle};
use crate::lanes::{LANES, Lanes, copy_few};

/// The most rows that a tile has.
pub(super) const ROWS: usize = 6;

/// The most vectors of sixteen columns that a tile has: as many as leave registers for a row of the right matrix and a value of the left one.
pub(super) const fn vectors<L: Lanes>() -> usize {
    if L::REGISTERS >= 32 { 4 } else { 1 }
}

/// The left matrix's part: the tile's rows, along the inner dimension. In place, or packed: column after column, of the tile's rows only.
#[derive(Clone, Copy)]
pub(super) struct Left<'a> {
    pub values: &'a [f32],
    pub row_step: usize,
    pub column_step: usize,
}

/// The right matrix's part: the tile's columns, each row's beside each other. In place, or packed: row after row, of the tile's columns only.
#[derive(Clone, Copy)]
pub(super) struct Right<'a> {
    pub values: &'a [f32],
    pub row_step: usize,
}

/// Where a tile is in the result.
pub(super) struct Place<'a, 'o> {
    pub output: &'a mut Rectangle<'o>,
    pub rows: Range<usize>,
    /// No more than the tile's vectors hold.
    pub columns: Range<usize>,
    /// What its elements start from.
    pub start: Start<'a>,
}

/// Adds up a tile of `place.rows.len()` rows and `vectors` vectors over `depth` steps along the inner dimension.
#[inline(always)]
pub(super) fn tile<L: Lanes>(lanes: L, vectors: usize, depth: usize, left: Left, right: Right, place: Place) {
    macro_rules! choose {
        ($(($rows:literal, $vectors:literal))*) => {
            match (place.rows.len(), vectors) {
                $(($rows, $vectors) if $vectors <= self::vectors::<L>() => {
                    compute::<L, $rows, $vectors>(lanes, depth, left, right, place)
                })*
                (rows, vectors) => unreachable!("no tile has {rows} rows of {vectors} vectors"),
            }
        };
    }
    choose! {
        (1, 1) (2, 1) (3, 1) (4, 1) (5, 1) (6, 1)
        (1, 2) (2, 2) (3, 2) (4, 2) (5, 2) (6, 2)
        (1, 4) (2, 4) (3, 4) (4, 4) (5, 4) (6, 4)
    }
}

// The tile stays in registers only where each of its rows is named by a constant: a loop that the compiler doesn't unroll leaves it in memory.
// And no closures: one that isn't inlined is compiled without the level's instructions.
macro_rules! each_row {
    ($r:ident, $tile:ident, $row:ident => $do:expr) => {
        each_row!($r, $tile, $row => $do; 0 1 2 3 4 5)
    };
    ($r:ident, $tile:ident, $row:ident => $do:expr; $($index:literal)*) => {
        $(if let Some($row) = $tile.get_mut($index) {
            let $r: usize = $index;
            $do;
        })*
    };
}

/// The definition, for a whole tile at once.
#[inline(always)]
fn compute<L: Lanes, const R: usize, const V: usize>(
    lanes: L,
    depth: usize,
    left: Left,
    right: Right,
    place: Place,
) {
    let Place {
        output,
        rows,
        columns,
        start,
    } = place;
    let mut c = [[lanes.splat(0.0); V]; R];
    match start {
        Start::Zero => (),
        Start::PerColumn(values) => c = [load(lanes, &values[columns.clone()]); R],
        Start::PerRow(values) => {
            each_row!(r, c, c => *c = [lanes.splat(values[rows.start + r]); V]);
        }
        Start::Kept => {
            each_row!(r, c, c => *c = load(lanes, output.piece(rows.start + r, columns.clone())));
        }
    }
    if left.row_step == 1 && left.column_step == R && right.row_step == V * LANES {
        // Both are packed.
        let (a, _) = left.values.as_chunks::<R>();
        let (b, _) = right.values.as_chunks::<LANES>().0.as_chunks::<V>();
        for (a, b) in a[..depth].iter().zip(&b[..depth]) {
            let b = row(lanes, b);
            for r in 0..R {
                multiply(lanes, a[r], &b, &mut c[r]);
            }
        }
    } else if depth > 0 {
        // Slices of one length: so one comparison a step does for all rows.
        let span = (depth - 1) * left.column_step + 1;
        let mut a: [&[f32]; R] = [&[]; R];
        for (r, a) in a.iter_mut().enumerate() {
            *a = &left.values[r * left.row_step..][..span];
        }
        let (mut a_at, mut b_at) = (0, 0);
        for _ in 0..depth {
            let (b, _) = right.values[b_at..].as_chunks::<LANES>();
            let b = row(
                lanes,
                b.first_chunk().expect("the right side has the tile's columns"),
            );
            for r in 0..R {
                multiply(lanes, a[r][a_at], &b, &mut c[r]);
            }
            a_at += left.column_step;
            b_at += right.row_step;
        }
    }
    each_row!(r, c, c => store(lanes, c, output.piece(rows.start + r, columns.clone())));
}

/// A row of the tile from memory, which may have fewer columns.
#[inline(always)]
fn load<L: Lanes, const V: usize>(lanes: L, from: &[f32]) -> [L::V; V] {
    match from.as_chunks().0.first_chunk() {
        Some(whole) => row(lanes, whole),
        None => {
            let mut values = [[0.0; LANES]; V];
            copy(from, values.as_flattened_mut());
            row(lanes, &values)
        }
    }
}

/// A row of the tile to memory, which may have fewer columns.
#[inline(always)]
fn store<L: Lanes, const V: usize>(lanes: L, row: &[L::V; V], to: &mut [f32]) {
    match to.as_chunks_mut().0.first_chunk_mut::<V>() {
        Some(whole) => {
            for v in 0..V {
                lanes.store(row[v], &mut whole[v]);
            }
        }
        None => {
            let mut values = [[0.0; LANES]; V];
            for v in 0..V {
                lanes.store(row[v], &mut values[v]);
            }
            copy(values.as_flattened(), to);
        }
    }
}

/// As many values as the shorter side has. Not inlined: where many rows do it, that would be most of the code.
#[inline(never)]
fn copy(from: &[f32], to: &mut [f32]) {
    for (from, to) in from.chunks(LANES).zip(to.chunks_mut(LANES)) {
        copy_few(from, to);
    }
}

/// A row of the right side.
#[inline(always)]
fn row<L: Lanes, const V: usize>(lanes: L, b: &[[f32; LANES]; V]) -> [L::V; V] {
    let mut row = [lanes.splat(0.0); V];
    for v in 0..V {
        row[v] = lanes.load(&b[v]);
    }
    row
}

/// One value of the left side, one row of the right side.
#[inline(always)]
fn multiply<L: Lanes, const V: usize>(lanes: L, a: f32, b: &[L::V; V], c: &mut [L::V; V]) {
    let a = lanes.splat(a);
    for v in 0..V {
        c[v] = lanes.fma(a, b[v], c[v]);
    }
}
