//! A product on one thread: in which order its tiles are computed, and which pieces of the two matrices are copied for that.

use std::{cell::Cell, ops::Range};

use super::{
    Start,
    columns::Columns,
    cut::cut,
    matrix::Matrix,
    output::Rectangle,
    pack,
    tile::{self, Left, Place, ROWS, Right},
};
use crate::lanes::{Kernel, LANES, Lanes};

/// Steps along the inner dimension before a tile is put down: a packed piece of the right matrix then stays in the first or second cache.
const DEPTH: usize = 256;

/// Rows of the left matrix whose packed piece stays in the second cache.
const HEIGHT: usize = 512;

/// A part of the result, computed by one thread.
pub(super) struct Part<'a> {
    pub a: Matrix<'a>,
    pub b: &'a dyn Columns,
    pub start: Start<'a>,
    pub output: Rectangle<'a>,
}

/// Memory for packed pieces, kept by each thread.
#[derive(Default)]
struct Scratch {
    left: Vec<f32>,
    right: Vec<f32>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = const { Cell::new(Scratch { left: Vec::new(), right: Vec::new() }) };
}

/// So many values of it, from the begin of a cache line on.
fn aligned(memory: &mut Vec<f32>, length: usize) -> &mut [f32] {
    const LINE: usize = 64;
    let room = length + LINE / size_of::<f32>();
    if memory.len() < room {
        memory.resize(room, 0.0);
    }
    let skip = memory.as_ptr().align_offset(LINE).min(room - length);
    &mut memory[skip..skip + length]
}

impl Part<'_> {
    /// Whether the left matrix is read in place: where the result has too few columns to be worth a copy.
    #[inline(always)]
    fn left_in_place(&self) -> bool {
        let (a, few) = (self.a, self.output.columns().len() <= 8 * LANES);
        match (a.row_step(), a.column_step()) {
            (_, 1) => few,
            // Columns that are far apart are in places of which the first cache has too few.
            (1, step) => few && a.columns() * step <= 8192,
            _ => false,
        }
    }

    /// Whether the right matrix is read in place.
    #[inline(always)]
    fn right_in_place(&self) -> bool {
        let few = self.output.rows().len() <= ROWS;
        self.b
            .matrix()
            .is_some_and(|b| b.column_step() == 1 && (few || b.rows() * b.row_step() <= 8192))
    }
}

impl Kernel for Part<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let mut scratch = SCRATCH.take();
        let depth = self.a.columns();
        for inner in cut(0..depth, DEPTH) {
            for rows in cut(self.output.rows(), HEIGHT) {
                block(lanes, &mut self, &mut scratch, rows, inner.clone());
            }
        }
        SCRATCH.set(scratch);
    }
}

/// Some rows of the result, over a part of the inner dimension.
#[inline(always)]
fn block<L: Lanes>(
    lanes: L,
    part: &mut Part,
    scratch: &mut Scratch,
    rows: Range<usize>,
    inner: Range<usize>,
) {
    let depth = inner.len();
    let a = part.a.part(rows.clone(), inner.clone());
    let (left_in_place, right_in_place) = (part.left_in_place(), part.right_in_place());
    let mut packed_left: &[f32] = &[];
    if !left_in_place {
        let panel = aligned(&mut scratch.left, rows.len() * depth);
        pack::left(a, ROWS, panel);
        packed_left = panel;
    }
    let start = if inner.start == 0 { part.start } else { Start::Kept };
    let (b, matrix) = (part.b, part.b.matrix());
    let columns = part.output.columns();
    let (mut first, last) = (columns.start, columns.end);
    while first < last {
        let beside = last - first;
        let mut vectors = tile::vectors::<L>();
        while vectors > 1 && beside <= vectors / 2 * LANES {
            vectors /= 2;
        }
        let width = vectors * LANES;
        let columns = first..first + width.min(beside);
        first += width;
        let right = match matrix {
            Some(b) if right_in_place && columns.len() == width => Right {
                values: b.part(inner.clone(), columns.clone()).values(),
                row_step: b.row_step(),
            },
            _ => {
                let panel = aligned(&mut scratch.right, depth * width);
                match matrix {
                    Some(b) => {
                        let next = columns.end..(columns.end + width).min(last);
                        let next = b.part(inner.clone(), next).values();
                        pack::right(lanes, b.part(inner.clone(), columns.clone()), next, width, panel);
                    }
                    None => b.pack(inner.clone(), columns.clone(), width, panel),
                }
                Right {
                    values: panel,
                    row_step: width,
                }
            }
        };
        for tile in cut(0..rows.len(), ROWS) {
            let left = if left_in_place {
                Left {
                    values: a.part(tile.clone(), 0..depth).values(),
                    row_step: a.row_step(),
                    column_step: a.column_step(),
                }
            } else {
                Left {
                    values: &packed_left[tile.start * depth..tile.end * depth],
                    row_step: 1,
                    column_step: tile.len(),
                }
            };
            let place = Place {
                output: &mut part.output,
                rows: rows.start + tile.start..rows.start + tile.end,
                columns: columns.clone(),
                start,
            };
            tile::tile(lanes, vectors, depth, left, right, place);
        }
    }
}
