//! Pooling: the largest or the mean value of each window of an image. `docs/arithmetic.md`, *Pooling*.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::{rows_at_once, spread_each},
};

/// Windows of `size` × `size` at a stride, over planes: `x [planes, height, width]`, `y [planes, out_height, out_width]`. A batch of n
/// images of c channels has n × c planes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Windows {
    /// How many planes.
    pub planes: usize,
    /// Rows of a plane.
    pub height: usize,
    /// Values in a row of a plane.
    pub width: usize,
    /// k, of both sides of a window.
    pub size: usize,
    /// How far a window is from the next, in both directions.
    pub stride: usize,
}

impl Windows {
    /// How many windows fit below each other; none without a stride.
    pub fn out_height(&self) -> usize {
        self.fit(self.height)
    }

    /// How many windows fit beside each other; none without a stride.
    pub fn out_width(&self) -> usize {
        self.fit(self.width)
    }

    fn fit(&self, side: usize) -> usize {
        let more = side.checked_sub(self.size);
        more.and_then(|more| more.checked_div(self.stride))
            .map_or(0, |steps| steps.saturating_add(1))
    }

    /// Checks that there are windows, and so many values.
    fn check(&self, x: usize, y: usize) {
        assert!(
            self.size > 0 && self.stride > 0,
            "windows have values, and a stride"
        );
        let count = |height: usize, width: usize| self.planes.checked_mul(height)?.checked_mul(width);
        assert_eq!(
            count(self.height, self.width),
            Some(x),
            "{self:?} have other values"
        );
        assert_eq!(
            count(self.out_height(), self.out_width()),
            Some(y),
            "{self:?} have other outputs"
        );
        let plane = self.height.checked_mul(self.width);
        assert!(
            plane.is_some_and(|plane| u32::try_from(plane).is_ok()),
            "a plane has too many values for its positions"
        );
    }

    fn plane(&self) -> usize {
        self.height * self.width
    }

    fn out_plane(&self) -> usize {
        self.out_height() * self.out_width()
    }

    /// How many planes a thread takes at a time.
    fn planes_at_once(&self, cpu: &Cpu) -> usize {
        rows_at_once(cpu, self.planes, self.plane().max(self.out_plane()))
    }
}

/// Each window's largest value, and in `kept [planes, out_height, out_width]` which of its plane's values it is; NaN if one of them is.
///
/// # Panics
/// If the lengths don't fit the shape, or a plane has more than 2³² values.
pub fn max(cpu: &Cpu, shape: &Windows, x: &[f32], y: &mut [f32], kept: &mut [u32]) {
    shape.check(x.len(), y.len());
    assert_eq!(y.len(), kept.len(), "a position for each output");
    if y.is_empty() {
        return;
    }
    let at_once = shape.planes_at_once(cpu);
    let (from, to) = (at_once * shape.plane(), at_once * shape.out_plane());
    let pieces = x.chunks(from).zip(y.chunks_mut(to)).zip(kept.chunks_mut(to));
    spread_each(cpu, pieces, |((x, y), kept)| {
        cpu.run(Max { shape, x, y, kept });
    });
}

struct Max<'a> {
    shape: &'a Windows,
    x: &'a [f32],
    y: &'a mut [f32],
    kept: &'a mut [u32],
}

impl Kernel for Max<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        match self.shape.stride {
            1 => self.planes::<L, 1>(l),
            2 => self.planes::<L, 2>(l),
            _ => self.planes::<L, ANY>(l),
        }
    }
}

/// A stride that the kernel isn't made for.
const ANY: usize = 0;

/// The values at the beginning, one stride further on, two, and so on; 0 where there are no more. `KNOWN` is the stride, or [`ANY`].
#[inline(always)]
fn strided<L: Lanes, const KNOWN: usize>(l: L, from: &[f32], stride: usize) -> L::V {
    if KNOWN == 1 {
        return l.load_some(from, 0.0);
    }
    if KNOWN == 2
        && let Some(pairs) = from.first_chunk::<{ 2 * LANES }>()
    {
        return l.load(&std::array::from_fn(|i| pairs[2 * i]));
    }
    let mut values = [0.0; LANES];
    for (to, value) in values.iter_mut().zip(from.iter().step_by(stride)) {
        *to = *value;
    }
    l.load(&values)
}

