//! Against the reference, on all levels, with one to three threads.

use proptest::prelude::*;

use super::*;
use crate::{Level, canonical_bits, reference::convolution as reference};

/// Values of which few are special: else all results are NaN.
fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        30 => -4f32..4.0,
        1 => prop::sample::select(vec![
            0.0,
            -0.0,
            1.0,
            f32::from_bits(1),
            -f32::from_bits(0x0000_4567),
            f32::MIN_POSITIVE,
            1e-30,
            -1e-30,
            f32::MAX,
        ]),
    ]
}

/// Rarely, one of all is infinite or NaN.
fn values(count: usize) -> impl Strategy<Value = Vec<f32>> {
    let special = prop_oneof![
        4 => Just(None),
        1 => prop::sample::select(vec![f32::INFINITY, f32::NEG_INFINITY, f32::NAN]).prop_map(Some),
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

prop_compose! {
    fn shape()(
        samples in 0usize..4,
        inputs in prop_oneof![4 => 1usize..4, 1 => Just(0), 1 => 4usize..20],
        outputs in prop_oneof![4 => 1usize..9, 1 => Just(0), 2 => 9usize..40],
        kernel in (1usize..6, 1usize..6),
        stride in 1usize..4,
        padding in 0usize..3,
        more in (prop_oneof![3 => 0usize..8, 1 => 8usize..14], prop_oneof![3 => 0usize..10, 1 => 10usize..40]),
    ) -> Convolution {
        let length = |kernel: usize, more: usize| (kernel + more).saturating_sub(2 * padding);
        Convolution {
            samples,
            inputs,
            height: length(kernel.0, more.0),
            width: length(kernel.1, more.1),
            outputs,
            kernel,
            stride,
            padding,
        }
    }
}

fn case() -> impl Strategy<Value = (Convolution, [Vec<f32>; 4])> {
    shape().prop_flat_map(|shape| {
        let arrays = (
            values(shape.samples * shape.input_size()),
            values(shape.outputs * shape.terms()),
            values(shape.outputs),
            values(shape.samples * shape.output_size()),
        );
        (Just(shape), arrays.prop_map(|(x, w, b, dy)| [x, w, b, dy]))
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().copied().map(canonical_bits).collect()
}

fn cpus() -> Vec<Cpu> {
    let mut cpus = Vec::new();
    for level in Level::available() {
        for threads in 1..4 {
            let cpu = Cpu::default().with_level(level).unwrap();
            cpus.push(cpu.with_threads(threads).unwrap());
        }
    }
    cpus
}

/// What a call writes, into memory that holds something else.
fn written(count: usize, call: impl FnOnce(&mut [f32])) -> Vec<u32> {
    let mut values = vec![7.25; count];
    call(&mut values);
    bits(&values)
}

fn compare(shape: Convolution, [x, w, b, dy]: &[Vec<f32>; 4]) {
    let y = reference::forward(shape, x, w, Some(b));
    let y_without = reference::forward(shape, x, w, None);
    let dx = reference::input_gradient(shape, dy, w);
    let dw = reference::weight_gradient(shape, dy, x);
    let db = reference::bias_gradient(shape, dy);
    for cpu in cpus() {
        let forward = |bias| written(y.len(), |y| shape.forward(&cpu, x, w, bias, y));
        assert_eq!(forward(Some(&b[..])), bits(&y), "y {shape:?} {cpu:?}");
        assert_eq!(forward(None), bits(&y_without), "y {shape:?} {cpu:?}");
        let found = written(dx.len(), |dx| shape.input_gradient(&cpu, dy, w, dx));
        assert_eq!(found, bits(&dx), "dx {shape:?} {cpu:?}");
        let found = written(dw.len(), |dw| shape.weight_gradient(&cpu, dy, x, dw));
        assert_eq!(found, bits(&dw), "dw {shape:?} {cpu:?}");
        let found = written(db.len(), |db| shape.bias_gradient(&cpu, dy, db));
        assert_eq!(found, bits(&db), "db {shape:?} {cpu:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_level_and_number_of_threads_computes_convolutions_as_defined((shape, arrays) in case()) {
        compare(shape, &arrays);
    }
}

/// The formulas' own test: a gradient is what the sum of dY × Y changes by.
#[test]
fn gradients_are_those_of_the_outputs() {
    for (stride, padding) in [(1, 0), (1, 1), (2, 1), (3, 2)] {
        let shape = Convolution {
            samples: 2,
            inputs: 2,
            height: 7,
            width: 6,
            outputs: 3,
            kernel: (3, 2),
            stride,
            padding,
        };
        let some = |count: usize, factor: usize| -> Vec<f32> {
            (0..count).map(|i| (i * factor % 17) as f32 - 8.0).collect()
        };
        let x = some(shape.samples * shape.input_size(), 5);
        let w = some(shape.outputs * shape.terms(), 7);
        let dy = some(shape.samples * shape.output_size(), 3);
        // Small whole numbers: every sum is exact.
        let total = |x: &[f32], w: &[f32], b: &[f32]| -> f32 {
            let y = reference::forward(shape, x, w, Some(b));
            y.iter().zip(&dy).map(|(y, dy)| y * dy).sum()
        };
        let b = vec![0.0; 3];
        let before = total(&x, &w, &b);
        let changed = |values: &[f32], i: usize| {
            let mut values = values.to_vec();
            values[i] += 1.0;
            values
        };
        for (i, d) in reference::input_gradient(shape, &dy, &w).iter().enumerate() {
            assert_eq!(total(&changed(&x, i), &w, &b) - before, *d);
        }
        for (i, d) in reference::weight_gradient(shape, &dy, &x).iter().enumerate() {
            assert_eq!(total(&x, &changed(&w, i), &b) - before, *d);
        }
        for (i, d) in reference::bias_gradient(shape, &dy).iter().enumerate() {
            assert_eq!(total(&x, &w, &changed(&b, i)) - before, *d);
        }
    }
}

const SMALL: Convolution = Convolution {
    samples: 2,
    inputs: 2,
    height: 2,
    width: 3,
    outputs: 3,
    kernel: (2, 2),
    stride: 1,
    padding: 0,
};

/// The largest one, too: a sum with it would be a small number.
#[test]
fn a_stride_beyond_the_image_costs_no_memory_and_reads_the_right_values() {
    for stride in [4, 5, usize::MAX / 2, usize::MAX - 1, usize::MAX] {
        for (kernel, padding) in [((2, 1), 0), ((2, 2), 0), ((2, 3), 1), ((3, 4), 2), ((1, 1), 3)] {
            let shape = Convolution {
                kernel,
                stride,
                padding,
                ..SMALL
            };
            let some = |count: usize| -> Vec<f32> { (1..=count).map(|i| i as f32 / 8.0).collect() };
            let arrays = [
                some(shape.samples * shape.input_size()),
                some(shape.outputs * shape.terms()),
                some(shape.outputs),
                some(shape.samples * shape.output_size()),
            ];
            compare(shape, &arrays);
        }
    }
}

#[test]
fn what_is_no_convolution_has_no_outputs_and_no_size_wraps_around() {
    let sizes = |shape: Convolution| [shape.output_height(), shape.output_width(), shape.output_size()];
    assert_eq!(sizes(SMALL), [1, 2, 6]);
    for none in [
        Convolution { stride: 0, ..SMALL },
        Convolution {
            kernel: (3, 4),
            ..SMALL
        },
        Convolution {
            padding: usize::MAX / 2,
            ..SMALL
        },
        Convolution {
            padding: usize::MAX,
            ..SMALL
        },
    ] {
        assert_eq!(sizes(none), [0; 3], "{none:?}");
    }
    let most = usize::MAX;
    let endless = Convolution {
        inputs: most / 2,
        outputs: most,
        height: most,
        kernel: (1, 1),
        ..SMALL
    };
    assert_eq!(sizes(endless), [most, 3, most]);
    assert_eq!([endless.input_size(), endless.terms()], [most, most / 2]);
    let wide = Convolution {
        kernel: (3, 3),
        ..endless
    };
    assert_eq!(wide.terms(), most);
}

#[test]
#[should_panic = "a convolution's images and weights fit into memory"]
fn images_that_no_memory_holds_are_refused() {
    let shape = Convolution {
        height: usize::MAX,
        ..SMALL
    };
    shape.forward(&Cpu::default(), &[], &[], None, &mut []);
}

#[test]
#[should_panic = "a convolution has a kernel and a stride"]
fn a_convolution_without_a_stride_is_refused() {
    let shape = Convolution { stride: 0, ..SMALL };
    shape.forward(&Cpu::default(), &[], &[], None, &mut []);
}
