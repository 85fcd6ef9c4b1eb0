//! Products of matrices: `docs/arithmetic.md`, *Products*.
//!
//! c ← fma(a, b, c) along the inner dimension in ascending order, one element of the result like the other. Where the result is cut into
//! tiles, which of them are computed at once, and whether one is put down in memory halfway and taken up again, changes no bit. The inner
//! dimension must never be split between threads, nor between lanes.

mod blocks;
mod columns;
mod matrix;
mod output;
mod pack;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use columns::Columns;
pub use matrix::{Matrices, Matrix};

use crate::{Cpu, lanes::LANES};
use blocks::Part;
use output::Output;

/// What the elements of a product start from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// +0.
    Zero,
    /// A value for each column of the result.
    PerColumn(&'a [f32]),
    /// A value for each row of the result.
    PerRow(&'a [f32]),
    /// What the result was.
    Kept,
}

impl Start<'_> {
    fn check(&self, rows: usize, columns: usize) {
        match self {
            Self::PerColumn(values) => {
                assert_eq!(
                    values.len(),
                    columns,
                    "a product starts from a value for each column"
                );
            }
            Self::PerRow(values) => {
                assert_eq!(values.len(), rows, "a product starts from a value for each row");
            }
            Self::Zero | Self::Kept => (),
        }
    }
}

/// `c [m, n]` = product(`a [m, k]`, `b [k, n]`, start).
///
/// # Panics
/// If the shapes don't fit.
pub fn product(cpu: &Cpu, a: Matrix, b: Matrix, start: Start, c: &mut [f32]) {
    assert_eq!(
        a.rows().checked_mul(b.columns()),
        Some(c.len()),
        "a product's result has the rows of its left matrix and the columns of its right one"
    );
    product_with(cpu, a, &b, start, c, b.columns());
}

/// For each of the batch a product: `c [count, m, n]` from `a`, as many matrices `[m, k]`, and `b`, as many `[k, n]`; all start alike.
///
/// # Panics
/// If the shapes don't fit.
pub fn product_batch(cpu: &Cpu, a: Matrices, b: Matrices, start: Start, c: &mut [f32]) {
    assert_eq!(
        a.count(),
        b.count(),
        "both sides of a batched product have as many matrices"
    );
    let size = a.rows().checked_mul(b.columns());
    assert_eq!(
        size.and_then(|size| size.checked_mul(a.count())),
        Some(c.len()),
        "a batched product's result has as many matrices, with the rows of the left ones and the columns of the right ones"
    );
    let size = size.unwrap_or(0);
    for (i, c) in c.chunks_exact_mut(size.max(1)).enumerate() {
        product(cpu, a.at(i), b.at(i), start, c);
    }
}

/// As [`product`], with a right matrix that need not be in memory, and a result whose rows are `row_step` values apart: row i is
/// `c[i × row_step ..]`, and what lies between two rows isn't touched.
///
/// # Panics
/// If the shapes don't fit.
pub(crate) fn product_with(
    cpu: &Cpu,
    a: Matrix,
    b: &impl Columns,
    start: Start,
    c: &mut [f32],
    row_step: usize,
) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(
        k,
        b.rows(),
        "a product's left matrix has as many columns as its right one has rows"
    );
    start.check(m, n);
    let output = &Output::new(c, m, n, row_step);
    if m == 0 || n == 0 {
        return;
    }
    let (down, along) = grid(cpu.threads(), m, k, n);
    let (height, width) = (m.div_ceil(down), n.div_ceil(along).next_multiple_of(LANES));
    cpu.spread(down * along, |i| {
        let (top, left) = (i / along * height, i % along * width);
        let rows = top.min(m)..(top + height).min(m);
        let columns = left.min(n)..(left + width).min(n);
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        // SAFETY: each part has its own rows and columns.
        #[allow(unsafe_code)]
        let output = unsafe { output.rectangle(rows, columns) };
        cpu.run(Part { a, b, start, output });
    });
}

/// Into how many parts, down and along, a product's result is cut for so many threads.
fn grid(threads: usize, m: usize, k: usize, n: usize) -> (usize, usize) {
    // What a thread is woken for must be worth it: some 20 microseconds' work for each.
    let work = m.saturating_mul(n).saturating_mul(k) >> 20;
    let threads = threads.min(work).max(1);
    // Rows are cheaper to share out if there are many, since each part packs its columns of the right matrix by itself.
    let along = if m >= n { 1 } else { threads };
    (threads / along, along)
}
