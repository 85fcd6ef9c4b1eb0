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
    let text = serde_json::to_string_pretty(value).map_err(|error| Error::Stdout(error.into()))?;
    Ok(escaped(&text))
}

/// One event of a program that goes on: one JSON document in one line.
pub fn event<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(|error| Error::Stdout(error.into()))?;
    data(&escaped(&text))
}

/// Without what would steer a terminal, and what turns or hides the words around it: chains, nodes and trainers are quoted, and
/// may say anything.
pub fn harmless(text: &str) -> String {
    text.replace(steers, " ").replace(hides, "")
}

/// Whether it steers a terminal.
fn steers(c: char) -> bool {
    c.is_control() && c != '\n'
}

/// Whether it is not seen itself, and changes how what is around it is seen.
fn hides(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// JSON that says the same with such characters as escapes. They are in its strings only, and four digits are enough for each.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if steers(c) || hides(c) {
            text += &format!("\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
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

    #[test]
    fn nobody_who_is_quoted_turns_or_hides_words() {
        assert_eq!(
            harmless("paid \u{202e}1\u{2066}2\u{200b}3\u{feff}4\u{ad}5\n"),
            "paid 12345\n"
        );
        assert_eq!(harmless("5 € für Zoë: ✓ 日本"), "5 € für Zoë: ✓ 日本");
    }

    #[test]
    fn a_document_says_what_it_said_and_shows_it() {
        let name = "a\u{202e}b\u{9b}c\nd";
        let text = document(&[name]).unwrap();
        assert_eq!(text, "[\n  \"a\\u202eb\\u009bc\\nd\"\n]");
        assert_eq!(harmless(&text), text);
        assert_eq!(serde_json::from_str::<[String; 1]>(&text).unwrap(), [name]);
    }
}
