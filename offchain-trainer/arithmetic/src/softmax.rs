//! Softmax of rows. `docs/arithmetic.md`, *Rows*.

use crate::{
    Cpu,
    function::exp_lanes,
    lanes::{Kernel, LANES, Lanes},
    pieces::rows_at_once,
    sum::{dot_lanes, max_lanes},
};

/// Softmax of a row.
#[inline(always)]
pub(crate) fn row<L: Lanes>(l: L, x: &[f32], y: &mut [f32]) {
    let largest = l.splat(max_lanes(l, x));
    let (from, from_rest) = x.as_chunks::<LANES>();
    let (to, to_rest) = y.as_chunks_mut::<LANES>();
    let mut sums = l.splat(0.0);
    for (x, y) in from.iter().zip(to) {
        let e = exp_lanes(l, l.sub(l.load(x), largest));
        sums = l.add(sums, e);
        l.store(e, y);
    }
    if !from_rest.is_empty() {
        // What is missing is 0 in the sum: e⁻∞; or NaN, where all others are.
        let x = l.load_some(from_rest, f32::NEG_INFINITY);
        let e = exp_lanes(l, l.sub(x, largest));
        sums = l.add(sums, e);
        if from.is_empty() {
            return l.store_some(l.mul(e, l.splat(1.0 / l.sum(sums))), to_rest);
        }
        l.store_some(e, to_rest);
    }
    scale(l, 1.0 / l.sum(sums), y);
}

/// y × r
#[inline(always)]
fn scale<L: Lanes>(l: L, r: f32, y: &mut [f32]) {
    let r = l.splat(r);
    let (whole, rest) = y.as_chunks_mut::<LANES>();
    for y in whole {
        l.store(l.mul(l.load(y), r), y);
    }
    if !rest.is_empty() {
        l.store_some(l.mul(l.load_some(rest, 0.0), r), rest);
    }
}

/// dx of a row.
#[inline(always)]
pub(crate) fn row_gradient<L: Lanes>(l: L, dy: &[f32], y: &[f32], dx: &mut [f32]) {
    let d = l.splat(dot_lanes(l, dy, y));
    let (dy, dy_rest) = dy.as_chunks::<LANES>();
    let (y, y_rest) = y.as_chunks::<LANES>();
    let (dx, dx_rest) = dx.as_chunks_mut::<LANES>();
    for ((dy, y), dx) in dy.iter().zip(y).zip(dx) {
        l.store(l.mul(l.load(y), l.sub(l.load(dy), d)), dx);
    }
    if !dx_rest.is_empty() {
        let (dy, y) = (l.load_some(dy_rest, 0.0), l.load_some(y_rest, 0.0));
        l.store_some(l.mul(y, l.sub(dy, d)), dx_rest);
    }
}

/// `y [m, columns]`: softmax of each row of `x [m, columns]`.
///
/// # Panics
/// If the lengths differ, or are no whole number of rows.
pub fn forward(cpu: &Cpu, x: &[f32], columns: usize, y: &mut [f32]) {
    struct Forward<'a>(&'a [f32], usize, &'a mut [f32]);
    impl Kernel for Forward<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) {
            let Self(x, columns, y) = self;
            for (x, y) in x.chunks_exact(columns).zip(y.chunks_exact_mut(columns)) {
                row(l, x, y);
            }
        }
    }
    let Some(at_once) = check(cpu, x.len(), columns, y.len()) else {
        return;
    };
    cpu.spread_pieces(y, at_once * columns, |i, y| {
        cpu.run(Forward(&x[i * at_once * columns..], columns, y));
    });
}

/// `dx [m, columns]`: the gradient with respect to x, where `dy` is that with respect to `y`, which is what [`forward`] gave.
///
/// # Panics
/// If the lengths differ, or are no whole number of rows.
pub fn gradient(cpu: &Cpu, dy: &[f32], y: &[f32], columns: usize, dx: &mut [f32]) {
    struct Gradient<'a>(&'a [f32], &'a [f32], usize, &'a mut [f32]);
    impl Kernel for Gradient<'_> {
        type Output = ();
        #[inline(always)]
        fn run<L: Lanes>(self, l: L) {
            let Self(dy, y, columns, dx) = self;
            let rows = dy.chunks_exact(columns).zip(y.chunks_exact(columns));
            for ((dy, y), dx) in rows.zip(dx.chunks_exact_mut(columns)) {
                row_gradient(l, dy, y, dx);
            }
        }
    }
    assert_eq!(dy.len(), y.len(), "a gradient for each output");
    let Some(at_once) = check(cpu, y.len(), columns, dx.len()) else {
        return;
    };
    cpu.spread_pieces(dx, at_once * columns, |i, dx| {
        let first = i * at_once * columns;
        cpu.run(Gradient(&dy[first..], &y[first..], columns, dx));
    });
}

/// How many rows a thread takes at a time; none where there is nothing to do.
fn check(cpu: &Cpu, from: usize, columns: usize, to: usize) -> Option<usize> {
    assert_eq!(from, to, "as many values as come in go out");
    if from == 0 {
        return None;
    }
    assert!(
        columns > 0 && from.is_multiple_of(columns),
        "no whole number of rows of {columns} values"
    );
    Some(rows_at_once(cpu, from / columns, columns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    fn case() -> impl Strategy<Value = (usize, Vec<f32>, Vec<f32>)> {
        (0usize..12, columns()).prop_flat_map(|(rows, columns)| {
            let columns = columns.max(1);
            (Just(columns), values(rows * columns), values(rows * columns))
        })
    }

    proptest! {
        #[test]
        fn both_directions_are_the_references((columns, x, dy) in case()) {
            let (mut y, mut dx) = (vec![7.0; x.len()], vec![7.0; x.len()]);
            reference::softmax::forward(&x, columns, &mut y);
            reference::softmax::gradient(&dy, &y, columns, &mut dx);
            for cpu in every_cpu() {
                let mut found = vec![-7.0; x.len()];
                forward(cpu, &x, columns, &mut found);
                prop_assert_eq!(bits(&found), bits(&y), "{:?}", cpu);
                gradient(cpu, &dy, &y, columns, &mut found);
                prop_assert_eq!(bits(&found), bits(&dx), "{:?}", cpu);
            }
        }
    }

    #[test]
    fn a_row_adds_up_to_one_whatever_its_size() {
        for columns in [1, 2, 10, 100, 1000] {
            let x: Vec<f32> = (0..columns).map(|i| (i as f32).sin() * 100.0).collect();
            let mut y = vec![0.0; columns];
            forward(&Cpu::default(), &x, columns, &mut y);
            assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
}
