//! Convolutions of images: `docs/arithmetic.md`, *Convolution*.
//!
//! An image is copied once into a scratch with its border, split by stride, so that a row of the product's columns, for one place of the
//! kernel, lies in it as it is, only further on (`image`). The columns as such are never made: the kernels (`correlate`, `weights`)
//! read the scratch at an offset for each term. Each output is computed in a register by itself, its terms in the order of the definition.

mod correlate;
mod image;
#[cfg(test)]
mod tests;
mod weights;

use crate::{
    Cpu,
    lanes::{Kernel, Lanes},
    sum::sum_lanes,
};

/// The sizes of a convolution and its batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Convolution {
    /// How many images.
    pub samples: usize,
    /// Channels of an image.
    pub inputs: usize,
    /// Rows of an image.
    pub height: usize,
    /// Columns of an image.
    pub width: usize,
    /// Channels that come out.
    pub outputs: usize,
    /// Rows and columns of the kernel.
    pub kernel: (usize, usize),
    /// How far the kernel moves on, in both directions.
    pub stride: usize,
    /// How many rows and columns of +0 there are around an image, on each side.
    pub padding: usize,
}

/// So many values, or the largest number there is.
fn size(factors: [usize; 3]) -> usize {
    factors.into_iter().fold(1, usize::saturating_mul)
}

impl Convolution {
    /// Rows that come out: none where the kernel doesn't fit, or there is no stride.
    pub fn output_height(&self) -> usize {
        self.steps(self.height, self.kernel.0)
    }

    /// Columns that come out: none where the kernel doesn't fit, or there is no stride.
    pub fn output_width(&self) -> usize {
        self.steps(self.width, self.kernel.1)
    }

    /// Values of an image; the largest number there is stands for all that are larger, which no memory holds.
    pub fn input_size(&self) -> usize {
        size([self.inputs, self.height, self.width])
    }

    /// Values that come out for an image; the largest number as for [`Self::input_size`].
    pub fn output_size(&self) -> usize {
        size([self.outputs, self.output_height(), self.output_width()])
    }

    /// Terms of an output: values of a kernel, over all channels; the largest number as for [`Self::input_size`].
    pub fn terms(&self) -> usize {
        size([self.inputs, self.kernel.0, self.kernel.1])
    }

    /// How many places a kernel has in one direction.
    fn steps(&self, length: usize, kernel: usize) -> usize {
        let more = self
            .bordered(length)
            .and_then(|length| length.checked_sub(kernel));
        more.and_then(|more| more.checked_div(self.stride))
            .map_or(0, |steps| steps.saturating_add(1))
    }

    /// A side of an image with its border, if there is such a number.
    fn bordered(&self, length: usize) -> Option<usize> {
        self.padding.checked_mul(2)?.checked_add(length)
    }

    /// Stops what isn't a convolution, or is larger than memory can be.
    fn check(&self) {
        assert!(
            self.stride > 0 && self.kernel.0 > 0 && self.kernel.1 > 0,
            "a convolution has a kernel and a stride"
        );
        let size = |factors: &[usize]| {
            factors
                .iter()
                .try_fold(size_of::<f32>(), |size, factor| size.checked_mul(*factor))
        };
        let (height, width) = (self.bordered(self.height), self.bordered(self.width));
        let fits = height.zip(width).is_some_and(|(height, width)| {
            assert!(
                self.kernel.0 <= height && self.kernel.1 <= width,
                "a convolution's kernel fits into the image and its border"
            );
            // Whatever has been made of these sizes here is at most twice as large in each direction.
            let (height, width) = (height.saturating_mul(4), width.saturating_mul(4));
            let (inputs, outputs) = (self.inputs.max(1), self.outputs.max(1));
            let bytes = size(&[self.samples.max(1), inputs.max(outputs), height, width]);
            let weights = size(&[inputs, outputs, self.kernel.0, self.kernel.1]);
            bytes.is_some_and(|bytes| bytes <= isize::MAX as usize)
                && weights.is_some_and(|bytes| bytes <= isize::MAX as usize)
        });
        assert!(fits, "a convolution's images and weights fit into memory");
    }

