//! Linear layers: `docs/arithmetic.md`, *Products*.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    product::{Matrix, Start, product},
};

/// The sizes of a linear layer and its batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Linear {
    /// Samples: rows of inputs and outputs.
    pub samples: usize,
    /// Values of a sample.
    pub inputs: usize,
    /// Values that come out for it.
    pub outputs: usize,
}

/// So many values are worth another thread that adds up columns of them: with fewer, it costs more than it does. Tests share out less.
const WORTH: usize = if cfg!(test) { 16 } else { 1 << 15 };

impl Linear {
    /// `y [samples, outputs]` = `x [samples, inputs]` · `w [outputs, inputs]`ᵀ, from `bias [outputs]`, or +0.
    ///
    /// # Panics
    /// If the sizes don't fit.
    pub fn forward(self, cpu: &Cpu, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        let x = Matrix::new(x, self.samples, self.inputs);
        let w = Matrix::new(w, self.outputs, self.inputs);
        let start = bias.map_or(Start::Zero, Start::PerColumn);
        product(cpu, x, w.transposed(), start, y);
    }

    /// The gradient of the inputs, `dx [samples, inputs]` = `dy [samples, outputs]` · `w [outputs, inputs]`.
    ///
    /// # Panics
    /// If the sizes don't fit.
    pub fn input_gradient(self, cpu: &Cpu, dy: &[f32], w: &[f32], dx: &mut [f32]) {
        let dy = Matrix::new(dy, self.samples, self.outputs);
        let w = Matrix::new(w, self.outputs, self.inputs);
        product(cpu, dy, w, Start::Zero, dx);
    }

    /// The gradient of the weights, `dw [outputs, inputs]` = `dy [samples, outputs]`ᵀ · `x [samples, inputs]`: over samples in ascending order.
    ///
    /// # Panics
    /// If the sizes don't fit.
    pub fn weight_gradient(self, cpu: &Cpu, dy: &[f32], x: &[f32], dw: &mut [f32]) {
        let dy = Matrix::new(dy, self.samples, self.outputs);
        let x = Matrix::new(x, self.samples, self.inputs);
        product(cpu, dy.transposed(), x, Start::Zero, dw);
    }

    /// The gradient of the bias, `db [outputs]`, from `dy [samples, outputs]`: sums over samples in ascending order.
    ///
    /// # Panics
    /// If the sizes don't fit.
    pub fn bias_gradient(self, cpu: &Cpu, dy: &[f32], db: &mut [f32]) {
        assert_eq!(db.len(), self.outputs, "a bias has a value for each output");
        column_sums(cpu, dy, self.samples, db);
    }
}

