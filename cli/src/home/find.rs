//! Which folder is this PC's part of a network: the one that was named, the network's own in the data folder, the one of the
//! last `hydra up`, or the only one there is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::Home;
use crate::{
    error::Error,
    files,
    network::{self, NETWORK_FILE, Newest},
};

/// Where the network called `id` is kept unless a folder is named.
pub fn folder_of(id: &str, named: Option<&Path>) -> Result<PathBuf, Error> {
    match named {
        Some(path) => Ok(path.into()),
        None => Ok(files::data_home()
            .ok_or(Error::NoDataHome)?
            .join("networks")
            .join(id)),
    }
}

/// The folder that a command is about which names no network.
pub fn named_or_only(named: Option<&Path>) -> Result<Home, Error> {
    if let Some(path) = named {
        return Home::open(path)?.ok_or(Error::NoNetworkYet);
    }
    let home = files::data_home().ok_or(Error::NoNetworkYet)?;
    if let Newest::There(path, _) = network::joined(&home)
        && let Some(found) = Home::open(&path)?
    {
        return Ok(found);
    }
    let folders = all(&home);
    match folders.as_slice() {
        [only] => Home::open(only)?.ok_or(Error::NoNetworkYet),
        [] => Err(Error::NoNetworkYet),
        several => Err(Error::SeveralNetworks(
            several.iter().map(|path| path.display().to_string()).collect(),
        )),
    }
}

/// Those in the data folder, in order.
fn all(home: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.join("networks"))
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.join(NETWORK_FILE).is_file())
        .collect();
    folders.sort();
    folders
}
