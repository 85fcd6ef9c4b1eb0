//! The `hydra` program: reads the command line, runs one command, and turns its result into an exit code.

use clap::Parser;
use hydra_cli::{
    args::{Cli, Command, ModelCommand},
    ask,
    error::Error,
    export, local, output, rounds, status,
};
use std::process::ExitCode;

// `current_thread`: children must be started from the main thread (see `local::process`), and this way every line of
// the program runs there.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&format!("hydra: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: Cli) -> Result<(), Error> {
    let json = cli.json;
    match cli.command {
        Command::Up(args) => local::up(args, json).await,
        Command::Status(args) => status::run(args, json).await,
        Command::Ask(args) => ask::run(args, json).await,
        Command::Model {
            command: ModelCommand::Export(args),
        } => export::run(args, json).await,
        Command::Rounds(args) => rounds::run(args, json).await,
    }
}
