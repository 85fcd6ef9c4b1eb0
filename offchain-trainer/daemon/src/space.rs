//! Free space where the trainer keeps its blobs and findings: announced when it gets little; when it is nearly gone, no new work
//! is taken.
//!
//! Must never delete anything: what may go is the ledger's decision.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::warnings::{Concern, Severity, Warnings};

/// So many times the reserve is little: time to do something about it.
const LITTLE: u64 = 2;
/// After it was short, there must be this part of the reserve more: near the limit, work would start and stop.
const MARGIN: u64 = 8;

const MIB: u64 = 1 << 20;

type Probe = Box<dyn Fn() -> io::Result<u64> + Send + Sync>;

/// The space that is left.
pub(crate) struct Space {
    path: PathBuf,
    reserve: u64,
    probe: Probe,
    short: AtomicBool,
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Space")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Space {
    /// Where `path` is; below `reserve` bytes no new work is taken.
    pub(crate) fn new(path: &Path, reserve: u64) -> Self {
        let probed = path.to_owned();
        Self::with_probe(path, reserve, Box::new(move || hydra_host::free_space(&probed)))
    }

    fn with_probe(path: &Path, reserve: u64, probe: Probe) -> Self {
        Self {
            path: path.into(),
            reserve,
            probe,
            short: AtomicBool::new(false),
        }
    }

    /// Looks again, and says what is to be said. Returns whether there is room for new work.
    pub(crate) fn look(&self, warnings: &Warnings) -> bool {
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
            Box::new(move || Ok(seen.load(Ordering::Relaxed))),
        );
        let warnings = Warnings::default();
        let look = |mib: u64| {
            free.store(mib * MIB, Ordering::Relaxed);
            (space.look(&warnings), warnings.list().join(" "))
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
        let space = Space::with_probe(Path::new("/base"), 1, Box::new(probe));
        let warnings = Warnings::default();
        assert!(space.look(&warnings) && warnings.list().is_empty());
    }
}
