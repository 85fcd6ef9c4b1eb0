//! By the lanes of a level, on a number of threads.

use hydra_arithmetic::{
    Cpu,
    attention::Attention,
    canonical_bits,
    convolution::Convolution,
    cross_entropy, elementwise, embedding,
    fold::{Folding, Rule, fold},
    function, layer_norm,
    linear::Linear,
    optimizer::{self, AdamW, AdamWSteps},
    pool::{self, Windows},
    product::{Matrices, Matrix, Start, product, product_batch},
    softmax, sum,
};

use super::{Function, Operations};

/// The fast operations, computed by a [`Cpu`].
pub struct Fast(pub Cpu);

fn filled(count: usize, fill: impl FnOnce(&mut [f32])) -> Vec<f32> {
    // What an operation doesn't write shows in the hash.
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

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().copied().map(canonical_bits).collect()
}

/// So many values of an update come at a time: enough for several threads.
const PIECE: usize = 20_011;

fn as_i64(tokens: &[usize]) -> Vec<i64> {
    tokens.iter().map(|token| *token as i64).collect()
}

impl Operations for Fast {
    fn product(&self, [m, k, n]: [usize; 3], a: &[f32], b: &[f32]) -> Vec<f32> {
        let (a, b) = (Matrix::new(a, m, k), Matrix::new(b, k, n));
        filled(m * n, |c| product(&self.0, a, b, Start::Zero, c))
    }

    fn product_batch(&self, count: usize, [m, k, n]: [usize; 3], a: &[f32], b: &[f32]) -> Vec<f32> {
        let (a, b) = (Matrices::new(a, count, m, k), Matrices::new(b, count, k, n));
        filled(count * m * n, |c| product_batch(&self.0, a, b, Start::Zero, c))
    }

    fn linear(&self, size: Linear, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        filled(size.samples * size.outputs, |y| {
            size.forward(&self.0, x, w, bias, y)
        })
    }

    fn linear_input_gradient(&self, size: Linear, dy: &[f32], w: &[f32]) -> Vec<f32> {
        filled(size.samples * size.inputs, |dx| {
            size.input_gradient(&self.0, dy, w, dx)
        })
    }

    fn linear_gradients(&self, size: Linear, dy: &[f32], x: &[f32]) -> [Vec<f32>; 2] {
        [
            filled(size.outputs * size.inputs, |dw| {
                size.weight_gradient(&self.0, dy, x, dw)
            }),
            filled(size.outputs, |db| size.bias_gradient(&self.0, dy, db)),
        ]
    }

    fn sums(&self, x: &[f32], y: &[f32]) -> [f32; 3] {
        [
            sum::sum(&self.0, x),
            sum::dot(&self.0, x, y),
            sum::max(&self.0, x),
        ]
    }

    fn function(&self, function: Function, x: &[f32]) -> Vec<f32> {
        let of = match function {
            Function::Exp => function::exp,
            Function::Log => function::log,
            Function::Tanh => function::tanh,
            Function::Sigmoid => function::sigmoid,
        };
        filled(x.len(), |y| of(&self.0, x, y))
    }

    fn gelu(&self, x: &[f32]) -> Vec<f32> {
        filled(x.len(), |y| function::gelu(&self.0, x, y))
    }

