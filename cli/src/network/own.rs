//! Which of this PC's parts of networks with others is meant where none is named.
//!
//! It must never depend on which `hydra up` happened to be started last while others run: money is paid from the one that is
//! found here.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    file::{NETWORK_FILE, Network},
    newest::Newest,
    running::is_up,
};
use crate::{error::Error, files};

/// The file that names the folders of this PC's parts of networks, the last that `hydra up` was started for first.
const JOINED: &str = "this-pc";
/// Locked while that is changed.
const JOINED_LOCK: &str = "this-pc.lock";
/// The folder with those whose folder nobody named.
const NETWORKS: &str = "networks";

/// The file that names the folders of this PC's parts of networks.
pub fn joined_file(data_home: &Path) -> PathBuf {
    data_home.join(JOINED)
}

/// Where the network called `id` is kept unless a folder is named.
pub fn usual_folder(data_home: &Path, id: &str) -> PathBuf {
    data_home.join(NETWORKS).join(id)
}

/// The one that is meant: the only one in the data folder, running or not; else the only one that runs; where none runs, the one
/// that `hydra up` was started for last, or else the only one there is.
pub fn joined(data_home: &Path) -> Result<Newest, Error> {
    choose(data_home, is_up)
}

fn choose(data_home: &Path, runs: impl Fn(&Path, &Network) -> bool) -> Result<Newest, Error> {
    let usual = in_data_folder(data_home);
    if let [only] = usual.as_slice() {
        return Ok(Newest::in_folder(only.clone()));
    }
    let noted = noted(data_home);
    let known = known(&usual, &noted);
    let running: Vec<&PathBuf> = known
        .iter()
        .filter(|(folder, network)| runs(folder, network))
        .map(|(folder, _)| folder)
        .collect();
    match running.as_slice() {
        [only] => return Ok(Newest::in_folder((*only).clone())),
        [] => {}
        several => return Err(Error::SeveralUp(shown(several.iter().copied()))),
    }
    let is_known = |folder: &&PathBuf| known.iter().any(|(known, _)| known == *folder);
    if let Some(last) = noted.iter().find(is_known) {
        return Ok(Newest::in_folder(last.clone()));
    }
    match known.as_slice() {
        [(only, _)] => Ok(Newest::in_folder(only.clone())),
        [] => Ok(noted.into_iter().next().map_or(Newest::None, Newest::Gone)),
        several => Err(Error::SeveralNetworks(shown(
            several.iter().map(|(folder, _)| folder),
        ))),
    }
}

/// The folders of those that run, but for this one.
pub fn others_up(data_home: &Path, but: &Path) -> Vec<PathBuf> {
    known(&in_data_folder(data_home), &noted(data_home))
        .into_iter()
        .filter(|(folder, network)| folder != but && is_up(folder, network))
        .map(|(folder, _)| folder)
        .collect()
}

/// Notes that this PC's part of a network is in `folder`, a canonical path. Folders that are gone are forgotten.
pub fn remember_joined(data_home: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(data_home)?;
    // Another `hydra up` may note its own meanwhile.
    let mut options = File::options();
    let options = options.write(true).create(true).truncate(false);
    let lock = options.open(data_home.join(JOINED_LOCK))?;
    lock.lock()?;
    let before = noted(data_home);
    let others = before
        .iter()
        .filter(|other| *other != folder && other.join(NETWORK_FILE).is_file());
    let lines: String = std::iter::once(folder)
        .chain(others.map(PathBuf::as_path))
        .map(|folder| format!("{}\n", folder.display()))
        .collect();
    files::write(&joined_file(data_home), lines.as_bytes())
}

/// Those that were noted, wherever they are.
fn noted(data_home: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(joined_file(data_home)).unwrap_or_default();
    text.lines()
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute())
        .collect()
}

/// Those in the data folder, in order, by their canonical paths.
fn in_data_folder(data_home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(data_home.join(NETWORKS))
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join(NETWORK_FILE).is_file())
        .map(|path| fs::canonicalize(&path).unwrap_or(path))
        .collect();
    folders.sort();
    folders
}

/// All that can be read, each once.
fn known(usual: &[PathBuf], noted: &[PathBuf]) -> Vec<(PathBuf, Network)> {
    let elsewhere = noted.iter().filter(|folder| !usual.contains(folder));
    usual
        .iter()
        .chain(elsewhere)
        .filter_map(|folder| Some((folder.clone(), Network::read(folder).ok()??)))
        .collect()
}

fn shown<'a>(folders: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
    folders.map(|folder| folder.display().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Layout;

    /// A data folder, and a PC's folder in it, or elsewhere by an absolute path.
    fn made(home: &Path, name: &str) -> PathBuf {
        let folder = home.join(name);
        fs::create_dir_all(&folder).unwrap();
        let network = Layout::new(folder.clone(), 1, 20_000).network();
        network.write(&folder).unwrap();
        folder
    }

    fn found(home: &Path, running: &[&Path]) -> PathBuf {
        match choose(home, |folder, _| running.contains(&folder)).unwrap() {
            Newest::There(folder, _) => folder,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_pc_in_the_usual_folder_is_meant_whatever_else_runs_and_was_started_later() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        assert_eq!(joined(&home).unwrap(), Newest::None);
        let usual = made(&home, "networks/net");
        let (b, c) = (made(&home, "b"), made(&home, "c"));
        for folder in [&usual, &b, &c] {
            remember_joined(&home, folder).unwrap();
        }
        for running in [&[&*b][..], &[], &[&*b, &*c], &[&*usual, &*b, &*c]] {
            assert_eq!(found(&home, running), usual, "{running:?}");
        }
    }

    #[test]
    fn else_it_is_the_only_one_that_runs_and_of_several_none() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let (b, c) = (made(&home, "b"), made(&home, "c"));
        remember_joined(&home, &b).unwrap();
        remember_joined(&home, &c).unwrap();
        assert_eq!(found(&home, &[&*b]), b);
        assert_eq!(found(&home, &[&*c]), c);
        let error = choose(&home, |_, _| true).unwrap_err();
        assert!(matches!(&error, Error::SeveralUp(folders) if folders.len() == 2));
        let text = error.to_string();
        for words in [b.to_str().unwrap(), c.to_str().unwrap(), "--base-path"] {
            assert!(text.contains(words), "{text}");
        }
        // Two in the data folder are no better.
        let (d, _) = (made(&home, "networks/d"), made(&home, "networks/e"));
        assert_eq!(found(&home, &[&*d]), d);
        assert!(choose(&home, |folder, _| folder != d).is_err());
    }

    #[test]
    fn where_none_runs_it_is_the_last_that_was_started() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        let (b, c) = (made(&home, "b"), made(&home, "c"));
        remember_joined(&home, &c).unwrap();
        remember_joined(&home, &b).unwrap();
        assert_eq!(found(&home, &[]), b);
        remember_joined(&home, &c).unwrap();
        assert_eq!(found(&home, &[]), c);
        assert_eq!(fs::read_to_string(joined_file(&home)).unwrap().lines().count(), 2);
        // What is gone is missed only if it is all there was.
        fs::remove_dir_all(&c).unwrap();
        assert_eq!(found(&home, &[]), b);
        fs::remove_dir_all(&b).unwrap();
        assert_eq!(joined(&home).unwrap(), Newest::Gone(c));
        let two = [made(&home, "networks/d"), made(&home, "networks/e")];
        let error = choose(&home, |_, _| false).unwrap_err();
        assert!(
            matches!(&error, Error::SeveralNetworks(folders) if folders.len() == 2),
            "{two:?}"
        );
    }
}