/// Sums of the columns of `values [rows, sums.len()]`, each from +0 over the rows in ascending order.
///
/// # Panics
/// If there are fewer or more values.
pub fn column_sums(cpu: &Cpu, values: &[f32], rows: usize, sums: &mut [f32]) {
    /// Columns from `first` on.
    struct Sums<'a> {
        values: &'a [f32],
        columns: usize,
        first: usize,
        sums: &'a mut [f32],
    }
    impl Kernel for Sums<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, lanes: L) {
            // Four vectors of columns at once: enough to hide that an addition waits for the one before, and a cache line or four of each row.
            const WIDTH: usize = 4 * LANES;
            let (wide, rest) = self.sums.as_chunks_mut::<WIDTH>();
            let mut first = self.first;
            for sums in wide {
                let mut sum = [lanes.splat(0.0); 4];
                for row in self.values.chunks_exact(self.columns) {
                    let (row, _) = row[first..first + WIDTH].as_chunks::<LANES>();
                    for (sum, values) in sum.iter_mut().zip(row) {
                        *sum = lanes.add(*sum, lanes.load(values));
                    }
                }
                for (sum, to) in sum.into_iter().zip(sums.as_chunks_mut::<LANES>().0) {
                    lanes.store(sum, to);
                }
                first += WIDTH;
            }
            for sums in rest.chunks_mut(LANES) {
                let mut sum = lanes.splat(0.0);
                for row in self.values.chunks_exact(self.columns) {
                    let values = &row[first..first + sums.len()];
                    sum = lanes.add(sum, lanes.load_some(values, 0.0));
                }
                lanes.store_some(sum, sums);
                first += LANES;
            }
        }
    }

    let columns = sums.len();
    assert_eq!(
        rows.checked_mul(columns),
        Some(values.len()),
        "sums of columns are over a whole matrix"
    );
    if columns == 0 {
        return;
    }
    let parts = cpu.threads().min(values.len() / WORTH).max(1);
    let length = columns.div_ceil(parts).next_multiple_of(4 * LANES);
    cpu.spread_pieces(sums, length, |i, sums| {
        let first = i * length;
        cpu.run(Sums {
            values,
            columns,
            first,
            sums,
        });
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Level, canonical_bits, reference, rows_testing::every_cpu};

    fn values(seed: u32, count: usize) -> Vec<f32> {
        let value = |i: u32| (i.wrapping_mul(0x9e37_79b9).wrapping_add(seed) >> 8) as f32 / 4e6 - 2.0;
        (0..count as u32).map(value).collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().copied().map(canonical_bits).collect()
    }

    proptest! {
        /// Wide enough for several threads, of which each takes 64 columns at least.
        #[test]
        fn sums_of_columns_are_the_references(rows in 0usize..40, columns in 0usize..300, seed: u32) {
            let dy = values(seed, rows * columns);
            let expected = bits(&reference::product::column_sums(&dy, rows, columns));
            for cpu in every_cpu() {
                let mut sums = vec![f32::NAN; columns];
                column_sums(cpu, &dy, rows, &mut sums);
                prop_assert_eq!(bits(&sums), expected.clone(), "{:?}", cpu);
            }
        }
    }

    /// The definition's table, operation by operation.
    #[test]
    fn a_linear_layer_and_its_gradients_are_what_the_definition_says() {
        for (samples, inputs, outputs) in [(0, 3, 2), (1, 1, 1), (3, 20, 70), (32, 64, 10), (300, 7, 513)] {
            let layer = Linear {
                samples,
                inputs,
                outputs,
            };
            let x = values(1, samples * inputs);
            let w = values(2, outputs * inputs);
            let b = values(3, outputs);
            let dy = values(4, samples * outputs);
            let (x_is, w_is) = (Matrix::new(&x, samples, inputs), Matrix::new(&w, outputs, inputs));
            let dy_is = Matrix::new(&dy, samples, outputs);
            let expected = |a: Matrix, b: Matrix, start| {
                let mut c = vec![0.0; a.rows() * b.columns()];
                reference::product::product(a, b, start, &mut c);
                bits(&c)
            };
            for level in Level::available() {
                for threads in 1..4 {
                    let cpu = Cpu::default()
                        .with_level(level)
                        .unwrap()
                        .with_threads(threads)
                        .unwrap();
                    let mut y = vec![f32::NAN; samples * outputs];
                    layer.forward(&cpu, &x, &w, Some(&b), &mut y);
                    assert_eq!(bits(&y), expected(x_is, w_is.transposed(), Start::PerColumn(&b)));
                    layer.forward(&cpu, &x, &w, None, &mut y);
                    assert_eq!(bits(&y), expected(x_is, w_is.transposed(), Start::Zero));
                    let mut dx = vec![f32::NAN; samples * inputs];
                    layer.input_gradient(&cpu, &dy, &w, &mut dx);
                    assert_eq!(bits(&dx), expected(dy_is, w_is, Start::Zero));
                    let mut dw = vec![f32::NAN; outputs * inputs];
                    layer.weight_gradient(&cpu, &dy, &x, &mut dw);
                    assert_eq!(bits(&dw), expected(dy_is.transposed(), x_is, Start::Zero));
                    let mut db = vec![f32::NAN; outputs];
                    layer.bias_gradient(&cpu, &dy, &mut db);
                    assert_eq!(
                        bits(&db),
                        bits(&reference::product::column_sums(&dy, samples, outputs))
                    );
                }
            }
        }
    }
}
