//! Products, sums, functions, what is done value by value, and what optimizers do to weights.

use hydra_arithmetic::optimizer::AdamW;

use super::case::Cases;
use crate::operations::{Function, Operations};

/// What is easily got wrong: both zeros, numbers below 2⁻¹²⁶, infinities, NaN, and where functions have their limits.
pub const SPECIAL: [f32; 24] = [
    0.0,
    -0.0,
    f32::from_bits(1),
    -f32::from_bits(0x007f_ffff),
    f32::MIN_POSITIVE,
    -f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
    1.0,
    -1.0,
    0.5,
    // The last value whose exponential is finite, and the next one.
    f32::from_bits(0x42b1_7217),
    f32::from_bits(0x42b1_7218),
    -87.5,
    -103.5,
    -104.5,
    9.5,
    -9.5,
    1e-4,
    f32::from_bits(0x3f7f_ffff),
    f32::from_bits(0x3f80_0001),
];

pub fn product(on: &dyn Operations, cases: &mut Cases) {
    for (i, size) in [[1, 1, 1], [3, 5, 2], [7, 19, 17], [2, 3, 33]]
        .into_iter()
        .enumerate()
    {
        let [m, k, n] = size;
        cases.small(&format!("product A [{m}, {k}], B [{k}, {n}], from +0"), i as u64);
        let (a, b) = (cases.drawn("A", m * k, 1.0), cases.drawn("B", k * n, 1.0));
        cases.made("C", &on.product(size, &a, &b));
    }
    cases.small("product A [24, 1], B [1, 24], from +0", 0);
    cases.given("A", &SPECIAL);
    cases.given("B", &SPECIAL);
    cases.made("C", &on.product([24, 1, 24], &SPECIAL, &SPECIAL));
    cases.large("product A [67, 181], B [181, 263], from +0", 10);
    let (a, b) = (cases.drawn("A", 67 * 181, 1.0), cases.drawn("B", 181 * 263, 1.0));
    cases.made("C", &on.product([67, 181, 263], &a, &b));
}

pub fn batched_product(on: &dyn Operations, cases: &mut Cases) {
    // Of the large ones, one has a matrix at least for each of three threads; the other has fewer, each of them enough for several.
    let sizes = [
        [1, 1, 1, 1],
        [3, 2, 5, 3],
        [2, 3, 19, 17],
        [7, 67, 71, 101],
        [2, 61, 171, 211],
    ];
    for (i, [count, m, k, n]) in sizes.into_iter().enumerate() {
        let title = format!("batched product A [{count}, {m}, {k}], B [{count}, {k}, {n}], from +0");
        if i < 3 {
            cases.small(&title, i as u64);
        } else {
            cases.large(&title, i as u64);
        }
        let (a, b) = (
            cases.drawn("A", count * m * k, 1.0),
            cases.drawn("B", count * k * n, 1.0),
        );
        cases.made("C", &on.product_batch(count, [m, k, n], &a, &b));
    }
}

pub fn sums(on: &dyn Operations, cases: &mut Cases) {
    for count in [0, 1, 15, 16, 17, 45] {
        cases.small(&format!("sums x, y [{count}]"), count as u64);
        let (x, y) = (cases.drawn("x", count, 1.0), cases.drawn("y", count, 1.0));
        let [sum, dot, max] = on.sums(&x, &y);
        cases.made("sum(x)", &[sum]);
        cases.made("dot(x, y)", &[dot]);
        cases.made("max(x)", &[max]);
    }
    for (title, x) in [
        ("sums x, y [3], the largest is NaN", [1.0, f32::NAN, 2.0]),
        (
            "sums x, y [3], beyond what is finite",
            [f32::MAX, f32::MAX, f32::NEG_INFINITY],
        ),
        ("sums x, y [3], of zeros", [-0.0, -0.0, -0.0]),
    ] {
        cases.small(title, 0);
        cases.given("x", &x);
        cases.given("y", &x);
        let [sum, dot, max] = on.sums(&x, &x);
        cases.made("sum(x)", &[sum]);
        cases.made("dot(x, y)", &[dot]);
        cases.made("max(x)", &[max]);
    }
}

pub fn functions(on: &dyn Operations, cases: &mut Cases) {
    for (name, function, bound) in [
        ("exp", Function::Exp, 90.0),
        ("log", Function::Log, 1e6),
        ("tanh", Function::Tanh, 4.0),
        ("sigmoid", Function::Sigmoid, 20.0),
    ] {
        cases.small(&format!("{name} x [24]"), 0);
        cases.given("x", &SPECIAL);
        cases.made("y", &on.function(function, &SPECIAL));
        cases.small(&format!("{name} x [37]"), 1);
        let x = cases.drawn("x", 37, bound);
        cases.made("y", &on.function(function, &x));
        cases.large(&format!("{name} x [32771]"), 2);
        let x = cases.drawn("x", 32_771, bound);
        cases.made("y", &on.function(function, &x));
    }
}

