//! The gradient of a convolution's weights: tiles of some terms times some vectors of sixteen channels that came out.
//!
//! dY is turned so that the channels of a place lie beside each other; the images are read value by value where they are. Each gradient
//! stays in a register over an image, and in memory from one to the next.

use super::{
    Convolution,
    image::{self, Layout},
};
use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::pieces_at_once,
};

/// Terms and vectors of a tile, where there are many registers, some, or few.
const fn tile<L: Lanes>() -> (usize, usize) {
    match L::REGISTERS {
        32.. => (12, 2),
        8.. => (4, 1),
        _ => (2, 1),
    }
}

/// What is where, for all samples.
struct Plan {
    shape: Convolution,
    layout: Layout,
    offsets: Vec<usize>,
    /// Terms and vectors of a tile.
    tile: (usize, usize),
    /// Groups of tiles: of terms, and of channels.
    groups: (usize, usize),
}

impl Plan {
    /// Channels of a tile.
    fn channels(&self) -> usize {
        self.tile.1 * LANES
    }

    /// Values of a tile.
    fn tile_size(&self) -> usize {
        self.tile.0 * self.channels()
    }

    /// Places of an image that comes out.
    fn places(&self) -> usize {
        self.shape.output_height() * self.shape.output_width()
    }

    /// Values of a sample's scratch: the image's, and dY turned.
    fn scratch(&self) -> usize {
        self.layout.size() + self.places() * self.groups.1 * self.channels()
    }

    /// The terms of a group.
    fn terms(&self, group: usize) -> std::ops::Range<usize> {
        let all = self.offsets.len();
        group * all / self.groups.0..(group + 1) * all / self.groups.0
    }
}

/// Turns dY of a sample, `[outputs, places]`, into groups of channels: `[group, place, channel of the group]`, +0 where there is none.
struct Turn<'a> {
    dy: &'a [f32],
    places: usize,
    channels: usize,
    to: &'a mut [f32],
}

impl Kernel for Turn<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let dy = self.dy.chunks(self.places * self.channels);
        for (dy, to) in dy.zip(self.to.chunks_exact_mut(self.places * self.channels)) {
            for (block, dy) in dy.chunks(self.places * LANES).enumerate() {
                let to = &mut to[block * LANES..];
                let squares = if dy.len() == self.places * LANES {
                    self.places / LANES
                } else {
                    0
                };
                for square in 0..squares {
                    let place = square * LANES;
                    lanes.transpose(
                        &dy[place..],
                        self.places,
                        &mut to[place * self.channels..],
                        self.channels,
                    );
                }
                for (channel, dy) in dy.chunks_exact(self.places).enumerate() {
                    for (place, value) in dy.iter().enumerate().skip(squares * LANES) {
                        to[place * self.channels + channel] = *value;
                    }
                }
            }
        }
    }
}

/// One tile, over some samples.
struct Tile<'a> {
    plan: &'a Plan,
    offsets: &'a [usize],
    /// The group of channels.
    group: usize,
    /// Scratches of samples.
    samples: &'a [f32],
    /// The tile's values, term by term.
    sums: &'a mut [f32],
}

impl Kernel for Tile<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        macro_rules! tiles {
            ($($r:literal)*) => {
                $(if $r <= const { tile::<L>().0 } && self.offsets.len() == $r {
                    return if const { tile::<L>().1 == 2 } {
                        self.accumulate::<L, $r, 2>(lanes)
                    } else {
                        self.accumulate::<L, $r, 1>(lanes)
                    };
                })*
            };
        }
        tiles!(1 2 3 4 5 6 7 8 9 10 11 12);
    }
}

