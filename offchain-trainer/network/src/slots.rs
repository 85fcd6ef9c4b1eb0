//! Places for strangers: how many streams are open, per holder (a peer, say) and altogether.
//!
//! Nobody waits for a place here: who finds none is turned away, so that there is no queue that a stranger could fill.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The places. `S` is what all streams of one holder share, made with its first and dropped with its last.
pub(crate) struct Slots<K: Eq + Hash, S> {
    per_holder: usize,
    total: Arc<Semaphore>,
    share: Box<dyn Fn() -> S + Send + Sync>,
    open: Mutex<HashMap<K, Open<S>>>,
}

struct Open<S> {
    count: usize,
    shared: Arc<S>,
}

impl<K: Eq + Hash + Copy, S> Slots<K, S> {
    pub(crate) fn new(
        per_holder: usize,
        total: usize,
        share: impl Fn() -> S + Send + Sync + 'static,
    ) -> Self {
        Self {
            per_holder,
            total: Arc::new(Semaphore::new(total)),
            share: Box::new(share),
            open: Mutex::default(),
        }
    }

    /// A place for one more stream of `holder`, if there is one.
    pub(crate) fn take(slots: &Arc<Self>, holder: K) -> Option<Slot<K, S>> {
        let total = slots.total.clone().try_acquire_owned().ok()?;
        let mut open = slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = open.entry(holder).or_insert_with(|| Open {
            count: 0,
            shared: Arc::new((slots.share)()),
        });
        if streams.count >= slots.per_holder {
            return None;
        }
        streams.count += 1;
        Some(Slot {
            slots: slots.clone(),
            holder,
            shared: streams.shared.clone(),
            _total: total,
        })
    }
}

/// One open stream; gives its place back when dropped.
pub(crate) struct Slot<K: Eq + Hash, S> {
    slots: Arc<Slots<K, S>>,
    holder: K,
    /// What it shares with the holder's other streams.
    pub(crate) shared: Arc<S>,
    _total: OwnedSemaphorePermit,
}

impl<K: Eq + Hash, S> Drop for Slot<K, S> {
    fn drop(&mut self) {
        let mut open = self.slots.open.lock().unwrap_or_else(PoisonError::into_inner);
        match open.get_mut(&self.holder) {
            Some(streams) if streams.count > 1 => streams.count -= 1,
            _ => {
                open.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_bounded_per_holder_and_altogether() {
        let slots = Arc::new(Slots::new(2, 3, || ()));
        let [a, b] = ["a", "b"];
        let first = Slots::take(&slots, a).unwrap();
        let _second = Slots::take(&slots, a).unwrap();
        assert!(Slots::take(&slots, a).is_none(), "per holder");
        let third = Slots::take(&slots, b).unwrap();
        assert!(Slots::take(&slots, b).is_none(), "altogether");
        drop(first);
        assert!(Slots::take(&slots, a).is_some());
        drop(third);
        assert!(
            !slots.open.lock().unwrap().contains_key(&b),
            "nothing is kept about who has left"
        );
    }
}
