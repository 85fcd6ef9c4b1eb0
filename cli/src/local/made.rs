//! Folders that `hydra demo` made because none was named. The newest is kept, to look at and to go on with; older ones go
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

/// Locked by the `hydra demo` that runs the network.
pub const UP_LOCK: &str = "up.lock";
/// What the name of a folder begins with that is being deleted.
const DELETED: &str = ".deleted-";
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

/// What became of earlier networks.
#[derive(Debug, Default)]
pub struct Tidied {
    /// How many were deleted.
    pub deleted: usize,
    /// What could not be.
    pub left: Vec<(PathBuf, io::Error)>,
}

/// Deletes all stopped networks in folders of ours but the newest, and what never became one.
pub fn tidy(data_home: &Path) -> Tidied {
    let mut tidied = Tidied::default();
    let local = data_home.join("local");
    let entries = match fs::read_dir(&local) {
        Ok(entries) => entries,
        // There was none yet; or there can't be one, which whoever makes the next will say.
        Err(_) => return tidied,
    };
    let (mut stopped, mut rest) = (Vec::new(), Vec::new());
    // A link is somebody's own.
    let folders = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    for entry in folders {
        let (name, folder) = (entry.file_name(), entry.path());
        let Some(name) = name.to_str() else { continue };
        match made_at(name) {
            Some(made) if is_disposable(&folder) => stopped.push((made, folder)),
            Some((_, pid)) if is_abandoned(&folder, pid) => rest.push(folder),
            None if name.starts_with(DELETED) => rest.push(folder),
            _ => {}
        }
    }
    stopped.sort_unstable();
    stopped.truncate(stopped.len().saturating_sub(KEPT));
    for (count, folder) in stopped
        .into_iter()
        .map(|(_, folder)| (1, folder))
        .chain(rest.into_iter().map(|folder| (0, folder)))
    {
        match delete(&local, &folder) {
            Ok(()) => tidied.deleted += count,
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tidied.left.push((folder, error)),
        }
    }
    tidied
}

/// Under another name first: what is left of a folder half deleted is nobody's network, and goes the next time.
fn delete(local: &Path, folder: &Path) -> io::Result<()> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let doomed = local.join(format!("{DELETED}{}", name.trim_start_matches(DELETED)));
    fs::rename(folder, &doomed)?;
    fs::remove_dir_all(&doomed)
}

/// Whether `hydra demo` ended before there was a network in the folder that it had made.
fn is_abandoned(folder: &Path, pid: u32) -> bool {
    !network::alive(pid) && !folder.join(network::NETWORK_FILE).exists() && is_free(folder)
}

/// Whether no `hydra demo` holds it.
fn is_free(folder: &Path) -> bool {
    match File::open(folder.join(UP_LOCK)) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Whether a network is there that `hydra demo` chose the folder of, and that does not run.
fn is_disposable(folder: &Path) -> bool {
    let Ok(Some(network)) = Network::read(folder) else {
        return false;
    };
    let pids = network.pcs.iter().flat_map(|pc| [pc.node.pid, pc.trainer.pid]);
    // Some other process may have the number by now; then the folder stays a little longer.
    let alive = pids.into_iter().any(network::alive);
    network.disposable && !alive && is_free(folder)
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
        assert_eq!(tidy(&home).deleted, 0);
        // By number, not by letter.
        let made = ["99-5", "100-4", "100-30"].map(|name| network(&home, name, |_| ()));
        assert_eq!(tidy(&home).deleted, 2);
        assert_eq!(made.map(|folder| folder.exists()), [false, false, true]);
        assert_eq!(tidy(&home).deleted, 0);
    }

    #[test]
    fn what_never_became_a_network_or_was_half_deleted_goes() {
        let (_folder, home) = home();
        let local = home.join("local");
        // No process has this number.
        let abandoned = local.join(format!("7-{}", u32::MAX));
        fs::create_dir_all(&abandoned).unwrap();
        File::create(abandoned.join(UP_LOCK)).unwrap();
        let half = local.join(".deleted-6-1");
        fs::create_dir_all(half.join("alice/node")).unwrap();
        let newest = network(&home, "8-1", |_| ());
        let tidied = tidy(&home);
        assert!(tidied.deleted == 0 && tidied.left.is_empty(), "{tidied:?}");
        assert_eq!(
            fs::read_dir(&local)
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
                .collect::<Vec<_>>(),
            [newest]
        );
    }

    #[test]
    fn what_can_not_be_deleted_is_named_and_keeps_nobody_from_starting() {
        let (_folder, home) = home();
        let stuck = network(&home, "1-1", |_| ());
        network(&home, "2-1", |_| ());
        // In its way, and no empty folder.
        fs::create_dir_all(home.join("local/.deleted-1-1/x")).unwrap();
        fs::write(home.join("local/.deleted-1-1/x/y"), "").unwrap();
        let tidied = tidy(&home);
        assert_eq!(tidied.left.len(), 1, "{tidied:?}");
        assert_eq!(tidied.left[0].0, stuck);
        // What was in its way is gone now.
        assert_eq!(tidy(&home).deleted, 1);
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
        assert_eq!(tidy(&home).deleted, 0);
        for folder in [running, named, mine, locked, empty, elsewhere, newest] {
            assert!(folder.exists(), "{}", folder.display());
        }
    }
}
