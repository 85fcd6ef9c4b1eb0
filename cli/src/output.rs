//! Where words go: data to stdout, everything else to stderr, so that a command's output can be piped.

use serde::Serialize;
use std::io::{self, Write};

use crate::{
    error::{Error, Failure},
    exit::ExitCode,
};

/// Data, as text. A reader that has gone away (`| head`) is no error.
pub fn data(text: &str) -> Result<(), Error> {
    match delivered(text) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Error::Stdout),
    }
}

/// Data that nothing may be done without: it is an error if nobody takes it.
pub fn delivered(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", harmless(text.trim_end_matches('\n'))).and_then(|()| out.flush())
}

/// Data, as one JSON document.
pub fn json<T: Serialize>(value: &T) -> Result<(), Error> {
    data(&document(value)?)
}

/// One JSON document, as text.
pub fn document<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string_pretty(value).map_err(|error| Error::Stdout(error.into()))
}

/// One event of a program that goes on: one JSON document in one line.
pub fn event<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Stdout(error.into()))?;
    data(&text)
}

/// Without what would steer a terminal: chains, nodes and trainers are quoted, and may say anything.
pub fn harmless(text: &str) -> String {
    let steers = |c: char| c.is_control() && c != '\n';
    text.replace(steers, " ")
}

/// A failure, for programs: the sentence and the exit code, as one JSON document where the data would have been. People
/// read it on stderr.
pub fn failure(error: &str, code: ExitCode) {
    // That it failed is what matters; that nobody can be told is no second failure.
    let _ = json(&Failure::new(error, code));
}

/// Progress and remarks. Nobody may be reading them any more, and the work goes on all the same.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_who_is_quoted_steers_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\nc\rd\u{9b}e"), "a [2Jb\nc d e");
    }
}
