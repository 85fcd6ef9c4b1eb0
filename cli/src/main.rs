//! The `hydra` program: reads the command line, runs one command, and turns its result into an exit code.

use clap::{ColorChoice, CommandFactory, FromArgMatches};
use hydra_cli::{
    args::{Cli, Command, ModelCommand, NetworkCommand},
    ask, doctor,
    error::Error,
    exit::ExitCode,
    export, faucet, found, invite, local, output, reference, registration, rest, rounds, status, top, up,
    wallet,
};
use hydra_host::terminal;

// `current_thread`: children must be started from the main thread (see `local::process`), and this way every line of
// the program runs there.
#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // What can't be understood may still say how it wants to be answered.
            if error.use_stderr() && std::env::args_os().any(|word| word == "--json") {
                let text = error.render().to_string();
                output::failure(text.trim_start_matches("error: "), ExitCode::Usage);
            }
            error.exit()
        }
    };
    let json = cli.json;
    match run(cli).await {
        Ok(code) => code.number().into(),
        Err(error) => {
            output::note(&format!("hydra: {error}"));
            if json {
                output::failure(&error.to_string(), error.exit_code());
            }
            error.exit_code().number().into()
        }
    }
}

/// The command line, with help and complaints as plain as `output` would have them.
fn parse() -> Result<Cli, clap::Error> {
    let color = match terminal::may_be_styled() {
        true => ColorChoice::Auto,
        false => ColorChoice::Never,
    };
    let mut command = Cli::command().color(color);
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

async fn run(cli: Cli) -> Result<ExitCode, Error> {
    let json = cli.json;
    let done = match cli.command {
        Command::Doctor(args) => return doctor::run(args, json).await,
        Command::Demo(args) => local::demo(args, json).await,
        Command::Status(args) => status::run(args, json).await,
        Command::Top(args) => top::run(args, json).await,
        Command::Ask(args) => ask::run(args, json).await,
        Command::Model {
            command: ModelCommand::Export(args),
        } => export::run(args, json).await,
        Command::Rounds(args) => rounds::run(args, json).await,
        Command::Registration(args) => registration::run(args, json).await,
        Command::Pause(args) => rest::pause(args, json).await,
        Command::Resume(args) => rest::resume(args, json).await,
        Command::Validate(args) => rest::validate(args, json).await,
        Command::Wallet { command } => wallet::run(command, json).await,
        Command::Stake { command } => wallet::stake(command, json).await,
        Command::Claim(args) => wallet::claim(args, json).await,
        Command::Completions(args) => reference::completions(&args, json),
        Command::Man(args) => reference::man(&args, json),
        Command::Reference(args) => reference::reference(&args),
        Command::Up(args) => up::up(*args, json).await,
        Command::Down(args) => up::down(&args, json).await,
        Command::Logs(args) => up::logs(&args, json).await,
        Command::Invite(args) => invite::run(args, json).await,
        Command::Faucet(args) => faucet::run(args, json).await,
        Command::Network {
            command: NetworkCommand::New(args),
        } => found::new(*args, json).await,
        Command::Network {
            command: NetworkCommand::Member(args),
        } => found::member(args, json),
    };
    done.map(|()| ExitCode::Done)
}
