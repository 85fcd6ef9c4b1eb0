//! The innermost part of a product: one tile of the result, which stays in registers.

use std::{array, ops::Range};

use super::{Start, output::Rectangle};
use crate::lanes::{LANES, Lanes};

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
    let vector = |v: usize| {
        let first = (columns.start + v * LANES).min(columns.end);
        first..(first + LANES).min(columns.end)
    };
    let mut c: [[L::V; V]; R] = match start {
        Start::Zero => [[lanes.splat(0.0); V]; R],
        Start::PerColumn(values) => {
            let row = array::from_fn(|v| lanes.load_some(&values[vector(v)], 0.0));
            [row; R]
        }
        Start::PerRow(values) => array::from_fn(|r| [lanes.splat(values[rows.start + r]); V]),
        Start::Kept => array::from_fn(|r| {
            array::from_fn(|v| lanes.load_some(output.piece(rows.start + r, vector(v)), 0.0))
        }),
    };
    let mut step = |a: [&f32; R], b: &[[f32; LANES]; V]| {
        let b: [L::V; V] = array::from_fn(|v| lanes.load(&b[v]));
        for r in 0..R {
            let a = lanes.splat(*a[r]);
            for v in 0..V {
                c[r][v] = lanes.fma(a, b[v], c[r][v]);
            }
        }
    };
    if left.row_step == 1 && left.column_step == R && right.row_step == V * LANES {
        // Both are packed.
        let (a, _) = left.values.as_chunks::<R>();
        let (b, _) = right.values.as_chunks::<LANES>().0.as_chunks::<V>();
        for (a, b) in a[..depth].iter().zip(&b[..depth]) {
            step(array::from_fn(|r| &a[r]), b);
        }
    } else if depth > 0 {
        // Slices of one length: so one comparison a step does for all rows.
        let span = (depth - 1) * left.column_step + 1;
        let a: [&[f32]; R] = array::from_fn(|r| &left.values[r * left.row_step..][..span]);
        let (mut a_at, mut b_at) = (0, 0);
        for _ in 0..depth {
            let (b, _) = right.values[b_at..].as_chunks::<LANES>();
            let b = b.first_chunk().expect("the right side has the tile's columns");
            step(array::from_fn(|r| &a[r][a_at]), b);
            a_at += left.column_step;
            b_at += right.row_step;
        }
    }
    for (r, c) in c.into_iter().enumerate() {
        for (v, c) in c.into_iter().enumerate() {
            lanes.store_some(c, output.piece(rows.start + r, vector(v)));
        }
    }
}
