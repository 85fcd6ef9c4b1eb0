//! Every level, with one, two and three threads, against the definition, bit by bit.

use std::{ops::Range, sync::OnceLock};

use proptest::prelude::*;

use super::*;
use crate::{Level, canonical_bits, reference};

/// Every level with one, two and three threads.
fn cpus() -> &'static [Cpu] {
    static CPUS: OnceLock<Vec<Cpu>> = OnceLock::new();
    CPUS.get_or_init(|| {
        let levels = Level::available().into_iter();
        let each = |level| {
            let cpu = Cpu::default().with_level(level).unwrap();
            (1..4).map(move |threads| cpu.clone().with_threads(threads).unwrap())
        };
        levels.flat_map(each).collect()
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().copied().map(canonical_bits).collect()
}

/// So many values, the same for the same seed. One in `rare` is special.
fn values(seed: u64, rare: u64, count: usize) -> Vec<f32> {
    const SPECIAL: [u32; 10] = [
        0,
        0x8000_0000,
        1,
        0x8000_0001,
        0x007f_ffff,
        0x7f7f_ffff,
        0x7f80_0000,
        0xff80_0000,
        0x7fc0_0000,
        0x0080_0000,
    ];
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        state >> 33
    };
    let value = |_| {
        if next() % rare == 0 {
            f32::from_bits(SPECIAL[next() as usize % SPECIAL.len()])
        } else {
            (next() as f32 / (1u64 << 30) as f32 - 1.0) * 2f32.powi(next() as i32 % 8)
        }
    };
    (0..count).map(value).collect()
}

/// How a matrix lies in memory.
#[derive(Clone, Copy, Debug)]
struct Layout {
    transposed: bool,
    /// Values beside each row (or column) that aren't its.
    gap: usize,
    /// Values between two that are beside each other, and one more.
    step: usize,
}

fn layout() -> impl Strategy<Value = Layout> {
    let step = prop_oneof![4 => Just(1usize), 1 => 0usize..4];
    (any::<bool>(), prop_oneof![Just(0usize), 1usize..40], step).prop_map(|(transposed, gap, step)| Layout {
        transposed,
        gap,
        step,
    })
}

impl Layout {
    fn matrix(self, memory: &mut Vec<f32>, seed: u64, rare: u64, rows: usize, columns: usize) -> Matrix<'_> {
        let (down, along) = if self.transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let row_step = along * self.step + self.gap;
        *memory = values(seed, rare, down * row_step + 1);
        let matrix = Matrix::with_steps(memory, down, along, row_step, self.step);
        if self.transposed {
            matrix.transposed()
        } else {
            matrix
        }
    }
}

/// A matrix of which products don't know that it is one.
struct Pieces<'a>(Matrix<'a>);

impl Columns for Pieces<'_> {
    fn rows(&self) -> usize {
        self.0.rows()
    }
    fn columns(&self) -> usize {
        self.0.columns()
    }
    fn pack(&self, rows: Range<usize>, columns: Range<usize>, width: usize, panel: &mut [f32]) {
        assert_eq!(width % LANES, 0);
        assert_eq!(panel.len(), columns.len().div_ceil(width) * rows.len() * width);
        // What isn't written is found.
        panel.fill(f32::NAN);
        self.0.pack(rows, columns, width, panel);
    }
}

