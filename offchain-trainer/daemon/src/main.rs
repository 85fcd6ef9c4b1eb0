//! The program `hydra-trainer`.

use std::{io::stderr, process::ExitCode, time::Duration};

use clap::{ColorChoice, CommandFactory, FromArgMatches};
use hydra_host::terminal;
use hydra_trainer::{Options, Trainer};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// How long work that can't be interrupted may hold up the end of the program.
const LAST_WORK: Duration = Duration::from_secs(2);
/// It could not start.
const CANT_START: u8 = 2;

fn main() -> ExitCode {
    let options = parse().unwrap_or_else(|error| error.exit());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,libp2p=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(terminal::stderr_is_styled())
        .with_writer(stderr)
        .init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return fail(&format!(
                "the system gives no threads: {error}. Stop other programs first"
            ));
        }
    };
    let code = runtime.block_on(run(options));
    runtime.shutdown_timeout(LAST_WORK);
    code
}

/// The command line, with help and complaints as plain as the log.
fn parse() -> Result<Options, clap::Error> {
    let color = match terminal::may_be_styled() {
        true => ColorChoice::Auto,
        false => ColorChoice::Never,
    };
    let mut command = Options::command().color(color);
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    Options::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

async fn run(options: Options) -> ExitCode {
    // Before anything is started, so that an early signal stops cleanly, too.
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return fail("the system does not let the program handle signals");
    };
    let mut told_to_stop = Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    let trainer = tokio::select! {
        started = Trainer::start(options) => match started {
            Ok(trainer) => trainer,
            Err(error) => return fail(&error.to_string()),
        },
        () = &mut told_to_stop => return ExitCode::SUCCESS,
    };
    let listen: Vec<String> = trainer
        .listen_addresses()
        .iter()
        .map(ToString::to_string)
        .collect();
    println!(
        "ready: peer {} at {}, HTTP on {}",
        trainer.peer_id(),
        listen.join(" "),
        trainer.http_address()
    );
    told_to_stop.await;
    tracing::info!("stopping");
    trainer.stop().await;
    ExitCode::SUCCESS
}

fn fail(sentence: &str) -> ExitCode {
    eprintln!("error: {sentence}");
    ExitCode::from(CANT_START)
}
