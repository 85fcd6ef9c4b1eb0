//! The simulator on the command line: a run with some hostile accounts, the figures of the benchmarks, or the faults of protocol 1 one by
//! one.
//!
//!     cargo run --release -p hydra-simulator --example simulator -- --strategy lazy --rounds 100

use clap::{Args, Parser, Subcommand};
use hydra_simulator::{
    faults, figures,
    report::{Report, report},
    scenario::{BadSettings, Settings, play, simulation},
    strategy::NAMES,
};
use std::{
    io::Write,
    time::{Duration, Instant},
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
    /// Plays every known fault of protocol 1 and says in a line each whether it is gone
    Faults,
    /// Plays every strategy and prints a line each, as Markdown
    Figures(Figures),
    /// Prints how full blocks are in each phase, in peace and with every proposal appealed, as Markdown
    Blocks(Blocks),
    /// Prints how likely a poll ends wrongly, by exact sums, as Markdown
    Chances {
        /// The share of the weight that is hostile
        #[arg(long, default_value_t = 0.33)]
        hostile: f64,
    },
}

/// What all runs have in common.
#[derive(Args, Clone)]
struct Network {
    /// The share of the weight that is hostile
    #[arg(long, default_value_t = 0.33)]
    hostile: f64,
    /// Slots of a session
    #[arg(long, default_value_t = 1_440)]
    session: u64,
    /// What chance follows from: the same seed gives the same run
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after so many minutes, at the end of a round
    #[arg(long)]
    minutes: Option<u64>,
}

#[derive(Args)]
struct Run {
    #[command(flatten)]
    network: Network,
    /// Nodes in all
    #[arg(long, default_value_t = 33)]
    nodes: usize,
    /// The share of the time for which an honest node is off
    #[arg(long, default_value_t = 0.0)]
    offline: f64,
    /// How the hostile play
    #[arg(long, default_value = "lying", value_parser = NAMES)]
    strategy: String,
    /// Rounds to play
    #[arg(long, default_value_t = 100)]
    rounds: u32,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Figures {
    #[command(flatten)]
    network: Network,
    /// Nodes in all
    #[arg(long, default_value_t = 10_000)]
    nodes: usize,
    /// The share of the time for which an honest node is off
    #[arg(long, default_value_t = 0.15)]
    offline: f64,
    /// Rounds to play with each strategy
    #[arg(long, default_value_t = 1_000)]
    rounds: u32,
    /// Only these strategies
    #[arg(long = "strategy", value_parser = NAMES)]
    strategies: Vec<String>,
}

#[derive(Args)]
struct Blocks {
    /// Numbers of nodes
    #[arg(long, value_delimiter = ',', default_values_t = [4, 33, 100, 1_000, 10_000])]
    nodes: Vec<usize>,
    /// Rounds to play with each
    #[arg(long, default_value_t = 10)]
    rounds: u32,
}

/// Says whether there is time for another round.
fn clock(minutes: Option<u64>) -> impl FnMut() -> bool {
    let began = Instant::now();
    move || minutes.is_none_or(|minutes| began.elapsed() < Duration::from_secs(60 * minutes))
}

/// Plays, and says what was seen and whether the first model went on to the end.
fn run(settings: &Settings, minutes: Option<u64>) -> Result<(Report, bool), BadSettings> {
    let mut simulation = simulation(settings)?;
    let went_on = play(&mut simulation, settings, clock(minutes));
    Ok((report(&mut simulation), went_on))
}

fn one(arguments: Run) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings {
        nodes: arguments.nodes,
        hostile: arguments.network.hostile,
        offline: arguments.offline,
        strategy: arguments.strategy,
        rounds: arguments.rounds,
        session: arguments.network.session,
        seed: arguments.network.seed,
    };
    let (report, went_on) = run(&settings, arguments.network.minutes)?;
    if !went_on {
        eprintln!("the first model stood still before all rounds were over; what was seen until then:");
    }
    if arguments.json {
        println!("{}", report.json()?);
    } else {
        println!("{}", report.table());
    }
    Ok(())
}

fn all(arguments: Figures) -> Result<(), Box<dyn std::error::Error>> {
    let chosen = &arguments.strategies;
    print!("{}", figures::STRATEGIES);
    for name in NAMES {
        if !chosen.is_empty() && !chosen.iter().any(|one| one == name) {
            continue;
        }
        let settings = Settings {
            nodes: arguments.nodes,
            hostile: arguments.network.hostile,
            offline: arguments.offline,
            strategy: name.into(),
            rounds: arguments.rounds,
            session: arguments.network.session,
            seed: arguments.network.seed,
        };
        let (report, went_on) = run(&settings, arguments.network.minutes)?;
        print!("{}", figures::strategy(name, &report));
        std::io::stdout().flush()?;
        if !went_on {
            eprintln!("{name}: the first model stood still before all rounds were over");
        }
    }
    Ok(())
}

fn blocks(arguments: &Blocks) -> Result<(), BadSettings> {
    let mut rows = Vec::new();
    for nodes in &arguments.nodes {
        for disputed in [false, true] {
            eprintln!(
                "{nodes} nodes, {}",
                if disputed { "disputed" } else { "in peace" }
            );
            let full = figures::fullness(*nodes, disputed, arguments.rounds)?;
            rows.push((*nodes, disputed, full));
        }
    }
    print!("{}", figures::blocks(&rows));
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::parse();
    match arguments.instead {
        None => one(arguments.run)?,
        Some(Instead::Faults) => {
            for fault in faults::ALL {
                println!("{}", fault());
            }
        }
        Some(Instead::Figures(figures)) => all(figures)?,
        Some(Instead::Blocks(arguments)) => blocks(&arguments)?,
        Some(Instead::Chances { hostile }) => print!("{}", figures::chances(hostile)),
    }
    Ok(())
}
