//! Against the reference, on all levels, with one to three threads.

use proptest::prelude::*;

use super::*;
use crate::{Level, canonical_bits, reference::attention as reference};

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        40 => -3f32..3.0,
        1 => prop::sample::select(vec![0.0, -0.0, f32::from_bits(1), 1e-25, -1e-25, f32::MIN_POSITIVE, 60.0]),
    ]
}

/// Rarely, one of all is infinite or NaN: what doesn't look at it must not notice.
fn values(count: usize) -> impl Strategy<Value = Vec<f32>> {
    let special = prop_oneof![
        3 => Just(None),
        1 => prop::sample::select(vec![f32::INFINITY, f32::NEG_INFINITY, f32::NAN, f32::MAX]).prop_map(Some),
    ];
    (
        prop::collection::vec(value(), count),
        special,
        any::<prop::sample::Index>(),
    )
        .prop_map(|(mut values, special, at)| {
            if let (Some(special), false) = (special, values.is_empty()) {
                let at = at.index(values.len());
                values[at] = special;
            }
            values
        })
}

fn case() -> impl Strategy<Value = (Attention, [Vec<f32>; 4])> {
    let length = prop_oneof![4 => 1usize..20, 2 => 20usize..71, 1 => Just(0)];
    let width = prop_oneof![2 => 1usize..40, 1 => Just(16), 1 => Just(32), 1 => Just(64)];
    (0usize..5, length, width).prop_flat_map(|(count, length, width)| {
        let shape = Attention { count, length, width };
        let array = || values(count * length * width);
        let arrays = (array(), array(), array(), array());
        (Just(shape), arrays.prop_map(|(q, k, v, d_o)| [q, k, v, d_o]))
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().copied().map(canonical_bits).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_level_and_number_of_threads_computes_attention_as_defined((shape, [q, k, v, d_o]) in case()) {
        let (p, o) = reference::forward(shape, &q, &k, &v);
        let (dq, dk, dv) = reference::gradient(shape, (&q, &k, &v), &p, &d_o);
        for level in Level::available() {
            for threads in 1..4 {
                let cpu = Cpu::default().with_level(level).unwrap().with_threads(threads).unwrap();
                // What was in memory before is no part of a result.
                let (mut found_p, mut found_o) = (vec![7.25; p.len()], vec![7.25; o.len()]);
                shape.forward(&cpu, &q, &k, &v, &mut found_p, &mut found_o);
                prop_assert_eq!(bits(&found_p), bits(&p), "p {:?} {:?}", shape, cpu);
                prop_assert_eq!(bits(&found_o), bits(&o), "o {:?} {:?}", shape, cpu);
                let mut found = [(); 3].map(|()| vec![7.25; o.len()]);
                let [found_q, found_k, found_v] = &mut found;
                shape.gradient(&cpu, (&q, &k, &v), &p, &d_o, (found_q, found_k, found_v));
                prop_assert_eq!(bits(found_q), bits(&dq), "dq {:?} {:?}", shape, cpu);
                prop_assert_eq!(bits(found_k), bits(&dk), "dk {:?} {:?}", shape, cpu);
                prop_assert_eq!(bits(found_v), bits(&dv), "dv {:?} {:?}", shape, cpu);
            }
        }
    }
}

/// The formulas' own test: a gradient is what the sum of dO × O changes by.
#[test]
fn gradients_are_those_of_the_outputs() {
    let shape = Attention {
        count: 2,
        length: 7,
        width: 5,
    };
    let some =
        |factor: usize| -> Vec<f32> { (0..70).map(|i| (i * factor % 17) as f32 / 8.0 - 1.0).collect() };
    let (q, k, v, d_o) = (some(5), some(7), some(3), some(11));
    let total = |q: &[f32], k: &[f32], v: &[f32]| -> f64 {
        let (_, o) = reference::forward(shape, q, k, v);
        o.iter()
            .zip(&d_o)
            .map(|(o, d)| f64::from(*o) * f64::from(*d))
            .sum()
    };
    let (p, _) = reference::forward(shape, &q, &k, &v);
    let (dq, dk, dv) = reference::gradient(shape, (&q, &k, &v), &p, &d_o);
    for i in 0..70 {
        let changed = |values: &[f32], by: f32| {
            let mut values = values.to_vec();
            values[i] += by;
            values
        };
        let slope = |total: &dyn Fn(f32) -> f64| (total(0.01) - total(-0.01)) / 0.02;
        for (name, found, slope) in [
            ("q", dq[i], slope(&|by| total(&changed(&q, by), &k, &v))),
            ("k", dk[i], slope(&|by| total(&q, &changed(&k, by), &v))),
            ("v", dv[i], slope(&|by| total(&q, &k, &changed(&v, by)))),
        ] {
            assert!(
                (f64::from(found) - slope).abs() < 1e-3,
                "d{name}[{i}]: {found}, not {slope}"
            );
        }
    }
}