    fn gelu_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        filled(x.len(), |dx| function::gelu_gradient(&self.0, x, dy, dx))
    }

    fn relu(&self, x: &[f32]) -> Vec<f32> {
        filled(x.len(), |y| elementwise::relu(&self.0, x, y))
    }

    fn relu_gradient(&self, x: &[f32], dy: &[f32]) -> Vec<f32> {
        filled(x.len(), |dx| elementwise::relu_gradient(&self.0, x, dy, dx))
    }

    fn add(&self, a: &[f32], b: &[f32]) -> Vec<f32> {
        filled(a.len(), |c| elementwise::add(&self.0, a, b, c))
    }

    fn multiply(&self, a: &[f32], b: &[f32]) -> Vec<f32> {
        filled(a.len(), |c| elementwise::multiply(&self.0, a, b, c))
    }

    fn scale(&self, factor: f32, x: &[f32]) -> Vec<f32> {
        filled(x.len(), |y| elementwise::scale(&self.0, factor, x, y))
    }

    fn softmax(&self, columns: usize, x: &[f32]) -> Vec<f32> {
        filled(x.len(), |y| softmax::forward(&self.0, x, columns, y))
    }

    fn softmax_gradient(&self, columns: usize, y: &[f32], dy: &[f32]) -> Vec<f32> {
        filled(y.len(), |dx| softmax::gradient(&self.0, dy, y, columns, dx))
    }

    fn cross_entropy(&self, classes: usize, logits: &[f32], labels: &[usize]) -> (f32, Vec<f32>) {
        let mut losses = vec![f32::NAN; labels.len()];
        let dx = filled(logits.len(), |dx| {
            cross_entropy::gradient(&self.0, logits, classes, &as_i64(labels), &mut losses, dx);
        });
        (cross_entropy::mean(&self.0, &losses), dx)
    }

    fn layer_norm(&self, columns: usize, epsilon: f32, x: &[f32], gamma: &[f32], beta: &[f32]) -> Vec<f32> {
        let mut statistics = vec![[f32::NAN; 2]; x.len() / columns];
        filled(x.len(), |y| {
            layer_norm::forward(&self.0, x, gamma, beta, epsilon, y, &mut statistics);
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
        layer_norm::forward(&self.0, x, gamma, &zeros, epsilon, &mut y, &mut statistics);
        let [mut d_gamma, mut d_beta] = [vec![f32::NAN; columns], vec![f32::NAN; columns]];
        let dx = filled(x.len(), |dx| {
            let of_weights = [&mut d_gamma[..], &mut d_beta];
            layer_norm::gradient(&self.0, dy, x, gamma, &statistics, dx, of_weights);
        });
        [dx, d_gamma, d_beta]
    }

    fn embedding(&self, columns: usize, table: &[f32], tokens: &[usize]) -> Vec<f32> {
        filled(tokens.len() * columns, |to| {
            embedding::forward(&self.0, table, columns, &as_i64(tokens), to);
        })
    }

    fn embedding_gradient(&self, columns: usize, rows: usize, tokens: &[usize], dy: &[f32]) -> Vec<f32> {
        filled(rows * columns, |d_table| {
            embedding::gradient(&self.0, dy, columns, &as_i64(tokens), d_table);
        })
    }

    fn convolution(&self, size: Convolution, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
        filled(size.samples * size.output_size(), |y| {
            size.forward(&self.0, x, w, Some(bias), y)
        })
    }

    fn convolution_input_gradient(&self, size: Convolution, dy: &[f32], w: &[f32]) -> Vec<f32> {
        filled(size.samples * size.input_size(), |dx| {
            size.input_gradient(&self.0, dy, w, dx);
        })
    }

    fn convolution_gradients(&self, size: Convolution, dy: &[f32], x: &[f32]) -> [Vec<f32>; 2] {
        [
            filled(size.outputs * size.terms(), |dw| {
                size.weight_gradient(&self.0, dy, x, dw)
            }),
            filled(size.outputs, |db| size.bias_gradient(&self.0, dy, db)),
        ]
    }

    fn max_pool(&self, size: Windows, x: &[f32]) -> (Vec<f32>, Vec<u32>) {
        let mut kept = vec![u32::MAX; outputs(size)];
        let y = filled(kept.len(), |y| pool::max(&self.0, &size, x, y, &mut kept));
        (y, kept)
    }

    fn max_pool_gradient(&self, size: Windows, dy: &[f32], kept: &[u32]) -> Vec<f32> {
        filled(inputs(size), |dx| {
            pool::max_gradient(&self.0, &size, dy, kept, dx)
        })
    }

    fn mean_pool(&self, size: Windows, x: &[f32]) -> Vec<f32> {
        filled(outputs(size), |y| pool::mean(&self.0, &size, x, y))
    }

    fn mean_pool_gradient(&self, size: Windows, dy: &[f32]) -> Vec<f32> {
        filled(inputs(size), |dx| pool::mean_gradient(&self.0, &size, dy, dx))
    }

    fn attention(&self, size: Attention, [q, k, v]: [&[f32]; 3]) -> Vec<f32> {
        let mut p = vec![f32::NAN; size.count * size.length * size.length];
        filled(q.len(), |o| size.forward(&self.0, q, k, v, &mut p, o))
    }

    fn attention_gradients(&self, size: Attention, [q, k, v]: [&[f32]; 3], d_o: &[f32]) -> [Vec<f32>; 3] {
        let mut p = vec![f32::NAN; size.count * size.length * size.length];
        let _ = filled(q.len(), |o| size.forward(&self.0, q, k, v, &mut p, o));
        let [mut dq, mut dk, mut dv] = [q, k, v].map(|values| vec![f32::NAN; values.len()]);
        size.gradient(&self.0, (q, k, v), &p, d_o, (&mut dq, &mut dk, &mut dv));
        [dq, dk, dv]
    }

    fn sgd(&self, rate: f32, gradient: &[f32], weights: &mut [f32]) {
        optimizer::sgd(&self.0, rate, gradient, weights);
    }

    fn sgd_with_momentum(
        &self,
        rate: f32,
        momentum: f32,
        gradient: &[f32],
        velocity: &mut [f32],
        weights: &mut [f32],
    ) {
        optimizer::sgd_with_momentum(&self.0, rate, momentum, gradient, velocity, weights);
    }

    fn adam_w(
        &self,
        step: usize,
        settings: AdamW,
        gradient: &[f32],
        [mean, square]: [&mut [f32]; 2],
        weights: &mut [f32],
    ) {
        let mut steps = AdamWSteps::new(settings);
        let mut constants = steps.next_step();
        for _ in 1..step {
            constants = steps.next_step();
        }
        constants.take(&self.0, gradient, mean, square, weights);
    }

    /// In both ways: update after update, each in pieces, and all at once.
    fn fold(
        &self,
        rule: Rule,
        base: &[f32],
        updates: &[(f64, &[f32])],
        mut kept: Option<&mut [f32]>,
    ) -> Vec<f32> {
        let mut kept_by_pieces = kept.as_deref().map(<[f32]>::to_vec);
        let mut folding = Folding::new(rule, base);
        for (weight, update) in updates {
            folding.next_update(*weight);
            for values in update.chunks(PIECE) {
                folding.add(&self.0, values);
            }
        }
        let by_pieces = filled(base.len(), |weights| {
            folding.finish(&self.0, kept_by_pieces.as_deref_mut(), weights);
        });
        let weights = filled(base.len(), |weights| {
            fold(&self.0, rule, base, updates, kept.as_deref_mut(), weights);
        });
        let kept_alike = kept.as_deref().map(bits) == kept_by_pieces.as_deref().map(bits);
        assert!(
            kept_alike && bits(&weights) == bits(&by_pieces),
            "updates in pieces come to something else than all at once"
        );
        weights
    }
}
