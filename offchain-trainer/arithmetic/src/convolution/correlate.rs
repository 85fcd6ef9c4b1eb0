//! Outputs of a convolution, and the gradient of its inputs: tiles of some channels times some vectors of sixteen places.

use super::{
    Convolution,
    image::{self, Grid, InputGrid, Layout},
};
use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::pieces_at_once,
};

/// Channels of a tile, where there are many registers, some, or few.
const fn tile_rows<L: Lanes>() -> usize {
    match L::REGISTERS {
        32.. => 8,
        8.. => 4,
        _ => 2,
    }
}

/// Vectors of a tile.
const fn tile_vectors<L: Lanes>() -> usize {
    if L::REGISTERS >= 32 { 3 } else { 1 }
}

/// The left matrix of a product, `[rows, terms]`, in panels of some rows: term after term, a value for each row.
struct Panels {
    values: Vec<f32>,
    /// First row and number of rows of each panel.
    panels: Vec<(usize, usize)>,
    terms: usize,
}

impl Panels {
    fn new(rows: usize, terms: usize, tile: usize, value: impl Fn(usize, usize) -> f32) -> Self {
        let count = rows.div_ceil(tile).max(1);
        let mut values = Vec::with_capacity(rows * terms);
        let mut panels = Vec::with_capacity(count);
        for i in 0..count {
            // As evenly as it goes: a tile of one row would use but a part of the registers.
            let (first, end) = (i * rows / count, (i + 1) * rows / count);
            for term in 0..terms {
                values.extend((first..end).map(|row| value(row, term)));
            }
            panels.push((first, end - first));
        }
        Self {
            values,
            panels,
            terms,
        }
    }
}

/// Sixteen places beside each other in the scratch, and where those of them that are outputs go.
struct Vector {
    position: usize,
    spans: std::ops::Range<usize>,
}

/// Some lanes of a vector: outputs that lie in one row.
struct Span {
    lane: usize,
    count: usize,
    to: usize,
}

/// A grid and its vectors.
struct Plan {
    grid: Grid,
    vectors: Vec<Vector>,
    spans: Vec<Span>,
    panels: Panels,
}

impl Plan {
    /// For results whose rows are `width` values apart.
    fn new(grid: Grid, panels: Panels, pitch: usize, width: usize) -> Self {
        let (rows, columns) = grid.size;
        let (mut vectors, mut spans) = (Vec::new(), Vec::new());
        let place =
            |y: usize, x: usize| (grid.first.0 + y * grid.step) * width + grid.first.1 + x * grid.step;
        if rows > 0 && columns > 0 {
            let by_row = rows * columns.div_ceil(LANES);
            let all = (rows - 1) * pitch + columns;
            if by_row * 100 <= all.div_ceil(LANES) * 115 {
                // The last vector of a row begins early enough to be whole, and computes some outputs a second time.
                for y in 0..rows {
                    for x in (0..columns).step_by(LANES) {
                        let x = x.min(columns.saturating_sub(LANES));
                        spans.push(Span {
                            lane: 0,
                            count: LANES.min(columns - x),
                            to: place(y, x),
                        });
                        vectors.push(Vector {
                            position: grid.origin + y * pitch + x,
                            spans: spans.len() - 1..spans.len(),
                        });
                    }
                }
            } else {
                // Over the ends of rows: what lies between two rows is computed, and left.
                for position in (0..all).step_by(LANES) {
                    let start = spans.len();
                    let mut at = position;
                    let end = (position + LANES).min(all);
                    while at < end {
                        let (y, x) = (at / pitch, at % pitch);
                        if x < columns {
                            let count = (columns - x).min(end - at);
                            spans.push(Span {
                                lane: at - position,
                                count,
                                to: place(y, x),
                            });
                        }
                        at = (y + 1) * pitch;
                    }
                    vectors.push(Vector {
                        position: grid.origin + position,
                        spans: start..spans.len(),
                    });
                }
            }
        }
        Self {
            grid,
            vectors,
            spans,
            panels,
        }
    }
}

/// One sample: all channels at all places of a plan.
struct Sample<'a> {
    plan: &'a Plan,
    image: &'a [f32],
    bias: Option<&'a [f32]>,
    to: &'a mut [f32],
    /// Values of a channel of the result.
    size: usize,
}

impl Kernel for Sample<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let plan = self.plan;
        for vectors in plan.vectors.chunks(tile_vectors::<L>()) {
            let mut panels = &plan.panels.values[..];
            for (first, rows) in &plan.panels.panels {
                let (panel, rest) = panels.split_at(rows * plan.panels.terms);
                panels = rest;
                self.tile(lanes, vectors, *first, *rows, panel);
            }
        }
    }
}

