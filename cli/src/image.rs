//! A picture file as what a model is asked about. How pictures are read is [`hydra_picture`]'s; here are files and names.
//!
//! Files come from anywhere: no more of one is read than a picture may have.

use hydra_picture::{MAX_BYTES, PictureError, Reading};
use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

/// Why a file is no picture of a digit. Each message is its own documentation.
#[allow(missing_docs)]
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("can't read {}: {source}; check the path", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} can't be asked about: {source}", .path.display())]
    Picture { path: PathBuf, source: PictureError },
}

/// Reads the picture at `path`.
pub fn read(path: &Path) -> Result<Reading, ImageError> {
    let unreadable = |source| ImageError::Unreadable {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    hydra_picture::read(&bytes).map_err(|source| ImageError::Picture {
        path: path.into(),
        source,
    })
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
