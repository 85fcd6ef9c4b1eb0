//! Every level and number of threads against the reference, bit by bit, and the page's constants against the code's.

use super::*;
use crate::{
    Level, canonical_bits,
    reference::function::{self as reference, *},
};

type Slow = fn(f32) -> f32;
type Fast = fn(&Cpu, &[f32], &mut [f32]);

const ALL: [(&str, Slow, Fast); 6] = [
    ("exp", reference::exp, super::exp),
    ("log", reference::log, super::log),
    ("tanh", reference::tanh, super::tanh),
    ("sigmoid", reference::sigmoid, super::sigmoid),
    ("gelu", reference::gelu, super::gelu),
    ("gelu'", reference::gelu_derivative, super::gelu_derivative),
];

/// Of every binade a thousand and more, all over, and what is special.
fn inputs() -> Vec<f32> {
    let special = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        f32::MIN_POSITIVE,
        f32::MAX,
        -f32::MAX,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        -f32::NAN,
        f32::from_bits(1),
        -f32::from_bits(1),
        88.722_84,
        89.0,
        -87.336_55,
        -103.972_08,
        -104.0,
        10.0,
        11.25,
        -11.25,
        ROOT_HALF,
    ];
    let mut inputs: Vec<f32> = (0..u32::MAX).step_by(4_289).map(f32::from_bits).collect();
    for value in special {
        let bits = value.to_bits();
        inputs.extend((-2..3).map(|by: i32| f32::from_bits(bits.wrapping_add_signed(by))));
    }
    inputs
}

#[test]
fn every_level_and_any_number_of_threads_has_the_bits_of_the_reference() {
    let x = inputs();
    let dy: Vec<f32> = x.iter().rev().copied().collect();
    let mut y = vec![0.0; x.len()];
    for (name, slow, fast) in ALL {
        let expected: Vec<u32> = x.iter().map(|x| canonical_bits(slow(*x))).collect();
        for level in Level::available() {
            for threads in 1..4 {
                let cpu = Cpu::default().with_level(level).unwrap();
                let cpu = cpu.with_threads(threads).unwrap();
                fast(&cpu, &x, &mut y);
                for i in 0..x.len() {
                    assert_eq!(
                        canonical_bits(y[i]),
                        expected[i],
                        "{name} {level:?} {threads}: {:?}",
                        x[i]
                    );
                }
            }
        }
    }
    for level in Level::available() {
        let cpu = Cpu::default().with_level(level).unwrap();
        gelu_gradient(&cpu, &x, &dy, &mut y);
        for i in 0..x.len() {
            let expected = dy[i] * reference::gelu_derivative(x[i]);
            assert_eq!(
                canonical_bits(y[i]),
                canonical_bits(expected),
                "{level:?}: {:?}",
                x[i]
            );
        }
    }
}

#[test]
fn any_length_is_computed_to_its_last_value() {
    for length in 0..50 {
        let x: Vec<f32> = (0..length).map(|i| i as f32 / 7.0 - 3.0).collect();
        for (name, slow, fast) in ALL {
            for level in Level::available() {
                let cpu = Cpu::default().with_level(level).unwrap();
                let mut y = vec![9.0; length];
                fast(&cpu, &x, &mut y);
                for i in 0..length {
                    assert_eq!(
                        canonical_bits(y[i]),
                        canonical_bits(slow(x[i])),
                        "{name} {level:?} {length}"
                    );
                }
            }
        }
    }
}

#[test]
fn special_values_have_the_results_of_analysis() {
    let nan = f32::NAN;
    let (inf, zero) = (f32::INFINITY, 0.0f32);
    let cases: [(usize, &[(f32, f32)]); 6] = [
        (
            0,
            &[
                (zero, 1.0),
                (-zero, 1.0),
                (inf, inf),
                (-inf, zero),
                (nan, nan),
                (88.8, inf),
                (-104.0, zero),
            ],
        ),
        (
            1,
            &[
                (zero, -inf),
                (-zero, -inf),
                (inf, inf),
                (-inf, nan),
                (-1.0, nan),
                (nan, nan),
                (1.0, zero),
            ],
        ),
        (
            2,
            &[
                (zero, zero),
                (-zero, -zero),
                (inf, 1.0),
                (-inf, -1.0),
                (nan, nan),
                (1e-45, 1e-45),
            ],
        ),
        (
            3,
            &[(zero, 0.5), (-zero, 0.5), (inf, 1.0), (-inf, zero), (nan, nan)],
        ),
        (
            4,
            &[
                (zero, zero),
                (-zero, zero),
                (inf, inf),
                (-inf, -zero),
                (nan, nan),
                (f32::MAX, f32::MAX),
            ],
        ),
        (
            5,
            &[(zero, 0.5), (-zero, 0.5), (inf, 1.0), (-inf, -zero), (nan, nan)],
        ),
    ];
    for (which, pairs) in cases {
        let (name, slow, _) = ALL[which];
        for (x, y) in pairs {
            assert_eq!(canonical_bits(slow(*x)), canonical_bits(*y), "{name}({x})");
        }
    }
}

/// Whoever writes the functions from the page gets these.
#[test]
fn the_page_has_every_constant() {
    let page = include_str!("../../../../docs/arithmetic.md");
    let section = page
        .split("\n## ")
        .find(|section| section.starts_with("Functions"))
        .unwrap();
    let lists: [&[f32]; 8] = [
        &[LOG2_E, LN_2_HIGH, LN_2_LOW, ROOT_HALF],
        &E,
        &LN,
        &TANH,
        &TWO,
        &GELU_1,
        &GELU_3,
        &GELU_SLOPE,
    ];
    for value in lists.concat() {
        let bits = format!("0x{:08x}", value.to_bits());
        assert!(section.contains(&bits), "{bits}");
    }
    for decimal in [ROUND, TANH_BOUND, GELU_BOUND] {
        assert!(section.contains(&decimal.to_string()), "{decimal}");
    }
}
