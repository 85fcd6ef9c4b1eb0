//! How much space is free where something is stored.

use nix::{errno::Errno, sys::statvfs::statvfs};
use std::{io, path::Path};

/// Bytes that this user can still write in the file system that holds `path`, or that will hold it: of a path that
/// isn't there yet, the nearest folder above it counts.
pub fn free_space(path: &Path) -> io::Result<u64> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    match statvfs(path) {
        Ok(status) => Ok(status.blocks_available().saturating_mul(status.fragment_size())),
        Err(Errno::ENOENT) => match path.parent() {
            Some(parent) => free_space(parent),
            None => Err(Errno::ENOENT.into()),
        },
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_path_that_is_to_be_made_counts_where_it_will_be() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(folder.path()).unwrap() > 0);
        assert!(free_space(&folder.path().join("not/yet/there")).unwrap() > 0);
        assert!(free_space(Path::new("not-yet-there")).unwrap() > 0);
        assert!(free_space(Path::new("")).unwrap() > 0);
    }

    #[test]
    fn what_can_never_be_a_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = free_space(&file.join("below")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    }
}
