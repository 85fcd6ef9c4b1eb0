//! Files this program writes: whole or not at all, and secrets readable by their owner only.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// Replaces `path` with `bytes` in one step: whoever reads it sees the old or the new file, even after a power cut.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    #[cfg(unix)]
    {
        // A temporary file is private; what it becomes is an ordinary file.
        use std::os::unix::fs::PermissionsExt;
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

/// Writes a secret as one line of text that only its owner can read, unless the file is there already.
pub fn write_secret_once(path: &Path, secret: &[u8; 32]) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => {
            file.write_all(format!("{}\n", hex::encode(secret)).as_bytes())?;
            file.sync_all()
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads a secret of 64 hexadecimal characters; `None` when the file holds something else.
pub fn read_secret(path: &Path) -> io::Result<Option<[u8; 32]>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(None),
        other => other?,
    };
    let mut secret = [0; 32];
    Ok(hex::decode_to_slice(text.trim(), &mut secret)
        .is_ok()
        .then_some(secret))
}

/// Where this user's programs keep data: `$XDG_DATA_HOME`, else `~/.local/share`, with our folder in it.
pub fn data_home() -> Option<PathBuf> {
    data_home_from(
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from),
        std::env::home_dir(),
    )
}

fn data_home_from(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    // The XDG specification says to ignore relative paths.
    let share = xdg
        .filter(|path| path.is_absolute())
        .or_else(|| Some(home?.join(".local/share")))?;
    Some(share.join("hydraai"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_is_private_kept_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        write_secret_once(&path, &[7; 32]).unwrap();
        write_secret_once(&path, &[8; 32]).unwrap();
        assert_eq!(read_secret(&path).unwrap(), Some([7; 32]));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        fs::write(&path, b"\xff\xfe").unwrap();
        assert_eq!(read_secret(&path).unwrap(), None);
    }

    #[test]
    fn data_goes_where_xdg_says() {
        let home = Some(PathBuf::from("/home/me"));
        assert_eq!(
            data_home_from(Some("/data".into()), home.clone()),
            Some("/data/hydraai".into())
        );
        assert_eq!(
            data_home_from(Some("relative".into()), home.clone()),
            Some("/home/me/.local/share/hydraai".into())
        );
        assert_eq!(
            data_home_from(None, home),
            Some("/home/me/.local/share/hydraai".into())
        );
        assert_eq!(data_home_from(None, None), None);
    }
}
