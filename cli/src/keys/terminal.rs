//! Asking the person at the terminal. Whoever only runs scripts is never asked: without a terminal there is an error.
//!
//! Questions and answers go by way of the terminal itself, so that standard input and output stay free for data.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal, Write},
    panic::resume_unwind,
};
use zeroize::Zeroizing;

use super::{error::KeysError, key::Secret};
use crate::{error::Error, output};

const TERMINAL: &str = "/dev/tty";
/// The longest answer that is read.
const MAX_ANSWER: u64 = 1024;

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
    let prompt = prompt.to_owned();
    let typed = apart(move || rpassword::prompt_password(prompt)).await;
    typed.map(Zeroizing::new).map_err(gone)
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
        io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof => KeysError::Declined.into(),
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
