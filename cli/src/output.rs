//! Where words go: data to stdout, everything else to stderr, so that a command's output can be piped.

use serde::Serialize;
use std::io::{self, Write};

use crate::error::Error;

/// Data, as text. A reader that has gone away (`| head`) is no error.
pub fn data(text: &str) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = writeln!(out, "{}", text.trim_end_matches('\n')).and_then(|()| out.flush());
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

/// Progress and remarks. Nobody may be reading them any more, and the work goes on all the same.
pub fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
