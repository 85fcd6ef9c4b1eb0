//! Why the database can't be used.

use std::{io, path::PathBuf};

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file system refused.
    #[error("can't {action} the trainer's database {}: {source}. Check free disk space and the folder's permissions", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer release has written it.
    #[error(
        "the trainer's database {} was written by a newer release (format {found}; this one knows {known}): install that release \
         again. Nothing in it was changed", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest one that is understood.
        known: u32,
    },
    /// Another process has it open.
    #[error("another program has the trainer's database {} open: stop it first", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// What an earlier release has left can't be taken over.
    #[error(
        "can't {action} {}, in which an earlier release kept what this one keeps in trainer.redb: {source}. Nothing is lost: \
         check the folder's permissions, and start again", path.display()
    )]
    Old {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The program is ending.
    #[error("the trainer is stopping")]
    Closed,
}

impl DatabaseError {
    /// Whether there was no room for it: that passes, and it is written when there is. Other errors need a person.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_full(source))
    }
}

/// Whether there was no room for it.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
