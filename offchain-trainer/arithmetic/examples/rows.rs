//! Prints what a value costs in softmax, cross-entropy, layer norm, pooling, embedding and the optimizers, at sizes that models have, on each
//! level of this processor: nanoseconds of one thread's CPU time, the least of some tries in turns.
//!
//!     cargo run --release -p hydra-arithmetic --example rows

use hydra_arithmetic::{
    Cpu, Level, cross_entropy, embedding, layer_norm,
    optimizer::{self, AdamW, AdamWSteps},
    pool, softmax,
};

/// Nanoseconds that this thread has run.
fn cpu_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells a thread's time");
    let first = text.split_whitespace().next().and_then(|n| n.parse().ok());
    first.expect("schedstat begins with a number")
}

/// Whole milliseconds at a time, since the system counts in ticks.
fn nanoseconds(values: usize, work: &mut dyn FnMut()) -> f64 {
    let mut times = 1u32;
    loop {
        let start = cpu_time();
        (0..times).for_each(|_| work());
        let took = cpu_time() - start;
        if took > 40_000_000 {
            return took as f64 / f64::from(times) / values as f64;
        }
        times = times.saturating_mul(2);
    }
}

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 22) as f32 - 2.0
        })
        .collect()
}

/// Measures `work` on every level and prints a line.
fn line(what: &str, values: usize, mut work: impl FnMut(&Cpu)) {
    let cpus: Vec<Cpu> = Level::available()
        .into_iter()
        .map(|level| Cpu::default().with_level(level).expect("it is available"))
        .collect();
    let mut best = vec![f64::INFINITY; cpus.len()];
    for _ in 0..3 {
        for (cpu, best) in cpus.iter().zip(&mut best) {
            *best = best.min(nanoseconds(values, &mut || work(cpu)));
        }
    }
    let figures: String = best.iter().map(|time| format!(" {time:>9.3}")).collect();
    println!("{what:<44}{figures}");
}

fn main() {
    let names: String = Level::available()
        .iter()
        .map(|level| format!(" {:>9}", level.name()))
        .collect();
    println!("{:<44}{names}", "ns per value");
    for (rows, columns) in [(256, 10), (512, 64), (512, 100), (512, 512), (64, 32_000)] {
        let n = rows * columns;
        let (x, dy, labels) = (numbers(n, 1), numbers(n, 2), vec![3; rows]);
        let (mut y, mut dx, mut losses) = (x.clone(), x.clone(), vec![0.0; rows]);
        let shape = format!("{rows} × {columns}");
        line(&format!("softmax {shape}"), n, |cpu| {
            softmax::forward(cpu, &x, columns, &mut y)
        });
        line(&format!("softmax gradient {shape}"), n, |cpu| {
            softmax::gradient(cpu, &dy, &y, columns, &mut dx)
        });
        line(&format!("cross-entropy {shape}"), n, |cpu| {
            cross_entropy::losses(cpu, &x, columns, &labels, &mut losses)
        });
        line(&format!("cross-entropy and gradient {shape}"), n, |cpu| {
            cross_entropy::gradient(cpu, &x, columns, &labels, &mut losses, &mut dx)
        });
    }
    for (rows, columns) in [(512, 10), (512, 64), (512, 100), (512, 768)] {
        let n = rows * columns;
        let (x, dy, gamma) = (numbers(n, 1), numbers(n, 2), numbers(columns, 3));
        let (mut y, mut statistics) = (x.clone(), vec![[0.0; 2]; rows]);
        let (mut d_gamma, mut d_beta) = (gamma.clone(), gamma.clone());
        let shape = format!("{rows} × {columns}");
        line(&format!("layer norm {shape}"), n, |cpu| {
            layer_norm::forward(cpu, &x, &gamma, &gamma, 1e-5, &mut y, &mut statistics)
        });
        line(&format!("layer norm gradient {shape}"), n, |cpu| {
            let both = [&mut d_gamma[..], &mut d_beta];
            layer_norm::gradient(cpu, &dy, &x, &gamma, &statistics, &mut y, both)
        });
    }
    for n in [1000, 100_000, 10_000_000] {
        let (g, mut w, mut m, mut v) = (numbers(n, 1), numbers(n, 2), vec![0.0; n], vec![0.0; n]);
        line(&format!("SGD {n}"), n, |cpu| {
            optimizer::sgd(cpu, 1e-6, &g, &mut w)
        });
        line(&format!("SGD with momentum {n}"), n, |cpu| {
            optimizer::sgd_with_momentum(cpu, 1e-6, 0.9, &g, &mut m, &mut w)
        });
        m.fill(0.0);
        let mut steps = AdamWSteps::new(AdamW {
            rate: 1e-6,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            decay: 0.01,
        });
        line(&format!("AdamW {n}"), n, |cpu| {
            steps.next_step().take(cpu, &g, &mut m, &mut v, &mut w)
        });
    }
    for (size, stride) in [(2, 2), (3, 1), (3, 2)] {
        let shape = pool::Windows {
            planes: 64,
            height: 28,
            width: 28,
            size,
            stride,
        };
        let outputs = shape.planes * shape.out_height() * shape.out_width();
        let n = shape.planes * shape.height * shape.width;
        let (x, mut dx, mut y) = (numbers(n, 1), numbers(n, 1), numbers(outputs, 2));
        let mut kept = vec![0; outputs];
        let name = format!("pool 64 × 28 × 28 by {size} at {stride}");
        line(&format!("max {name}"), n, |cpu| {
            pool::max(cpu, &shape, &x, &mut y, &mut kept)
        });
        line(&format!("max gradient {name}"), n, |cpu| {
            pool::max_gradient(cpu, &shape, &y, &kept, &mut dx)
        });
        line(&format!("mean {name}"), n, |cpu| {
            pool::mean(cpu, &shape, &x, &mut y)
        });
        line(&format!("mean gradient {name}"), n, |cpu| {
            pool::mean_gradient(cpu, &shape, &y, &mut dx)
        });
    }
    let (columns, positions) = (64, 512);
    let table = numbers(256 * columns, 1);
    let tokens: Vec<i64> = numbers(positions, 2)
        .iter()
        .map(|x| ((x + 2.0) * 60.0) as i64)
        .collect();
    let (mut to, mut d_table) = (numbers(positions * columns, 3), table.clone());
    line("embedding 512 of 256 × 64", to.len(), |cpu| {
        embedding::forward(cpu, &table, columns, &tokens, &mut to)
    });
    line("embedding gradient 512 of 256 × 64", to.len(), |cpu| {
        embedding::gradient(cpu, &to, columns, &tokens, &mut d_table)
    });
}
