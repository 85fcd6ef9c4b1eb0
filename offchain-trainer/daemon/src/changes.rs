//! Tells whoever listens that the trainer's condition may be another one; what it is they look up themselves.
//!
//! Must never make whoever notes a change wait, or carry anything about it.

use tokio::sync::watch;

/// Where changes are noted. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Changes(watch::Sender<bool>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Changes {
    /// Something may have changed.
    pub(crate) fn note(&self) {
        self.0.send_modify(|_| {});
    }

    /// Nothing will change any more: the trainer is stopping.
    pub(crate) fn end(&self) {
        self.0.send_replace(true);
    }

    /// For who wants to hear of changes from now on.
    pub(crate) fn listen(&self) -> Listener {
        Listener(self.0.subscribe())
    }
}

/// Hears of changes.
#[derive(Debug)]
pub(crate) struct Listener(watch::Receiver<bool>);

impl Listener {
    /// Waits until something changed since this was last called. `false`: nothing will any more.
    pub(crate) async fn changed(&mut self) -> bool {
        !self.has_ended() && self.0.changed().await.is_ok() && !self.has_ended()
    }

    /// What changed until now is no news.
    pub(crate) fn catch_up(&mut self) {
        self.0.mark_unchanged();
    }

    fn has_ended(&self) -> bool {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn many_changes_are_heard_of_once_and_the_end_always() {
        let changes = Changes::default();
        let mut listener = changes.listen();
        let soon = Duration::from_millis(20);
        assert!(timeout(soon, listener.changed()).await.is_err());
        changes.note();
        changes.note();
        assert!(listener.changed().await);
        assert!(timeout(soon, listener.changed()).await.is_err());
        changes.note();
        listener.catch_up();
        assert!(timeout(soon, listener.changed()).await.is_err());
        changes.end();
        assert!(!listener.changed().await);
        assert!(!changes.listen().changed().await);
    }
}
