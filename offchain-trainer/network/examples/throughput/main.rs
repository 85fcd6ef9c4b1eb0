//! How fast a large blob goes from one process to another on this computer, side by side: this protocol with one and more providers, the
//! same transport without any verification, plain TCP with `sendfile`, and another program that is given; how much
//! memory each side takes; and how long a round of small updates takes over a slow line.
//!
//! `throughput [--size MIB] [--runs N] [--dir FOLDER] [--other NAME=PROGRAM]` prints a table. `PROGRAM provide FILE` has to print `ready ADDRESS`
//! and, when its input ends, `memory KIB`; `PROGRAM get FOLDER ADDRESS…` has to print `got BYTES SECONDS KIB`.

mod hydra;
#[path = "../offer/mod.rs"]
mod offer;
mod plain;
mod process;
mod raw;
mod round;
mod side_by_side;

use std::{error::Error, path::PathBuf};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    let rest: Vec<String> = args.collect();
    let part = |at: usize| rest.get(at).cloned().ok_or("an argument is missing");
    match first.as_deref() {
        Some("plain-provide") => plain::provide(&part(0)?),
        Some("plain-get") => plain::get(&part(0)?, &part(1)?),
        Some("raw-provide") => runtime()?.block_on(raw::provide(part(0)?.into())),
        Some("raw-get") => runtime()?.block_on(raw::get(part(0)?.into(), &part(1)?)),
        Some("provide") => runtime()?.block_on(hydra::provide(&part(0)?)),
        Some("get") => runtime()?.block_on(hydra::get(&part(0)?, &rest[1..])),
        Some("round") => runtime()?.block_on(round::run()),
        _ => {
            let mut options = side_by_side::Options::default();
            let mut args = std::env::args().skip(1);
            while let Some(option) = args.next() {
                let value = args.next().ok_or(format!("{option} needs a value"))?;
                match option.as_str() {
                    "--size" => options.size = value.parse::<u64>()? << 20,
                    "--runs" => options.runs = value.parse()?,
                    "--dir" => options.dir = PathBuf::from(value),
                    "--other" => {
                        let (name, program) = value.split_once('=').ok_or("--other takes NAME=PROGRAM")?;
                        options.others.push((name.into(), program.into()));
                    }
                    other => return Err(format!("{other} isn't an option").into()),
                }
            }
            side_by_side::run(&options)?;
            runtime()?.block_on(round::run())
        }
    }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
