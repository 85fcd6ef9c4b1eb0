//! Updates folded into weights, by each rule.

use hydra_arithmetic::fold::Rule;

use super::{case::Cases, values::SPECIAL};
use crate::operations::Operations;

/// The updates' weights, in their order.
const WEIGHTS: [f64; 5] = [180.0, 7.0, 360.0, 1.0, 55.0];

fn millionths(share: u32) -> f64 {
    f64::from(share) / 1e6
}

pub fn fold(on: &dyn Operations, cases: &mut Cases) {
    let mix = Rule::Mix {
        rate: millionths(100_000),
        rest: millionths(900_000),
    };
    let mean = Rule::Mean {
        rate: millionths(900_000),
        momentum: millionths(400_000),
    };
    for (rule, keeps, name) in [
        (mix, false, "mix at 100000 millionths"),
        (mean, false, "mean at 900000 millionths, momentum 400000"),
        (mean, true, "mean at 900000 millionths, momentum 400000, with m"),
    ] {
        let title = |count: usize, values: usize| {
            let weights: Vec<String> = WEIGHTS[..count].iter().map(f64::to_string).collect();
            format!(
                "{name}: w [{values}], weights of updates [{}]",
                weights.join(", ")
            )
        };
        // What is special meets something else in each array.
        let special = |by: usize| {
            let mut values = SPECIAL.to_vec();
            values.rotate_left(by);
            values
        };
        cases.small(&title(2, SPECIAL.len()), 0);
        let updates = [special(5), special(10)];
        let kept = keeps.then(|| special(15));
        cases.given("w", &SPECIAL);
        if let Some(kept) = &kept {
            cases.given("m", kept);
        }
        cases.given("Δ1", &updates[0]);
        cases.given("Δ2", &updates[1]);
        made(on, cases, rule, &SPECIAL, &updates, kept);

        // The last one is enough for several threads, and has more updates than are added at once.
        for (count, values) in [(0, 3), (1, 16), (3, 21), (5, 32_771)] {
            if values < 100 {
                cases.small(&title(count, values), 1);
            } else {
                cases.large(&title(count, values), 2);
            }
            let base = cases.drawn("w", values, 1.0);
            let kept = keeps.then(|| cases.drawn("m", values, 1.0));
            let updates: Vec<Vec<f32>> = (1..=count)
                .map(|i| cases.drawn(&format!("Δ{i}"), values, 1.0))
                .collect();
            made(on, cases, rule, &base, &updates, kept);
        }
    }
}

/// The new weights, and the new m if one is kept.
fn made(
    on: &dyn Operations,
    cases: &mut Cases,
    rule: Rule,
    base: &[f32],
    updates: &[Vec<f32>],
    mut kept: Option<Vec<f32>>,
) {
    let weighted: Vec<(f64, &[f32])> = WEIGHTS
        .into_iter()
        .zip(updates.iter().map(Vec::as_slice))
        .collect();
    let weights = on.fold(rule, base, &weighted, kept.as_deref_mut());
    if let Some(kept) = &kept {
        cases.made("m", kept);
    }
    cases.made("w", &weights);
}
