//! What a handle tells of reachability.

use crate::{NetworkHandle, reach::Reachability};
use tokio::sync::watch;

impl NetworkHandle {
    /// How others reach us now, and why so.
    pub fn reachability(&self) -> Reachability {
        self.views().reach.reachability.borrow().clone()
    }

    /// Follows [`reachability`](Self::reachability).
    pub fn watch_reachability(&self) -> watch::Receiver<Reachability> {
        self.views().reach.reachability.clone()
    }
}
