//! Whose slices go out so slowly that they are about to be given up. Where several are, it is our own line that is slow.

use crate::origin::Holder;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[derive(Debug, Default)]
pub(crate) struct Starving(Mutex<HashMap<Holder, usize>>);

/// One slice that is about to be given up.
#[derive(Debug)]
pub(crate) struct Starves<'a> {
    all: &'a Starving,
    holder: Holder,
}

impl Starving {
    /// One more, until what is returned is dropped.
    pub(crate) fn enter(&self, holder: Holder) -> Starves<'_> {
        *self.holders().entry(holder).or_default() += 1;
        Starves { all: self, holder }
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<Holder, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Starves<'_> {
    /// Whether nobody else's slices go out as slowly.
    pub(crate) fn is_alone(&self) -> bool {
        self.all.holders().len() == 1
    }
}

impl Drop for Starves<'_> {
    fn drop(&mut self) {
        let mut holders = self.all.holders();
        match holders.get_mut(&self.holder) {
            Some(count) if *count > 1 => *count -= 1,
            _ => _ = holders.remove(&self.holder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::PeerId;

    #[test]
    fn several_slices_of_one_are_one_and_who_has_ended_does_not_count() {
        let starving = Starving::default();
        let [one, other] = [(); 2].map(|()| Holder::Peer(PeerId::random()));
        let first = starving.enter(one);
        let second = starving.enter(one);
        assert!(first.is_alone());
        let others = starving.enter(other);
        assert!(!first.is_alone() && !others.is_alone());
        drop(first);
        assert!(!others.is_alone());
        drop(second);
        assert!(others.is_alone());
        drop(others);
        assert!(starving.holders().is_empty());
    }
}
