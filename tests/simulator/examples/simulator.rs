//! The simulator on the command line: a run with some hostile accounts, or the faults of the protocol one by one.
//!
//!     cargo run --release -p hydra-simulator --example simulator -- --strategy lazy --rounds 100

use clap::{Args, Parser, Subcommand};
use hydra_simulator::{
    faults,
    report::report,
    scenario::{Settings, play, simulation},
    strategy::NAMES,
};

/// Plays the chain's real runtime with accounts that keep its rules and others that don't, and prints what becomes of them.
#[derive(Parser)]
#[command(name = "simulator", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    instead: Option<Instead>,
    #[command(flatten)]
    run: Run,
}

#[derive(Subcommand)]
enum Instead {
    /// Plays every known fault of the protocol and says in a line each what is seen
    Faults,
}

#[derive(Args)]
struct Run {
    /// Nodes in all
    #[arg(long, default_value_t = 33)]
    nodes: usize,
    /// The share of the weight that is hostile
    #[arg(long, default_value_t = 0.33)]
    hostile: f64,
    /// The share of the honest nodes that are off, drawn anew in each round
    #[arg(long, default_value_t = 0.0)]
    offline: f64,
    /// How the hostile play
    #[arg(long, default_value = "lying", value_parser = NAMES)]
    strategy: String,
    /// Rounds to play
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// What chance follows from: the same seed gives the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    if let Some(Instead::Faults) = arguments.instead {
        for fault in faults::ALL {
            println!("{}", fault());
        }
        return Ok(());
    }
    let Run {
        nodes,
        hostile,
        offline,
        strategy,
        rounds,
        seed,
        json,
    } = arguments.run;
    let settings = Settings {
        nodes,
        hostile,
        offline,
        strategy,
        rounds,
        seed,
    };
    let mut simulation = simulation(&settings)?;
    if !play(&mut simulation, &settings) {
        eprintln!("the first model stood still before all rounds were over; what was seen until then:");
    }
    let report = report(&mut simulation);
    if json {
        println!("{}", report.json()?);
    } else {
        println!("{}", report.table());
    }
    Ok(())
}
