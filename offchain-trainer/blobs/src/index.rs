//! What is in the folder, without looking: whether a blob is here is what strangers ask most, mostly in vain.
//!
//! Another process may add or remove files, so the folder is looked at again from time to time
//! ([`BlobStore::refresh`](crate::BlobStore::refresh)); until then a stranger may be told that a new one isn't here.

use crate::{error::BlobError, folder::Folder, name::H256};
use std::{
    collections::{HashMap, HashSet},
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

/// A change of the folder younger than this may be followed by another one with the same time.
const SETTLED: Duration = Duration::from_secs(2);

/// `T` is a blob that is arriving, whoever holds it.
#[derive(Debug)]
pub(crate) struct Index<T> {
    known: Mutex<Known<T>>,
}

#[derive(Debug)]
struct Known<T> {
    whole: HashSet<H256>,
    /// Those that somebody holds.
    partial: HashMap<H256, Weak<T>>,
    /// When the folder had last been changed, as far as that says what is in it.
    changed: Option<SystemTime>,
    /// How often `whole` was changed by us.
    changes: u64,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        let known = Known {
            whole: HashSet::new(),
            partial: HashMap::new(),
            changed: None,
            changes: 0,
        };
        Self {
            known: Mutex::new(known),
        }
    }
}

impl<T> Index<T> {
    pub(crate) fn insert(&self, name: H256) {
        let mut known = self.known();
        known.changes += 1;
        known.whole.insert(name);
        known.partial.remove(&name);
    }

    pub(crate) fn remove(&self, name: H256) {
        let mut known = self.known();
        known.changes += 1;
        known.whole.remove(&name);
    }

    /// Whether something of the blob is here.
    pub(crate) fn has(&self, name: H256) -> bool {
        let known = self.known();
        known.whole.contains(&name)
            || known
                .partial
                .get(&name)
                .is_some_and(|held| held.strong_count() > 0)
    }

    /// The blob that is arriving under this name, if somebody holds it.
    pub(crate) fn partial(&self, name: H256) -> Option<Arc<T>> {
        self.known().partial.get(&name)?.upgrade()
    }

    pub(crate) fn hold(&self, name: H256, partial: &Arc<T>) {
        let mut known = self.known();
        known.partial.retain(|_, held| held.strong_count() > 0);
        known.partial.insert(name, Arc::downgrade(partial));
    }

    /// Looks at the folder if it has changed since it was last looked at.
    pub(crate) fn refresh(&self, folder: &Folder) -> Result<(), BlobError> {
        let changed = fs::metadata(folder.dir())
            .and_then(|metadata| metadata.modified())
            .map_err(BlobError::io("read", folder.dir()))?;
        let changes = {
            let known = self.known();
            if known.changed == Some(changed) {
                return Ok(());
            }
            known.changes
        };
        let settled = changed.elapsed().is_ok_and(|age| age > SETTLED);
        let found: HashSet<_> = folder.hashes()?.into_iter().collect();
        let mut known = self.known();
        // If we added or removed something meanwhile, it may be missing or listed wrongly: next time, then.
        if known.changes == changes {
            known.whole = found;
            known.changed = settled.then_some(changed);
        }
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known<T>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
