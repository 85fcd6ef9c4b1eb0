//! How fast products are: GFLOP/s by the threads' CPU time, for each shape, transposition and level.
//!
//! `cargo run --release -p hydra-arithmetic --example products [THREADS [LEVEL [ROWS]]]`. With more than one thread by the clock.

use std::time::Instant;

use hydra_arithmetic::{
    Cpu, Level,
    product::{Matrix, Start, product},
};

/// Seconds that this thread has computed; the clock's where the system doesn't tell.
fn seconds(by_clock: bool, begin: Instant) -> f64 {
    // What the system tells is of the last time that it looked; it looks when a thread steps back.
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split_whitespace().next()?.parse::<f64>().ok());
    match nanoseconds {
        Some(nanoseconds) if !by_clock => nanoseconds / 1e9,
        _ => begin.elapsed().as_secs_f64(),
    }
}

/// m, k, n of a product.
const SHAPES: [(usize, usize, usize); 15] = [
    (1, 1024, 1024),
    (4, 1024, 1024),
    (32, 64, 64),
    (32, 64, 10),
    (37, 45, 33),
    (64, 64, 64),
    (64, 27, 1024),
    (128, 128, 128),
    (32, 256, 256),
    (32, 1024, 1024),
    (256, 256, 256),
    (256, 1024, 1024),
    (1024, 32, 1024),
    (512, 768, 3072),
    (1024, 1024, 1024),
];

fn main() {
    let threads = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1);
    let only: Option<String> = std::env::args().nth(2);
    let rows: Option<usize> = std::env::args().nth(3).and_then(|m| m.parse().ok());
    println!("m × k × n, by level: GFLOP/s of A·B, A·Bᵀ, Aᵀ·B, Aᵀ·Bᵀ on {threads} thread(s)");
    for (m, k, n) in SHAPES {
        if rows.is_some_and(|rows| rows != m) {
            continue;
        }
        let a: Vec<f32> = (0..m * k).map(|i| (i % 17) as f32 - 8.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i % 13) as f32 - 6.0).collect();
        let mut c = vec![0.0; m * n];
        for level in Level::available() {
            if only
                .as_ref()
                .map_or(level == Level::Portable, |only| only != level.name())
            {
                continue;
            }
            let cpu = Cpu::default()
                .with_level(level)
                .unwrap()
                .with_threads(threads)
                .unwrap();
            let ways = [(false, false), (false, true), (true, false), (true, true)];
            let figures = ways.map(|(a_transposed, b_transposed)| {
                let left = if a_transposed {
                    Matrix::new(&a, k, m).transposed()
                } else {
                    Matrix::new(&a, m, k)
                };
                let right = if b_transposed {
                    Matrix::new(&b, n, k).transposed()
                } else {
                    Matrix::new(&b, k, n)
                };
                let operations = 2.0 * (m * k * n) as f64;
                let times = (2e8 / operations).clamp(1.0, 1e5) as usize;
                let mut best = f64::INFINITY;
                for _ in 0..4 {
                    let begin = Instant::now();
                    let before = seconds(threads > 1, begin);
                    for _ in 0..times {
                        product(&cpu, left, right, Start::Zero, &mut c);
                    }
                    let took = seconds(threads > 1, begin) - before;
                    best = best.min(took / times as f64);
                }
                format!("{:6.1}", operations / best / 1e9)
            });
            println!(
                "{m:5} × {k:4} × {n:4}  {:8}  {}",
                level.name(),
                figures.join("  ")
            );
        }
    }
}
