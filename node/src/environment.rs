//! What the node finds around it (arguments, home, terminal), looked at before anything relies on it. systemd, cron,
//! containers and live systems leave out what a login shell sets.

use crate::error::Error;
use sc_cli::SharedParams;
use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// Refuses what is no text: the libraries below would put other characters in its place, and the node would write
/// somewhere else.
pub fn check_arguments(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Error> {
    match arguments.into_iter().find(|argument| argument.to_str().is_none()) {
        Some(argument) => Err(Error::NotUtf8 {
            what: "an argument",
            text: argument.to_string_lossy().into_owned(),
        }),
        None => Ok(()),
    }
}

/// The folder in which the node keeps everything: the named one or, below the home folder, the one called `name`. `None`
/// for a temporary one, which is made elsewhere.
pub fn base_path(shared: &SharedParams, temporary: bool, name: &str) -> Result<Option<PathBuf>, Error> {
    match &shared.base_path {
        Some(path) => Ok(Some(path.clone())),
        None if temporary || shared.dev => Ok(None),
        None => {
            let data = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
            let home = home(env::home_dir())?;
            let data = data
                .filter(|data| data.is_absolute())
                .unwrap_or(home.join(".local/share"));
            Ok(Some(data.join(name)))
        }
    }
}

/// Whether there is a home folder, for commands that take it for granted.
pub fn require_home() -> Result<(), Error> {
    home(env::home_dir()).map(|_| ())
}

/// The home folder, which the default base path is in.
fn home(home: Option<PathBuf>) -> Result<PathBuf, Error> {
    let home = home.filter(|home| home.is_absolute()).ok_or(Error::NoHome)?;
    match home.to_str() {
        Some(_) => Ok(home),
        None => Err(Error::NotUtf8 {
            what: "the home folder",
            text: home.to_string_lossy().into_owned(),
        }),
    }
}

/// Sees to it that the folder is there and can be written to, and says which option names another.
pub fn prepare(path: &Path) -> Result<(), Error> {
    let refused = |source| Error::BasePath {
        path: path.into(),
        source,
    };
    fs::create_dir_all(path).map_err(refused)?;
    writable(path).map_err(refused)
}

#[cfg(unix)]
fn writable(path: &Path) -> io::Result<()> {
    use nix::unistd::{AccessFlags, access};
    Ok(access(path, AccessFlags::W_OK | AccessFlags::X_OK)?)
}

#[cfg(not(unix))]
fn writable(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    #[test]
    fn arguments_that_are_no_text_are_refused() {
        let arguments = |last: &[u8]| [OsString::from("--base-path"), OsStr::from_bytes(last).into()];
        assert!(check_arguments(arguments("/tmp/größe".as_bytes())).is_ok());
        let error = check_arguments(arguments(b"/tmp/gr\xf6\xdfe"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("UTF-8") && error.contains("/tmp/gr"), "{error}");
    }

    #[test]
    fn without_a_home_the_sentence_names_the_option() {
        for none in [None, Some(PathBuf::new()), Some(PathBuf::from("relative"))] {
            let error = home(none).unwrap_err().to_string();
            assert!(error.contains("--base-path"), "{error}");
        }
        assert!(home(Some("/home/alice".into())).is_ok());
        let odd = PathBuf::from(OsStr::from_bytes(b"/home/gr\xf6\xdfe"));
        assert!(matches!(home(Some(odd)), Err(Error::NotUtf8 { .. })));
    }

    #[test]
    fn a_folder_that_can_not_be_made_is_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.join("below"), "/proc/nothing/here".into()] {
            let error = prepare(&path).unwrap_err().to_string();
            assert!(
                error.contains(path.to_str().unwrap()) && error.contains("--base-path"),
                "{error}"
            );
        }
        let made = folder.path().join("a/b");
        prepare(&made).unwrap();
        assert!(made.is_dir());
    }
}