impl Sample<'_> {
    #[inline(always)]
    fn tile<L: Lanes>(&mut self, lanes: L, vectors: &[Vector], first: usize, rows: usize, panel: &[f32]) {
        if tile_vectors::<L>() >= 3 && vectors.len() == 3 {
            self.tile_of_vectors::<L, 3>(lanes, vectors, first, rows, panel);
        } else if tile_vectors::<L>() >= 2 && vectors.len() == 2 {
            self.tile_of_vectors::<L, 2>(lanes, vectors, first, rows, panel);
        } else {
            self.tile_of_vectors::<L, 1>(lanes, vectors, first, rows, panel);
        }
    }

    #[inline(always)]
    fn tile_of_vectors<L: Lanes, const V: usize>(
        &mut self,
        lanes: L,
        vectors: &[Vector],
        first: usize,
        rows: usize,
        panel: &[f32],
    ) {
        macro_rules! tiles {
            ($($r:literal)*) => {
                $(if $r <= const { tile_rows::<L>() } && rows == $r {
                    return self.accumulate::<L, $r, V>(lanes, vectors, first, panel);
                })*
            };
        }
        tiles!(1 2 3 4 5 6 7 8);
    }

    #[inline(always)]
    fn accumulate<L: Lanes, const R: usize, const V: usize>(
        &mut self,
        lanes: L,
        vectors: &[Vector],
        first: usize,
        panel: &[f32],
    ) {
        let start: [f32; R] = std::array::from_fn(|r| self.bias.map_or(0.0, |bias| bias[first + r]));
        let mut sums: [[L::V; V]; R] = start.map(|start| [lanes.splat(start); V]);
        let images: [&[f32]; V] = std::array::from_fn(|v| &self.image[vectors[v].position..]);
        for (weights, offset) in panel.as_chunks::<R>().0.iter().zip(&self.plan.grid.offsets) {
            let values: [L::V; V] = std::array::from_fn(|v| {
                let (values, _) = images[v][*offset..]
                    .split_first_chunk()
                    .expect("within the scratch");
                lanes.load(values)
            });
            for r in 0..R {
                let weight = lanes.splat(weights[r]);
                for v in 0..V {
                    sums[r][v] = lanes.fma(weight, values[v], sums[r][v]);
                }
            }
        }
        let step = self.plan.grid.step;
        for (r, sums) in sums.into_iter().enumerate() {
            let to = &mut self.to[(first + r) * self.size..][..self.size];
            for (sum, vector) in sums.into_iter().zip(vectors) {
                let spans = &self.plan.spans[vector.spans.clone()];
                match spans {
                    [
                        Span {
                            count: LANES, to: at, ..
                        },
                    ] if step == 1 => {
                        lanes.store_some(sum, &mut to[*at..][..LANES]);
                    }
                    _ => {
                        let values = lanes.array(sum);
                        for span in spans {
                            let to = to[span.to..].iter_mut().step_by(step);
                            for (to, value) in to.zip(&values[span.lane..][..span.count]) {
                                *to = *value;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Rows of a panel at this level.
fn rows(cpu: &Cpu) -> usize {
    struct Rows;
    impl Kernel for Rows {
        type Output = usize;
        #[inline(always)]
        fn run<L: Lanes>(self, _: L) -> usize {
            tile_rows::<L>()
        }
    }
    cpu.run(Rows)
}

/// Each sample with its scratch, spread over threads.
fn spread(
    cpu: &Cpu,
    layout: &Layout,
    plans: &[Plan],
    bias: Option<&[f32]>,
    fill: impl Fn(usize, &mut [f32]) + Sync,
    to: &mut [f32],
    (samples, channels, size): (usize, usize, usize),
) {
    if channels == 0 || size == 0 {
        return;
    }
    let piece = pieces_at_once(cpu, samples);
    cpu.spread_pieces(to, piece * channels * size, |i, to| {
        let mut scratch = vec![0.0; layout.size()];
        for (n, to) in to.chunks_exact_mut(channels * size).enumerate() {
            fill(i * piece + n, &mut scratch);
            for plan in plans {
                cpu.run(Sample {
                    plan,
                    image: &scratch,
                    bias,
                    to: &mut *to,
                    size,
                });
            }
        }
    });
}

/// See [`Convolution::forward`].
pub(super) fn forward(
    shape: Convolution,
    cpu: &Cpu,
    x: &[f32],
    w: &[f32],
    bias: Option<&[f32]>,
    y: &mut [f32],
) {
    let (layout, grid) = image::of_inputs(&shape);
    let terms = shape.terms();
    let panels = Panels::new(shape.outputs, terms, rows(cpu), |o, p| w[o * terms + p]);
    let plan = Plan::new(grid, panels, layout.pitch, shape.output_width());
    let size = shape.output_height() * shape.output_width();
    let fill = |n: usize, scratch: &mut [f32]| {
        let image = &x[n * shape.input_size()..][..shape.input_size()];
        image::fill_inputs(&shape, &layout, image, scratch);
    };
    let sizes = (shape.samples, shape.outputs, size);
    spread(cpu, &layout, &[plan], bias, fill, y, sizes);
}

/// See [`Convolution::input_gradient`].
pub(super) fn input_gradient(shape: Convolution, cpu: &Cpu, dy: &[f32], w: &[f32], dx: &mut [f32]) {
    let (layout, grids) = image::of_outputs(&shape);
    let (height, width) = shape.kernel;
    let plans: Vec<Plan> = grids
        .into_iter()
        .map(|InputGrid { grid, places }| {
            let terms = grid.offsets.len();
            let panels = Panels::new(shape.inputs, terms, rows(cpu), |c, p| {
                let (o, (i, j)) = (p / places.len(), places[p % places.len()]);
                w[((o * shape.inputs + c) * height + i) * width + j]
            });
            Plan::new(grid, panels, layout.pitch, shape.width)
        })
        .collect();
    let fill = |n: usize, scratch: &mut [f32]| {
        let image = &dy[n * shape.output_size()..][..shape.output_size()];
        image::fill_outputs(&shape, &layout, image, scratch);
    };
    let sizes = (shape.samples, shape.inputs, shape.height * shape.width);
    spread(cpu, &layout, &plans, None, fill, dx, sizes);
}
