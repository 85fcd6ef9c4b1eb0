//! What every operation comes to on small arrays, and some on arrays large enough to be shared out to threads: the same bytes wherever the
//! arithmetic is computed as `docs/arithmetic.md` says.
//!
//! Sizes are odd, or one more than what lanes and blocks hold, so that what is left over at their ends is there, too. Must never
//! change between releases of one version of the arithmetic: another answer is another version.

use crate::{
    Cpu,
    attention::Attention,
    canonical_bits,
    convolution::Convolution,
    cross_entropy, elementwise, embedding,
    fold::{Rule, fold},
    function, layer_norm,
    linear::Linear,
    optimizer::{self, AdamW, AdamWSteps},
    pieces::{SMALL, WORTH},
    pool::{self, Windows},
    product::{Matrices, Matrix, Start, product, product_batch},
    softmax, sum,
};

/// The bits of all that the operations come to, 4 bytes each, little-endian, every NaN alike: about half a megabyte, of some eight million
/// multiply-adds.
///
/// The numbers of this answer have no meaning but to be the same everywhere.
pub fn known_answer(cpu: &Cpu) -> Vec<u8> {
    let mut answer = Answer {
        cpu,
        state: 2026,
        bytes: Vec::new(),
    };
    answer.sums();
    answer.functions();
    answer.products();
    answer.linear_layers();
    answer.rows();
    answer.convolutions();
    answer.pooling();
    answer.attention();
    answer.optimizers();
    answer.folding();
    answer.of_several_threads();
    answer.bytes
}

/// Lengths around what lanes hold.
const LENGTHS: [usize; 6] = [0, 1, 15, 16, 17, 331];

/// Where functions and comparisons change what they do, or have nothing to say.
const SPECIAL: [f32; 20] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    f32::from_bits(1),
    f32::from_bits(0x8000_0001),
    f32::from_bits(0x007f_ffff),
    88.7,
    -87.4,
    -103.9,
    9.1,
    -9.1,
    1e9,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

/// Rows, inner dimension and columns of a product that up to four threads share.
const LARGE: [usize; 3] = [131, 257, 131];

/// Weights of a step that several threads share.
const MANY: usize = 40_000;

// Else no thread but the calling one would be tested.
const _: () = assert!(LARGE[0] * LARGE[1] * LARGE[2] >= 4 * WORTH && MANY > 2 * SMALL);

struct Answer<'a> {
    cpu: &'a Cpu,
    state: u64,
    bytes: Vec<u8>,
}

