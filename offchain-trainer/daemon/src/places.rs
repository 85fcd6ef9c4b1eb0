//! Places at the engine, which are few: a task takes one when it has all else that it needs.
//!
//! Who needs the result soonest comes first, whenever it came. Must never lose a place, however a task ends that waits for
//! one or has one.

use std::{collections::BTreeMap, sync::Mutex};

use hydra_primitives::BlockNumber;
use tokio::sync::oneshot;

use crate::lock;

/// Who waits: the block in which the result is too late, then the order in which they came.
type Turn = (BlockNumber, u64);

/// The places.
#[derive(Debug)]
pub(crate) struct Places {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    free: usize,
    /// While somebody waits, nothing is free.
    waiting: BTreeMap<Turn, oneshot::Sender<()>>,
    /// How many have waited so far.
    came: u64,
}

/// One place; it goes to the next when this is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    places: &'a Places,
}

/// Somebody who waits.
struct Waiting<'a> {
    places: &'a Places,
    turn: Turn,
    /// Its place has become a [`Place`].
    taken: bool,
}

impl Places {
    pub(crate) fn new(places: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                free: places,
                waiting: BTreeMap::new(),
                came: 0,
            }),
        }
    }

    /// A place for a task whose result is too late in block `until`.
    pub(crate) async fn take(&self, until: BlockNumber) -> Place<'_> {
        let (mut waiting, called) = {
            let mut inner = lock(&self.inner);
            if let Some(free) = inner.free.checked_sub(1) {
                inner.free = free;
                return Place { places: self };
            }
            let turn = (until, inner.came);
            inner.came = inner.came.saturating_add(1);
            let (call, called) = oneshot::channel();
            inner.waiting.insert(turn, call);
            let waiting = Waiting {
                places: self,
                turn,
                taken: false,
            };
            (waiting, called)
        };
        // Never an error: who is taken out is called.
        let _ = called.await;
        waiting.taken = true;
        Place { places: self }
    }

    fn give_back(&self) {
        let mut inner = lock(&self.inner);
        match inner.waiting.pop_first() {
            // Who doesn't listen any more gives it back when it is dropped: see `Waiting`.
            Some((_, call)) => drop(call.send(())),
            None => inner.free = inner.free.saturating_add(1),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.places.give_back();
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let waits = lock(&self.places.inner).waiting.remove(&self.turn).is_some();
        // It was called, and its task ended before it heard.
        if !waits {
            self.places.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn who_needs_the_result_soonest_comes_first_and_equals_in_order() {
        let places = Places::new(1);
        let first = places.take(9).now_or_never().unwrap();
        let mut waiting: Vec<_> = [7, 5, 7, 6].map(|until| Box::pin(places.take(until))).into();
        assert!(waiting.iter_mut().all(|one| one.now_or_never().is_none()));
        drop(first);
        let mut order = Vec::new();
        while !waiting.is_empty() {
            let called = waiting
                .iter_mut()
                .enumerate()
                .find_map(|(at, one)| Some((at, one.now_or_never()?)));
            let (at, place) = called.unwrap();
            order.push(at);
            drop(waiting.remove(at));
            drop(place);
        }
        // 5, 6, then the two sevens: each index is among those that still waited.
        assert_eq!(order, [1, 2, 0, 0]);
    }

    #[test]
    fn who_stops_waiting_keeps_no_place_from_others() {
        let places = Places::new(1);
        let held = places.take(1).now_or_never().unwrap();
        let mut gone = Box::pin(places.take(2));
        let mut called = Box::pin(places.take(3));
        let mut last = Box::pin(places.take(4));
        for one in [&mut gone, &mut called, &mut last] {
            assert!(one.now_or_never().is_none());
        }
        drop(gone);
        drop(held);
        // It was called and never heard.
        drop(called);
        let place = last.now_or_never().unwrap();
        drop(place);
        assert_eq!(lock(&places.inner).free, 1);
        assert!(lock(&places.inner).waiting.is_empty());
    }
}
