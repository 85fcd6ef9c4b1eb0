//! Products of some rows, or columns, of a square below its diagonal: tiles that stay in registers from their first term to the last.
//!
//! Counted loops over arrays throughout: where the compiler can't see each index, it keeps a tile in memory.

use crate::lanes::{LANES, Lanes};

/// Rows that are computed while they are in the cache: of the largest tile, whatever the instructions.
pub(super) const ROWS: usize = 8;

/// Rows of a tile, where there are many registers, some, or few. Each is a power of two: what is left at the end is done by smaller ones.
const fn tile_rows<L: Lanes>() -> usize {
    match L::REGISTERS {
        32.. => 8,
        8.. => 4,
        _ => 1,
    }
}

/// Vectors of a tile.
const fn tile_vectors<L: Lanes>() -> usize {
    if L::REGISTERS >= 32 { 2 } else { 1 }
}

/// A right side, `[t, d]`, in rows of whole vectors.
pub(super) struct Side {
    padded: Vec<f32>,
    d: usize,
}

/// The right side of one head.
pub(super) struct Rows<'a> {
    values: &'a [f32],
    pitch: usize,
    d: usize,
}

impl Side {
    pub fn new(t: usize, d: usize) -> Self {
        let padded = if d.is_multiple_of(LANES) {
            Vec::new()
        } else {
            vec![0.0; t * d.next_multiple_of(LANES)]
        };
        Self { padded, d }
    }

    /// That of a head: itself, if its rows are whole vectors.
    pub fn of<'a>(&'a mut self, values: &'a [f32]) -> Rows<'a> {
        let (d, pitch) = (self.d, self.d.next_multiple_of(LANES));
        if d == pitch {
            return Rows { values, pitch, d };
        }
        let rows = self.padded.chunks_exact_mut(pitch).zip(values.chunks_exact(d));
        for (to, from) in rows {
            to[..d].copy_from_slice(from);
        }
        let values = &self.padded;
        Rows { values, pitch, d }
    }
}

/// What is computed in tiles.
trait Tile {
    /// R rows of the result from the `first` one on, V vectors of columns from the `vector`-th one on.
    fn tile<L: Lanes, const R: usize, const V: usize>(&mut self, lanes: L, first: usize, vector: usize);
}

/// Rows `first` to `end`, so many vectors, in tiles.
#[inline(always)]
fn cover<L: Lanes>(lanes: L, mut tile: impl Tile, first: usize, end: usize, vectors: usize) {
    let mut row = first;
    while row < end {
        let left = end - row;
        if const { tile_rows::<L>() >= 8 } && left >= 8 {
            across::<L, 8>(lanes, &mut tile, row, vectors);
            row += 8;
        } else if const { tile_rows::<L>() >= 4 } && left >= 4 {
            across::<L, 4>(lanes, &mut tile, row, vectors);
            row += 4;
        } else if const { tile_rows::<L>() >= 2 } && left >= 2 {
            across::<L, 2>(lanes, &mut tile, row, vectors);
            row += 2;
        } else {
            across::<L, 1>(lanes, &mut tile, row, vectors);
            row += 1;
        }
    }
}

/// R rows, so many vectors.
#[inline(always)]
fn across<L: Lanes, const R: usize>(lanes: L, tile: &mut impl Tile, row: usize, vectors: usize) {
    let mut vector = 0;
    while vector < vectors {
        if const { tile_vectors::<L>() >= 2 } && vectors - vector >= 2 {
            tile.tile::<L, R, 2>(lanes, row, vector);
            vector += 2;
        } else {
            tile.tile::<L, R, 1>(lanes, row, vector);
            vector += 1;
        }
    }
}

/// sums ← fma(factor, values, sums), a factor for each row.
#[inline(always)]
fn add<L: Lanes, const R: usize, const V: usize>(
    lanes: L,
    factors: [f32; R],
    values: [L::V; V],
    sums: &mut [[L::V; V]; R],
) {
    for r in 0..R {
        let factor = lanes.splat(factors[r]);
        for v in 0..V {
            sums[r][v] = lanes.fma(factor, values[v], sums[r][v]);
        }
    }
}

/// The first V vectors.
#[inline(always)]
fn load<L: Lanes, const V: usize>(lanes: L, from: &[f32]) -> [L::V; V] {
    let from = &from[..V * LANES];
    let mut values = [lanes.splat(0.0); V];
    for v in 0..V {
        values[v] = lanes.load_some(&from[v * LANES..][..LANES], 0.0);
    }
    values
}

/// Puts a tile where its rows, `step` values apart, have so many values left: fewer than the tile's, if it is the last one of a row.
#[inline(always)]
fn store<L: Lanes, const R: usize, const V: usize>(
    lanes: L,
    sums: [[L::V; V]; R],
    to: &mut [f32],
    step: usize,
    left: usize,
) {
    for r in 0..R {
        for v in 0..V {
            let count = LANES.min(left - v * LANES);
            lanes.store_some(sums[r][v], &mut to[r * step + v * LANES..][..count]);
        }
    }
}

/// See [`scores`].
struct Scores<'a> {
    a: &'a [f32],
    d: usize,
    b: &'a [f32],
    pitch: usize,
    to: &'a mut [f32],
}

