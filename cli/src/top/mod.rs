//! `hydra top`: one page on a terminal that renews itself.
//!
//! It only reads. It must never leave a terminal as it drew it, whatever ends it, and nothing that a chain, a node or a
//! trainer says may steer one.
//!
//! Start with `watch`, which keeps what is seen up to date; `view` and `panels` find words for it, `render` puts them on a
//! screen, and `screen` borrows the terminal.

#[cfg(test)]
mod fixture;
mod node;
mod page;
mod panels;
mod render;
mod screen;
mod seen;
mod view;
mod watch;

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures::StreamExt;
use hydra_host::terminal;
use std::time::{Duration, SystemTime};
use tokio::{sync::watch as channel, time::interval};

use crate::{args::TopArgs, error::Error, local::stop::Stop, output, target::Target};
use screen::Screen;
use seen::Seen;
use view::View;

/// How often ages are written anew where nothing else happens.
const TICK: Duration = Duration::from_secs(1);

/// Runs the command.
pub async fn run(args: TopArgs, json: bool) -> Result<(), Error> {
    if json {
        return Err(Error::PageAsJson);
    }
    if args.once {
        let target = Target::new(&args.target)?;
        let seen = watch::once(&target).await?;
        let now = SystemTime::now();
        return output::data(&render::plain(&View::new(&seen, now), now));
    }
    screen::check()?;
    let target = Target::new(&args.target)?;
    let (sender, receiver) = channel::channel(Seen::new(&target));
    // Before the terminal is another, so that no signal leaves it so.
    let stop = Stop::new()?;
    let screen = Screen::take()?;
    tokio::select! {
        ended = show(screen, receiver, stop) => ended,
        // Neither ends by itself.
        () = watch::node(&target, &sender) => Ok(()),
        () = watch::trainer(&target, &sender) => Ok(()),
    }
}

/// Draws what is seen until somebody leaves.
async fn show(mut screen: Screen, mut seen: channel::Receiver<Seen>, mut stop: Stop) -> Result<(), Error> {
    let styled = terminal::may_be_styled();
    let mut keys = EventStream::new();
    let mut tick = interval(TICK);
    loop {
        let view = View {
            styled,
            hint: "q leaves",
            ..View::new(&seen.borrow_and_update(), SystemTime::now())
        };
        screen.draw(&view)?;
        tokio::select! {
            // Its sender lives as long as this.
            _ = seen.changed() => {}
            _ = tick.tick() => {}
            key = keys.next() => match key {
                Some(Ok(Event::Key(key))) if leaves(&key) => return Ok(()),
                // Another key, or another size.
                Some(Ok(_)) => {}
                // The terminal has gone away.
                Some(Err(_)) | None => return Ok(()),
            },
            () = stop.asked() => return Ok(()),
        }
    }
}

/// Whether this key leaves. Ctrl-C is a key like others while the page is shown.
fn leaves(key: &KeyEvent) -> bool {
    let is_down = key.kind != KeyEventKind::Release;
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    is_down
        && match key.code {
            KeyCode::Esc => true,
            KeyCode::Char('q' | 'Q') => !control,
            KeyCode::Char('c' | 'C') => control,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q_escape_and_ctrl_c_leave_and_other_keys_do_not() {
        let key = |code, modifiers| leaves(&KeyEvent::new(code, modifiers));
        assert!(key(KeyCode::Char('q'), KeyModifiers::NONE));
        assert!(key(KeyCode::Char('Q'), KeyModifiers::SHIFT));
        assert!(key(KeyCode::Esc, KeyModifiers::NONE));
        assert!(key(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert!(!key(KeyCode::Char('c'), KeyModifiers::NONE));
        assert!(!key(KeyCode::Enter, KeyModifiers::NONE));
    }
}
