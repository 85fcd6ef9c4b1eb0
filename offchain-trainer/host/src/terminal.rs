//! Who is shown escape codes.

use std::{
    env,
    ffi::OsStr,
    io::{self, IsTerminal},
};

/// Whether whoever runs this would have a terminal's styles at all, where a library finds out what is a terminal.
pub fn may_be_styled() -> bool {
    allows_styles(env::var_os("NO_COLOR").as_deref(), env::var_os("TERM").as_deref())
}

/// Whether stderr may get what only a terminal understands: it is one, and nobody asked for plain text.
pub fn stderr_is_styled() -> bool {
    io::stderr().is_terminal() && may_be_styled()
}

/// NO_COLOR counts when it isn't empty (<https://no-color.org>); a terminal that doesn't say what it is may be a dumb one.
fn allows_styles(no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
    let asked_for_plain = no_color.is_some_and(|value| !value.is_empty());
    !asked_for_plain && term.is_some_and(|term| !term.is_empty() && term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_nobody_wants_plain_gets_escape_codes() {
        let allows = |no_color: Option<&str>, term: Option<&str>| {
            allows_styles(no_color.map(OsStr::new), term.map(OsStr::new))
        };
        assert!(allows(None, Some("xterm")));
        assert!(allows(Some(""), Some("xterm-256color")));
        assert!(!allows(Some("1"), Some("xterm")));
        assert!(!allows(Some("0"), Some("xterm")));
        assert!(!allows(None, Some("dumb")));
        assert!(!allows(None, Some("")));
        assert!(!allows(None, None));
    }
}
