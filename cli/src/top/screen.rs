//! Borrows the terminal, and gives it back as it was: however this program ends, by a panic as well.

use crossterm::{
    cursor::Show,
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};
use std::{
    ffi::OsStr,
    io::{self, IsTerminal, Stdout},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use super::{render, view::View};
use crate::error::Error;

/// Refuses where no page can be drawn.
pub fn check() -> Result<(), Error> {
    let is_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    may_draw(is_terminal, std::env::var_os("TERM").as_deref())
}

fn may_draw(is_terminal: bool, term: Option<&OsStr>) -> Result<(), Error> {
    if !is_terminal {
        return Err(Error::NoPage("there is none here"));
    }
    match term.and_then(OsStr::to_str) {
        Some("dumb") => Err(Error::NoPage("this one, TERM=dumb, can't be drawn on")),
        Some("") | None => Err(Error::NoPage("this one doesn't say what it is (TERM)")),
        Some(_) => Ok(()),
    }
}

/// The terminal, while it is borrowed.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal.
    pub fn take() -> Result<Self, Error> {
        give_back_in_a_panic();
        BORROWED.store(true, Ordering::SeqCst);
        match Self::try_take() {
            Ok(screen) => Ok(screen),
            Err(error) => {
                give_back();
                Err(Error::Stdout(error))
            }
        }
    }

    fn try_take() -> io::Result<Self> {
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen)?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(Self { terminal })
    }

    /// Draws the page.
    pub fn draw(&mut self, view: &View) -> Result<(), Error> {
        let drawn = self
            .terminal
            .draw(|frame| render::render(frame, view, SystemTime::now()));
        drawn.map(|_| ()).map_err(Error::Stdout)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Whether the terminal is to be given back: only once, since what is on it then is somebody else's.
static BORROWED: AtomicBool = AtomicBool::new(false);

/// A terminal that has gone away needs nothing.
fn give_back() {
    if !BORROWED.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
}

/// What a panic says is to be read on the terminal as it was.
fn give_back_in_a_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |information| {
            give_back();
            before(information);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_that_says_what_it_is_is_drawn_on() {
        let refusal = |is_terminal, term: Option<&str>| {
            may_draw(is_terminal, term.map(OsStr::new))
                .err()
                .map(|error| error.to_string())
        };
        assert_eq!(refusal(true, Some("xterm-256color")), None);
        for (is_terminal, term) in [
            (false, Some("xterm")),
            (true, Some("dumb")),
            (true, Some("")),
            (true, None),
        ] {
            let said = refusal(is_terminal, term).expect("it is refused");
            assert!(said.contains("`hydra status`"), "{said}");
        }
    }
}
