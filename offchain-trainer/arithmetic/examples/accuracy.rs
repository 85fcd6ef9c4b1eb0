//! The largest error of each function, over all single-precision inputs or one of so many, and what one value costs.
//!
//!     cargo run --release -p hydra-arithmetic --example accuracy -- [STEP [THREADS [LEVEL [FUNCTION]]]]

#[path = "../tests/judge/mod.rs"]
mod judge;

use std::{error::Error, time::Instant};

use hydra_arithmetic::{Cpu, Level};
use judge::{ALL, Judged, Worst};

/// Values at a time: few enough to stay in the cache.
const CHUNK: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let step: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let threads: u64 = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let level = match arguments.next() {
        None => Level::best(),
        Some(name) => Level::available()
            .into_iter()
            .find(|level| level.name() == name)
            .ok_or("this processor doesn't have these instructions")?,
    };
    let only = arguments.next();
    let cpu = Cpu::default().with_level(level)?;
    println!("one of {step} inputs, {}:", level.name());
    println!("| function | largest error, ulp | at x = | found | not the nearest | ns per value |");
    println!("|---|---|---|---|---|---|");
    for judged in ALL
        .iter()
        .filter(|one| only.as_ref().is_none_or(|name| one.name == name))
    {
        let worst = std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads.max(1))
                .map(|part| {
                    let cpu = &cpu;
                    scope.spawn(move || worst(cpu, judged, step, part, threads.max(1)))
                })
                .collect();
            parts
                .into_iter()
                .map(|part| part.join().expect("a thread that only computes"))
                .fold(Worst::default(), Worst::join)
        });
        println!(
            "| {} | {:.3} | {:e} (0x{:08x}) | {:e} | {:.2} % | {:.3} |",
            judged.name,
            worst.error,
            worst.x,
            worst.x.to_bits(),
            worst.found,
            100.0 * worst.not_nearest as f64 / worst.inputs as f64,
            cost(&cpu, judged),
        );
    }
    Ok(())
}

/// Of every `parts`th chunk.
fn worst(cpu: &Cpu, judged: &Judged, step: u64, part: u64, parts: u64) -> Worst {
    let mut worst = Worst::default();
    let (mut x, mut y) = (vec![0.0; CHUNK], vec![0.0; CHUNK]);
    let span = CHUNK as u64 * step;
    let mut start = part * span;
    while start < 1 << 32 {
        let mut count = 0;
        for bits in (start..(start + span).min(1 << 32)).step_by(step as usize) {
            x[count] = f32::from_bits(bits as u32);
            count += 1;
        }
        (judged.fast)(cpu, &x[..count], &mut y[..count]);
        worst.look(judged, &x[..count], &y[..count]);
        start += parts * span;
    }
    worst
}

/// Nanoseconds per value of what a network has, from −8 to 8: the least of many tries.
fn cost(cpu: &Cpu, judged: &Judged) -> f64 {
    let x: Vec<f32> = (0..CHUNK)
        .map(|i| (i * 739 % CHUNK) as f32 / 256.0 - 8.0)
        .collect();
    let mut y = vec![0.0; CHUNK];
    let mut least = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..20 {
            (judged.fast)(cpu, std::hint::black_box(&x), std::hint::black_box(&mut y));
        }
        least = least.min(start.elapsed().as_secs_f64() * 1e9 / (20 * CHUNK) as f64);
    }
    least
}