impl Answer<'_> {
    /// Values of about normal size: a linear congruential generator's upper 24 bits, less their half.
    fn values(&mut self, count: usize) -> Vec<f32> {
        let mut next = || {
            // Knuth's MMIX.
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((self.state >> 40) as i32 - (1 << 23)) as f32 / (1 << 22) as f32
        };
        (0..count).map(|_| next()).collect()
    }

    /// Indices below `end`.
    fn indices(&mut self, count: usize, end: i64) -> Vec<i64> {
        let values = self.values(count);
        values
            .into_iter()
            .map(|value| i64::from(value.to_bits()) % end)
            .collect()
    }

    fn say(&mut self, values: &[f32]) {
        let bytes = values
            .iter()
            .flat_map(|value| canonical_bits(*value).to_le_bytes());
        self.bytes.extend(bytes);
    }

    /// What `compute` leaves in so many values.
    fn say_of(&mut self, count: usize, compute: impl FnOnce(&Cpu, &mut [f32])) -> Vec<f32> {
        let mut values = vec![0.0; count];
        compute(self.cpu, &mut values);
        self.say(&values);
        values
    }

    fn sums(&mut self) {
        for length in LENGTHS {
            let (x, y) = (self.values(length), self.values(length));
            let cpu = self.cpu;
            self.say(&[sum::sum(cpu, &x), sum::dot(cpu, &x, &y), sum::max(cpu, &x)]);
        }
    }

    fn functions(&mut self) {
        let mut x = SPECIAL.to_vec();
        // Down to where exp and tanh are no numbers of their own, and up to the same.
        for scale in [1e-3, 1.0, 10.0, 60.0] {
            x.extend(self.values(331).into_iter().map(|value| value * scale));
        }
        let dy = self.values(x.len());
        let n = x.len();
        self.say_of(n, |cpu, y| function::exp(cpu, &x, y));
        self.say_of(n, |cpu, y| function::log(cpu, &x, y));
        self.say_of(n, |cpu, y| function::tanh(cpu, &x, y));
        self.say_of(n, |cpu, y| function::sigmoid(cpu, &x, y));
        self.say_of(n, |cpu, y| function::gelu(cpu, &x, y));
        self.say_of(n, |cpu, y| function::gelu_derivative(cpu, &x, y));
        self.say_of(n, |cpu, dx| function::gelu_gradient(cpu, &x, &dy, dx));
        self.say_of(n, |cpu, y| elementwise::relu(cpu, &x, y));
        self.say_of(n, |cpu, dx| elementwise::relu_gradient(cpu, &x, &dy, dx));
        self.say_of(n, |cpu, z| elementwise::add(cpu, &x, &dy, z));
        self.say_of(n, |cpu, z| elementwise::multiply(cpu, &x, &dy, z));
        self.say_of(n, |cpu, y| elementwise::scale(cpu, 0.3, &x, y));
    }

    fn products(&mut self) {
        for (m, k, n) in [(1, 1, 1), (3, 0, 5), (5, 7, 3), (33, 300, 49), (7, 530, 33)] {
            let (a, b, c) = (self.values(m * k), self.values(k * n), self.values(m * n));
            let (by_row, by_column) = (self.values(m), self.values(n));
            let (left, right) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
            // The same memory as the matrices that lie across it.
            let across = (
                Matrix::new(&a, k, m).transposed(),
                Matrix::new(&b, n, k).transposed(),
            );
            self.say_of(m * n, |cpu, c| product(cpu, left, right, Start::Zero, c));
            self.say_of(m * n, |cpu, c| {
                product(cpu, left, across.1, Start::PerColumn(&by_column), c);
            });
            self.say_of(m * n, |cpu, c| {
                product(cpu, across.0, right, Start::PerRow(&by_row), c);
            });
            self.say_of(m * n, |cpu, to| {
                to.copy_from_slice(&c);
                product(cpu, across.0, across.1, Start::Kept, to);
            });
        }
        let (count, m, k, n) = (3, 5, 17, 19);
        let (a, b) = (self.values(count * m * k), self.values(count * k * n));
        let (a, b) = (Matrices::new(&a, count, m, k), Matrices::new(&b, count, k, n));
        self.say_of(count * m * n, |cpu, c| product_batch(cpu, a, b, Start::Zero, c));
    }

    fn linear_layers(&mut self) {
        for (samples, inputs, outputs) in [(1, 3, 2), (37, 63, 45), (5, 17, 67)] {
            let layer = Linear {
                samples,
                inputs,
                outputs,
            };
            let (x, w) = (self.values(samples * inputs), self.values(outputs * inputs));
            let (bias, dy) = (self.values(outputs), self.values(samples * outputs));
            self.say_of(dy.len(), |cpu, y| layer.forward(cpu, &x, &w, Some(&bias), y));
            self.say_of(dy.len(), |cpu, y| layer.forward(cpu, &x, &w, None, y));
            self.say_of(x.len(), |cpu, dx| layer.input_gradient(cpu, &dy, &w, dx));
            self.say_of(w.len(), |cpu, dw| layer.weight_gradient(cpu, &dy, &x, dw));
            self.say_of(outputs, |cpu, db| layer.bias_gradient(cpu, &dy, db));
        }
    }

    fn rows(&mut self) {
        for (rows, columns) in [(3, 1), (5, 10), (4, 16), (3, 77)] {
            let n = rows * columns;
            let (x, dy) = (self.values(n), self.values(n));
            let y = self.say_of(n, |cpu, y| softmax::forward(cpu, &x, columns, y));
            self.say_of(n, |cpu, dx| softmax::gradient(cpu, &dy, &y, columns, dx));

            let labels = self.indices(rows, columns as i64);
            let cpu = self.cpu;
            let (mut losses, mut dx) = (vec![0.0; rows], vec![0.0; n]);
            cross_entropy::losses(cpu, &x, columns, &labels, &mut losses);
            self.say(&losses);
            self.say(&[cross_entropy::mean(cpu, &losses)]);
            cross_entropy::gradient(cpu, &x, columns, &labels, &mut losses, &mut dx);
            self.say(&losses);
            self.say(&dx);

            let (gamma, beta) = (self.values(columns), self.values(columns));
            let mut statistics = vec![[0.0; 2]; rows];
            self.say_of(n, |cpu, y| {
                layer_norm::forward(cpu, &x, &gamma, &beta, 1e-5, y, &mut statistics);
            });
            let (mut d_gamma, mut d_beta) = (vec![0.0; columns], vec![0.0; columns]);
            self.say_of(n, |cpu, dx| {
                let parameters = [&mut d_gamma[..], &mut d_beta[..]];
                layer_norm::gradient(cpu, &dy, &x, &gamma, &statistics, dx, parameters);
            });
            self.say(&d_gamma);
            self.say(&d_beta);
        }
        let (entries, columns, positions) = (7, 19, 23);
        let tokens = self.indices(positions, entries as i64);
        let (table, dy) = (self.values(entries * columns), self.values(positions * columns));
        self.say_of(dy.len(), |cpu, y| {
            embedding::forward(cpu, &table, columns, &tokens, y);
        });
        self.say_of(table.len(), |cpu, d_table| {
            embedding::gradient(cpu, &dy, columns, &tokens, d_table);
        });
    }

    fn convolutions(&mut self) {
        for (kernel, stride, padding) in [((3, 3), 1, 1), ((3, 2), 2, 1), ((1, 1), 1, 0), ((5, 4), 3, 2)] {
            let layer = Convolution {
                samples: 2,
                inputs: 3,
                height: 11,
                width: 21,
                outputs: 5,
                kernel,
                stride,
                padding,
            };
            let (x, w) = (
                self.values(layer.samples * layer.input_size()),
                self.values(layer.outputs * layer.terms()),
            );
            let (bias, dy) = (
                self.values(layer.outputs),
                self.values(layer.samples * layer.output_size()),
            );
            self.say_of(dy.len(), |cpu, y| layer.forward(cpu, &x, &w, Some(&bias), y));
            self.say_of(dy.len(), |cpu, y| layer.forward(cpu, &x, &w, None, y));
            self.say_of(x.len(), |cpu, dx| layer.input_gradient(cpu, &dy, &w, dx));
            self.say_of(w.len(), |cpu, dw| layer.weight_gradient(cpu, &dy, &x, dw));
            self.say_of(bias.len(), |cpu, db| layer.bias_gradient(cpu, &dy, db));
        }
    }

    fn pooling(&mut self) {
        for (size, stride) in [(2, 2), (3, 1), (3, 2), (1, 3)] {
            let shape = Windows {
                planes: 3,
                height: 11,
                width: 37,
                size,
                stride,
            };
            let x = self.values(shape.planes * shape.height * shape.width);
            let outputs = shape.planes * shape.out_height() * shape.out_width();
            let dy = self.values(outputs);
            let mut kept = vec![0; outputs];
            self.say_of(outputs, |cpu, y| pool::max(cpu, &shape, &x, y, &mut kept));
            self.say_of(x.len(), |cpu, dx| {
                pool::max_gradient(cpu, &shape, &dy, &kept, dx);
            });
            self.say_of(outputs, |cpu, y| pool::mean(cpu, &shape, &x, y));
            self.say_of(x.len(), |cpu, dx| pool::mean_gradient(cpu, &shape, &dy, dx));
        }
    }

    fn attention(&mut self) {
        for (count, length, width) in [(1, 1, 1), (3, 17, 5), (2, 37, 19)] {
            let layer = Attention { count, length, width };
            let n = count * length * width;
            let (q, k) = (self.values(n), self.values(n));
            let (v, dy) = (self.values(n), self.values(n));
            let mut shares = vec![0.0; count * length * length];
            self.say_of(n, |cpu, y| layer.forward(cpu, &q, &k, &v, &mut shares, y));
            self.say(&shares);
            let (mut dq, mut dk, mut dv) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
            let outputs = (&mut dq[..], &mut dk[..], &mut dv[..]);
            layer.gradient(self.cpu, (&q, &k, &v), &shares, &dy, outputs);
            for values in [dq, dk, dv] {
                self.say(&values);
            }
        }
    }

    fn optimizers(&mut self) {
        let n = 331;
        let mut steps = AdamWSteps::new(AdamW {
            rate: 0.01,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.1,
        });
        let (mut plain, mut heavy, mut adam) = (self.values(n), self.values(n), self.values(n));
        let (mut velocity, mut mean, mut square) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        for _ in 0..3 {
            let gradient = self.values(n);
            let cpu = self.cpu;
            optimizer::sgd(cpu, 0.1, &gradient, &mut plain);
            optimizer::sgd_with_momentum(cpu, 0.1, 0.9, &gradient, &mut velocity, &mut heavy);
            let step = steps.next_step();
            step.take(cpu, &gradient, &mut mean, &mut square, &mut adam);
        }
        for values in [plain, heavy, velocity, adam, mean, square] {
            self.say(&values);
        }
    }

    fn folding(&mut self) {
        let n = 331;
        let base = self.values(n);
        let updates: Vec<(f64, Vec<f32>)> = [180.0, 7.0, 360.0].map(|weight| (weight, self.values(n))).into();
        let updates: Vec<(f64, &[f32])> = updates
            .iter()
            .map(|(weight, update)| (*weight, update.as_slice()))
            .collect();
        let mix = Rule::Mix {
            rate: 0.1,
            rest: 1.0 - 0.1,
        };
        self.say_of(n, |cpu, w| fold(cpu, mix, &base, &updates, None, w));
        let mean = Rule::Mean {
            rate: 0.9,
            momentum: 0.4,
        };
        let mut kept = self.values(n);
        self.say_of(n, |cpu, w| {
            fold(cpu, mean, &base, &updates, Some(&mut kept), w);
        });
        self.say(&kept);
    }

    /// What several threads compute, where there are any.
    fn of_several_threads(&mut self) {
        let [m, k, n] = LARGE;
        let (a, b, bias) = (self.values(m * k), self.values(k * n), self.values(n));
        let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
        self.say_of(m * n, |cpu, c| product(cpu, a, b, Start::PerColumn(&bias), c));

        let (mut weights, mut velocity) = (self.values(MANY), self.values(MANY));
        let gradient = self.values(MANY);
        optimizer::sgd(self.cpu, 0.1, &gradient, &mut weights);
        optimizer::sgd_with_momentum(self.cpu, 0.1, 0.9, &gradient, &mut velocity, &mut weights);
        self.say(&weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;

    #[test]
    fn all_instructions_and_threads_give_the_known_answer() {
        let expected = known_answer(&Cpu::default().with_level(Level::Portable).unwrap());
        assert!(expected.len() > 100_000 && expected.len().is_multiple_of(4));
        for level in Level::available() {
            for threads in [1, 3] {
                let cpu = Cpu::default().with_level(level).unwrap();
                let found = known_answer(&cpu.with_threads(threads).unwrap());
                let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
                assert_eq!(differs, None, "{level:?}, {threads} threads");
                assert_eq!(expected.len(), found.len());
            }
        }
    }
}
