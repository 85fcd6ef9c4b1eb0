//! Which folder is this PC's part of a network: the one that was named, the network's own in the data folder, or the one that is
//! meant where none is named ([`network::joined`]).

use std::path::{Path, PathBuf};

use super::Home;
use crate::{
    error::Error,
    files,
    network::{self, Newest},
};

/// Where the network called `id` is kept unless a folder is named.
pub fn folder_of(id: &str, named: Option<&Path>) -> Result<PathBuf, Error> {
    match named {
        Some(path) => Ok(path.into()),
        None => Ok(network::usual_folder(
            &files::data_home().ok_or(Error::NoDataHome)?,
            id,
        )),
    }
}

/// The folder that a command is about which names no network.
pub fn named_or_only(named: Option<&Path>) -> Result<Home, Error> {
    let path = match named {
        Some(path) => path.into(),
        None => match network::joined(&files::data_home().ok_or(Error::NoNetworkYet)?)? {
            Newest::There(path, _) | Newest::Gone(path) => path,
            Newest::None => return Err(Error::NoNetworkYet),
        },
    };
    Home::open(&path)?.ok_or(Error::NoNetworkYet)
}