impl Tile<'_> {
    #[inline(always)]
    fn accumulate<L: Lanes, const R: usize, const V: usize>(self, lanes: L) {
        let plan = self.plan;
        let (height, width) = (plan.shape.output_height(), plan.shape.output_width());
        // Arrays and counted loops, here and at the end: else the compiler keeps the sums in memory.
        let kept: &mut [[[f32; LANES]; V]; R] = self
            .sums
            .as_chunks_mut()
            .0
            .as_chunks_mut()
            .0
            .first_chunk_mut()
            .expect("a tile's sums");
        let mut sums = [[lanes.splat(0.0); V]; R];
        for r in 0..R {
            for v in 0..V {
                sums[r][v] = lanes.load(&kept[r][v]);
            }
        }
        for sample in self.samples.chunks_exact(plan.scratch()) {
            let (image, turned) = sample.split_at(plan.layout.size());
            let (turned, _) = turned.as_chunks::<LANES>();
            let turned = &turned[self.group * height * width * V..][..height * width * V];
            for (y, turned) in turned.chunks_exact(width * V).enumerate() {
                let row = y * plan.layout.pitch;
                let mut images = [&[][..]; R];
                for (image_of, offset) in images.iter_mut().zip(self.offsets) {
                    *image_of = &image[offset + row..][..width];
                }
                for x in 0..width {
                    let mut values = [lanes.splat(0.0); V];
                    for v in 0..V {
                        values[v] = lanes.load(&turned[x * V + v]);
                    }
                    for r in 0..R {
                        let value = lanes.splat(images[r][x]);
                        for v in 0..V {
                            sums[r][v] = lanes.fma(values[v], value, sums[r][v]);
                        }
                    }
                }
            }
        }
        for r in 0..R {
            for v in 0..V {
                lanes.store(sums[r][v], &mut kept[r][v]);
            }
        }
    }
}

/// See [`Convolution::weight_gradient`].
pub(super) fn weight_gradient(shape: Convolution, cpu: &Cpu, dy: &[f32], x: &[f32], dw: &mut [f32]) {
    struct Size;
    impl Kernel for Size {
        type Output = (usize, usize);
        #[inline(always)]
        fn run<L: Lanes>(self, _: L) -> (usize, usize) {
            tile::<L>()
        }
    }

    dw.fill(0.0);
    let terms = shape.terms();
    if terms == 0 || shape.outputs == 0 || shape.samples == 0 {
        return;
    }
    let (layout, grid) = image::of_inputs(&shape);
    let tile = cpu.run(Size);
    let plan = Plan {
        shape,
        layout,
        offsets: grid.offsets,
        tile,
        groups: (terms.div_ceil(tile.0), shape.outputs.div_ceil(tile.1 * LANES)),
    };
    let tiles = plan.groups.0 * plan.groups.1;
    let mut sums = vec![0.0; tiles * plan.tile_size()];
    // One sample at a time keeps a thread's scratch in its cache; several threads wait for each other twice for each block.
    let block = if cpu.threads() == 1 {
        1
    } else {
        (cpu.threads() * 4).min(shape.samples)
    };
    let mut scratches = vec![0.0; block * plan.scratch()];
    for first in (0..shape.samples).step_by(block) {
        let count = block.min(shape.samples - first);
        let scratches = &mut scratches[..count * plan.scratch()];
        cpu.spread_pieces(scratches, plan.scratch(), |n, scratch| {
            let n = first + n;
            let (image, turned) = scratch.split_at_mut(plan.layout.size());
            let x = &x[n * shape.input_size()..][..shape.input_size()];
            image::fill_inputs(&shape, &plan.layout, x, image);
            cpu.run(Turn {
                dy: &dy[n * shape.output_size()..][..shape.output_size()],
                places: plan.places(),
                channels: plan.channels(),
                to: turned,
            });
        });
        let samples = &*scratches;
        // Tiles of the same channels one after the other: they read the same of dY.
        let piece = pieces_at_once(cpu, tiles);
        cpu.spread_pieces(&mut sums, piece * plan.tile_size(), |i, sums| {
            for (at, sums) in sums.chunks_exact_mut(plan.tile_size()).enumerate() {
                let tile = i * piece + at;
                cpu.run(Tile {
                    plan: &plan,
                    offsets: &plan.offsets[plan.terms(tile % plan.groups.0)],
                    group: tile / plan.groups.0,
                    samples,
                    sums,
                });
            }
        });
    }
    for (tile, sums) in sums.chunks_exact(plan.tile_size()).enumerate() {
        let channels = tile / plan.groups.0 * plan.channels();
        let some = plan.terms(tile % plan.groups.0);
        for (term, sums) in some.zip(sums.chunks_exact(plan.channels())) {
            for (o, sum) in (channels..shape.outputs).zip(sums) {
                dw[o * terms + term] = *sum;
            }
        }
    }
}