impl Max<'_> {
    #[inline(always)]
    fn planes<L: Lanes, const KNOWN: usize>(self, l: L) {
        let Self { shape, x, y, kept } = self;
        let (width, out_width) = (shape.width, shape.out_width());
        let steps = std::array::from_fn(|i| f32::from_bits(i.wrapping_mul(shape.stride) as u32));
        let steps = l.bits(l.load(&steps));
        let outputs = y
            .chunks_exact_mut(shape.out_plane())
            .zip(kept.chunks_exact_mut(shape.out_plane()));
        for (x, (y, kept)) in x.chunks_exact(shape.plane()).zip(outputs) {
            let rows = y
                .chunks_exact_mut(out_width)
                .zip(kept.chunks_exact_mut(out_width));
            for (row, (y, kept)) in rows.enumerate() {
                let some = y.chunks_mut(LANES).zip(kept.chunks_mut(LANES));
                for (i, (y, kept)) in some.enumerate() {
                    let first = (row * width + i * LANES) * shape.stride;
                    let mut largest = strided::<L, KNOWN>(l, &x[first..], shape.stride);
                    // Positions are bits that lie in lanes for values.
                    let position = |at: usize| l.from_bits(l.iadd(steps, l.isplat(at as i32)));
                    let mut at = position(first);
                    for i in 0..shape.size {
                        for j in 0..shape.size {
                            let first = first + i * width + j;
                            let new = strided::<L, KNOWN>(l, &x[first..], shape.stride);
                            let (larger, nan) = (l.gt(new, largest), l.is_nan(new));
                            largest = l.select(nan, new, l.select(larger, new, largest));
                            let here = position(first);
                            at = l.select(nan, here, l.select(larger, here, at));
                        }
                    }
                    l.store_some(largest, y);
                    for (to, at) in kept.iter_mut().zip(l.array(at)) {
                        *to = at.to_bits();
                    }
                }
            }
        }
    }
}

/// `dx [planes, height, width]`: what flows back, `dy`, to the value that each window has kept.
///
/// # Panics
/// If the lengths don't fit the shape, or a position is none of its plane.
pub fn max_gradient(cpu: &Cpu, shape: &Windows, dy: &[f32], kept: &[u32], dx: &mut [f32]) {
    shape.check(dx.len(), dy.len());
    assert_eq!(dy.len(), kept.len(), "a position for each output");
    dx.fill(0.0);
    if dy.is_empty() {
        return;
    }
    let at_once = shape.planes_at_once(cpu);
    let to = at_once * shape.out_plane();
    cpu.spread_pieces(dx, at_once * shape.plane(), |i, dx| {
        let planes = dy[i * to..].chunks_exact(shape.out_plane());
        let kept = kept[i * to..].chunks_exact(shape.out_plane());
        for (dx, (dy, kept)) in dx.chunks_exact_mut(shape.plane()).zip(planes.zip(kept)) {
            for (dy, at) in dy.iter().zip(kept) {
                dx[*at as usize] += dy;
            }
        }
    });
}

/// Each window's mean.
///
/// # Panics
/// If the lengths don't fit the shape.
pub fn mean(cpu: &Cpu, shape: &Windows, x: &[f32], y: &mut [f32]) {
    shape.check(x.len(), y.len());
    if y.is_empty() {
        return;
    }
    let at_once = shape.planes_at_once(cpu);
    let from = at_once * shape.plane();
    cpu.spread_pieces(y, at_once * shape.out_plane(), |i, y| {
        cpu.run(Mean {
            shape,
            x: &x[i * from..],
            y,
        });
    });
}

struct Mean<'a> {
    shape: &'a Windows,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Mean<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        match self.shape.stride {
            1 => self.planes::<L, 1>(l),
            2 => self.planes::<L, 2>(l),
            _ => self.planes::<L, ANY>(l),
        }
    }
}

