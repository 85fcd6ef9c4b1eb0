//! How fast the arithmetic is, compared with LibTorch's own operations as it chooses them: CPU time of one thread, in turns, medians.
//!
//!     cargo run --release -p hydra-torch-worker --example speed -- --help
//!
//! Both sides do the same on the same tensors, and their results are compared before anything is measured.

mod layers;
mod measure;
mod memory;
mod models;
mod operations;
mod steps;
mod threads;

use hydra_arithmetic::Level;
use hydra_torch_worker::processor;
use measure::Bench;

type AnyError = Box<dyn std::error::Error>;

const HELP: &str = "\
usage: speed [--quick] [--only NAME] [--level LEVEL]

  --quick        7 short turns instead of 21 long ones
  --only NAME    only the rows whose operation contains NAME: `linear`, `bmm`, `causal attention`, `conv`, `softmax`,
                 `layer norm`, `gelu`, `cross-entropy`, `step`, `threads`
  --level LEVEL  our instructions: `portable`, `avx2`, `avx512` or `neon`, instead of the best that there are. LibTorch's
                 are its own choice: ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 MKL_ENABLE_INSTRUCTIONS=AVX2 tell it";

/// What tells LibTorch and its libraries how to compute.
const PINS: [&str; 8] = [
    "ATEN_CPU_CAPABILITY",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
];

fn main() -> Result<(), AnyError> {
    let (mut quick, mut only, mut level) = (false, None, Level::best());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--only" => only = Some(arguments.next().ok_or("--only needs a name")?),
            "--level" => {
                let name = arguments.next().ok_or("--level needs a name")?;
                level = Level::available()
                    .into_iter()
                    .find(|level| level.name() == name)
                    .ok_or_else(|| format!("this processor has no instructions called '{name}'"))?;
            }
            "--help" => {
                println!("{HELP}");
                return Ok(());
            }
            _ => return Err(format!("speed does not know '{argument}'; see --help").into()),
        }
    }
    // As the worker does, and so for both.
    hydra_torch_worker::memory::keep();
    // Both on the calling thread, which is what is measured.
    tch::set_num_threads(1);
    processor::use_level(level)?;
    tch::manual_seed(1);
    let mut bench = Bench::new(quick, only);
    introduce(level, bench.rounds());
    operations::linear(&mut bench)?;
    operations::attention(&mut bench)?;
    operations::convolutions(&mut bench)?;
    operations::rows(&mut bench)?;
    steps::steps(&mut bench)?;
    threads::threads(&mut bench)?;
    bench.finish();
    Ok(())
}

/// What is measured, on what.
fn introduce(level: Level, rounds: usize) {
    let pins: Vec<String> = PINS
        .iter()
        .filter_map(|name| Some(format!("{name}={}", std::env::var(name).ok()?)))
        .collect();
    let pins = match pins.as_slice() {
        [] => "nothing is pinned".to_owned(),
        some => format!("**pinned**: {}", some.join(" ")),
    };
    println!("* Processor: {}", processor_name());
    println!("* LibTorch {}, one thread; {pins}", libtorch_version());
    println!(
        "* Ours: arithmetic version {}, instructions {}",
        hydra_arithmetic::VERSION,
        level.name()
    );
    println!(
        "* CPU time of one thread, medians of {rounds} turns; with backward: less what the gradient to begin with takes"
    );
}

fn processor_name() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    match name {
        Some((_, name)) => name.to_owned(),
        None => format!("a {} that doesn't say its name", std::env::consts::ARCH),
    }
}

/// That of the headers beside the library that this process has loaded.
fn libtorch_version() -> String {
    let version = || {
        let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
        let line = maps.lines().find(|line| line.contains("libtorch_cpu.so"))?;
        let library = std::path::Path::new(&line[line.find('/')?..]);
        let header = library
            .parent()?
            .parent()?
            .join("include/torch/headeronly/version.h");
        let text = std::fs::read_to_string(header).ok()?;
        let number = |name: &str| {
            let begin = format!("#define TORCH_VERSION_{name} ");
            text.lines().find_map(|line| line.strip_prefix(&begin))
        };
        Some([number("MAJOR")?, number("MINOR")?, number("PATCH")?].join("."))
    };
    version().unwrap_or_else(|| "of an unknown version".to_owned())
}
