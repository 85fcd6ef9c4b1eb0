//! One image's scratch, and where in it the terms and the outputs are.
//!
//! In a scratch, all that one term of the product (channel, row and column of the kernel) reads for the outputs of a row lies beside each
//! other, and for the next row of outputs one pitch further on: the value of term p for output (y, x) is at
//! `offsets[p] + y × pitch + x`. So sixteen outputs beside each other are one load.

use super::Convolution;
use crate::lanes::LANES;

/// The scratch of an image: planes with a border of +0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Planes: channels times what the stride splits each into.
    planes: usize,
    /// Rows of a plane.
    rows: usize,
    /// Values from a row to the next.
    pub pitch: usize,
}

impl Layout {
    /// Values of the scratch; a load of sixteen lanes may begin at the last one of a plane. There is a plane even where nothing is read.
    pub fn size(&self) -> usize {
        self.planes.max(1) * self.plane() + LANES
    }

    fn plane(&self) -> usize {
        self.rows * self.pitch
    }
}

/// Outputs of a sample that are computed alike: a grid of rows and columns.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// For each term, in the order of the definition, where it is in the scratch.
    pub offsets: Vec<usize>,
    /// Where the grid's first output reads, besides.
    pub origin: usize,
    /// Its rows and columns.
    pub size: (usize, usize),
    /// Where in the result (of one channel) its first row and column are.
    pub first: (usize, usize),
    /// How many rows and columns of the result lie from one of its to the next.
    pub step: usize,
}

/// For outputs: the scratch of an image of X. A stride of s splits it into s × s planes, each with what the kernel's places of one row
/// and column modulo s read.
pub(super) fn of_inputs(shape: &Convolution) -> (Layout, Grid) {
    let s = shape.stride;
    let (down, along) = splits(shape);
    let layout = Layout {
        planes: shape.inputs * down * along,
        rows: (shape.height + 2 * shape.padding).div_ceil(s),
        pitch: (shape.width + 2 * shape.padding).div_ceil(s),
    };
    let mut offsets = Vec::with_capacity(shape.terms());
    for c in 0..shape.inputs {
        for i in 0..shape.kernel.0 {
            for j in 0..shape.kernel.1 {
                let plane = (c * down + i % s) * along + j % s;
                offsets.push(plane * layout.plane() + i / s * layout.pitch + j / s);
            }
        }
    }
    let grid = Grid {
        offsets,
        origin: 0,
        size: (shape.output_height(), shape.output_width()),
        first: (0, 0),
        step: 1,
    };
    (layout, grid)
}

/// Into how many planes the rows and the columns of a channel are split: those that the kernel reads.
fn splits(shape: &Convolution) -> (usize, usize) {
    (shape.stride.min(shape.kernel.0), shape.stride.min(shape.kernel.1))
}

/// Fills the scratch with an image of X, `[inputs, height, width]`. Its border must be +0 and stays so.
pub(super) fn fill_inputs(shape: &Convolution, layout: &Layout, image: &[f32], scratch: &mut [f32]) {
    let s = shape.stride;
    let size = shape.height * shape.width;
    if size == 0 {
        return;
    }
    let (down, along) = splits(shape);
    let planes = scratch.chunks_exact_mut(down * along * layout.plane());
    for (channel, planes) in image.chunks_exact(size).zip(planes) {
        for (y, row) in channel.chunks_exact(shape.width).enumerate() {
            let y = y + shape.padding;
            if s == 1 {
                planes[y * layout.pitch + shape.padding..][..shape.width].copy_from_slice(row);
                continue;
            }
            if y % s >= down {
                continue;
            }
            for phase in 0..along {
                // The first value of the row that is in this plane, and in which of its columns it is. No sum with the stride: it may be the largest
                // number there is.
                let behind = shape.padding % s;
                let (from, column) = match phase.checked_sub(behind) {
                    Some(from) => (from, shape.padding / s),
                    None => (s - (behind - phase), shape.padding / s + 1),
                };
                let to = (y % s * along + phase) * layout.plane() + y / s * layout.pitch + column;
                let values = row.iter().skip(from).step_by(s);
                for (to, value) in planes[to..].iter_mut().zip(values) {
                    *to = *value;
                }
            }
        }
    }
}

