//! Brings data sets from folders into the blob store, so that this PC can train on them and serve them to others.
//!
//! Must never change a file of the data set.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use hydra_blobs::{BlobError, BlobStore};
use hydra_primitives::H256;
use hydra_update::digits::{self, DigitsError};

/// The one kind of folder that is known: the UCI digits.
const DIGITS: &str = "digits.csv.gz";
/// More than that file has; a larger one is something else.
const MAX_FILE: u64 = 16 << 20;

/// Why a folder can't be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No data set in it.
    #[error("there is no data set in {}: name the folder that holds digits.csv.gz, such as datasets/digits", folder.display())]
    Nothing {
        /// The folder.
        folder: PathBuf,
    },
    /// It can't be read.
    #[error("the data set {} can't be read: {source}. Check the folder's permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error(transparent)]
    Digits(#[from] DigitsError),
    /// The blobs can't be stored.
    #[error(transparent)]
    Store(#[from] BlobError),
}

/// What was imported.
#[derive(Debug)]
pub struct Imported {
    /// The data set's name.
    pub name: String,
    /// Its blobs: the shards, then the validation set.
    pub blobs: Vec<H256>,
}

/// Imports the data set in `folder`. Blocks.
///
/// # Errors
/// [`ImportError`].
pub fn import(store: &BlobStore, folder: &Path) -> Result<Imported, ImportError> {
    let path = folder.join(DIGITS);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(ImportError::Nothing {
                folder: folder.into(),
            });
        }
        Err(source) => return Err(ImportError::Unreadable { path, source }),
    };
    let mut bytes = Vec::new();
    // The length of what is no regular file is not known before it ends, if it ever does.
    if let Err(source) = file.take(MAX_FILE + 1).read_to_end(&mut bytes) {
        return Err(ImportError::Unreadable { path, source });
    }
    if bytes.len() as u64 > MAX_FILE {
        let source = io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it is much larger than the digits are",
        );
        return Err(ImportError::Unreadable { path, source });
    }
    let dataset = digits::import(&bytes)?;
    let blobs = dataset.shards.iter().chain([&dataset.validation]);
    let blobs: Result<_, BlobError> = blobs.map(|blob| store.put(blob)).collect();
    Ok(Imported {
        name: String::from_utf8_lossy(&dataset.manifest.name).into_owned(),
        blobs: blobs?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_digits_are_there_afterwards_and_an_empty_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = BlobStore::open(folder.path().join("blobs")).unwrap();
        let error = import(&store, folder.path()).unwrap_err();
        assert!(error.to_string().contains("digits.csv.gz"), "{error}");
        // Never ends, and has no length.
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(DIGITS)).unwrap();
        let error = import(&store, folder.path()).unwrap_err();
        assert!(error.to_string().contains("much larger"), "{error}");
        fs::remove_file(folder.path().join(DIGITS)).unwrap();
        fs::write(folder.path().join(DIGITS), digits::BUNDLED).unwrap();
        let imported = import(&store, folder.path()).unwrap();
        let manifest = hydra_primitives::digits::digits_manifest();
        let blobs = manifest.shards.iter().chain([&manifest.validation]);
        let blobs: Vec<H256> = blobs.map(|blob| blob.hash).collect();
        assert_eq!(imported.blobs, blobs);
        assert!(blobs.iter().all(|hash| store.has(*hash)));
    }
}
