//! *Convolution*.

use crate::{convolution::Convolution, lanes::fma, reference::sum::sum};

/// What an array `[rows, columns]` has at a place that may lie outside of it, where it is +0.
fn padded(values: &[f32], (rows, columns): (usize, usize), row: Option<usize>, column: Option<usize>) -> f32 {
    match (row, column) {
        (Some(row), Some(column)) if row < rows && column < columns => values[row * columns + column],
        _ => 0.0,
    }
}

impl Convolution {
    /// The column at (y, x) of an image `[inputs, height, width]`, in row (c, i, j).
    fn column(&self, image: &[f32], (c, i, j): (usize, usize, usize), (y, x): (usize, usize)) -> f32 {
        padded(
            &image[c * self.height * self.width..][..self.height * self.width],
            (self.height, self.width),
            (y * self.stride + i).checked_sub(self.padding),
            (x * self.stride + j).checked_sub(self.padding),
        )
    }

    /// (c, i, j) in ascending order.
    fn places(&self, outer: usize) -> Vec<(usize, usize, usize)> {
        let mut terms = Vec::new();
        for c in 0..outer {
            for i in 0..self.kernel.0 {
                for j in 0..self.kernel.1 {
                    terms.push((c, i, j));
                }
            }
        }
        terms
    }
}

/// Y.
pub fn forward(shape: Convolution, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let terms = shape.places(shape.inputs);
    let mut result = Vec::new();
    for n in 0..shape.samples {
        let image = &x[n * shape.input_size()..][..shape.input_size()];
        for o in 0..shape.outputs {
            for y in 0..shape.output_height() {
                for x in 0..shape.output_width() {
                    let mut sum = bias.map_or(0.0, |bias| bias[o]);
                    for (p, term) in terms.iter().enumerate() {
                        sum = fma(w[o * terms.len() + p], shape.column(image, *term, (y, x)), sum);
                    }
                    result.push(sum);
                }
            }
        }
    }
    result
}

/// dX.
pub fn input_gradient(shape: Convolution, dy: &[f32], w: &[f32]) -> Vec<f32> {
    let (rows, columns) = (shape.output_height(), shape.output_width());
    // The place of the output that reads this place of the input with this place of the kernel: none if it isn't whole.
    let whole = |at: usize, k: usize| {
        let to = at + shape.padding;
        (to % shape.stride == k % shape.stride)
            .then(|| to.checked_sub(k).map(|difference| difference / shape.stride))
    };
    let mut result = Vec::new();
    for n in 0..shape.samples {
        for c in 0..shape.inputs {
            for y in 0..shape.height {
                for x in 0..shape.width {
                    let mut sum = 0.0;
                    for (o, i, j) in shape.places(shape.outputs) {
                        let (Some(row), Some(column)) = (whole(y, i), whole(x, j)) else {
                            continue;
                        };
                        let plane = &dy[(n * shape.outputs + o) * rows * columns..][..rows * columns];
                        let weight = ((o * shape.inputs + c) * shape.kernel.0 + i) * shape.kernel.1 + j;
                        sum = fma(w[weight], padded(plane, (rows, columns), row, column), sum);
                    }
                    result.push(sum);
                }
            }
        }
    }
    result
}

/// dW.
pub fn weight_gradient(shape: Convolution, dy: &[f32], x: &[f32]) -> Vec<f32> {
    let mut result = Vec::new();
    for o in 0..shape.outputs {
        for term in shape.places(shape.inputs) {
            let mut sum = 0.0;
            for n in 0..shape.samples {
                let image = &x[n * shape.input_size()..][..shape.input_size()];
                for y in 0..shape.output_height() {
                    for x in 0..shape.output_width() {
                        let at = ((n * shape.outputs + o) * shape.output_height() + y) * shape.output_width();
                        sum = fma(dy[at + x], shape.column(image, term, (y, x)), sum);
                    }
                }
            }
            result.push(sum);
        }
    }
    result
}

/// db.
pub fn bias_gradient(shape: Convolution, dy: &[f32]) -> Vec<f32> {
    let size = shape.output_height() * shape.output_width();
    let mut result = Vec::new();
    for o in 0..shape.outputs {
        let mut total = 0.0;
        for n in 0..shape.samples {
            total += sum(&dy[(n * shape.outputs + o) * size..][..size]);
        }
        result.push(total);
    }
    result
}
