//! How busy the computer is with this process. Where the system doesn't say, it counts as not busy.

use std::{thread::available_parallelism, time::Duration};
use tokio::{sync::watch, time::Instant};

/// Parts of the computer that may be busy when the next node starts or the next look-up begins. What isn't answered in time is asked
/// again: above this, a computer that can't keep up is measured, and not the network.
pub const BUSY: f64 = 0.75;

/// The part of all processors that this process used in the last seconds, from 0 to 1.
#[derive(Debug, Clone)]
pub struct Load(watch::Receiver<f64>);

impl Load {
    /// Long enough that hundredths of a second of processor time say something.
    const EACH: Duration = Duration::from_secs(2);
    const LONGEST: Duration = Duration::from_secs(60);

    /// Looks at it as long as somebody wants to know. Clocks run so many times slower.
    pub fn watch(slower: u32) -> Self {
        let (sender, receiver) = watch::channel(0.0);
        let all = available_parallelism().map_or(1.0, |all| all.get() as f64) * f64::from(slower);
        tokio::spawn(async move {
            let mut before = (Instant::now(), busy());
            while !sender.is_closed() {
                tokio::time::sleep(Self::EACH).await;
                let now = (Instant::now(), busy());
                let load = (now.1 - before.1) / (now.0 - before.0).as_secs_f64() / all;
                sender.send_replace(load);
                before = now;
            }
        });
        Self(receiver)
    }

    pub fn now(&self) -> f64 {
        *self.0.borrow()
    }

    /// Waits until it is below `part`, but not for ever: what is busy for so long stays so.
    pub async fn below(&self, part: f64) {
        let mut load = self.0.clone();
        // An error says that it took too long, or that nobody measures any more: the end of the process.
        let _ = tokio::time::timeout(Self::LONGEST, load.wait_for(|load| *load < part)).await;
    }
}

/// Seconds of processors that this process has used.
pub fn busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which is in brackets: user and system time are the 12th and 13th, in hundredths of a second.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}
