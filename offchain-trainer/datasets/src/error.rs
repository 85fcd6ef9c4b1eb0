//! Why a folder's data set can't be used.

use std::{io, path::PathBuf};

use hydra_update::{DatasetError, digits::DigitsError};

/// Why a folder's data set can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// No data set in it.
    #[error(
        "there is no data set in {}: name the folder that holds dataset.json or digits.csv.gz, such as datasets/digits",
        folder.display()
    )]
    Nothing {
        /// The folder.
        folder: PathBuf,
    },
    /// It can't be read.
    #[error("the file {} of a data set can't be read ({source}): check its name and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than it may be.
    #[error("{} has more than {most} bytes, and a file of its kind may not: cut the data into more shards", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes that it may have.
        most: u64,
    },
    /// The description is none.
    #[error("{} describes no data set ({reason}): see datasets/README.md for what belongs into it", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A shard or the validation set is not what a trainer takes.
    #[error("{} can't be used: {source}", path.display())]
    Shard {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DatasetError,
    },
    /// What is trained on twice counts double, and what is trained on can't be held out.
    #[error("{} has the same bytes as another file of the data set: each sample belongs into one of them", path.display())]
    Twice {
        /// The second one.
        path: PathBuf,
    },
    /// The digits are not what they should be.
    #[error(transparent)]
    Digits(#[from] DigitsError),
}
