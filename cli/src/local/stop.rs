//! Signals that ask `hydra demo` to end.

use std::fs;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::Error;

/// Signals that ask this program to end.
pub struct Stop {
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
