//! One fetch per blob at a time: two tasks that need the same blob share one download.

use hydra_blobs::H256;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// Lets one fetch per blob run at a time.
#[derive(Default)]
pub(crate) struct Gates {
    gates: Mutex<HashMap<H256, Arc<tokio::sync::Mutex<()>>>>,
}

/// Held while a blob is being fetched.
pub(crate) struct Gate<'a> {
    gates: &'a Gates,
    hash: H256,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Gates {
    pub(crate) async fn enter(&self, hash: H256) -> Gate<'_> {
        let mutex = {
            let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
            gates.entry(hash).or_default().clone()
        };
        // Made first, so that a caller that gives up waiting cleans up as well.
        let mut gate = Gate {
            gates: self,
            hash,
            guard: None,
        };
        gate.guard = Some(mutex.lock_owned().await);
        gate
    }
}

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        let mut gates = self.gates.gates.lock().unwrap_or_else(PoisonError::into_inner);
        self.guard = None;
        // Nobody else waits or holds it.
        if gates
            .get(&self.hash)
            .is_some_and(|mutex| Arc::strong_count(mutex) == 1)
        {
            gates.remove(&self.hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_kept_of_a_blob_that_nobody_fetches_or_waits_for() {
        let gates = Gates::default();
        let hash = H256::repeat_byte(1);
        let gate = gates.enter(hash).await;
        let waiting = tokio::time::timeout(std::time::Duration::ZERO, gates.enter(hash)).await;
        assert!(waiting.is_err(), "one at a time");
        drop(gate);
        drop(gates.enter(hash).await);
        assert!(gates.gates.lock().unwrap().is_empty());
    }
}
