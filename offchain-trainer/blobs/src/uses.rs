//! Which blobs were read lately: for whoever decides what may go when room is short.
//!
//! Only names, and only of blobs that are here; when each was read is for whoever collects them.

use crate::name::H256;
use std::{
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

/// The names noted since they were last taken. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Uses(Arc<Mutex<HashSet<H256>>>);

impl Uses {
    pub(crate) fn note(&self, name: H256) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name);
    }

    pub(crate) fn take(&self) -> HashSet<H256> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
