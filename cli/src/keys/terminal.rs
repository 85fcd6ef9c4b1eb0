//! Asking the person at the terminal. Whoever only runs scripts is never asked: without a terminal there is an error.
//!
//! Questions and answers go by way of the terminal itself, so that standard input and output stay free for data.

use nix::sys::termios::{SetArg, Termios, tcgetattr, tcsetattr};
use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    panic::resume_unwind,
    process,
    sync::{
        Mutex, Once, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use zeroize::Zeroizing;

use super::{error::KeysError, key::Secret};
use crate::{error::Error, exit::ExitCode, output};

const TERMINAL: &str = "/dev/tty";
/// The longest answer that is read.
const MAX_ANSWER: u64 = 1024;
/// How long a question that was interrupted has to end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// Whether Ctrl-C is heeded elsewhere, once no question is open.
static HEEDED_ELSEWHERE: AtomicBool = AtomicBool::new(false);
/// How the terminal was before a question that hides its answer; nothing while there is none.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// Whether somebody can be asked: there is a terminal, and what goes wrong is said on one.
pub fn is_there() -> bool {
    io::stderr().is_terminal() && File::open(TERMINAL).is_ok()
}

/// Refuses if nobody can be asked for `what`; `instead` says what scripts do.
pub fn required(what: &'static str, instead: &'static str) -> Result<(), Error> {
    match is_there() {
        true => Ok(()),
        false => Err(KeysError::NoTerminal(what, instead).into()),
    }
}

/// Asks for something that isn't shown.
pub async fn hidden(prompt: &str) -> Result<Secret, Error> {
    heed_interrupts().map_err(Error::file("ask on", TERMINAL))?;
    *before() = File::open(TERMINAL)
        .ok()
        .and_then(|terminal| tcgetattr(terminal).ok());
    let prompt = prompt.to_owned();
    let typed = apart(move || rpassword::prompt_password(prompt)).await;
    // Whoever interrupted it is told so by this error, and not by `heed_interrupts`.
    if !matches!(&typed, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
        *before() = None;
    }
    typed.map(Zeroizing::new).map_err(gone)
}

/// From now on Ctrl-C ends this program as it always does, but not before the terminal shows again what is typed: rpassword
/// puts that right only if its SIGINT leaves the program alive.
fn heed_interrupts() -> io::Result<()> {
    static ONCE: Once = Once::new();
    let mut heeded = Ok(());
    ONCE.call_once(|| {
        heeded = signal(SignalKind::interrupt()).map(|mut interrupts| {
            tokio::spawn(async move {
                while interrupts.recv().await.is_some() {
                    if show_typing() {
                        sleep(GRACE).await;
                    } else if HEEDED_ELSEWHERE.load(Ordering::Relaxed) {
                        continue;
                    }
                    process::exit(ExitCode::Interrupted.number().into());
                }
            });
        });
    });
    heeded
}

/// For whoever goes on after the last question, and ends in order when it is asked to: Ctrl-C is theirs from now on.
pub fn leave_interrupts() {
    HEEDED_ELSEWHERE.store(true, Ordering::Relaxed);
}

/// Puts the terminal right if a question that hides its answer is open. Returns whether there is one.
fn show_typing() -> bool {
    let before = before();
    if let (Some(before), Ok(terminal)) = (before.as_ref(), File::open(TERMINAL)) {
        // A terminal that has gone away needs nothing.
        let _ = tcsetattr(terminal, SetArg::TCSANOW, before);
    }
    before.is_some()
}

fn before() -> std::sync::MutexGuard<'static, Option<Termios>> {
    BEFORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses if consent wasn't given with `--yes` and nobody can be asked for it.
pub fn may_consent(yes: bool) -> Result<(), Error> {
    match yes {
        true => Ok(()),
        false => required("your consent", "say it on the command line with --yes"),
    }
}

/// Asks whether to go on, unless that was said with `--yes`. Only a yes is one.
pub async fn consent(question: &str, yes: bool) -> Result<(), Error> {
    may_consent(yes)?;
    if yes {
        return Ok(());
    }
    let question = format!("{} [y/N] ", output::harmless(question));
    let answer = apart(move || ask(&question)).await.map_err(gone)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(KeysError::Declined.into()),
    }
}

fn ask(question: &str) -> io::Result<String> {
    let mut terminal = File::options().read(true).write(true).open(TERMINAL)?;
    terminal.write_all(question.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(io::Read::take(terminal, MAX_ANSWER)).read_line(&mut answer)?;
    Ok(answer)
}

/// Ctrl-C and Ctrl-D are answers, too.
fn gone(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::Interrupted => KeysError::Interrupted.into(),
        io::ErrorKind::UnexpectedEof => KeysError::Declined.into(),
        _ => Error::file("ask on", TERMINAL)(error),
    }
}

/// Does what takes long beside the connections, which are to be kept meanwhile.
pub async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => resume_unwind(error.into_panic()),
    }
}
