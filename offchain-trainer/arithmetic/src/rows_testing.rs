//! What the tests of operations on rows have in common.

use proptest::prelude::*;

use crate::{Cpu, Level, canonical_bits};

/// Every level of this processor with one, two and three threads.
pub(crate) fn every_cpu() -> &'static [Cpu] {
    static CPUS: std::sync::LazyLock<Vec<Cpu>> = std::sync::LazyLock::new(|| {
        let with = |level, threads| Cpu::default().with_level(level)?.with_threads(threads);
        let levels = Level::available().into_iter();
        levels
            .flat_map(|level| (1..4).map(move |threads| with(level, threads).unwrap()))
            .collect()
    });
    &CPUS
}

/// What is usual, what is rare, and what is no number.
pub(crate) fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => -8f32..8.0,
        2 => any::<u32>().prop_map(f32::from_bits),
        1 => prop::sample::select(vec![
            0.0,
            -0.0,
            f32::from_bits(1),
            -f32::from_bits(0x007f_ffff),
            f32::MAX,
            -f32::MAX,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ]),
    ]
}

/// So many values: in half of the cases only usual ones, since one NaN makes all others of its row alike.
pub(crate) fn values(count: usize) -> impl Strategy<Value = Vec<f32>> {
    prop_oneof![
        prop::collection::vec(-8f32..8.0, count),
        prop::collection::vec(value(), count),
    ]
}

/// How long rows are: short ones, those around whole lanes, and a few long ones.
pub(crate) fn columns() -> impl Strategy<Value = usize> {
    prop_oneof![4 => 0usize..40, 2 => prop::sample::select(vec![1usize, 10, 15, 16, 17, 31, 32, 33, 64]), 1 => 40usize..200]
}

/// The bits, all NaNs alike.
pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| canonical_bits(*value)).collect()
}
