//! Which local network was started last, and which network this PC takes part in, so that commands find them without being
//! told.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    file::Network,
    running::{Condition, condition},
};
use crate::files;

/// The file that names the newest local network's folder.
const NEWEST: &str = "newest-network";
/// The file that names the folder of this PC's part of a network.
const JOINED: &str = "this-pc";

/// The local network that was started last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Newest {
    /// None was.
    None,
    /// One that is not where it was, or can't be read any more.
    Gone(PathBuf),
    /// This one, in this folder.
    There(PathBuf, Box<Network>),
}

impl Newest {
    /// Whether any PC of it runs.
    pub fn runs(&self) -> bool {
        match self {
            Self::There(_, network) => network.pcs.iter().any(|pc| condition(pc) == Condition::Runs),
            Self::None | Self::Gone(_) => false,
        }
    }
}

/// Looks for it.
pub fn newest(data_home: &Path) -> Newest {
    named_by(&data_home.join(NEWEST))
}

/// The file that names the folder of this PC's part of a network.
pub fn joined_file(data_home: &Path) -> PathBuf {
    data_home.join(JOINED)
}

/// Looks for the network that this PC takes part in: the one of the last `hydra up`.
pub fn joined(data_home: &Path) -> Newest {
    named_by(&joined_file(data_home))
}

fn named_by(pointer: &Path) -> Newest {
    let Ok(text) = fs::read_to_string(pointer) else {
        return Newest::None;
    };
    let folder = PathBuf::from(text.strip_suffix('\n').unwrap_or(&text));
    if !folder.is_absolute() {
        return Newest::None;
    }
    match Network::read(&folder) {
        Ok(Some(network)) => Newest::There(folder, Box::new(network)),
        // Nobody asked for this very network, so that it can't be read is no reason to fail.
        Ok(None) | Err(_) => Newest::Gone(folder),
    }
}

/// Notes that the network in `folder` is the newest.
pub fn remember(data_home: &Path, folder: &Path) -> io::Result<()> {
    name(data_home, NEWEST, folder)
}

/// Notes that this PC's part of a network is in `folder`.
pub fn remember_joined(data_home: &Path, folder: &Path) -> io::Result<()> {
    name(data_home, JOINED, folder)
}

fn name(data_home: &Path, pointer: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(data_home)?;
    files::write(
        &data_home.join(pointer),
        format!("{}\n", folder.display()).as_bytes(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Layout;

    #[test]
    fn the_newest_network_is_found_again_and_missed_when_it_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().canonicalize().unwrap();
        assert_eq!(newest(&home), Newest::None);
        let (before, after) = (home.join("before"), home.join("after"));
        fs::create_dir(&before).unwrap();
        let network = Layout::new(before.clone(), 2, 20_000).network();
        network.write(&before).unwrap();
        remember(&home, &before).unwrap();
        assert_eq!(newest(&home), Newest::There(before.clone(), Box::new(network)));
        fs::rename(&before, &after).unwrap();
        assert_eq!(newest(&home), Newest::Gone(before));
    }
}
