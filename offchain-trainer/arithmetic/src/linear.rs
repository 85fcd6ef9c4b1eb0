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
    // Below some 64 thousand values another thread costs more than it does.
    let parts = cpu.threads().min(values.len() >> 15).max(1);
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
