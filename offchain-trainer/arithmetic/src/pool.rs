//! Pooling: the largest or the mean value of each window of an image. `docs/arithmetic.md`, *Pooling*.

use crate::{
    Cpu,
    lanes::{Kernel, Lanes},
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
    /// How many windows fit below each other.
    ///
    /// # Panics
    /// If the stride is 0.
    pub fn out_height(&self) -> usize {
        self.fit(self.height)
    }

    /// How many windows fit beside each other.
    ///
    /// # Panics
    /// If the stride is 0.
    pub fn out_width(&self) -> usize {
        self.fit(self.width)
    }

    fn fit(&self, side: usize) -> usize {
        assert!(self.stride > 0, "windows need a stride");
        match side.checked_sub(self.size) {
            Some(more) => more / self.stride + 1,
            None => 0,
        }
    }

    /// Checks that there are windows, and so many values.
    fn check(&self, x: usize, y: usize) {
        assert!(self.size > 0, "a window has values");
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
    fn run<L: Lanes>(self, _: L) {
        // A stride that the compiler knows makes vectors of the loops over a row.
        match self.shape.stride {
            1 => self.planes(1),
            2 => self.planes(2),
            stride => self.planes(stride),
        }
    }
}

impl Max<'_> {
    #[inline(always)]
    fn planes(self, stride: usize) {
        let Self { shape, x, y, kept } = self;
        let (width, out_width) = (shape.width, shape.out_width());
        let outputs = y
            .chunks_exact_mut(shape.out_plane())
            .zip(kept.chunks_exact_mut(shape.out_plane()));
        for (x, (y, kept)) in x.chunks_exact(shape.plane()).zip(outputs) {
            let rows = y
                .chunks_exact_mut(out_width)
                .zip(kept.chunks_exact_mut(out_width));
            for (row, (y, kept)) in rows.enumerate() {
                let first = row * stride * width;
                for ((y, kept), (i, x)) in y
                    .iter_mut()
                    .zip(kept.iter_mut())
                    .zip(x[first..].iter().enumerate().step_by(stride))
                {
                    (*y, *kept) = (*x, (first + i) as u32);
                }
                for i in 0..shape.size {
                    for j in 0..shape.size {
                        let first = first + i * width + j;
                        for ((y, kept), (i, x)) in y
                            .iter_mut()
                            .zip(kept.iter_mut())
                            .zip(x[first..].iter().enumerate().step_by(stride))
                        {
                            let takes = *x > *y || x.is_nan();
                            *y = if takes { *x } else { *y };
                            *kept = if takes { (first + i) as u32 } else { *kept };
                        }
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
    fn run<L: Lanes>(self, _: L) {
        match self.shape.stride {
            1 => self.planes(1),
            2 => self.planes(2),
            stride => self.planes(stride),
        }
    }
}

impl Mean<'_> {
    #[inline(always)]
    fn planes(self, stride: usize) {
        let Self { shape, x, y } = self;
        let count = (shape.size * shape.size) as f32;
        let planes = y.chunks_exact_mut(shape.out_plane());
        for (x, y) in x.chunks_exact(shape.plane()).zip(planes) {
            for (row, y) in y.chunks_exact_mut(shape.out_width()).enumerate() {
                y.fill(0.0);
                for i in 0..shape.size {
                    for j in 0..shape.size {
                        let first = (row * stride + i) * shape.width + j;
                        for (y, x) in y.iter_mut().zip(x[first..].iter().step_by(stride)) {
                            *y += x;
                        }
                    }
                }
                y.iter_mut().for_each(|y| *y /= count);
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
    fn run<L: Lanes>(self, _: L) {
        match self.shape.stride {
            1 => self.planes(1),
            2 => self.planes(2),
            stride => self.planes(stride),
        }
    }
}

impl MeanGradient<'_> {
    #[inline(always)]
    fn planes(self, stride: usize) {
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
                        let first = (row * stride + i) * shape.width + j;
                        for (dx, share) in dx[first..].iter_mut().step_by(stride).zip(&shares) {
                            *dx += share;
                        }
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
}
