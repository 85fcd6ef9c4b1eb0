//! How far a request has come, for those who watch it: what is the peer's time, and what is ours.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// One request.
#[derive(Debug, Default)]
pub(crate) struct Progress(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Since when it is the peer's turn.
    since: Option<Instant>,
    received: u64,
    last: Option<Instant>,
    /// How long the peer had to wait for us.
    excused: Duration,
    /// Since when it waits for us.
    waits: Option<Instant>,
    heard: bool,
}

/// How it stands at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Since when it is the peer's turn, but for the time that it had to wait for us.
    pub(crate) since: Instant,
    /// When something last arrived, its turn began, or it no longer had to wait for us.
    pub(crate) last: Instant,
    /// Bytes that have arrived.
    pub(crate) received: u64,
    /// It is waiting for us.
    pub(crate) waits: bool,
}

/// While this is there, the peer waits for us.
#[derive(Debug)]
pub(crate) struct Excuse<'a>(&'a Progress);

impl Progress {
    /// From now on it is the peer's turn.
    pub(crate) fn begin(&self) {
        self.state().since.get_or_insert_with(Instant::now);
    }

    /// From now on we wait for our own other requests.
    pub(crate) fn queue(&self) {
        self.state().since = None;
    }

    /// From now on the peer waits for us.
    pub(crate) fn excuse(&self) -> Excuse<'_> {
        self.state().waits.get_or_insert_with(Instant::now);
        Excuse(self)
    }

    /// The peer has begun to answer.
    pub(crate) fn hear(&self) {
        self.state().heard = true;
    }

    /// Whether the peer has begun to answer.
    pub(crate) fn is_heard(&self) -> bool {
        self.state().heard
    }

    /// So many bytes have come.
    pub(crate) fn note(&self, bytes: u64) {
        let mut state = self.state();
        state.received = state.received.saturating_add(bytes);
        state.last = Some(Instant::now());
    }

    /// Since when it is the peer's turn; `None` while we wait for our own other requests.
    pub(crate) fn since(&self) -> Option<Instant> {
        self.state().since
    }

    /// Bytes that have arrived.
    pub(crate) fn received(&self) -> u64 {
        self.state().received
    }

    /// How it stands; `None` while we wait for our own other requests.
    pub(crate) fn seen(&self, now: Instant) -> Option<Seen> {
        let state = self.state();
        let since = state.since?;
        let waiting = state.waits.map(|waits| now.saturating_duration_since(waits));
        let last = match waiting {
            Some(_) => now,
            None => state.last.unwrap_or(since),
        };
        Some(Seen {
            since: since + state.excused + waiting.unwrap_or_default(),
            last,
            received: state.received,
            waits: waiting.is_some(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Excuse<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        if let Some(waits) = state.waits.take() {
            let now = Instant::now();
            state.excused = state.excused.saturating_add(now - waits);
            state.last = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_the_peer_waits_for_us_is_not_its_time() {
        let progress = Progress::default();
        assert_eq!(progress.seen(Instant::now()), None);
        progress.begin();
        let began = Instant::now();
        advance(SECOND).await;
        progress.note(10);
        let excuse = progress.excuse();
        advance(5 * SECOND).await;
        let seen = progress.seen(Instant::now()).unwrap();
        assert!(seen.waits);
        assert_eq!((seen.since, seen.last), (began + 5 * SECOND, began + 6 * SECOND));
        drop(excuse);
        advance(SECOND).await;
        let seen = progress.seen(Instant::now()).unwrap();
        assert_eq!((seen.waits, seen.received), (false, 10));
        assert_eq!((seen.since, seen.last), (began + 5 * SECOND, began + 6 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_is_given_up_begins_anew() {
        let progress = Progress::default();
        progress.begin();
        progress.queue();
        assert_eq!(progress.since(), None);
        advance(SECOND).await;
        progress.begin();
        advance(SECOND).await;
        progress.begin();
        assert_eq!(progress.since(), Some(Instant::now() - SECOND));
    }
}
