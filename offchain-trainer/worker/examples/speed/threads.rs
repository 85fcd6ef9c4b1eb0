//! Two threads against one, by the clock on the wall: what else ran meanwhile counts, so it is said.

use std::time::Instant;

use hydra_arithmetic::{Cpu, convolution::Convolution, linear::Linear};
use hydra_torch_worker::processor;
use rustix::time::ClockId;

use crate::{
    AnyError,
    layers::normal,
    measure::{Bench, cpu_time, median, milliseconds},
    memory::values,
    steps::Training,
};

type Done = Result<(), AnyError>;

/// Twice as many should be nearly twice as fast.
const GOAL: f64 = 1.8;

pub fn threads(bench: &mut Bench) -> Done {
    let columns = [
        "operation",
        "shape",
        "1 thread, ms",
        "2 threads, ms",
        "1 / 2",
        "goal",
        "met",
    ];
    bench.table("Ours on two threads against one, time on the wall:", &columns);
    let meanwhile = Meanwhile::begin();
    linear(bench)?;
    convolution(bench)?;
    if bench.wants("threads: gpt step") {
        let mut training = Training::gpt()?;
        let mut call = |_: &Cpu| -> Done { training.step().map(drop) };
        one_and_two(bench, "threads: gpt step", "as above", &mut call)?;
    }
    if ["linear", "conv", "gpt step"]
        .iter()
        .any(|name| bench.wants(&format!("threads: {name}")))
    {
        println!("\n{}", meanwhile.end());
    }
    Ok(())
}

/// Calls with one and with two threads, in turns.
fn one_and_two(bench: &mut Bench, operation: &str, shape: &str, call: &mut dyn FnMut(&Cpu) -> Done) -> Done {
    if !bench.wants(operation) {
        return Ok(());
    }
    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..bench.rounds() {
        for (threads, samples) in (1..).zip(&mut samples) {
            processor::use_threads(threads);
            let cpu = processor::cpu();
            // The threads are new, and have to be there.
            call(&cpu)?;
            let start = Instant::now();
            for _ in 0..4 {
                call(&cpu)?;
            }
            samples.push(start.elapsed().as_secs_f64() * 1e9 / 4.0);
        }
    }
    processor::use_threads(1);
    let [one, two] = samples.map(median);
    let cells = [
        operation.to_owned(),
        shape.to_owned(),
        milliseconds(one),
        milliseconds(two),
    ];
    bench.row(&cells, one / two, GOAL);
    Ok(())
}

/// A layer and its gradients, called directly: a graph is followed by one thread.
fn linear(bench: &mut Bench) -> Done {
    let layer = Linear {
        samples: 256,
        inputs: 1024,
        outputs: 1024,
    };
    let (x, w, b, dy) = (
        normal(&[256, 1024], 1.0)?,
        normal(&[1024, 1024], 0.05)?,
        normal(&[1024], 1.0)?,
        normal(&[256, 1024], 1.0)?,
    );
    let (x, w, b, dy) = (values(&x), values(&w), values(&b), values(&dy));
    let (mut y, mut dx) = (dy.to_vec(), x.to_vec());
    let (mut dw, mut db) = (w.to_vec(), b.to_vec());
    let mut call = |cpu: &Cpu| -> Done {
        layer.forward(cpu, x, w, Some(b), &mut y);
        layer.input_gradient(cpu, dy, w, &mut dx);
        layer.weight_gradient(cpu, dy, x, &mut dw);
        layer.bias_gradient(cpu, dy, &mut db);
        Ok(())
    };
    one_and_two(
        bench,
        "threads: linear, forward and backward",
        "256 × 1024 × 1024",
        &mut call,
    )
}

fn convolution(bench: &mut Bench) -> Done {
    let layer = Convolution {
        samples: 32,
        inputs: 64,
        height: 28,
        width: 28,
        outputs: 64,
        kernel: (3, 3),
        stride: 1,
        padding: 1,
    };
    let (x, w, b, dy) = (
        normal(&[32, 64, 28, 28], 1.0)?,
        normal(&[64, 64, 3, 3], 0.05)?,
        normal(&[64], 1.0)?,
        normal(&[32, 64, 28, 28], 1.0)?,
    );
    let (x, w, b, dy) = (values(&x), values(&w), values(&b), values(&dy));
    let (mut y, mut dx) = (dy.to_vec(), x.to_vec());
    let (mut dw, mut db) = (w.to_vec(), b.to_vec());
    let mut call = |cpu: &Cpu| -> Done {
        layer.forward(cpu, x, w, Some(b), &mut y);
        layer.input_gradient(cpu, dy, w, &mut dx);
        layer.weight_gradient(cpu, dy, x, &mut dw);
        layer.bias_gradient(cpu, dy, &mut db);
        Ok(())
    };
    one_and_two(
        bench,
        "threads: conv, forward and backward",
        "32 × 64 → 64, 28 × 28",
        &mut call,
    )
}

/// What other programs, and the host of a virtual machine, took of the processors since.
struct Meanwhile {
    start: Instant,
    own: f64,
    machine: Option<[f64; 2]>,
}

impl Meanwhile {
    fn begin() -> Self {
        Self {
            start: Instant::now(),
            own: cpu_time(ClockId::ProcessCPUTime),
            machine: machine(),
        }
    }

    fn end(&self) -> String {
        let (Some(before), Some(after)) = (self.machine, machine()) else {
            return "How busy the machine was meanwhile, it doesn't say.".to_owned();
        };
        let seconds = self.start.elapsed().as_secs_f64().max(1e-3);
        let own = (cpu_time(ClockId::ProcessCPUTime) - self.own) / 1e9;
        let [busy, stolen] = [0, 1].map(|i: usize| after[i] - before[i]);
        let processors = std::thread::available_parallelism().map_or(1, |n| n.get());
        format!(
            "Meanwhile, of {processors} processors this program had {:.2}, other programs had {:.2}, and the machine's host took away {:.2}.",
            own / seconds,
            ((busy - own) / seconds).max(0.0),
            stolen / seconds
        )
    }
}

/// Seconds that all processors were busy, and that the host took away, since the machine started.
fn machine() -> Option<[f64; 2]> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks: Vec<f64> = text
        .lines()
        .next()?
        .split_whitespace()
        .skip(1)
        .filter_map(|n| n.parse().ok())
        .collect();
    // user, nice, system, idle, waiting for disks, two kinds of interrupts, stolen; Linux shows hundredths of seconds.
    let [user, nice, system, _, _, hard, soft, stolen, ..] = ticks[..] else {
        return None;
    };
    Some([(user + nice + system + hard + soft) / 100.0, stolen / 100.0])
}
