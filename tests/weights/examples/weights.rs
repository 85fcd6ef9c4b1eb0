//! Measures what the calls and hooks of our pallets take, and writes it into the runtime's source: `scripts/weights`.

use clap::Parser;
use hydra_weights::{
    measure::{self, Effort},
    source,
    wasm::Runtime,
};
use std::{error::Error, fs, path::PathBuf, process::ExitCode};

/// Measures what the calls and hooks of our pallets take.
#[derive(Parser)]
struct Args {
    /// Write the files into this folder. Without it, nothing is written.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Only this pallet, `pallet_reputation` for example.
    #[arg(long)]
    pallet: Option<String>,
    /// Values of each parameter.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(2..))]
    steps: u32,
    /// Runs at each value.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let effort = Effort {
        steps: args.steps,
        repeat: args.repeat,
    };
    let runtime = Runtime::new()?;
    let mut found = false;
    for pallet in runtime.list()? {
        let name = String::from_utf8(pallet.pallet.clone())?;
        if args.pallet.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        found = true;
        println!("{name}");
        let weighed = measure::pallet(&runtime, &pallet, effort, |one| println!("  {one}"))?;
        if let Some(out) = &args.out {
            let path = out.join(&name).with_extension("rs");
            fs::write(&path, source::file(&name, &machine(), effort, &weighed))
                .map_err(|error| format!("{} can't be written: {error}", path.display()))?;
        }
    }
    if found {
        Ok(())
    } else {
        Err("no pallet of that name has benchmarks; leave --pallet out to see those there are".into())
    }
}

/// The CPU that this runs on, as the kernel calls it.
fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = cpus
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'));
    name.map_or("an unknown CPU".into(), |(_, name)| name.trim().into())
}
