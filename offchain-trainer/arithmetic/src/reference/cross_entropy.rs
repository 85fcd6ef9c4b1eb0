//! "cross-entropy" of the page.

use super::{
    function::{exp, log},
    sum::{max, sum},
};

/// m and e of a row; e is NaN where a logit isn't finite.
fn exponentials(x: &[f32]) -> (f32, Vec<f32>) {
    let m = max(x);
    let one = |x: &f32| if x.is_finite() { exp(x - m) } else { f32::NAN };
    (m, x.iter().map(one).collect())
}

/// `log(s) + (m − x[label])` of each row.
pub fn losses(logits: &[f32], columns: usize, labels: &[i64], losses: &mut [f32]) {
    for (i, x) in logits.chunks(columns).enumerate() {
        let (m, e) = exponentials(x);
        losses[i] = log(sum(&e)) + (m - x[labels[i] as usize]);
    }
}

/// sum(losses) ÷ n
pub fn mean(losses: &[f32]) -> f32 {
    sum(losses) / losses.len() as f32
}

/// The mean's gradient: (yᵢ − tᵢ) ÷ n.
pub fn gradient(logits: &[f32], columns: usize, labels: &[i64], dx: &mut [f32]) {
    let n = labels.len() as f32;
    for (row, x) in logits.chunks(columns).enumerate() {
        let (_, e) = exponentials(x);
        let r = 1.0 / sum(&e);
        for i in 0..columns {
            let t = if labels[row] as usize == i { 1.0 } else { 0.0 };
            dx[row * columns + i] = (e[i] * r - t) / n;
        }
    }
}
