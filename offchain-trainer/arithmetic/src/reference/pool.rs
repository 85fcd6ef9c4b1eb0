//! Pooling, window by window.

use crate::pool::Windows;

/// For each window of each plane, in ascending order: the positions of its values, row by row.
fn windows(shape: &Windows) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for plane in 0..shape.planes {
        for y in 0..shape.out_height() {
            for x in 0..shape.out_width() {
                let mut window = Vec::new();
                for i in 0..shape.size {
                    for j in 0..shape.size {
                        let (row, column) = (y * shape.stride + i, x * shape.stride + j);
                        window.push((plane * shape.height + row) * shape.width + column);
                    }
                }
                all.push(window);
            }
        }
    }
    all
}

/// m is the window's first value, then each that is > m or NaN takes its place; which one it was, within its plane, is kept.
pub fn max(shape: &Windows, x: &[f32], y: &mut [f32], kept: &mut [u32]) {
    let plane = shape.height * shape.width;
    for (to, window) in windows(shape).iter().enumerate() {
        let mut at = window[0];
        for i in window {
            if x[*i] > x[at] || x[*i].is_nan() {
                at = *i;
            }
        }
        y[to] = x[at];
        kept[to] = (at % plane) as u32;
    }
}

/// From +0; over outputs in ascending order, dX of what was kept ← that + dY.
pub fn max_gradient(shape: &Windows, dy: &[f32], kept: &[u32], dx: &mut [f32]) {
    dx.fill(0.0);
    let (from, to) = (shape.out_height() * shape.out_width(), shape.height * shape.width);
    for i in 0..dy.len() {
        dx[i / from * to + kept[i] as usize] += dy[i];
    }
}

/// s from +0, + each; s ÷ k².
pub fn mean(shape: &Windows, x: &[f32], y: &mut [f32]) {
    let count = (shape.size * shape.size) as f32;
    for (to, window) in windows(shape).iter().enumerate() {
        let mut s = 0.0;
        for i in window {
            s += x[*i];
        }
        y[to] = s / count;
    }
}

/// From +0; over outputs in ascending order, + dY ÷ k² to each of the window.
pub fn mean_gradient(shape: &Windows, dy: &[f32], dx: &mut [f32]) {
    dx.fill(0.0);
    let count = (shape.size * shape.size) as f32;
    for (from, window) in windows(shape).iter().enumerate() {
        for i in window {
            dx[*i] += dy[from] / count;
        }
    }
}
