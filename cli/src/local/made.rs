//! Folders that `hydra up` made because none was named. The newest is kept, to look at and to go on with; older ones go
//! before another is made, or they would fill the disk.
//!
//! It must never delete what a person named, nor what may run.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::network::{self, Network};

/// Locked by the `hydra up` that runs the network.
pub const UP_LOCK: &str = "up.lock";
/// How many that are stopped stay.
const KEPT: usize = 1;

/// A folder nobody has used, named after the moment so that they sort.
pub fn fresh_folder(data_home: &Path) -> PathBuf {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_secs());
    data_home
        .join("local")
        .join(format!("{seconds}-{}", std::process::id()))
}

/// When it was made, and by which process, if its name is one of ours.
fn made_at(name: &str) -> Option<(u64, u32)> {
    let (seconds, pid) = name.split_once('-')?;
    Some((seconds.parse().ok()?, pid.parse().ok()?))
}

/// Deletes all stopped networks in folders of ours but the newest. Says how many.
pub fn tidy(data_home: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(data_home.join("local")) {
        Ok(entries) => entries,
        // There was none yet; or there can't be one, which whoever makes the next will say.
        Err(_) => return Ok(0),
    };
    let mut stopped: Vec<_> = entries
        .flatten()
        // A link is somebody's own.
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter_map(|entry| Some((made_at(entry.file_name().to_str()?)?, entry.path())))
        .filter(|(_, folder)| is_disposable(folder))
        .collect();
    stopped.sort_unstable();
    let deleted = stopped.len().saturating_sub(KEPT);
    for (_, folder) in stopped.iter().take(deleted) {
        // First its description: what is left of a folder half deleted is nobody's network.
        fs::remove_file(folder.join(network::NETWORK_FILE))?;
        fs::remove_dir_all(folder)?;
    }
    Ok(deleted)
}

/// Whether a network is there that `hydra up` chose the folder of, and that does not run.
fn is_disposable(folder: &Path) -> bool {
    let Ok(Some(network)) = Network::read(folder) else {
        return false;
    };
    let pids = network.pcs.iter().flat_map(|pc| [pc.node.pid, pc.trainer.pid]);
    // Some other process may have the number by now; then the folder stays a little longer.
    let alive = pids.into_iter().any(network::alive);
    let free = File::open(folder.join(UP_LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
    network.disposable && !alive && free
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Layout;

    /// A network that was stopped.
    fn network(home: &Path, name: &str, change: impl Fn(&mut Network)) -> PathBuf {
        let folder = home.join("local").join(name);
        fs::create_dir_all(&folder).unwrap();
        File::create(folder.join(UP_LOCK)).unwrap();
        let mut network = Layout::new(folder.clone(), 1, 20_000).network();
        network.disposable = true;
        change(&mut network);
        network.write(&folder).unwrap();
        fs::create_dir(folder.join("alice")).unwrap();
        folder
    }

    fn home() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn of_the_folders_that_nobody_named_the_newest_stays() {
        let (_folder, home) = home();
        assert_eq!(tidy(&home).unwrap(), 0);
        // By number, not by letter.
        let made = ["99-5", "100-4", "100-30"].map(|name| network(&home, name, |_| ()));
        assert_eq!(tidy(&home).unwrap(), 2);
        assert_eq!(made.map(|folder| folder.exists()), [false, false, true]);
        assert_eq!(tidy(&home).unwrap(), 0);
    }

    #[test]
    fn what_runs_or_was_named_or_is_no_network_is_left_alone() {
        let (_folder, home) = home();
        let local = home.join("local");
        let running = network(&home, "1-1", |network| {
            network.pcs[0].node.pid = std::process::id()
        });
        let named = network(&home, "2-1", |network| network.disposable = false);
        let mine = network(&home, "my-network", |_| ());
        let locked = network(&home, "3-1", |_| ());
        let lock = File::create(locked.join(UP_LOCK)).unwrap();
        lock.lock().unwrap();
        let empty = local.join("4-1");
        fs::create_dir(&empty).unwrap();
        let elsewhere = home.join("elsewhere");
        fs::rename(network(&home, "5-1", |_| ()), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, local.join("5-1")).unwrap();
        let newest = network(&home, "6-1", |_| ());
        assert_eq!(tidy(&home).unwrap(), 0);
        for folder in [running, named, mine, locked, empty, elsewhere, newest] {
            assert!(folder.exists(), "{}", folder.display());
        }
    }
}
