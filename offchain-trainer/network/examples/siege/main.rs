//! What hostile peers cost a trainer's network: one process gives blobs away, an honest one gets them, and a third does harm, of one kind
//! after the other. Seen from outside: how fast the honest one gets what it wants, beside how fast without any harm; the memory,
//! descriptors, processor time and disk of whoever is under siege; how many were banned, and how often; and whether the hostile one is kept
//! out in the end: refused when it comes back after it has left, twice, while a stranger may stay.
//!
//! `siege [--seconds N] [--dir FOLDER]` prints a table (each attack takes N seconds, 10 if nothing is said; not to read what was asked for
//! takes longer than the other side waits for it), and fails if an honest transfer was slower than half of what it was in peace, or if who
//! does what no honest one does was never banned.

mod attacks;
mod besieged;
mod getting;
mod hostile;
mod kademlia;
mod lies;
#[path = "../offer/mod.rs"]
mod offer;
mod process;
mod table;

use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<ExitCode> {
    let mut args = std::env::args().skip(1);
    let first = args.next();
    let rest: Vec<String> = args.collect();
    let part = |at: usize| rest.get(at).cloned().ok_or("an argument is missing");
    let done = Ok(ExitCode::SUCCESS);
    match first.as_deref() {
        Some("besieged") => runtime()?.block_on(besieged::run(&part(0)?)).and(done),
        Some("get") => {
            let time = Duration::from_secs(part(1)?.parse()?);
            runtime()?
                .block_on(getting::run(&part(0)?, time, &rest[2..]))
                .and(done)
        }
        Some("attack") => runtime()?.block_on(attacks::run(&part(0)?, &part(1)?)).and(done),
        Some("lie") => runtime()?.block_on(lies::run(&part(0)?, &part(1)?)).and(done),
        _ => {
            let (mut seconds, mut dir) = (10, std::env::temp_dir());
            let mut args = std::env::args().skip(1);
            while let Some(option) = args.next() {
                let value = args.next().ok_or(format!("{option} needs a value"))?;
                match option.as_str() {
                    "--seconds" => seconds = value.parse()?,
                    "--dir" => dir = PathBuf::from(value),
                    other => return Err(format!("{other} isn't an option").into()),
                }
            }
            table::run(&dir, seconds)
        }
    }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