impl Mean<'_> {
    #[inline(always)]
    fn planes<L: Lanes, const KNOWN: usize>(self, l: L) {
        let Self { shape, x, y } = self;
        let count = l.splat((shape.size * shape.size) as f32);
        let planes = y.chunks_exact_mut(shape.out_plane());
        for (x, y) in x.chunks_exact(shape.plane()).zip(planes) {
            for (row, y) in y.chunks_exact_mut(shape.out_width()).enumerate() {
                for (i, y) in y.chunks_mut(LANES).enumerate() {
                    let first = (row * shape.width + i * LANES) * shape.stride;
                    let mut sum = l.splat(0.0);
                    for i in 0..shape.size {
                        for j in 0..shape.size {
                            let from = &x[first + i * shape.width + j..];
                            sum = l.add(sum, strided::<L, KNOWN>(l, from, shape.stride));
                        }
                    }
                    l.store_some(l.div(sum, count), y);
                }
            }
        }
    }
}

/// `dx [planes, height, width]`: to each value of a window, a share of what flows back, `dy`.
///
/// # Panics
/// If the lengths don't fit the shape.
pub fn mean_gradient(cpu: &Cpu, shape: &Windows, dy: &[f32], dx: &mut [f32]) {
    shape.check(dx.len(), dy.len());
    dx.fill(0.0);
    if dy.is_empty() {
        return;
    }
    let at_once = shape.planes_at_once(cpu);
    let to = at_once * shape.out_plane();
    cpu.spread_pieces(dx, at_once * shape.plane(), |i, dx| {
        cpu.run(MeanGradient {
            shape,
            dy: &dy[i * to..],
            dx,
        });
    });
}

struct MeanGradient<'a> {
    shape: &'a Windows,
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for MeanGradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        match self.shape.stride {
            1 => self.side_by_side(l),
            _ => self.apart(),
        }
    }
}

