//! Computes the test vectors of `docs/arithmetic.md`: what single operations make of small arrays, and the weights of three small models
//! after each of 20 steps, by the reference and by each level with 1, 2 and 3 threads.
//!
//! It prints what it computed, cell by cell of that table; a test compares the cells of several processors with the files in
//! `tests/vectors`. Nothing here may know what the right answers are.

mod draw;
mod operations;
mod single;
mod training;

use std::{fs, path::PathBuf, process::ExitCode, time::Instant};

use hydra_arithmetic::{Cpu, Level};
use operations::{Fast, Operations, Reference};

const HELP: &str = "\
usage: hydra-arithmetic-vectors [option …]

Computes the test vectors of docs/arithmetic.md in each cell of its table: by the reference, and by each set of instructions that this
processor has with 1, 2 and 3 threads. For each cell it prints `cell LEVEL THREADS`, then for each file `file NAME` and what is in it.

  --level NAME     these instructions only: reference, portable, avx2, avx512, neon; may be given again
  --threads N      with so many threads only
  --model NAME     only this model, and no single operations: mlp, cnn, gpt
  --steps N        so many steps of each model instead of 20
  --time           print how long the models' steps took in each cell, with nothing else, instead of what it computed
  --write FOLDER   write the files by the reference's results, instead of printing anything";

/// Steps of each model's training.
const STEPS: usize = 20;

#[derive(Default)]
struct Options {
    levels: Vec<String>,
    threads: Option<usize>,
    model: Option<String>,
    steps: Option<usize>,
    time: bool,
    write: Option<PathBuf>,
}

fn options() -> Result<Options, String> {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        let number = |text: String| {
            text.parse()
                .map_err(|_| format!("{argument} is a number, not '{text}'"))
        };
        match argument.as_str() {
            "--level" => options.levels.push(value()?),
            "--threads" => options.threads = Some(number(value()?)?),
            "--model" => options.model = Some(value()?),
            "--steps" => options.steps = Some(number(value()?)?),
            "--write" => options.write = Some(value()?.into()),
            "--time" => options.time = true,
            _ => return Err(format!("{argument} is no option: see --help")),
        }
    }
    Ok(options)
}

/// All files by one cell's operations.
fn files(on: &dyn Operations, options: &Options) -> Vec<(&'static str, String)> {
    let mut files = match options.model {
        Some(_) => Vec::new(),
        None => single::files(on),
    };
    let lines = training::lines(on, options.model.as_deref(), options.steps.unwrap_or(STEPS));
    files.push(("training", lines.join("\n") + "\n"));
    files
}

fn run() -> Result<(), String> {
    let options = options()?;
    if let Some(folder) = &options.write {
        for (name, text) in files(&Reference, &options) {
            let path = folder.join(format!("{name}.txt"));
            fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        return Ok(());
    }
    let wanted = |name: &str| options.levels.is_empty() || options.levels.iter().any(|level| level == name);
    let mut cells: Vec<(&str, usize, Box<dyn Operations>)> = Vec::new();
    if wanted("reference") && options.threads.is_none_or(|threads| threads == 1) {
        cells.push(("reference", 1, Box::new(Reference)));
    }
    for level in Level::available() {
        for threads in 1..=3 {
            if wanted(level.name()) && options.threads.is_none_or(|only| only == threads) {
                let cpu = Cpu::default()
                    .with_level(level)
                    .and_then(|cpu| cpu.with_threads(threads))
                    .map_err(|error| error.to_string())?;
                cells.push((level.name(), threads, Box::new(Fast(cpu))));
            }
        }
    }
    if cells.is_empty() {
        return Err("this processor has no such instructions, or there are no such threads: 1 to 3".into());
    }
    for (level, threads, on) in cells {
        println!("cell {level} {threads}");
        if options.time {
            let started = Instant::now();
            training::steps(
                on.as_ref(),
                options.model.as_deref(),
                options.steps.unwrap_or(STEPS),
            );
            println!("{:.3} s", started.elapsed().as_secs_f64());
            continue;
        }
        for (name, text) in files(on.as_ref(), &options) {
            println!("file {name}\n{text}");
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args()
        .skip(1)
        .any(|argument| argument == "--help" || argument == "-h")
    {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