/// One direction of the gradient of X: of the places that are `phase` modulo the stride, border included.
struct Phase {
    /// Which it is.
    phase: usize,
    /// The first such place of the image.
    first: usize,
    /// How many there are.
    count: usize,
    /// The place of dY that the first one reads with the kernel's first such place.
    origin: usize,
    /// How many places of the kernel are `phase` modulo the stride.
    terms: usize,
}

impl Phase {
    fn new(first: usize, stride: usize, length: usize, padding: usize, kernel: usize) -> Self {
        let phase = (first + padding) % stride;
        Self {
            phase,
            first,
            count: (length - first).div_ceil(stride),
            origin: (first + padding) / stride,
            terms: kernel.saturating_sub(phase).div_ceil(stride),
        }
    }
}

/// A grid of the gradient of X, and which places of the kernel are its terms.
pub(super) struct InputGrid {
    pub grid: Grid,
    pub places: Vec<(usize, usize)>,
}

/// For the gradient of X: the scratch of an image of dY, and a grid for each row and column modulo the stride.
pub(super) fn of_outputs(shape: &Convolution) -> (Layout, Vec<InputGrid>) {
    let s = shape.stride;
    let phases = |length, kernel| -> Vec<Phase> {
        (0..s.min(length))
            .map(|first| Phase::new(first, s, length, shape.padding, kernel))
            .collect()
    };
    let down = phases(shape.height, shape.kernel.0);
    let along = phases(shape.width, shape.kernel.1);
    // Before the first row there are as many as terms reach back, after the last one as many as places read.
    let length = |phases: &[Phase], outputs: usize, margin: usize| {
        let end = phases.iter().map(|phase| phase.origin + phase.count).max();
        end.unwrap_or(0).max(outputs) + margin
    };
    let (above, left) = margins(shape);
    let layout = Layout {
        planes: shape.outputs,
        rows: length(&down, shape.output_height(), above),
        pitch: length(&along, shape.output_width(), left),
    };
    let mut grids = Vec::new();
    for row in &down {
        for column in &along {
            let (mut offsets, mut places) = (Vec::new(), Vec::new());
            for i in 0..row.terms {
                for j in 0..column.terms {
                    places.push((row.phase + i * s, column.phase + j * s));
                }
            }
            for o in 0..shape.outputs {
                for i in 0..row.terms {
                    for j in 0..column.terms {
                        offsets.push(o * layout.plane() + (above - i) * layout.pitch + left - j);
                    }
                }
            }
            let grid = Grid {
                offsets,
                origin: row.origin * layout.pitch + column.origin,
                size: (row.count, column.count),
                first: (row.first, column.first),
                step: s,
            };
            grids.push(InputGrid { grid, places });
        }
    }
    (layout, grids)
}

/// Rows and columns of +0 before those of dY.
fn margins(shape: &Convolution) -> (usize, usize) {
    let margin = |kernel: usize| kernel.div_ceil(shape.stride) - 1;
    (margin(shape.kernel.0), margin(shape.kernel.1))
}

/// Fills the scratch with an image of dY, `[outputs, output_height, output_width]`. Its border must be +0 and stays so.
pub(super) fn fill_outputs(shape: &Convolution, layout: &Layout, image: &[f32], scratch: &mut [f32]) {
    let (above, left) = margins(shape);
    let width = shape.output_width();
    let planes = scratch.chunks_exact_mut(layout.plane());
    for (channel, plane) in image.chunks_exact(shape.output_height() * width).zip(planes) {
        for (y, row) in channel.chunks_exact(width).enumerate() {
            plane[(y + above) * layout.pitch + left..][..width].copy_from_slice(row);
        }
    }
}