impl Tile for Scores<'_> {
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const V: usize>(&mut self, lanes: L, first: usize, vector: usize) {
        let mut a = [&[][..]; R];
        for r in 0..R {
            a[r] = &self.a[(first + r) * self.d..][..self.d];
        }
        let b = &self.b[vector * LANES..];
        let mut sums = [[lanes.splat(0.0); V]; R];
        for p in 0..self.d {
            let values = load::<L, V>(lanes, &b[p * self.pitch..]);
            let mut factors = [0.0; R];
            for r in 0..R {
                factors[r] = a[r][p];
            }
            add(lanes, factors, values, &mut sums);
        }
        let to = &mut self.to[first * self.pitch + vector * LANES..];
        store(lanes, sums, to, self.pitch, V * LANES);
    }
}

/// `to [rows, pitch]` = product(`a [rows, d]`, `b [d, pitch]`, +0): the first `columns` columns, and those up to a whole vector.
#[inline(always)]
pub(super) fn scores<L: Lanes>(
    lanes: L,
    a: &[f32],
    (d, pitch): (usize, usize),
    b: &[f32],
    columns: usize,
    to: &mut [f32],
) {
    let end = a.len() / d;
    let scores = Scores { a, d, b, pitch, to };
    cover(lanes, scores, 0, end, columns.div_ceil(LANES));
}

/// A square of which only what is not above the diagonal is read, its rows `step` values apart.
#[derive(Clone, Copy)]
pub(super) struct Triangle<'a> {
    pub values: &'a [f32],
    pub step: usize,
}

/// See [`rows`].
struct OverColumns<'a> {
    a: Triangle<'a>,
    b: &'a Rows<'a>,
    /// The first row of the result that is in `to`.
    start: usize,
    to: &'a mut [f32],
}

impl Tile for OverColumns<'_> {
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const V: usize>(&mut self, lanes: L, first: usize, vector: usize) {
        let mut a = [&[][..]; R];
        for r in 0..R {
            a[r] = &self.a.values[(first + r) * self.a.step..][..first + R];
        }
        let b = &self.b.values[vector * LANES..];
        let mut sums = [[lanes.splat(0.0); V]; R];
        for j in 0..first {
            let values = load::<L, V>(lanes, &b[j * self.b.pitch..]);
            let mut factors = [0.0; R];
            for r in 0..R {
                factors[r] = a[r][j];
            }
            add(lanes, factors, values, &mut sums);
        }
        // The end of each row, up to the diagonal.
        for j in 0..R {
            let values = load::<L, V>(lanes, &b[(first + j) * self.b.pitch..]);
            for r in j..R {
                let factor = lanes.splat(a[r][first + j]);
                for v in 0..V {
                    sums[r][v] = lanes.fma(factor, values[v], sums[r][v]);
                }
            }
        }
        let to = &mut self.to[(first - self.start) * self.b.d + vector * LANES..];
        store(lanes, sums, to, self.b.d, self.b.d - vector * LANES);
    }
}

/// Rows `first` to `end` of the product of a triangle with `b`: row i over j = 0 … i.
#[inline(always)]
pub(super) fn rows<L: Lanes>(lanes: L, a: Triangle, (first, end): (usize, usize), b: &Rows, to: &mut [f32]) {
    let start = first;
    let tile = OverColumns { a, b, start, to };
    cover(lanes, tile, first, end, b.pitch / LANES);
}

/// See [`columns`].
struct OverRows<'a> {
    a: Triangle<'a>,
    b: &'a Rows<'a>,
    end: usize,
    to: &'a mut [f32],
}

impl Tile for OverRows<'_> {
    #[inline(always)]
    fn tile<L: Lanes, const R: usize, const V: usize>(&mut self, lanes: L, first: usize, vector: usize) {
        let b = &self.b.values[vector * LANES..];
        let mut sums = [[lanes.splat(0.0); V]; R];
        // The beginning of each column, from the diagonal on.
        for i in 0..R {
            let a = &self.a.values[(first + i) * self.a.step + first..][..=i];
            let values = load::<L, V>(lanes, &b[(first + i) * self.b.pitch..]);
            for r in 0..=i {
                let factor = lanes.splat(a[r]);
                for v in 0..V {
                    sums[r][v] = lanes.fma(factor, values[v], sums[r][v]);
                }
            }
        }
        for i in first + R..self.end {
            let a = &self.a.values[i * self.a.step + first..][..R];
            let values = load::<L, V>(lanes, &b[i * self.b.pitch..]);
            let mut factors = [0.0; R];
            for r in 0..R {
                factors[r] = a[r];
            }
            add(lanes, factors, values, &mut sums);
        }
        let to = &mut self.to[first * self.b.d + vector * LANES..];
        store(lanes, sums, to, self.b.d, self.b.d - vector * LANES);
    }
}

/// The product of a triangle, transposed, with `b`: row j over i = j … `end` − 1.
#[inline(always)]
pub(super) fn columns<L: Lanes>(lanes: L, a: Triangle, end: usize, b: &Rows, to: &mut [f32]) {
    cover(lanes, OverRows { a, b, end, to }, 0, end, b.pitch / LANES);
}
