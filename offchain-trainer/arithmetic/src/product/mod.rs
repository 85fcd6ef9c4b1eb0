//! Products of matrices: `docs/arithmetic.md`, *Products*.
//!
//! c ← fma(a, b, c) along the inner dimension in ascending order, one element of the result like the other. Where the result is cut into
//! tiles, which of them are computed at once, and whether one is put down in memory halfway and taken up again, changes no bit. The inner
//! dimension must never be split between threads, nor between lanes.

mod blocks;
mod columns;
mod cut;
mod matrix;
mod output;
mod pack;
#[cfg(test)]
mod tests;
mod tile;

pub(crate) use columns::Columns;
pub use matrix::{Matrices, Matrix};

use std::cell::Cell;

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::WORTH,
};
use blocks::Part;
use output::Output;

const INNER: &str = "a product's left matrix has as many columns as its right one has rows";

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
    if size == 0 {
        return;
    }
    start.check(a.rows(), b.columns());
    assert_eq!(a.columns(), b.rows(), "{INNER}");
    let parts = useful(cpu.threads(), c.len(), a.columns());
    if parts > a.count() {
        for (i, c) in c.chunks_exact_mut(size).enumerate() {
            product(cpu, a.at(i), b.at(i), start, c);
        }
        return;
    }
    let each = a.count().div_ceil(parts);
    cpu.spread_pieces(c, each * size, |part, c| {
        for (i, c) in c.chunks_exact_mut(size).enumerate() {
            let i = part * each + i;
            let mut output = Output::new(c, a.rows(), b.columns(), b.columns());
            cpu.run(Part {
                a: a.at(i),
                b: &b.at(i),
                start,
                output: output.whole(),
            });
        }
    });
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
    assert_eq!(k, b.rows(), "{INNER}");
    start.check(m, n);
    let mut output = Output::new(c, m, n, row_step);
    if m == 0 || n == 0 {
        return;
    }
    if let Some(b) = b.matrix().filter(|b| turns(a, *b)) {
        turned(cpu, a, b, start, c, row_step);
        return;
    }
    let parts = useful(cpu.threads(), m.saturating_mul(n), k);
    if parts == 1 {
        let output = output.whole();
        cpu.run(Part { a, b, start, output });
        return;
    }
    let (down, along) = grid(parts, m, n);
    let (height, width) = (m.div_ceil(down), n.div_ceil(along).next_multiple_of(LANES));
    let output = &output;
    cpu.spread(down * along, |i| {
        let (top, left) = (i / along * height, i % along * width);
        let rows = top.min(m)..(top + height).min(m);
        let columns = left.min(n)..(left + width).min(n);
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        // SAFETY: part i alone is the cell (i ÷ along, i mod along) of a grid, whose cells begin `height` rows and `width` columns apart
        // and have at most as many: no two have a value in common. `whole` isn't called beside them.
        #[allow(unsafe_code)]
        let output = unsafe { output.rectangle(rows, columns) };
        cpu.run(Part { a, b, start, output });
    });
}

/// How many threads are worth waking for so many values of a result, over an inner dimension.
fn useful(threads: usize, values: usize, k: usize) -> usize {
    threads.min(values.saturating_mul(k) / WORTH).max(1)
}

/// Into how many pieces, down and along, a result is cut for so many threads: so that the least is packed. Each piece packs its rows of
/// the left matrix and its columns of the right one.
fn grid(threads: usize, m: usize, n: usize) -> (usize, usize) {
    let packed = |along: &usize| {
        (threads / along)
            .saturating_mul(n)
            .saturating_add(along.saturating_mul(m))
    };
    let along = (1..=threads)
        .filter(|along| threads.is_multiple_of(*along))
        .min_by_key(packed)
        .unwrap_or(1);
    (threads / along, along)
}

/// Whether Cᵀ = Bᵀ · Aᵀ is cheaper: where the right matrix would have to be transposed to be packed, and is much larger than the left one.
/// As the left matrix it is read where it is.
fn turns(a: Matrix, b: Matrix) -> bool {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    let lanes_in_use = m.div_ceil(LANES) * LANES - m <= 3;
    b.row_step() == 1 && b.column_step() > 1 && lanes_in_use && m <= 4 * LANES && n >= 2 * m && k >= 2 * LANES
}

thread_local! {
    /// What becomes of a result before it is turned back.
    static TURNED: Cell<Vec<f32>> = const { Cell::new(Vec::new()) };
}

/// The product as Cᵀ = Bᵀ · Aᵀ: a × b is b × a, so not a bit differs.
fn turned(cpu: &Cpu, a: Matrix, b: Matrix, start: Start, c: &mut [f32], row_step: usize) {
    let (m, n) = (a.rows(), b.columns());
    let mut memory = TURNED.take();
    if memory.len() < m * n {
        memory.resize(m * n, 0.0);
    }
    let turned = &mut memory[..m * n];
    let start = match start {
        Start::Zero => Start::Zero,
        Start::PerColumn(values) => Start::PerRow(values),
        Start::PerRow(values) => Start::PerColumn(values),
        Start::Kept => {
            cpu.run(Transposed((c, row_step), (m, n), (turned, m)));
            Start::Kept
        }
    };
    // Its right matrix is `a`, whose rows are too few to turn again.
    product_with(cpu, b.transposed(), &a.transposed(), start, turned, m);
    cpu.run(Transposed((turned, m), (n, m), (c, row_step)));
    TURNED.set(memory);
}

/// [`pack::transposed`].
struct Transposed<'a>((&'a [f32], usize), (usize, usize), (&'a mut [f32], usize));

impl Kernel for Transposed<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        pack::transposed(lanes, self.0, self.1, self.2);
    }
}