/// Compares all ways to compute one product.
fn check(
    (m, k, n): (usize, usize, usize),
    layouts: (Layout, Layout),
    start: usize,
    gap: usize,
    seed: u64,
    rare: u64,
) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let a = layouts.0.matrix(&mut a, seed, rare, m, k);
    let b = layouts.1.matrix(&mut b, !seed, rare, k, n);
    let (per_column, per_row) = (values(seed ^ 1, rare, n), values(seed ^ 2, rare, m));
    let start = [
        Start::Zero,
        Start::PerColumn(&per_column),
        Start::PerRow(&per_row),
        Start::Kept,
    ][start];
    let kept = values(seed ^ 3, rare, m * n);
    let mut expected = kept.clone();
    reference::product::product(a, b, start, &mut expected);
    let expected = bits(&expected);
    for cpu in cpus() {
        let mut c = kept.clone();
        product(cpu, a, b, start, &mut c);
        assert!(
            bits(&c) == expected,
            "{m} × {k} × {n}, {layouts:?}, {start:?}, {cpu:?}"
        );

        // The same with a result whose rows are apart, and a right matrix that comes in pieces.
        let row_step = n + gap;
        let mut c = vec![-7.0; m * row_step];
        for i in 0..m {
            c[i * row_step..][..n].copy_from_slice(&kept[i * n..][..n]);
        }
        product_with(cpu, a, &Pieces(b), start, &mut c, row_step);
        for i in 0..m {
            let (row, beside) = c[i * row_step..][..row_step].split_at(n);
            assert!(
                bits(row) == expected[i * n..][..n],
                "pieces, {m} × {k} × {n}, {layouts:?}, {cpu:?}"
            );
            assert!(
                beside.iter().all(|v| *v == -7.0),
                "what is beside a row of the result isn't touched"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn all_levels_and_threads_compute_the_same_product(
        m in 0usize..70, k in 0usize..70, n in 0usize..70, left in layout(), right in layout(), start in 0usize..4,
        gap in 0usize..20, seed: u64, rare in prop::sample::select(vec![20u64, 1000, u64::MAX]),
    ) {
        check((m, k, n), (left, right), start, gap, seed, rare);
    }

    #[test]
    fn a_batch_is_its_products(
        count in 0usize..5, m in 0usize..20, k in 0usize..20, n in 0usize..40, a_transposed: bool, b_transposed: bool, shared: bool, start in 0usize..4, seed: u64,
    ) {
        let a = values(seed, 50, count * m * k);
        let b = values(!seed, 50, if shared { k * n } else { count * k * n });
        let left = if a_transposed { Matrices::new(&a, count, k, m).transposed() } else { Matrices::new(&a, count, m, k) };
        let (shape, step) = if b_transposed { ((n, k), (k, 1)) } else { ((k, n), (n, 1)) };
        let right = Matrices::with_steps(&b, (count, if shared { 0 } else { k * n }), shape, step);
        let right = if b_transposed { right.transposed() } else { right };
        let (per_column, per_row) = (values(seed ^ 1, 50, n), values(seed ^ 2, 50, m));
        let start = [Start::Zero, Start::PerColumn(&per_column), Start::PerRow(&per_row), Start::Kept][start];
        let kept = values(seed ^ 3, 50, count * m * n);
        let mut expected = kept.clone();
        for i in 0..count {
            reference::product::product(left.at(i), right.at(i), start, &mut expected[i * m * n..][..m * n]);
        }
        for cpu in cpus() {
            let mut c = kept.clone();
            product_batch(cpu, left, right, start, &mut c);
            prop_assert_eq!(bits(&c), bits(&expected), "{:?}", cpu);
        }
    }
}

/// Else what the tests above compare would be one thread's, however many there are.
#[test]
fn small_products_of_tests_are_shared_out_and_the_smallest_are_not() {
    assert_eq!([1, 2, 3].map(|threads| useful(threads, 11 * 11, 11)), [1, 2, 3]);
    assert_eq!(useful(3, 7 * 7, 7), 1);
}

/// Sizes beyond each block's, with tails everywhere, and enough work for three threads.
#[test]
fn large_odd_products_are_the_same_too() {
    let shapes = [
        (131, 517, 259),
        (1100, 37, 70),
        (3, 1030, 515),
        (1, 700, 1300),
        (75, 600, 10),
        (530, 300, 17),
        (31, 140, 90),
        (16, 33, 64),
    ];
    for (i, (m, k, n)) in shapes.into_iter().enumerate() {
        for way in 0..4 {
            let layout = |transposed| Layout {
                transposed,
                gap: 0,
                step: 1,
            };
            let layouts = (layout(way & 1 != 0), layout(way & 2 != 0));
            check(
                (m, k, n),
                layouts,
                (i + way) % 4,
                5,
                (i * 4 + way) as u64,
                100_000,
            );
        }
    }
}

#[test]
#[should_panic = "a product's left matrix has as many columns as its right one has rows"]
fn shapes_that_do_not_fit_are_refused() {
    let values = [0.0; 12];
    let (a, b) = (Matrix::new(&values, 3, 4), Matrix::new(&values, 3, 4));
    product(&Cpu::default(), a, b, Start::Zero, &mut [0.0; 12]);
}

#[test]
#[should_panic = "reaches beyond 12 values"]
fn a_matrix_beyond_its_memory_is_refused() {
    Matrix::with_steps(&[0.0; 12], usize::MAX, 2, usize::MAX, 1);
}
