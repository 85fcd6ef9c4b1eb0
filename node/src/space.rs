//! Free space where the chain is stored: a node that can't write ends, and its owner should have heard of it before.

use crate::{
    error::Error,
    notice::{Notice, Say},
};
use sc_service::TaskManager;
use sc_storage_monitor::{StorageMonitorParams, StorageMonitorService};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const MIB: u64 = 1024 * 1024;
/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(20);
/// Below this multiple of what the node needs, it is announced that space runs out.
const EARLY: u64 = 3;
/// What the node needs, where the check that ends it is switched off.
const USUAL_MIB: u64 = 1024;

/// Refuses to start where there is too little space already; then watches, announces that it runs low, and ends the
/// node in order before it is gone.
pub fn watch(params: StorageMonitorParams, path: PathBuf, tasks: &TaskManager) -> Result<(), Error> {
    require(&path, params.threshold)?;
    let needed = params.threshold;
    StorageMonitorService::try_spawn(params, path.clone(), &tasks.spawn_essential_handle())
        .map_err(|error| Error::Input(format!("free space can't be watched ({error})")))?;
    tasks
        .spawn_handle()
        .spawn("space-announcements", None, announce(path, needed));
    Ok(())
}

/// Whether there is as much space as the node needs, in MiB. What can't be found out is no reason to stop.
pub fn require(path: &Path, needed: u64) -> Result<(), Error> {
    match free(path) {
        Some(free) if free < needed => Err(Error::OutOfSpace {
            path: path.into(),
            free,
            needed,
        }),
        _ => Ok(()),
    }
}

async fn announce(path: PathBuf, needed: u64) {
    let mut notice = Notice::default();
    loop {
        let warning = free(&path).and_then(|free| warning(&path, free, needed));
        match notice.look(warning.is_some(), Instant::now()) {
            Say::Wrong => log::warn!("💾 {}", warning.unwrap_or_default()),
            Say::Right => log::info!("💾 there is enough space again"),
            Say::Nothing => {}
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What to say about this many free MiB, if anything.
fn warning(path: &Path, free: u64, needed: u64) -> Option<String> {
    let early = if needed == 0 { USUAL_MIB } else { needed }.saturating_mul(EARLY);
    let then = match needed {
        0 => "when none is left, nothing that comes can be stored".into(),
        _ => format!("below {needed} MiB the node ends (--db-storage-threshold)"),
    };
    (free < early).then(|| {
        format!(
            "space runs out: {free} MiB are free in {}, and {then}; delete what isn't needed, or move the base path to a \
             larger disk",
            path.display()
        )
    })
}

fn free(path: &Path) -> Option<u64> {
    hydra_host::free_space(path).ok().map(|bytes| bytes / MIB)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn low_space_is_announced_long_before_it_is_fatal() {
        let path = Path::new("/somewhere");
        assert_eq!(warning(path, 3 * 1024, 1024), None);
        let early = warning(path, 3 * 1024 - 1, 1024).unwrap();
        assert!(early.contains("3071 MiB are free in /somewhere"), "{early}");
        assert!(early.contains("below 1024 MiB the node ends"), "{early}");
        // Switching the end off doesn't switch the announcement off.
        assert!(warning(path, 100, 0).unwrap().contains("100 MiB"));
        assert_eq!(warning(path, u64::MAX, u64::MAX), None);
    }

    #[test]
    fn too_little_space_is_an_error_that_says_how_much_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(require(folder.path(), 0).is_ok());
        let error = require(folder.path(), u64::MAX).unwrap_err().to_string();
        assert!(
            error.contains("MiB") && error.contains("--db-storage-threshold"),
            "{error}"
        );
        // Unknown isn't none.
        assert!(require(Path::new("/dev/null/nothing"), u64::MAX).is_ok());
    }
}
