//! "layer norm" of the page.

use super::sum::{dot, sum};
use crate::lanes::fma;

/// y, and μ and r of each row.
pub fn forward(
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    y: &mut [f32],
    statistics: &mut [[f32; 2]],
) {
    let n = gamma.len();
    for row in 0..statistics.len() {
        let x = &x[row * n..][..n];
        let mean = sum(x) / n as f32;
        let d: Vec<f32> = x.iter().map(|x| x - mean).collect();
        let v = dot(&d, &d) / n as f32;
        let r = 1.0 / (v + epsilon).sqrt();
        for i in 0..n {
            y[row * n + i] = fma(d[i] * r, gamma[i], beta[i]);
        }
        statistics[row] = [mean, r];
    }
}

/// dx, dγ and dβ.
pub fn gradient(
    dy: &[f32],
    x: &[f32],
    gamma: &[f32],
    statistics: &[[f32; 2]],
    dx: &mut [f32],
    [d_gamma, d_beta]: [&mut [f32]; 2],
) {
    let n = gamma.len();
    d_gamma.fill(0.0);
    d_beta.fill(0.0);
    for (row, [mean, r]) in statistics.iter().enumerate() {
        let (dy, x) = (&dy[row * n..][..n], &x[row * n..][..n]);
        let normal: Vec<f32> = x.iter().map(|x| (x - mean) * r).collect();
        let g: Vec<f32> = (0..n).map(|i| dy[i] * gamma[i]).collect();
        let a = sum(&g) / n as f32;
        let b = dot(&g, &normal) / n as f32;
        for i in 0..n {
            dx[row * n + i] = r * ((g[i] - a) - normal[i] * b);
            d_gamma[i] = fma(dy[i], normal[i], d_gamma[i]);
            d_beta[i] += dy[i];
        }
    }
}
