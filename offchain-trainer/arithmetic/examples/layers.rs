//! How fast convolutions and attention are, on one thread: billions of operations (a fused multiply-add is two) in a second of this
//! thread's time on a processor.
//!
//! `cargo run --release -p hydra-arithmetic --example layers`; a word after `--` chooses the lines that contain it.

use hydra_arithmetic::{
    Cpu, Level,
    convolution::Convolution,
    lanes::{Kernel, LANES, Lanes},
};

/// Nanoseconds that this thread has been on a processor.
fn thread_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux counts a thread's time");
    text.split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

/// The best of several runs, each of at least 20 milliseconds.
fn measure(name: &str, operations: usize, mut call: impl FnMut()) {
    let only = std::env::args().nth(1).unwrap_or_default();
    if !name.contains(&only) && !name.contains("peak") {
        return;
    }
    call();
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let (start, mut calls) = (thread_time(), 0);
        let spent = loop {
            call();
            calls += 1;
            let spent = thread_time() - start;
            if spent > 20_000_000 {
                break spent;
            }
        };
        best = best.min(spent as f64 / f64::from(calls));
    }
    println!(
        "{name:70} {:8.1} GFLOP/s {:10.3} ms",
        operations as f64 / best,
        best / 1e6
    );
}

fn some(count: usize) -> Vec<f32> {
    (0..count)
        .map(|i| (i * 7919 % 1009) as f32 / 500.0 - 1.0)
        .collect()
}

fn convolutions(cpu: &Cpu) {
    for (samples, inputs, outputs, size, kernel, stride) in [
        (32, 16, 32, 28, 3, 1),
        (32, 1, 16, 28, 3, 1),
        (32, 3, 32, 32, 3, 1),
        (32, 32, 32, 32, 3, 1),
        (32, 32, 64, 14, 3, 1),
        (32, 64, 64, 14, 3, 1),
        (32, 64, 128, 7, 3, 1),
        (32, 128, 128, 8, 3, 1),
        (32, 16, 32, 8, 3, 1),
        (32, 32, 32, 4, 3, 1),
        (32, 32, 64, 28, 3, 2),
        (32, 64, 64, 28, 1, 1),
        (32, 8, 16, 28, 5, 1),
    ] {
        let shape = Convolution {
            samples,
            inputs,
            height: size,
            width: size,
            outputs,
            kernel: (kernel, kernel),
            stride,
            padding: kernel / 2,
        };
        let x = some(samples * shape.input_size());
        let w = some(outputs * shape.terms());
        let dy = some(samples * shape.output_size());
        let (mut y, mut dx, mut dw) = (dy.clone(), x.clone(), w.clone());
        let mut db = vec![0.0; outputs];
        let operations = 2 * samples * shape.output_size() * shape.terms();
        let name = format!(
            "{} convolution {samples} × {inputs} → {outputs}, {size}², {kernel}², stride {stride}",
            cpu.level().name()
        );
        measure(&format!("{name}, y"), operations, || {
            shape.forward(cpu, &x, &w, None, &mut y)
        });
        measure(&format!("{name}, dx"), operations, || {
            shape.input_gradient(cpu, &dy, &w, &mut dx);
        });
        measure(&format!("{name}, dw"), operations, || {
            shape.weight_gradient(cpu, &dy, &x, &mut dw);
        });
        measure(&format!("{name}, db"), dy.len(), || {
            shape.bias_gradient(cpu, &dy, &mut db)
        });
    }
}

/// Nothing but fused multiply-adds in registers: what the others are measured by, at this moment on this machine.
struct Peak;

impl Kernel for Peak {
    type Output = f32;
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) -> f32 {
        let factor = lanes.splat(std::hint::black_box(0.5));
        let mut sums = [lanes.splat(1.0); 6];
        for _ in 0..100_000 {
            for sum in &mut sums {
                *sum = lanes.fma(*sum, factor, factor);
            }
        }
        sums.into_iter().map(|sum| lanes.sum(sum)).sum()
    }
}

fn main() {
    for level in Level::available() {
        if level == Level::Portable {
            continue;
        }
        let cpu = Cpu::default().with_level(level).expect("it is available");
        let operations = 100_000 * 6 * LANES * 2;
        let peak = || {
            measure(&format!("{} peak", level.name()), operations, || {
                std::hint::black_box(cpu.run(Peak));
            })
        };
        peak();
        convolutions(&cpu);
        peak();
    }
}
