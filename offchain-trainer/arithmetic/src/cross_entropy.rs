//! Cross-entropy of logits and labels: what classifying and predicting the next token have as their loss. `docs/arithmetic.md`, *Rows*.

use crate::{
    Cpu,
    function::{exp_lanes, log_lanes},
    lanes::{Kernel, LANES, Lanes},
    pieces::{rows_at_once, spread_each},
    sum::{max_lanes, sum},
    tail::first,
};

/// exp(x − m), and NaN for −∞. (Of +∞ and NaN it is NaN anyway.)
#[inline(always)]
fn exponential<L: Lanes>(l: L, x: L::V, largest: L::V) -> L::V {
    let e = exp_lanes(l, l.sub(x, largest));
    l.select(l.le(x, l.splat(f32::NEG_INFINITY)), l.splat(f32::NAN), e)
}

/// The last e of a row, 0 in the lanes that have none.
#[inline(always)]
fn last_exponential<L: Lanes>(l: L, x: &[f32], largest: L::V) -> L::V {
    let e = exponential(l, l.load_some(x, 0.0), largest);
    l.select(first(l, x.len()), e, l.splat(0.0))
}

/// s and m of a row.
#[inline(always)]
fn row<L: Lanes>(l: L, x: &[f32]) -> (f32, f32) {
    let m = max_lanes(l, x);
    let largest = l.splat(m);
    let (whole, rest) = x.as_chunks::<LANES>();
    let mut sums = l.splat(0.0);
    for x in whole {
        sums = l.add(sums, exponential(l, l.load(x), largest));
    }
    if !rest.is_empty() {
        sums = l.add(sums, last_exponential(l, rest, largest));
    }
    (l.sum(sums), m)
}

/// s and m of a row, and to dx what the mean of `count` rows has as its gradient.
#[inline(always)]
fn row_gradient<L: Lanes>(l: L, x: &[f32], label: usize, count: f32, dx: &mut [f32]) -> (f32, f32) {
    let m = max_lanes(l, x);
    let largest = l.splat(m);
    let (from, from_rest) = x.as_chunks::<LANES>();
    let (to, to_rest) = dx.as_chunks_mut::<LANES>();
    let mut sums = l.splat(0.0);
    for (x, e) in from.iter().zip(&mut *to) {
        let new = exponential(l, l.load(x), largest);
        sums = l.add(sums, new);
        l.store(new, e);
    }
    let mut last = l.splat(0.0);
    if !to_rest.is_empty() {
        last = last_exponential(l, from_rest, largest);
        sums = l.add(sums, last);
    }
    let s = l.sum(sums);
    let (r, n) = (l.splat(1.0 / s), l.splat(count));
    for e in to {
        l.store(l.div(l.mul(l.load(e), r), n), e);
    }
    if !to_rest.is_empty() {
        l.store_some(l.div(l.mul(last, r), n), to_rest);
    }
    // The label's once more, with 1 taken away before it is divided.
    let at = label / LANES * LANES;
    let x = l.load_some(&x[at..], 0.0);
    let y = l.mul(exponential(l, x, largest), l.splat(1.0 / s));
    let one = l.array(l.div(l.sub(y, l.splat(1.0)), n));
    dx[label] = one[label - at];
    (s, m)
}

/// Rows whose logarithms are taken together.
struct Rows<'a> {
    logits: &'a [f32],
    columns: usize,
    labels: &'a [i64],
    losses: &'a mut [f32],
    /// Where the gradient goes to, and of how many rows the mean is.
    gradient: Option<(&'a mut [f32], f32)>,
}

impl Kernel for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<L: Lanes>(mut self, l: L) {
        let group = LANES * self.columns;
        let logits = self.logits.chunks(group).zip(self.labels.chunks(LANES));
        for (i, ((logits, labels), losses)) in logits.zip(self.losses.chunks_mut(LANES)).enumerate() {
            let (mut sums, mut rest) = ([1.0; LANES], [0.0; LANES]);
            let rows = logits.chunks_exact(self.columns).zip(labels);
            for (j, (x, label)) in rows.enumerate() {
                let label = *label as usize;
                let (s, m) = match &mut self.gradient {
                    None => row(l, x),
                    Some((dx, count)) => {
                        let dx = &mut dx[i * group + j * self.columns..][..self.columns];
                        row_gradient(l, x, label, *count, dx)
                    }
                };
                (sums[j], rest[j]) = (s, m - x[label]);
            }
            let loss = l.add(log_lanes(l, l.load(&sums)), l.load(&rest));
            l.store_some(loss, losses);
        }
    }
}

