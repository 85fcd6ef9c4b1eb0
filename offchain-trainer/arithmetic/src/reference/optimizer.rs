//! SGD and AdamW, value by value.

use crate::lanes::fma;

/// `w ← fma(−η, g, w)`
pub fn sgd(rate: f32, gradient: &[f32], weights: &mut [f32]) {
    for i in 0..weights.len() {
        weights[i] = fma(-rate, gradient[i], weights[i]);
    }
}

/// `m ← fma(μ, m, g)`; `w ← fma(−η, m, w)`
pub fn sgd_with_momentum(
    rate: f32,
    momentum: f32,
    gradient: &[f32],
    velocity: &mut [f32],
    weights: &mut [f32],
) {
    for i in 0..weights.len() {
        velocity[i] = fma(momentum, velocity[i], gradient[i]);
        weights[i] = fma(-rate, velocity[i], weights[i]);
    }
}

/// AdamW's step number `step`, from 1, with η, β₁, β₂, ε and λ.
pub fn adam_w(
    step: u64,
    [rate, beta1, beta2, epsilon, decay]: [f64; 5],
    gradient: &[f32],
    mean: &mut [f32],
    square: &mut [f32],
    weights: &mut [f32],
) {
    let (mut b1, mut b2) = (1.0, 1.0);
    for _ in 0..step {
        b1 *= beta1;
        b2 *= beta2;
    }
    let a = (rate / (1.0 - b1)) as f32;
    let c = (1.0 / (1.0 - b2).sqrt()) as f32;
    let k = (1.0 - rate * decay) as f32;
    let (u1, u2) = ((1.0 - beta1) as f32, (1.0 - beta2) as f32);
    let (beta1, beta2, epsilon) = (beta1 as f32, beta2 as f32, epsilon as f32);
    for i in 0..weights.len() {
        let g = gradient[i];
        mean[i] = fma(beta1, mean[i], u1 * g);
        square[i] = fma(beta2, square[i], u2 * (g * g));
        let q = fma(square[i].sqrt(), c, epsilon);
        weights[i] = fma(-a, mean[i] / q, weights[i] * k);
    }
}
