//! Layer norm: rows of mean 0 and variance 1, scaled and shifted column by column. `docs/arithmetic.md`, *Rows*.

use crate::{
    Cpu,
    lanes::{Kernel, LANES, Lanes},
    pieces::{rows_at_once, spread_each},
    sum::sum_lanes,
    tail::first,
};

/// So many values of a block of rows stay near from one pass over them to the next.
const NEAR: usize = 8192;

/// `y [m, n]` of `x [m, n]`, `gamma [n]`, `beta [n]` and ε. `statistics [m]` are μ and r of each row, which [`gradient`] needs.
///
/// # Panics
/// If the lengths don't fit each other.
pub fn forward(
    cpu: &Cpu,
    x: &[f32],
    gamma: &[f32],
    beta: &[f32],
    epsilon: f32,
    y: &mut [f32],
    statistics: &mut [[f32; 2]],
) {
    let n = gamma.len();
    assert_eq!(n, beta.len(), "as many β as γ");
    assert!(n > 0 || statistics.is_empty(), "a row has a value at least");
    check(x, n, y, statistics);
    if x.is_empty() {
        return;
    }
    let at_once = rows_at_once(cpu, statistics.len(), n);
    let pieces = x
        .chunks(at_once * n)
        .zip(y.chunks_mut(at_once * n))
        .zip(statistics.chunks_mut(at_once));
    spread_each(cpu, pieces, |((x, y), statistics)| {
        cpu.run(Forward {
            x,
            gamma,
            beta,
            epsilon,
            y,
            statistics,
        });
    });
}

struct Forward<'a> {
    x: &'a [f32],
    gamma: &'a [f32],
    beta: &'a [f32],
    epsilon: f32,
    y: &'a mut [f32],
    statistics: &'a mut [[f32; 2]],
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let n = self.gamma.len();
        let count = n as f32;
        let (gamma, gamma_rest) = self.gamma.as_chunks::<LANES>();
        let (beta, beta_rest) = self.beta.as_chunks::<LANES>();
        let has_value = first(l, gamma_rest.len());
        let rows = self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n));
        for ((x, y), statistics) in rows.zip(self.statistics) {
            let mean = sum_lanes(l, x) / count;
            let (x, x_rest) = x.as_chunks::<LANES>();
            let means = l.splat(mean);
            let mut squares = l.splat(0.0);
            for x in x {
                let d = l.sub(l.load(x), means);
                squares = l.fma(d, d, squares);
            }
            let mut last = l.splat(0.0);
            if !x_rest.is_empty() {
                let d = l.sub(l.load_some(x_rest, 0.0), means);
                last = l.select(has_value, d, last);
                squares = l.fma(last, last, squares);
            }
            let v = l.sum(squares) / count;
            // An instruction of IEEE 754, not a library's function.
            let r = 1.0 / (v + self.epsilon).sqrt();
            let scales = l.splat(r);
            let (y, y_rest) = y.as_chunks_mut::<LANES>();
            for (((x, y), gamma), beta) in x.iter().zip(y).zip(gamma).zip(beta) {
                let normal = l.mul(l.sub(l.load(x), means), scales);
                l.store(l.fma(normal, l.load(gamma), l.load(beta)), y);
            }
            if !y_rest.is_empty() {
                let (gamma, beta) = (l.load_some(gamma_rest, 0.0), l.load_some(beta_rest, 0.0));
                l.store_some(l.fma(l.mul(last, scales), gamma, beta), y_rest);
            }
            *statistics = [mean, r];
        }
    }
}

/// The gradients of what has the gradient `dy [m, n]` with respect to [`forward`]'s y: `dx [m, n]` with respect to `x [m, n]`, and those with
/// respect to γ and β, `[n]` each. `statistics` are what [`forward`] gave.
///
/// # Panics
/// If the lengths don't fit each other.
pub fn gradient(
    cpu: &Cpu,
    dy: &[f32],
    x: &[f32],
    gamma: &[f32],
    statistics: &[[f32; 2]],
    dx: &mut [f32],
    [d_gamma, d_beta]: [&mut [f32]; 2],
) {
    let n = gamma.len();
    assert!(
        n == d_gamma.len() && n == d_beta.len(),
        "a gradient for each γ and β"
    );
    assert_eq!(x.len(), dy.len(), "a gradient for each output");
    check(x, n, dx, statistics);
    d_gamma.fill(0.0);
    d_beta.fill(0.0);
    if x.is_empty() {
        return;
    }
    let rows = |first: usize, dx: &mut [f32]| {
        let range = first * n..first * n + dx.len();
        cpu.run(RowGradient {
            dy: &dy[range.clone()],
            x: &x[range],
            gamma,
            statistics: &statistics[first..],
            dx,
        });
    };
    if rows_at_once(cpu, statistics.len(), n) >= statistics.len() {
        // One thread: both passes over some rows before the next ones.
        let block = (NEAR / n).max(1);
        for (i, dx) in dx.chunks_mut(block * n).enumerate() {
            let range = i * block * n..i * block * n + dx.len();
            rows(i * block, dx);
            cpu.run(ColumnGradient {
                dy: &dy[range.clone()],
                x: &x[range],
                n,
                statistics: &statistics[i * block..],
                first: 0,
                d_gamma,
                d_beta,
            });
        }
        return;
    }
    let at_once = rows_at_once(cpu, statistics.len(), n);
    cpu.spread_pieces(dx, at_once * n, |i, dx| rows(i * at_once, dx));
    // The order over rows is given, so these are split over columns.
    let at_once = n.div_ceil(cpu.threads()).next_multiple_of(LANES);
    let pieces = d_gamma.chunks_mut(at_once).zip(d_beta.chunks_mut(at_once));
    spread_each(cpu, pieces.enumerate(), |(i, (d_gamma, d_beta))| {
        cpu.run(ColumnGradient {
            dy,
            x,
            n,
            statistics,
            first: i * at_once,
            d_gamma,
            d_beta,
        });
    });
}