/// `losses [m]` of `logits [m, columns]`, row by row, with the row's label in `labels [m]`. A row with a logit that isn't finite has the
/// loss NaN.
///
/// # Panics
/// If the lengths don't fit each other, or a label is no column.
pub fn losses(cpu: &Cpu, logits: &[f32], columns: usize, labels: &[i64], losses: &mut [f32]) {
    check(logits, columns, labels, losses);
    let at_once = rows_at_once(cpu, labels.len(), columns);
    cpu.spread_pieces(losses, at_once, |i, losses| {
        let first = i * at_once;
        cpu.run(Rows {
            logits: &logits[first * columns..][..losses.len() * columns],
            columns,
            labels: &labels[first..][..losses.len()],
            losses,
            gradient: None,
        });
    });
}

/// The mean of `losses [m]`; NaN of none.
pub fn mean(cpu: &Cpu, losses: &[f32]) -> f32 {
    sum(cpu, losses) / losses.len() as f32
}

/// `dx [m, columns]`, the gradient of the losses' mean with respect to the logits, and the `losses [m]` themselves, which it needs the same
/// exponentials for.
///
/// # Panics
/// If the lengths don't fit each other, or a label is no column.
pub fn gradient(
    cpu: &Cpu,
    logits: &[f32],
    columns: usize,
    labels: &[i64],
    losses: &mut [f32],
    dx: &mut [f32],
) {
    check(logits, columns, labels, losses);
    assert_eq!(logits.len(), dx.len(), "a gradient for each logit");
    if labels.is_empty() {
        return;
    }
    let count = labels.len() as f32;
    let at_once = rows_at_once(cpu, labels.len(), columns);
    let pieces = logits
        .chunks(at_once * columns)
        .zip(labels.chunks(at_once))
        .zip(losses.chunks_mut(at_once))
        .zip(dx.chunks_mut(at_once * columns));
    spread_each(cpu, pieces, |(((logits, labels), losses), dx)| {
        cpu.run(Rows {
            logits,
            columns,
            labels,
            losses,
            gradient: Some((dx, count)),
        });
    });
}

fn check(logits: &[f32], columns: usize, labels: &[i64], losses: &[f32]) {
    assert_eq!(labels.len(), losses.len(), "a loss for each label");
    assert_eq!(
        labels.len().checked_mul(columns),
        Some(logits.len()),
        "{columns} logits for each label"
    );
    assert!(
        labels
            .iter()
            .all(|label| usize::try_from(*label).is_ok_and(|label| label < columns)),
        "a label is none of {columns} columns"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{reference, rows_testing::*};
    use proptest::prelude::*;

    fn case() -> impl Strategy<Value = (usize, Vec<f32>, Vec<i64>)> {
        (0usize..40, columns()).prop_flat_map(|(rows, columns)| {
            let columns = columns.max(1);
            let labels = prop::collection::vec(0..columns as i64, rows);
            (Just(columns), values(rows * columns), labels)
        })
    }

    proptest! {
        #[test]
        fn losses_and_gradient_are_the_references((columns, x, labels) in case()) {
            let (mut expected, mut dx) = (vec![7.0; labels.len()], vec![7.0; x.len()]);
            reference::cross_entropy::losses(&x, columns, &labels, &mut expected);
            reference::cross_entropy::gradient(&x, columns, &labels, &mut dx);
            let finite = x.chunks(columns).map(|x| x.iter().all(|x| x.is_finite()));
            prop_assert!(expected.iter().zip(finite).all(|(loss, finite)| finite || loss.is_nan()));
            for cpu in every_cpu() {
                let (mut found, mut found_dx) = (vec![-7.0; labels.len()], vec![-7.0; x.len()]);
                losses(cpu, &x, columns, &labels, &mut found);
                prop_assert_eq!(bits(&found), bits(&expected), "{:?}", cpu);
                found.fill(-7.0);
                gradient(cpu, &x, columns, &labels, &mut found, &mut found_dx);
                prop_assert_eq!(bits(&found), bits(&expected), "{:?}", cpu);
                prop_assert_eq!(bits(&found_dx), bits(&dx), "{:?}", cpu);
                let means = [mean(cpu, &found), reference::cross_entropy::mean(&expected)];
                prop_assert_eq!(bits(&means[..1]), bits(&means[1..]), "{:?}", cpu);
            }
        }
    }

    #[test]
    fn not_knowing_costs_the_logarithm_of_the_number_of_classes() {
        let mut found = [0.0];
        losses(&Cpu::default(), &[0.25; 10], 10, &[3], &mut found);
        assert!((found[0] - 10f32.ln()).abs() < 1e-6);
    }

    #[test]
    #[should_panic = "none of 2 columns"]
    fn a_label_without_a_column_is_refused() {
        losses(&Cpu::default(), &[0.0, 1.0], 2, &[-1], &mut [0.0]);
    }
}
