//! Signals that ask `hydra demo` and `hydra up` to end.

use std::{fs, time::Duration};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};

use crate::error::Error;

/// What comes this soon after another is the same wish: `timeout` sends its signal twice, and so do impatient fingers.
const SAME_WISH: Duration = Duration::from_secs(1);

/// Signals that ask this program to end.
pub struct Stop {
    last: Option<Instant>,
    interrupt: Signal,
    terminate: Signal,
    /// The terminal was closed. `None` when whoever started this said to go on then (`nohup`).
    hangup: Option<Signal>,
}

impl Stop {
    /// Listens from now on.
    pub fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::file("listen to signals in", "/proc/self"));
        Ok(Self {
            last: None,
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: if hangup_is_ignored() {
                None
            } else {
                Some(listen(SignalKind::hangup())?)
            },
        })
    }

    /// Waits until someone wants it to end.
    pub async fn asked(&mut self) {
        loop {
            self.signal().await;
            let now = Instant::now();
            let again = self.last.is_some_and(|last| now - last < SAME_WISH);
            if !again {
                self.last = Some(now);
                return;
            }
        }
    }

    async fn signal(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hangup => {}
        }
    }
}

/// Whether this program was started with SIGHUP ignored. A handler of our own would undo that.
fn hangup_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Bit 0 is signal 1.
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::{Signal, raise};
    use tokio::time::timeout;

    #[tokio::test]
    async fn a_signal_that_is_sent_twice_asks_once() {
        let mut stop = Stop::new().unwrap();
        raise(Signal::SIGTERM).unwrap();
        raise(Signal::SIGINT).unwrap();
        stop.asked().await;
        let again = timeout(SAME_WISH / 4, stop.asked()).await;
        assert!(again.is_err(), "both are one wish");
    }
}