/// dx of some rows.
struct RowGradient<'a> {
    dy: &'a [f32],
    x: &'a [f32],
    gamma: &'a [f32],
    statistics: &'a [[f32; 2]],
    dx: &'a mut [f32],
}

impl Kernel for RowGradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(self, l: L) {
        let n = self.gamma.len();
        let count = n as f32;
        let (gamma, gamma_rest) = self.gamma.as_chunks::<LANES>();
        let has_value = first(l, gamma_rest.len());
        let rows = self.dy.chunks_exact(n).zip(self.x.chunks_exact(n));
        let rows = rows.zip(self.statistics).zip(self.dx.chunks_exact_mut(n));
        for (((dy, x), [mean, r]), dx) in rows {
            let (mean, r) = (l.splat(*mean), l.splat(*r));
            let (dy, dy_rest) = dy.as_chunks::<LANES>();
            let (x, x_rest) = x.as_chunks::<LANES>();
            let (dx, dx_rest) = dx.as_chunks_mut::<LANES>();
            let (mut a, mut b) = (l.splat(0.0), l.splat(0.0));
            for ((dy, x), gamma) in dy.iter().zip(x).zip(gamma) {
                let g = l.mul(l.load(dy), l.load(gamma));
                let normal = l.mul(l.sub(l.load(x), mean), r);
                a = l.add(a, g);
                b = l.fma(g, normal, b);
            }
            let (mut last_g, mut last_normal) = (l.splat(0.0), l.splat(-0.0));
            if !dx_rest.is_empty() {
                last_g = l.mul(l.load_some(dy_rest, 0.0), l.load_some(gamma_rest, 0.0));
                let normal = l.mul(l.sub(l.load_some(x_rest, 0.0), mean), r);
                // 0 × −0 leaves each sum as it is, −0 too.
                last_normal = l.select(has_value, normal, last_normal);
                a = l.add(a, last_g);
                b = l.fma(last_g, last_normal, b);
            }
            let (a, b) = (l.splat(l.sum(a) / count), l.splat(l.sum(b) / count));
            for (((dy, x), gamma), dx) in dy.iter().zip(x).zip(gamma).zip(dx) {
                let g = l.mul(l.load(dy), l.load(gamma));
                let normal = l.mul(l.sub(l.load(x), mean), r);
                l.store(l.mul(r, l.sub(l.sub(g, a), l.mul(normal, b))), dx);
            }
            if !dx_rest.is_empty() {
                let last = l.sub(l.sub(last_g, a), l.mul(last_normal, b));
                l.store_some(l.mul(r, last), dx_rest);
            }
        }
    }
}

/// Adds some rows' share to dγ and dβ of the columns from `first` on.
struct ColumnGradient<'a> {
    dy: &'a [f32],
    x: &'a [f32],
    n: usize,
    statistics: &'a [[f32; 2]],
    first: usize,
    d_gamma: &'a mut [f32],
    d_beta: &'a mut [f32],
}

/// How many sixteens of columns are walked down at once: their sums are in registers, and a row's lines are read whole.
const WIDE: usize = 4;

impl Kernel for ColumnGradient<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(mut self, l: L) {
        let columns = self.d_gamma.len();
        let mut at = 0;
        while at + WIDE * LANES <= columns {
            self.columns::<L, WIDE>(l, at);
            at += WIDE * LANES;
        }
        while at < columns {
            self.columns::<L, 1>(l, at);
            at += LANES;
        }
    }
}

