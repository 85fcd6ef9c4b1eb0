//! Which local network was started last, so that commands find it without being told.

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

/// The network that is meant where none is named.
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
    /// What is in this folder.
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        match Network::read(&folder) {
            Ok(Some(network)) => Self::There(folder, Box::new(network)),
            // Nobody asked for this very network, so that it can't be read is no reason to fail.
            Ok(None) | Err(_) => Self::Gone(folder),
        }
    }

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
    let Ok(text) = fs::read_to_string(data_home.join(NEWEST)) else {
        return Newest::None;
    };
    let folder = PathBuf::from(text.strip_suffix('\n').unwrap_or(&text));
    if !folder.is_absolute() {
        return Newest::None;
    }
    Newest::in_folder(folder)
}

/// Notes that the network in `folder` is the newest.
pub fn remember(data_home: &Path, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(data_home)?;
    files::write(
        &data_home.join(NEWEST),
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
