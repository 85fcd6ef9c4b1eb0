//! Who has a port that is needed, for the sentence that says so.

use hydra_host::Holder;
use std::fmt;

/// Who holds a port that is needed, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortUse {
    /// A program of this very network that was left over.
    Own {
        /// Which program.
        holder: Holder,
        /// What it is: "trainer of Dave".
        part: String,
    },
    /// Some other program.
    Other(Holder),
    /// It can't be seen: another user's.
    Unseen,
}

impl fmt::Display for PortUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own { holder, part } => write!(
                f,
                "by {holder}, this network's own {part}, which still runs: stop it with `kill {}`, then run this again",
                holder.pid
            ),
            Self::Other(holder) => write!(
                f,
                "by {holder}, which is not of this network: stop it, or start the whole network on other ports with --base-port"
            ),
            Self::Unseen => f.write_str(
                "by a program that can't be seen from here, probably another user's: find it with `sudo ss -ltunp`, or start \
                 the whole network on other ports with --base-port",
            ),
        }
    }
}

/// Who uses the port of a PC that doesn't run.
pub(super) fn in_its_place(other: &Option<(u16, Holder)>) -> String {
    match other {
        Some((port, holder)) => format!(" (its port {port} is used by {holder}, which is not of it)"),
        None => String::new(),
    }
}
