//! Room for what the trainer keeps: free space on its disk, and the quota that its owner gives it. Announced when it gets little; when
//! it is nearly gone, no new work is taken.
//!
//! Must never delete anything: it says how much there is too little of, and what may go is for [`database`](crate::database).

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::warnings::{Concern, Severity, Warnings};

/// So many times the reserve is little: time to do something about it.
const LITTLE: u64 = 2;
/// After it was short, there must be this part of the reserve, or of the quota, more: near the limit, work would start and stop.
const MARGIN: u64 = 8;

const MIB: u64 = 1 << 20;

type Probe = Box<dyn Fn() -> io::Result<u64> + Send + Sync>;

/// Bytes in the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Held {
    /// Of all blobs, those that are arriving included.
    pub(crate) bytes: u64,
    /// Of those that may be deleted for room.
    pub(crate) cached: u64,
}

/// The space that is left.
pub(crate) struct Space {
    path: PathBuf,
    reserve: u64,
    quota: Option<u64>,
    probe: Probe,
    short: AtomicBool,
    full: AtomicBool,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Space {
    /// Where `path` is; below `reserve` bytes, or with more than `quota` bytes in the store, no new work is taken.
    pub(crate) fn new(path: &Path, reserve: u64, quota: Option<u64>) -> Self {
        let probed = path.to_owned();
        Self::with_probe(
            path,
            reserve,
            quota,
            Box::new(move || hydra_host::free_space(&probed)),
        )
    }

    fn with_probe(path: &Path, reserve: u64, quota: Option<u64>, probe: Probe) -> Self {
        Self {
            path: path.into(),
            reserve,
            quota,
            probe,
            short: AtomicBool::new(false),
            full: AtomicBool::new(false),
        }
    }

    /// Looks again, and says what is to be said. Returns whether there is room for new work.
    pub(crate) fn look(&self, held: Held, warnings: &Warnings) -> bool {
        let has_space = self.look_at_disk(warnings);
        self.look_at_quota(held, warnings) && has_space
    }

    /// Bytes that are to be deleted of what is only cached: little space is left, or the store has more than it may.
    pub(crate) fn wanted(&self, held: Held) -> u64 {
        // What the system doesn't tell is not held against it.
        let free = (self.probe)().unwrap_or(u64::MAX);
        let space = self.reserve.saturating_mul(LITTLE).saturating_sub(free);
        let quota = self.quota.map_or(0, |quota| held.bytes.saturating_sub(quota));
        space.max(quota).min(held.cached)
    }

    /// Whether the disk is so short of space that not even what is kept for a diagnosis may stay.
    pub(crate) fn is_short(&self) -> bool {
        self.short.load(Ordering::Relaxed)
    }

    /// Whether what is needed is more than the quota, at the last look.
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    fn look_at_disk(&self, warnings: &Warnings) -> bool {
        // What the system doesn't tell is not held against it: writing says it then.
        let Ok(free) = (self.probe)() else { return true };
        let was_short = self.short.load(Ordering::Relaxed);
        let margin = if was_short { self.reserve / MARGIN } else { 0 };
        let short = free < self.reserve.saturating_add(margin);
        self.short.store(short, Ordering::Relaxed);
        let now = if short {
            Some((Severity::Stops, self.stops(free)))
        } else if free < self.reserve.saturating_mul(LITTLE) {
            Some((Severity::Warns, self.warns(free)))
        } else {
            None
        };
        warnings.set(Concern::Space, now);
        !short
    }

    fn look_at_quota(&self, held: Held, warnings: &Warnings) -> bool {
        let Some(quota) = self.quota else { return true };
        let was_full = self.full.load(Ordering::Relaxed);
        let limit = if was_full { quota - quota / MARGIN } else { quota };
        // What is only cached is about to go.
        let needed = held.bytes.saturating_sub(held.cached);
        let full = needed > limit;
        self.full.store(full, Ordering::Relaxed);
        let now = full.then(|| (Severity::Stops, self.over_quota(needed, quota)));
        warnings.set(Concern::Quota, now);
        !full
    }

    fn stops(&self, free: u64) -> String {
        format!(
            "only {} MiB are free where {} is, so this trainer takes no new work until there are {} MiB; it goes on \
             answering, and opens polls. Free some space, or move the folder to a larger disk",
            free / MIB,
            self.path.display(),
            self.reserve.saturating_add(self.reserve / MARGIN) / MIB
        )
    }

    fn warns(&self, free: u64) -> String {
        format!(
            "only {} MiB are free where {} is: free some space; below {} MiB this trainer takes no new work",
            free / MIB,
            self.path.display(),
            self.reserve / MIB
        )
    }

    fn over_quota(&self, needed: u64, quota: u64) -> String {
        format!(
            "the blobs in {} that this trainer needs have {} MiB, and it may have {} MiB (--store-quota), so it takes no new work until \
             they have {} MiB; it goes on answering, and opens polls. Give it more, or name fewer data sets with --dataset",
            self.path.display(),
            needed / MIB,
            quota / MIB,
            (quota - quota / MARGIN) / MIB
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, atomic::AtomicU64};

    #[test]
    fn little_space_is_announced_before_work_stops_and_work_goes_on_when_there_is_room_again() {
        let free = Arc::new(AtomicU64::new(u64::MAX));
        let seen = free.clone();
        let space = Space::with_probe(
            Path::new("/base"),
            256 * MIB,
            None,
            Box::new(move || Ok(seen.load(Ordering::Relaxed))),
        );
        let warnings = Warnings::default();
        let look = |mib: u64| {
            free.store(mib * MIB, Ordering::Relaxed);
            (space.look(Held::default(), &warnings), warnings.list().join(" "))
        };
        assert_eq!(look(512), (true, String::new()));
        let (room, said) = look(511);
        assert!(
            room && said.contains("only 511 MiB are free where /base is"),
            "{said}"
        );
        assert!(look(256).0);
        let (room, said) = look(255);
        assert!(
            !room && said.contains("no new work until there are 288 MiB"),
            "{said}"
        );
        assert!(!look(287).0, "it does not start and stop near the limit");
        let (room, said) = look(288);
        assert!(room && said.contains("free some space"), "{said}");
        assert!(look(256).0);
        assert_eq!(look(4096), (true, String::new()));
    }

    #[test]
    fn a_system_that_does_not_tell_stops_nothing() {
        let probe = || Err(io::ErrorKind::Unsupported.into());
        let space = Space::with_probe(Path::new("/base"), 1, None, Box::new(probe));
        let warnings = Warnings::default();
        let held = Held { bytes: 9, cached: 9 };
        assert!(space.look(held, &warnings) && warnings.list().is_empty());
        assert_eq!(space.wanted(held), 0);
    }

    #[test]
    fn what_is_only_cached_is_to_go_before_work_stops() {
        let free = Arc::new(AtomicU64::new(u64::MAX));
        let seen = free.clone();
        let probe = Box::new(move || Ok(seen.load(Ordering::Relaxed)));
        let space = Space::with_probe(Path::new("/base"), 100, Some(1000), probe);
        let warnings = Warnings::default();
        let held = |bytes, cached| Held { bytes, cached };
        assert_eq!(space.wanted(held(1000, 500)), 0);
        // Little space, though more than the reserve.
        free.store(150, Ordering::Relaxed);
        assert!(space.look(held(1000, 500), &warnings));
        assert_eq!(space.wanted(held(1000, 500)), 50);
        assert_eq!(space.wanted(held(1000, 20)), 20);
        // More than it may have: work goes on as long as that can go.
        free.store(u64::MAX, Ordering::Relaxed);
        assert!(space.look(held(1300, 300), &warnings) && warnings.list().is_empty());
        assert_eq!(space.wanted(held(1300, 300)), 300);
        assert!(!space.look(held(1001, 0), &warnings));
        assert!(warnings.list().concat().contains("--store-quota"));
        assert!(!space.look(held(876, 0), &warnings), "it does not start and stop");
        assert!(space.look(held(875, 0), &warnings) && warnings.list().is_empty());
        assert!(space.look(held(1000, 0), &warnings));
    }
}
