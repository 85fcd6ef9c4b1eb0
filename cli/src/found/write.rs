//! Writing the files of a network: never over what is there.

use serde_json::Value;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};
use tempfile::NamedTempFile;

use crate::error::Error;

/// Refuses a name that is taken, before anything is done.
pub fn is_new(path: &Path) -> Result<(), Error> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Error::Exists(path.into())),
        Err(_) => Ok(()),
    }
}

/// Writes a file that isn't there yet: whole or not at all.
pub fn write_new(path: &Path, value: &Value) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut text = serde_json::to_vec_pretty(value).map_err(|error| Error::BadPlan(error.to_string()))?;
    text.push(b'\n');
    let write = || -> io::Result<NamedTempFile> {
        let mut options = tempfile::Builder::new();
        let public = fs::Permissions::from_mode(0o644);
        let mut file = options.permissions(public).tempfile_in(folder)?;
        file.write_all(&text)?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    let file = write().map_err(Error::file("write", path))?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists(path.into())),
        Err(error) => Err(Error::file("write", path)(error.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.json");
        write_new(&path, &Value::from(1)).unwrap();
        assert!(matches!(write_new(&path, &Value::from(2)), Err(Error::Exists(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
    }
}
