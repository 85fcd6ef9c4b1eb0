//! Which node was meant, for the sentence that says that it doesn't answer.

use std::{fmt, path::PathBuf};

use super::place::Place;

/// Which node was meant, and why: for the error when it doesn't answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// The one whose address was given.
    Given,
    /// A PC of a local network.
    Pc {
        /// Its name.
        pc: String,
        /// Where the network is.
        place: Place,
    },
    /// The usual address: nothing was given, and no local network is known.
    Usual,
    /// The usual address, since the newest local network does not run.
    UsualAsStopped {
        /// Where that network is.
        place: Place,
    },
    /// The usual address, since the newest local network is still starting.
    UsualAsStarting {
        /// Where that network is.
        place: Place,
    },
    /// The usual address, since the newest local network is not where it was.
    UsualAsGone {
        /// Where it was.
        folder: PathBuf,
    },
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const START: &str =
            "start a network with `hydra demo`, join one with `hydra up`, or name a node with --url";
        match self {
            Self::Given => f.write_str(
                ", the address that --url or HYDRA_URL gives: start that node, or correct the address",
            ),
            Self::Pc { pc, place } => write!(
                f,
                ", which is {pc} of the {} in {place}: start it again with `{}`, or name a node with --url",
                place.what(),
                place.again_only(pc)
            ),
            Self::Usual => write!(f, ", the address that is used when none is given: {START}"),
            Self::UsualAsStopped { place } => write!(
                f,
                ", the address that is used when none is given, since the newest {}, in {place}, does not run: start it \
                 again with `{}`, or name a node with --url",
                place.what(),
                place.again()
            ),
            Self::UsualAsStarting { place } => write!(
                f,
                ", the address that is used when none is given; the newest {}, in {place}, is just starting: wait a \
                 moment",
                place.what()
            ),
            Self::UsualAsGone { folder } => write!(
                f,
                ", the address that is used when none is given, since the newest local network is no longer in {}: name \
                 its folder with --base-path, or {START}",
                folder.display()
            ),
        }
    }
}

/// What to do about a stranger.
pub(super) const STOP_IT: &str = ": correct the address, or stop that program and start a node there";

/// Why this address was taken and what to do, if that is known.
pub(super) fn meant_or(meant: &Option<Meant>, otherwise: &str) -> String {
    meant
        .as_ref()
        .map_or_else(|| otherwise.into(), ToString::to_string)
}