/// Two arrays of a function and its gradient: special values, a few, and enough for three threads.
fn pairs(
    name: &str,
    cases: &mut Cases,
    bound: f32,
    of: impl Fn(&[f32]) -> Vec<f32>,
    gradient: impl Fn(&[f32], &[f32]) -> Vec<f32>,
) {
    let ones = [1.0; SPECIAL.len()];
    cases.small(&format!("{name} x, dy [24]"), 0);
    cases.given("x", &SPECIAL);
    cases.given("dy", &ones);
    cases.made("y", &of(&SPECIAL));
    cases.made("dx", &gradient(&SPECIAL, &ones));
    for count in [37, 32_771] {
        few_or_many(cases, &format!("{name} x, dy [{count}]"), count);
        let (x, dy) = (cases.drawn("x", count, bound), cases.drawn("dy", count, 1.0));
        cases.made("y", &of(&x));
        cases.made("dx", &gradient(&x, &dy));
    }
}

pub fn gelu(on: &dyn Operations, cases: &mut Cases) {
    pairs(
        "gelu",
        cases,
        6.0,
        |x| on.gelu(x),
        |x, dy| on.gelu_gradient(x, dy),
    );
}

pub fn relu(on: &dyn Operations, cases: &mut Cases) {
    pairs(
        "relu",
        cases,
        1.0,
        |x| on.relu(x),
        |x, dy| on.relu_gradient(x, dy),
    );
}

/// An operation of two arrays: special values, then as many as each of `counts`, of which large ones are enough for three threads.
fn two(name: &str, made: &str, counts: &[usize], cases: &mut Cases, of: impl Fn(&[f32], &[f32]) -> Vec<f32>) {
    cases.small(&format!("{name} a, b [24]"), 0);
    let mut reversed = SPECIAL;
    reversed.reverse();
    cases.given("a", &SPECIAL);
    cases.given("b", &reversed);
    cases.made(made, &of(&SPECIAL, &reversed));
    for count in counts.iter().copied() {
        few_or_many(cases, &format!("{name} a, b [{count}]"), count);
        let (a, b) = (cases.drawn("a", count, 1.0), cases.drawn("b", count, 1.0));
        cases.made(made, &of(&a, &b));
    }
}

/// Begins a case of so many values: few are written out.
fn few_or_many(cases: &mut Cases, title: &str, count: usize) {
    if count < 100 {
        cases.small(title, 1);
    } else {
        cases.large(title, 2);
    }
}

pub fn add(on: &dyn Operations, cases: &mut Cases) {
    two("add", "a + b", &[37], cases, |a, b| on.add(a, b));
}

pub fn multiply(on: &dyn Operations, cases: &mut Cases) {
    two("multiply", "a × b", &[37, 32_771], cases, |a, b| {
        on.multiply(a, b)
    });
}

pub fn scale(on: &dyn Operations, cases: &mut Cases) {
    for factor in [0.3, -0.0, f32::INFINITY] {
        cases.small("scale x [24]", 0);
        cases.given("factor", &[factor]);
        cases.given("x", &SPECIAL);
        cases.made("x × factor", &on.scale(factor, &SPECIAL));
    }
    for count in [37, 32_771] {
        few_or_many(cases, &format!("scale x [{count}]"), count);
        cases.given("factor", &[-0.3]);
        let x = cases.drawn("x", count, 1.0);
        cases.made("x × factor", &on.scale(-0.3, &x));
    }
}

pub fn optimizers(on: &dyn Operations, cases: &mut Cases) {
    const STEPS: usize = 3;
    for count in [21, 32_771] {
        let begin = |cases: &mut Cases, title: &str| {
            let title = format!("{title}, {STEPS} steps, w [{count}]");
            few_or_many(cases, &title, count);
            (cases.drawn("w", count, 1.0), vec![0.0; count], vec![0.0; count])
        };

        let (mut w, ..) = begin(cases, "SGD η = 0.1");
        for step in 1..=STEPS {
            let g = cases.drawn(&format!("g{step}"), count, 1.0);
            on.sgd(0.1, &g, &mut w);
        }
        cases.made("w", &w);

        let (mut w, mut m, _) = begin(cases, "SGD with momentum η = 0.1, μ = 0.9");
        for step in 1..=STEPS {
            let g = cases.drawn(&format!("g{step}"), count, 1.0);
            on.sgd_with_momentum(0.1, 0.9, &g, &mut m, &mut w);
        }
        cases.made("m", &m);
        cases.made("w", &w);

        let (mut w, mut m, mut v) = begin(cases, "AdamW η = 0.001, β₁ = 0.9, β₂ = 0.999, ε = 1e-8, λ = 0.01");
        let settings = AdamW {
            rate: 0.001,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.01,
        };
        for step in 1..=STEPS {
            let g = cases.drawn(&format!("g{step}"), count, 1.0);
            on.adam_w(step, settings, &g, [&mut m, &mut v], &mut w);
        }
        cases.made("m", &m);
        cases.made("v", &v);
        cases.made("w", &w);
    }
}