impl MeanGradient<'_> {
    /// Windows at a stride of 1: each value gathers the shares of its windows.
    #[inline(always)]
    fn side_by_side<L: Lanes>(self, l: L) {
        let Self { shape, dy, dx } = self;
        let (size, out_height, out_width) = (shape.size, shape.out_height(), shape.out_width());
        let count = (size * size) as f32;
        // Rows of shares, with zeros beside them where there are no windows. A sum is never −0, so adding +0 changes nothing.
        let row = (size - 1) + out_width + (size - 1);
        let mut shares = vec![0.0; row * out_height];
        let planes = dy.chunks_exact(shape.out_plane());
        for (dx, dy) in dx.chunks_exact_mut(shape.plane()).zip(planes) {
            for (shares, dy) in shares.chunks_exact_mut(row).zip(dy.chunks_exact(out_width)) {
                for (share, dy) in shares[size - 1..].iter_mut().zip(dy) {
                    *share = dy / count;
                }
            }
            for (y, dx) in dx.chunks_exact_mut(shape.width).enumerate() {
                let rows = (y + 1).saturating_sub(size)..(y + 1).min(out_height);
                for (i, dx) in dx.chunks_mut(LANES).enumerate() {
                    let mut sum = l.splat(0.0);
                    for shares in shares[rows.start * row..rows.end * row].chunks_exact(row) {
                        // From the window to the left on.
                        for j in 0..size {
                            sum = l.add(sum, l.load_some(&shares[i * LANES + j..], 0.0));
                        }
                    }
                    l.store_some(sum, dx);
                }
            }
        }
    }

    /// Windows at any stride: each gives shares to its values.
    #[inline(always)]
    fn apart(self) {
        let Self { shape, dy, dx } = self;
        let count = (shape.size * shape.size) as f32;
        let mut shares = vec![0.0; shape.out_width()];
        let planes = dy.chunks_exact(shape.out_plane());
        for (dx, dy) in dx.chunks_exact_mut(shape.plane()).zip(planes) {
            for (row, dy) in dy.chunks_exact(shape.out_width()).enumerate() {
                for (share, dy) in shares.iter_mut().zip(dy) {
                    *share = dy / count;
                }
                for i in 0..shape.size {
                    // A value's windows in ascending order are those in which it stands further and further to the left.
                    for j in (0..shape.size).rev() {
                        let first = (row * shape.stride + i) * shape.width + j;
                        let to = dx[first..].iter_mut().step_by(shape.stride);
                        to.zip(&shares).for_each(|(to, share)| *to += share);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    fn case() -> impl Strategy<Value = (Windows, Vec<f32>, Vec<f32>)> {
        let shape = (0usize..6, 0usize..20, 0usize..45, 1usize..4, 1usize..5);
        shape.prop_flat_map(|(planes, height, width, size, stride)| {
            let shape = Windows {
                planes,
                height,
                width,
                size,
                stride,
            };
            let outputs = planes * shape.out_height() * shape.out_width();
            // Equal values are where the first one counts.
            let x = prop_oneof![
                values(planes * height * width),
                prop::collection::vec(
                    prop::sample::select(vec![0.0, -0.0, 1.0]),
                    planes * height * width
                )
            ];
            (Just(shape), x, values(outputs))
        })
    }

    proptest! {
        #[test]
        fn both_ways_of_pooling_are_the_references((shape, x, dy) in case()) {
            let mut kept = vec![0; dy.len()];
            let [mut largest, mut means] = [vec![0.0; dy.len()], vec![0.0; dy.len()]];
            let [mut dx_of_largest, mut dx_of_means] = [vec![7.0; x.len()], vec![7.0; x.len()]];
            reference::pool::max(&shape, &x, &mut largest, &mut kept);
            reference::pool::max_gradient(&shape, &dy, &kept, &mut dx_of_largest);
            reference::pool::mean(&shape, &x, &mut means);
            reference::pool::mean_gradient(&shape, &dy, &mut dx_of_means);
            for cpu in every_cpu() {
                let (mut y, mut at, mut dx) = (vec![7.0; dy.len()], vec![9; dy.len()], vec![-7.0; x.len()]);
                max(cpu, &shape, &x, &mut y, &mut at);
                prop_assert_eq!(bits(&y), bits(&largest), "{:?}", cpu);
                prop_assert_eq!(&at, &kept, "{:?}", cpu);
                max_gradient(cpu, &shape, &dy, &kept, &mut dx);
                prop_assert_eq!(bits(&dx), bits(&dx_of_largest), "{:?}", cpu);
                mean(cpu, &shape, &x, &mut y);
                prop_assert_eq!(bits(&y), bits(&means), "{:?}", cpu);
                mean_gradient(cpu, &shape, &dy, &mut dx);
                prop_assert_eq!(bits(&dx), bits(&dx_of_means), "{:?}", cpu);
            }
        }
    }

    #[test]
    #[should_panic = "have other outputs"]
    fn outputs_of_another_shape_are_refused() {
        let shape = Windows {
            planes: 1,
            height: 4,
            width: 4,
            size: 2,
            stride: 2,
        };
        mean(&Cpu::default(), &shape, &[0.0; 16], &mut [0.0; 5]);
    }

    /// One window in one plane of one value.
    const ONE: Windows = Windows {
        planes: 1,
        height: 1,
        width: 1,
        size: 1,
        stride: 1,
    };

    #[test]
    fn windows_are_counted_whatever_their_sizes_are() {
        let count = |shape: Windows| [shape.out_height(), shape.out_width()];
        assert_eq!(count(ONE), [1, 1]);
        assert_eq!(count(Windows { size: 2, ..ONE }), [0, 0]);
        assert_eq!(count(Windows { stride: 0, ..ONE }), [0, 0]);
        let most = usize::MAX;
        assert_eq!(count(Windows { stride: most, ..ONE }), [1, 1]);
        assert_eq!(
            count(Windows {
                height: most,
                size: 0,
                ..ONE
            }),
            [most, 2]
        );
    }

    #[test]
    #[should_panic = "windows have values, and a stride"]
    fn windows_without_a_stride_are_refused() {
        mean(&Cpu::default(), &Windows { stride: 0, ..ONE }, &[0.0], &mut []);
    }
}
