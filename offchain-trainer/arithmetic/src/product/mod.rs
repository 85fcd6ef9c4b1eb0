//! Products of matrices: `docs/arithmetic.md`, *Products*.
//!
//! c ← fma(a, b, c) along the inner dimension in ascending order, one element of the result like the other. Where the result is cut into
//! tiles, which of them are computed at once, and whether one is put down in memory halfway and taken up again, changes no bit. The inner
//! dimension must never be split between threads, nor between lanes.

mod columns;
mod matrix;

pub(crate) use columns::Columns;
pub use matrix::{Matrices, Matrix};

use crate::{Cpu, lanes::fma};

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
    if m == 0 || n == 0 {
        return;
    }
    assert!(row_step >= n, "rows of a product's result don't overlap");
    assert!(
        (m - 1)
            .checked_mul(row_step)
            .and_then(|at| at.checked_add(n))
            .is_some_and(|end| end <= c.len()),
        "a product's result [{m}, {n}] with row step {row_step} reaches beyond {} values",
        c.len()
    );
    let _ = (cpu, b.matrix());
    let mut packed = vec![0.0; n.div_ceil(16) * k * 16];
    b.pack(0..k, 0..n, 16, &mut packed);
    for (i, row) in c.chunks_mut(row_step).take(m).enumerate() {
        for (j, c) in row[..n].iter_mut().enumerate() {
            let mut sum = match start {
                Start::Zero => 0.0,
                Start::PerColumn(values) => values[j],
                Start::PerRow(values) => values[i],
                Start::Kept => *c,
            };
            for p in 0..k {
                sum = fma(a.at(i, p), packed[(j / 16 * k + p) * 16 + j % 16], sum);
            }
            *c = sum;
        }
    }
}