    /// Checks the arrays of one call; each may be left out.
    fn check_arrays(&self, x: Option<&[f32]>, w: Option<&[f32]>, y: Option<&[f32]>) {
        self.check();
        for (what, found, expected) in [
            (
                "x is [samples, inputs, height, width]",
                x,
                self.samples * self.input_size(),
            ),
            ("w is [outputs, inputs, kernel]", w, self.outputs * self.terms()),
            (
                "y is [samples, outputs, output height, output width]",
                y,
                self.samples * self.output_size(),
            ),
        ] {
            if let Some(found) = found {
                assert_eq!(found.len(), expected, "a convolution's {what}");
            }
        }
    }

    /// `y [samples, outputs, output_height, output_width]` of `x [samples, inputs, height, width]` and `w [outputs, inputs, kernel.0, kernel.1]`,
    /// from `bias [outputs]`, or +0.
    ///
    /// # Panics
    /// If the kernel is larger than an image with its border, or the sizes don't fit.
    pub fn forward(self, cpu: &Cpu, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        self.check_arrays(Some(x), Some(w), Some(y));
        if let Some(bias) = bias {
            assert_eq!(bias.len(), self.outputs, "a bias has a value for each output");
        }
        correlate::forward(self, cpu, x, w, bias, y);
    }

    /// The gradient of the images, `dx` as `x`, from that of what came out, `dy` as `y`.
    ///
    /// # Panics
    /// If the kernel is larger than an image with its border, or the sizes don't fit.
    pub fn input_gradient(self, cpu: &Cpu, dy: &[f32], w: &[f32], dx: &mut [f32]) {
        self.check_arrays(Some(dx), Some(w), Some(dy));
        correlate::input_gradient(self, cpu, dy, w, dx);
    }

    /// The gradient of the weights, `dw` as `w`, from that of what came out, `dy` as `y`: over samples, rows and columns.
    ///
    /// # Panics
    /// If the kernel is larger than an image with its border, or the sizes don't fit.
    pub fn weight_gradient(self, cpu: &Cpu, dy: &[f32], x: &[f32], dw: &mut [f32]) {
        self.check_arrays(Some(x), Some(dw), Some(dy));
        weights::weight_gradient(self, cpu, dy, x, dw);
    }

    /// The gradient of the bias, `db [outputs]`, from that of what came out, `dy` as `y`: over samples, each image's sum.
    ///
    /// # Panics
    /// If the sizes don't fit.
    pub fn bias_gradient(self, cpu: &Cpu, dy: &[f32], db: &mut [f32]) {
        struct Sums<'a> {
            dy: &'a [f32],
            size: usize,
            stride: usize,
            first: usize,
            db: &'a mut [f32],
        }
        impl Kernel for Sums<'_> {
            type Output = ();
            #[inline(always)]
            fn run<L: Lanes>(self, lanes: L) {
                self.db.fill(0.0);
                for sample in self.dy.chunks_exact(self.stride) {
                    let images = sample[self.first * self.size..].chunks_exact(self.size);
                    for (db, image) in self.db.iter_mut().zip(images) {
                        *db += sum_lanes(lanes, image);
                    }
                }
            }
        }

        self.check_arrays(None, None, Some(dy));
        assert_eq!(db.len(), self.outputs, "a bias has a value for each output");
        if self.outputs == 0 {
            return;
        }
        let length = self.outputs.div_ceil(cpu.threads());
        cpu.spread_pieces(db, length, |i, db| {
            cpu.run(Sums {
                dy,
                size: self.output_height() * self.output_width(),
                stride: self.output_size(),
                first: i * length,
                db,
            });
        });
    }
}
