//! "softmax" of the page.

use super::{
    function::exp,
    sum::{dot, max, sum},
};

/// yᵢ = eᵢ × (1 ÷ sum(e)), eᵢ = exp(xᵢ − max(x)), of each row.
pub fn forward(x: &[f32], columns: usize, y: &mut [f32]) {
    for (x, y) in x.chunks(columns).zip(y.chunks_mut(columns)) {
        let m = max(x);
        let e: Vec<f32> = x.iter().map(|x| exp(x - m)).collect();
        let r = 1.0 / sum(&e);
        for i in 0..columns {
            y[i] = e[i] * r;
        }
    }
}

/// dxᵢ = yᵢ × (dyᵢ − dot(dy, y)), of each row.
pub fn gradient(dy: &[f32], y: &[f32], columns: usize, dx: &mut [f32]) {
    for ((dy, y), dx) in dy
        .chunks(columns)
        .zip(y.chunks(columns))
        .zip(dx.chunks_mut(columns))
    {
        let d = dot(dy, y);
        for i in 0..columns {
            dx[i] = y[i] * (dy[i] - d);
        }
    }
}
