//! *Products*.

use crate::{
    lanes::fma,
    product::{Matrix, Start},
};

/// product(a, b, start), into `c [m, n]`.
pub fn product(a: Matrix, b: Matrix, start: Start, c: &mut [f32]) {
    for i in 0..a.rows() {
        for j in 0..b.columns() {
            let at = i * b.columns() + j;
            let mut sum = match start {
                Start::Zero => 0.0,
                Start::PerColumn(values) => values[j],
                Start::PerRow(values) => values[i],
                Start::Kept => c[at],
            };
            for p in 0..a.columns() {
                sum = fma(a.at(i, p), b.at(p, j), sum);
            }
            c[at] = sum;
        }
    }
}

/// db of a linear layer, from `dy [rows, columns]`: each column's sum, over the rows in ascending order.
pub fn column_sums(dy: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut sums = vec![0.0; columns];
    for (j, sum) in sums.iter_mut().enumerate() {
        for i in 0..rows {
            *sum += dy[i * columns + j];
        }
    }
    sums
}
