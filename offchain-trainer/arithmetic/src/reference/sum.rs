//! "Sums" of the page.

use crate::lanes::{LANES, fma};

/// Σ xᵢ
pub fn sum(x: &[f32]) -> f32 {
    let mut s = [0.0; LANES];
    for i in 0..x.len() {
        s[i % LANES] += x[i];
    }
    tree(s, |a, b| a + b)
}

/// Σ xᵢ × yᵢ
pub fn dot(x: &[f32], y: &[f32]) -> f32 {
    let mut s = [0.0; LANES];
    for i in 0..x.len() {
        s[i % LANES] = fma(x[i], y[i], s[i % LANES]);
    }
    tree(s, |a, b| a + b)
}

/// The largest xᵢ.
pub fn max(x: &[f32]) -> f32 {
    let mut m = [f32::NEG_INFINITY; LANES];
    for i in 0..x.len() {
        m[i % LANES] = larger(x[i], m[i % LANES]);
    }
    tree(m, larger)
}

fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

fn tree(mut s: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            s[l] = join(s[l], s[l + half]);
        }
    }
    s[0]
}
