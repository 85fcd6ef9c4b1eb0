//! The operations of `docs/arithmetic.md`, as the models and the vectors call them: by the reference, or by the fast ones.

mod fast;
mod reference;

use hydra_arithmetic::{
    attention::Attention, convolution::Convolution, fold::Rule, linear::Linear, optimizer::AdamW,
    pool::Windows,
};

pub use fast::Fast;
pub use reference::Reference;

/// A function of one value.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    /// eˣ
    Exp,
    /// ln x
    Log,
    /// tanh x
    Tanh,
    /// 1 ÷ (1 + e⁻ˣ)
    Sigmoid,
}

/// Every operation, with results of their own memory.
pub trait Operations {
    /// A [m, k] · B [k, n], from +0.
    fn product(&self, size: [usize; 3], a: &[f32], b: &[f32]) -> Vec<f32>;
    /// A product for each of `count` matrices on both sides.
    fn product_batch(&self, count: usize, size: [usize; 3], a: &[f32], b: &[f32]) -> Vec<f32>;
    /// Y.
    fn linear(&self, size: Linear, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32>;
    /// dX.
    fn linear_input_gradient(&self, size: Linear, dy: &[f32], w: &[f32]) -> Vec<f32>;
    /// dW and db.
    fn linear_gradients(&self, size: Linear, dy: &[f32], x: &[f32]) -> [Vec<f32>; 2];

    /// Sum, dot and max.
    fn sums(&self, x: &[f32], y: &[f32]) -> [f32; 3];
    /// Of each value.
    fn function(&self, function: Function, x: &[f32]) -> Vec<f32>;
    /// gelu(x)
    fn gelu(&self, x: &[f32]) -> Vec<f32>;
    /// Its derivative at x times dy.
    fn gelu_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32>;
    /// relu(x)
    fn relu(&self, x: &[f32]) -> Vec<f32>;
    /// dy where x isn't ≤ 0.
    fn relu_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32>;
    /// a + b
    fn add(&self, a: &[f32], b: &[f32]) -> Vec<f32>;
    /// a × b
    fn multiply(&self, a: &[f32], b: &[f32]) -> Vec<f32>;
    /// x × factor
    fn scale(&self, factor: f32, x: &[f32]) -> Vec<f32>;

    /// Of each row.
    fn softmax(&self, columns: usize, x: &[f32]) -> Vec<f32>;
    /// From what softmax gave.
    fn softmax_gradient(&self, columns: usize, y: &[f32], dy: &[f32]) -> Vec<f32>;
    /// The mean of the rows' losses, and its gradient.
    fn cross_entropy(&self, classes: usize, logits: &[f32], labels: &[usize]) -> (f32, Vec<f32>);
    /// Y.
    fn layer_norm(&self, columns: usize, epsilon: f32, x: &[f32], gamma: &[f32], beta: &[f32]) -> Vec<f32>;
    /// dX, dγ and dβ.
    fn layer_norm_gradients(
        &self,
        columns: usize,
        epsilon: f32,
        x: &[f32],
        gamma: &[f32],
        dy: &[f32],
    ) -> [Vec<f32>; 3];
    /// A row for each token.
    fn embedding(&self, columns: usize, table: &[f32], tokens: &[usize]) -> Vec<f32>;
    /// The table's gradient.
    fn embedding_gradient(&self, columns: usize, rows: usize, tokens: &[usize], dy: &[f32]) -> Vec<f32>;

    /// Y.
    fn convolution(&self, size: Convolution, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32>;
    /// dX.
    fn convolution_input_gradient(&self, size: Convolution, dy: &[f32], w: &[f32]) -> Vec<f32>;
    /// dW and db.
    fn convolution_gradients(&self, size: Convolution, dy: &[f32], x: &[f32]) -> [Vec<f32>; 2];
    /// Y, and which of its plane's values each is.
    fn max_pool(&self, size: Windows, x: &[f32]) -> (Vec<f32>, Vec<u32>);
    /// dX.
    fn max_pool_gradient(&self, size: Windows, dy: &[f32], kept: &[u32]) -> Vec<f32>;
    /// Y.
    fn mean_pool(&self, size: Windows, x: &[f32]) -> Vec<f32>;
    /// dX.
    fn mean_pool_gradient(&self, size: Windows, dy: &[f32]) -> Vec<f32>;

    /// O, from Q, K and V.
    fn attention(&self, size: Attention, qkv: [&[f32]; 3]) -> Vec<f32>;
    /// dQ, dK and dV, from Q, K and V and dO.
    fn attention_gradients(&self, size: Attention, qkv: [&[f32]; 3], d_o: &[f32]) -> [Vec<f32>; 3];

    /// A step.
    fn sgd(&self, rate: f32, gradient: &[f32], weights: &mut [f32]);
    /// A step.
    fn sgd_with_momentum(
        &self,
        rate: f32,
        momentum: f32,
        gradient: &[f32],
        velocity: &mut [f32],
        weights: &mut [f32],
    );
    /// Step number `step`, from 1, with the means m and v.
    fn adam_w(
        &self,
        step: usize,
        settings: AdamW,
        gradient: &[f32],
        means: [&mut [f32]; 2],
        weights: &mut [f32],
    );

    /// What weights become of those that were, `base`, by updates with their weights; with m, where one is kept.
    fn fold(&self, rule: Rule, base: &[f32], updates: &[(f64, &[f32])], kept: Option<&mut [f32]>)
    -> Vec<f32>;
}
