//! By the module `reference`, which is the page as code.

use hydra_arithmetic::{
    attention::Attention,
    convolution::Convolution,
    fold::Rule,
    linear::Linear,
    optimizer::AdamW,
    pool::Windows,
    product::{Matrices, Matrix, Start},
    reference::{
        attention, convolution, cross_entropy, embedding, fold, function, layer_norm, optimizer, pool,
        product, softmax, sum,
    },
};

use super::{Function, Operations};

/// The operations of the module `reference`.
pub struct Reference;

fn filled(count: usize, fill: impl FnOnce(&mut [f32])) -> Vec<f32> {
    let mut values = vec![f32::NAN; count];
    fill(&mut values);
    values
}

fn inputs(size: Windows) -> usize {
    size.planes * size.height * size.width
}

fn outputs(size: Windows) -> usize {
    size.planes * size.out_height() * size.out_width()
}

fn as_i64(tokens: &[usize]) -> Vec<i64> {
    tokens.iter().map(|token| *token as i64).collect()
}

fn each(x: &[f32], of: impl Fn(f32) -> f32) -> Vec<f32> {
    x.iter().map(|x| of(*x)).collect()
}

fn both(x: &[f32], y: &[f32], of: impl Fn(f32, f32) -> f32) -> Vec<f32> {
    x.iter().zip(y).map(|(x, y)| of(*x, *y)).collect()
}

impl Operations for Reference {
    fn product(&self, [m, k, n]: [usize; 3], a: &[f32], b: &[f32]) -> Vec<f32> {
        let (a, b) = (Matrix::new(a, m, k), Matrix::new(b, k, n));
        filled(m * n, |c| product::product(a, b, Start::Zero, c))
    }

    fn product_batch(&self, count: usize, [m, k, n]: [usize; 3], a: &[f32], b: &[f32]) -> Vec<f32> {
        let (a, b) = (Matrices::new(a, count, m, k), Matrices::new(b, count, k, n));
        let each = |i: usize| filled(m * n, |c| product::product(a.at(i), b.at(i), Start::Zero, c));
        (0..count).flat_map(each).collect()
    }

    fn linear(&self, size: Linear, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let x = Matrix::new(x, size.samples, size.inputs);
        let w = Matrix::new(w, size.outputs, size.inputs);
        let start = bias.map_or(Start::Zero, Start::PerColumn);
        filled(size.samples * size.outputs, |y| {
            product::product(x, w.transposed(), start, y);
        })
    }

    fn linear_input_gradient(&self, size: Linear, dy: &[f32], w: &[f32]) -> Vec<f32> {
        let dy = Matrix::new(dy, size.samples, size.outputs);
        let w = Matrix::new(w, size.outputs, size.inputs);
        filled(size.samples * size.inputs, |dx| {
            product::product(dy, w, Start::Zero, dx)
        })
    }

    fn linear_gradients(&self, size: Linear, dy: &[f32], x: &[f32]) -> [Vec<f32>; 2] {
        let of_y = Matrix::new(dy, size.samples, size.outputs);
        let x = Matrix::new(x, size.samples, size.inputs);
        let dw = filled(size.outputs * size.inputs, |dw| {
            product::product(of_y.transposed(), x, Start::Zero, dw);
        });
        [dw, product::column_sums(dy, size.samples, size.outputs)]
    }

    fn sums(&self, x: &[f32], y: &[f32]) -> [f32; 3] {
        [sum::sum(x), sum::dot(x, y), sum::max(x)]
    }

    fn function(&self, function: Function, x: &[f32]) -> Vec<f32> {
        each(
            x,
            match function {
                Function::Exp => function::exp,
                Function::Log => function::log,
                Function::Tanh => function::tanh,
                Function::Sigmoid => function::sigmoid,
            },
        )
    }

    fn gelu(&self, x: &[f32]) -> Vec<f32> {
        each(x, function::gelu)
    }

