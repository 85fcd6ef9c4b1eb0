//! Where a network of this PC is, for sentences that name it.

use std::{fmt, path::PathBuf};

/// Where a network of this PC is, and which command runs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is this PC's part of a network with others, which `hydra up` runs, and not a local one of `hydra demo`.
    pub joined: bool,
}

impl Place {
    /// What it is, for a sentence.
    pub fn what(&self) -> &'static str {
        if self.joined { "network" } else { "local network" }
    }

    /// The command that starts it again.
    pub fn again(&self) -> String {
        let command = if self.joined { "up" } else { "demo" };
        format!("hydra {command} --base-path {}", self.folder.display())
    }

    /// The command that starts one of its PCs again.
    pub fn again_only(&self, pc: &str) -> String {
        if self.joined {
            return self.again();
        }
        format!("hydra demo --only {pc} --base-path {}", self.folder.display())
    }
}

/// A local network's folder.
impl From<PathBuf> for Place {
    fn from(folder: PathBuf) -> Self {
        Self {
            folder,
            joined: false,
        }
    }
}

/// A local network's folder.
impl From<&str> for Place {
    fn from(folder: &str) -> Self {
        PathBuf::from(folder).into()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.folder.display())
    }
}

/// The names of a network's PCs, for a sentence.
pub(super) fn names(known: &[String]) -> String {
    match known.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "none".into(),
    }
}