impl ColumnGradient<'_> {
    /// Of `N` sixteens from `at` on; of less than one sixteen if no more are left.
    #[inline(always)]
    fn columns<L: Lanes, const N: usize>(&mut self, l: L, at: usize) {
        let to = self.d_gamma.len().min(at + N * LANES);
        let (mut gamma, mut beta) = ([l.splat(0.0); N], [l.splat(0.0); N]);
        for i in 0..N {
            gamma[i] = l.load_some(&self.d_gamma[at + i * LANES..to], 0.0);
            beta[i] = l.load_some(&self.d_beta[at + i * LANES..to], 0.0);
        }
        let range = self.first + at..self.first + to;
        let rows = self.dy.chunks_exact(self.n).zip(self.x.chunks_exact(self.n));
        for ((dy, x), [mean, r]) in rows.zip(self.statistics) {
            let (dy, x) = (&dy[range.clone()], &x[range.clone()]);
            let (mean, r) = (l.splat(*mean), l.splat(*r));
            for i in 0..N {
                let dy = l.load_some(&dy[i * LANES..], 0.0);
                let x = l.load_some(&x[i * LANES..], 0.0);
                gamma[i] = l.fma(dy, l.mul(l.sub(x, mean), r), gamma[i]);
                beta[i] = l.add(beta[i], dy);
            }
        }
        for i in 0..N {
            let end = to.min(at + (i + 1) * LANES);
            l.store_some(gamma[i], &mut self.d_gamma[at + i * LANES..end]);
            l.store_some(beta[i], &mut self.d_beta[at + i * LANES..end]);
        }
    }
}

fn check(x: &[f32], n: usize, y: &[f32], statistics: &[[f32; 2]]) {
    assert_eq!(x.len(), y.len(), "as many values as come in go out");
    assert_eq!(
        statistics.len().checked_mul(n),
        Some(x.len()),
        "statistics of each row of {n} values"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    /// x, dy, γ, β, ε.
    fn case() -> impl Strategy<Value = ([Vec<f32>; 2], [Vec<f32>; 2], f32)> {
        (0usize..20, columns()).prop_flat_map(|(rows, n)| {
            let epsilon = prop::sample::select(vec![1e-5, 1e-12, 0.0, 1.0]);
            // Rows of one value, and of values next to each other, have a variance of 0 or hardly more.
            let x = prop_oneof![
                4 => values(rows * n),
                1 => prop::collection::vec(prop::sample::select(vec![1e-30f32, 1.1e-30, -1e-30, 0.0]), rows * n),
                1 => Just(vec![0.1; rows * n]),
            ];
            ([x.boxed(), values(rows * n).boxed()], [values(n), values(n)], epsilon)
        })
    }

    proptest! {
        #[test]
        fn both_directions_are_the_references(([x, dy], [gamma, beta], epsilon) in case()) {
            let n = gamma.len();
            let rows = x.len().checked_div(n).unwrap_or(0);
            let (mut y, mut statistics) = (vec![7.0; x.len()], vec![[7.0; 2]; rows]);
            let (mut dx, mut d_gamma, mut d_beta) = (vec![7.0; x.len()], vec![7.0; n], vec![7.0; n]);
            reference::layer_norm::forward(&x, &gamma, &beta, epsilon, &mut y, &mut statistics);
            reference::layer_norm::gradient(&dy, &x, &gamma, &statistics, &mut dx, [&mut d_gamma, &mut d_beta]);
            for cpu in every_cpu() {
                let (mut found, mut found_statistics) = (vec![-7.0; x.len()], vec![[-7.0; 2]; rows]);
                forward(cpu, &x, &gamma, &beta, epsilon, &mut found, &mut found_statistics);
                prop_assert_eq!(bits(&found), bits(&y), "{:?}", cpu);
                prop_assert_eq!(bits(found_statistics.as_flattened()), bits(statistics.as_flattened()), "{:?}", cpu);
                let (mut found_gamma, mut found_beta) = (vec![-7.0; n], vec![-7.0; n]);
                gradient(cpu, &dy, &x, &gamma, &statistics, &mut found, [&mut found_gamma, &mut found_beta]);
                prop_assert_eq!(bits(&found), bits(&dx), "{:?}", cpu);
                prop_assert_eq!(bits(&found_gamma), bits(&d_gamma), "{:?}", cpu);
                prop_assert_eq!(bits(&found_beta), bits(&d_beta), "{:?}", cpu);
            }
        }
    }

    #[test]
    fn more_rows_than_stay_near_are_the_references_too() {
        let (rows, n) = (300, 70);
        let x: Vec<f32> = (0..rows * n).map(|i| (i % 97) as f32 - 40.0).collect();
        let dy: Vec<f32> = (0..rows * n).map(|i| (i % 89) as f32 * 0.01 - 0.4).collect();
        let (gamma, statistics) = (vec![1.5; n], vec![[0.5, 0.25]; rows]);
        let (mut dx, mut d_gamma, mut d_beta) = (vec![0.0; rows * n], vec![0.0; n], vec![0.0; n]);
        reference::layer_norm::gradient(&dy, &x, &gamma, &statistics, &mut dx, [&mut d_gamma, &mut d_beta]);
        for cpu in every_cpu() {
            let (mut found, mut found_gamma, mut found_beta) =
                (vec![7.0; rows * n], vec![7.0; n], vec![7.0; n]);
            let both = [&mut found_gamma[..], &mut found_beta];
            gradient(cpu, &dy, &x, &gamma, &statistics, &mut found, both);
            assert_eq!(bits(&found), bits(&dx), "{cpu:?}");
            assert_eq!(bits(&found_gamma), bits(&d_gamma), "{cpu:?}");
            assert_eq!(bits(&found_beta), bits(&d_beta), "{cpu:?}");
        }
    }
}