    fn gelu_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        both(x, dy, |x, dy| dy * function::gelu_derivative(x))
    }

    fn relu(&self, x: &[f32]) -> Vec<f32> {
        each(x, |x| if x <= 0.0 { 0.0 } else { x })
    }

    fn relu_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        both(x, dy, |x, dy| if x <= 0.0 { 0.0 } else { dy })
    }

    fn add(&self, a: &[f32], b: &[f32]) -> Vec<f32> {
        both(a, b, |a, b| a + b)
    }

    fn multiply(&self, a: &[f32], b: &[f32]) -> Vec<f32> {
        both(a, b, |a, b| a * b)
    }

    fn scale(&self, factor: f32, x: &[f32]) -> Vec<f32> {
        each(x, |x| x * factor)
    }

    fn softmax(&self, columns: usize, x: &[f32]) -> Vec<f32> {
        filled(x.len(), |y| softmax::forward(x, columns, y))
    }

    fn softmax_gradient(&self, columns: usize, y: &[f32], dy: &[f32]) -> Vec<f32> {
        filled(y.len(), |dx| softmax::gradient(dy, y, columns, dx))
    }

    fn cross_entropy(&self, classes: usize, logits: &[f32], labels: &[usize]) -> (f32, Vec<f32>) {
        let labels = as_i64(labels);
        let losses = filled(labels.len(), |losses| {
            cross_entropy::losses(logits, classes, &labels, losses);
        });
        let dx = filled(logits.len(), |dx| {
            cross_entropy::gradient(logits, classes, &labels, dx);
        });
        (cross_entropy::mean(&losses), dx)
    }

    fn layer_norm(&self, columns: usize, epsilon: f32, x: &[f32], gamma: &[f32], beta: &[f32]) -> Vec<f32> {
        let mut statistics = vec![[f32::NAN; 2]; x.len() / columns];
        filled(x.len(), |y| {
            layer_norm::forward(x, gamma, beta, epsilon, y, &mut statistics);
        })
    }

    fn layer_norm_gradients(
        &self,
        columns: usize,
        epsilon: f32,
        x: &[f32],
        gamma: &[f32],
        dy: &[f32],
    ) -> [Vec<f32>; 3] {
        let mut statistics = vec![[f32::NAN; 2]; x.len() / columns];
        let mut y = vec![f32::NAN; x.len()];
        let zeros = vec![0.0; columns];
        layer_norm::forward(x, gamma, &zeros, epsilon, &mut y, &mut statistics);
        let [mut d_gamma, mut d_beta] = [vec![f32::NAN; columns], vec![f32::NAN; columns]];
        let dx = filled(x.len(), |dx| {
            let of_weights = [&mut d_gamma[..], &mut d_beta];
            layer_norm::gradient(dy, x, gamma, &statistics, dx, of_weights);
        });
        [dx, d_gamma, d_beta]
    }

    fn embedding(&self, columns: usize, table: &[f32], tokens: &[usize]) -> Vec<f32> {
        filled(tokens.len() * columns, |to| {
            embedding::forward(table, columns, &as_i64(tokens), to);
        })
    }

    fn embedding_gradient(&self, columns: usize, rows: usize, tokens: &[usize], dy: &[f32]) -> Vec<f32> {
        filled(rows * columns, |d_table| {
            embedding::gradient(dy, columns, &as_i64(tokens), d_table);
        })
    }

    fn convolution(&self, size: Convolution, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
        convolution::forward(size, x, w, Some(bias))
    }

    fn convolution_input_gradient(&self, size: Convolution, dy: &[f32], w: &[f32]) -> Vec<f32> {
        convolution::input_gradient(size, dy, w)
    }

    fn convolution_gradients(&self, size: Convolution, dy: &[f32], x: &[f32]) -> [Vec<f32>; 2] {
        [
            convolution::weight_gradient(size, dy, x),
            convolution::bias_gradient(size, dy),
        ]
    }

    fn max_pool(&self, size: Windows, x: &[f32]) -> (Vec<f32>, Vec<u32>) {
        let mut kept = vec![u32::MAX; outputs(size)];
        let y = filled(kept.len(), |y| pool::max(&size, x, y, &mut kept));
        (y, kept)
    }

    fn max_pool_gradient(&self, size: Windows, dy: &[f32], kept: &[u32]) -> Vec<f32> {
        filled(inputs(size), |dx| pool::max_gradient(&size, dy, kept, dx))
    }

    fn mean_pool(&self, size: Windows, x: &[f32]) -> Vec<f32> {
        filled(outputs(size), |y| pool::mean(&size, x, y))
    }

    fn mean_pool_gradient(&self, size: Windows, dy: &[f32]) -> Vec<f32> {
        filled(inputs(size), |dx| pool::mean_gradient(&size, dy, dx))
    }

    fn attention(&self, size: Attention, [q, k, v]: [&[f32]; 3]) -> Vec<f32> {
        let (_, o) = attention::forward(size, q, k, v);
        o
    }

    fn attention_gradients(&self, size: Attention, [q, k, v]: [&[f32]; 3], d_o: &[f32]) -> [Vec<f32>; 3] {
        let (p, _) = attention::forward(size, q, k, v);
        let (dq, dk, dv) = attention::gradient(size, (q, k, v), &p, d_o);
        [dq, dk, dv]
    }

    fn sgd(&self, rate: f32, gradient: &[f32], weights: &mut [f32]) {
        optimizer::sgd(rate, gradient, weights);
    }

    fn sgd_with_momentum(
        &self,
        rate: f32,
        momentum: f32,
        gradient: &[f32],
        velocity: &mut [f32],
        weights: &mut [f32],
    ) {
        optimizer::sgd_with_momentum(rate, momentum, gradient, velocity, weights);
    }

    fn adam_w(
        &self,
        step: usize,
        settings: AdamW,
        gradient: &[f32],
        [mean, square]: [&mut [f32]; 2],
        weights: &mut [f32],
    ) {
        let AdamW {
            rate,
            beta1,
            beta2,
            epsilon,
            decay,
        } = settings;
        let settings = [rate, beta1, beta2, epsilon, decay];
        optimizer::adam_w(step as u64, settings, gradient, mean, square, weights);
    }

    fn fold(
        &self,
        rule: Rule,
        base: &[f32],
        updates: &[(f64, &[f32])],
        kept: Option<&mut [f32]>,
    ) -> Vec<f32> {
        let mut weights = base.to_vec();
        fold::fold(rule, updates, kept, &mut weights);
        weights
    }
}
