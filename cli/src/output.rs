//! Where words go: data to stdout, everything else to stderr, so that a command's output can be piped.

use serde::Serialize;
use std::{
    ffi::OsString,
    io::{self, IsTerminal, Write},
};

use crate::{error::Error, exit::ExitCode};

/// Data, as text. A reader that has gone away (`| head`) is no error.
pub fn data(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", harmless(text.trim_end_matches('\n'))).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Error::Stdout),
    }
}

/// Data, as one JSON document.
pub fn json<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Stdout(error.into()))?;
    data(&text)
}

/// Without what would steer a terminal: chains, nodes and trainers are quoted, and may say anything.
fn harmless(text: &str) -> String {
    let steers = |c: char| c.is_control() && c != '\n';
    text.replace(steers, " ")
}

/// A failure, for programs: the sentence and the exit code, as one JSON document where the data would have been. People
/// read it on stderr.
pub fn failure(error: &str, code: ExitCode) {
    #[derive(Serialize)]
    struct Failure<'a> {
        error: &'a str,
        code: u8,
    }
    let failure = Failure {
        error: error.trim_end(),
        code: code.number(),
    };
    // That it failed is what matters; that nobody can be told is no second failure.
    let _ = json(&failure);
}

/// Progress and remarks. Nobody may be reading them any more, and the work goes on all the same.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Whether progress may use what only a terminal understands: it is one, and nobody asked for plain text.
pub fn styled() -> bool {
    let variable = |name| std::env::var_os(name);
    allows_styles(io::stderr().is_terminal(), variable("NO_COLOR"), variable("TERM"))
}

/// Whether whoever runs this would have a terminal's styles at all, where a library finds out what is a terminal.
pub fn may_be_styled() -> bool {
    let variable = |name| std::env::var_os(name);
    allows_styles(true, variable("NO_COLOR"), variable("TERM"))
}

/// NO_COLOR counts when it isn't empty (no-color.org); a terminal that doesn't say what it is may be a dumb one.
fn allows_styles(terminal: bool, no_color: Option<OsString>, term: Option<OsString>) -> bool {
    let asked_for_plain = no_color.is_some_and(|value| !value.is_empty());
    terminal && !asked_for_plain && term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_who_is_quoted_steers_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\nc\rd\u{9b}e"), "a [2Jb\nc d e");
    }

    #[test]
    fn only_a_terminal_that_nobody_wants_plain_gets_escape_codes() {
        let allows = |terminal, no_color: Option<&str>, term: Option<&str>| {
            allows_styles(terminal, no_color.map(Into::into), term.map(Into::into))
        };
        assert!(allows(true, None, Some("xterm")));
        assert!(allows(true, Some(""), Some("xterm")));
        assert!(!allows(true, Some("1"), Some("xterm")));
        assert!(!allows(true, Some("0"), Some("xterm")));
        assert!(!allows(true, None, Some("dumb")));
        assert!(!allows(true, None, None));
        assert!(!allows(false, None, Some("xterm")));
    }
}
