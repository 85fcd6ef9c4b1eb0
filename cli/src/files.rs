//! Files this program writes: whole or not at all where they are files, and secrets readable by their owner only.
//!
//! A path that a person named is theirs: what is there keeps its kind, its permissions and its owner. It must never
//! replace a device, a pipe or a link by a file.

use std::{
    fs::{self, DirBuilder, File, Metadata},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, fchown},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

use crate::error::Error;

/// As many links as the kernel follows.
const MAX_LINKS: usize = 40;

/// Where something will be written, looked at before the work is done.
#[derive(Debug, PartialEq, Eq)]
pub enum Destination {
    /// This program's own standard output.
    Stdout,
    /// What bytes are sent through: a device, a pipe, an open file of a process.
    Through(PathBuf),
    /// A regular file, replaced in one step: not a link to it, but the file itself.
    File(PathBuf),
}

impl Destination {
    /// What `path` leads to; `-` is standard output. An error if it can't be written.
    pub fn of(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        let mut path = path.to_path_buf();
        // A link may lead to what isn't there yet, so `canonicalize` is no help.
        for _ in 0..MAX_LINKS {
            match fs::symlink_metadata(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::new_file(path),
                Err(error) => return Err(error),
                Ok(at) if at.is_symlink() => {
                    // The kernel's links to open files (/dev/stdout, /proc/self/fd/1) lead to no name: only through them
                    // is the right file reached, at the right place in it.
                    if folder(&path).canonicalize()?.starts_with("/proc") {
                        return Self::there(path.clone(), &fs::metadata(&path)?, false);
                    }
                    path = folder(&path).join(fs::read_link(&path)?);
                }
                Ok(at) => return Self::there(path, &at, true),
            }
        }
        Err(io::Error::other("too many symbolic links"))
    }

    fn new_file(path: PathBuf) -> io::Result<Self> {
        if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Says now what would be said after a long download.
        match fs::metadata(folder(&path))?.is_dir() {
            true => Ok(Self::File(path)),
            false => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn there(path: PathBuf, at: &Metadata, replace: bool) -> io::Result<Self> {
        let kind = at.file_type();
        if kind.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if kind.is_socket() {
            return Err(io::Error::other("it is a socket"));
        }
        if same_as_stdout(at) {
            return Ok(Self::Stdout);
        }
        if !kind.is_file() || !replace {
            return Ok(Self::Through(path));
        }
        // Replacing a file needs no permission to write to it: whoever took that away meant it.
        File::options().write(true).open(&path)?;
        Ok(Self::File(path))
    }

    /// Writes all of it.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Self::Through(path) => {
                let mut out = File::options().write(true).truncate(true).open(path)?;
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Self::File(path) => replace(path, bytes),
        }
    }
}

/// Writes `bytes` to whatever `path` leads to: see [`Destination`].
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    Destination::of(path)?.write(bytes)
}

fn same_as_stdout(at: &Metadata) -> bool {
    let out = fs::metadata("/proc/self/fd/1");
    out.is_ok_and(|out| (out.dev(), out.ino()) == (at.dev(), at.ino()))
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Replaces a regular file in one step: whoever reads it sees the old or the new one, even after a power cut.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut options = tempfile::Builder::new();
    if before.is_none() {
        // What any program's new file may be, less the umask.
        options.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = match options.tempfile_in(folder(path)) {
        // The file may be ours to write while its folder isn't.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && before.is_some() => {
            return Destination::Through(path.into()).write(bytes);
        }
        other => other?,
    };
    file.write_all(bytes)?;
    if let Some(before) = before {
        // A file that can't be given back to its owner keeps both owner and content by being written itself.
        let other_owner = (before.uid(), before.gid()) != owner(&file)?;
        if other_owner && fchown(file.as_file(), Some(before.uid()), Some(before.gid())).is_err() {
            return Destination::Through(path.into()).write(bytes);
        }
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path)
}

fn owner(file: &NamedTempFile) -> io::Result<(u32, u32)> {
    let at = file.as_file().metadata()?;
    Ok((at.uid(), at.gid()))
}

/// So that the name survives a power cut, too. A folder that may be written but not read is no reason to fail.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder(path)).map_or(Ok(()), |folder| folder.sync_all())
}

/// Makes a folder, and those it is in, unless it is there.
pub fn make_folder(path: &Path) -> Result<(), Error> {
    match fs::create_dir_all(path) {
        Ok(()) => Ok(()),
        Err(_) if fs::metadata(path).is_ok_and(|at| !at.is_dir()) => Err(Error::NotAFolder(path.into())),
        Err(error) => Err(Error::file("make", path)(error)),
    }
}

/// Writes a secret as one line of text that only its owner can read, unless something is there already. Whole or not at
/// all: half a secret would be kept for ever.
pub fn write_secret_once(path: &Path, secret: &[u8; 32]) -> io::Result<()> {
    write_private_once(path, format!("{}\n", hex::encode(secret)).as_bytes())
}

/// Writes a file that only its owner can read, unless something is there already. Whole or not at all.
pub fn write_private_once(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    match write_private(path, bytes, false) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        written => written,
    }
}

/// Writes a file that only its owner can read, in one step. What is there already is replaced only if that is meant; else it
/// is an error of the kind `AlreadyExists`.
pub fn write_private(path: &Path, bytes: &[u8], replace: bool) -> io::Result<()> {
    Draft::new(path.into(), bytes, replace)?.put()?;
    sync_folder(path)
}

/// A file that only its owner can read, written, but not in its place yet. If it is dropped, nothing is left of it.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    path: PathBuf,
    replace: bool,
}

impl Draft {
    /// Writes it. What will be at `path` then is replaced only if that is meant.
    pub fn new(path: PathBuf, bytes: &[u8], replace: bool) -> io::Result<Self> {
        // A temporary file is private from the beginning.
        let mut file = NamedTempFile::new_in(folder(&path))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        Ok(Self { file, path, replace })
    }

    /// Its place.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn put(self) -> io::Result<()> {
        let put = match self.replace {
            true => self.file.persist(self.path),
            false => self.file.persist_noclobber(self.path),
        };
        put.map(drop).map_err(|error| error.error)
    }
}

/// Puts all of them in their places or, if one can't be, none; then says which one.
pub fn put_all(drafts: Vec<Draft>) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
    let mut done: Vec<(PathBuf, Option<Vec<u8>>)> = Vec::new();
    for draft in drafts {
        let path = draft.path.clone();
        let before = if draft.replace { fs::read(&path).ok() } else { None };
        let mut put = draft.put();
        if put.is_ok() {
            done.push((path.clone(), before));
            put = sync_folder(&path);
        }
        if let Err(error) = put {
            undo(done);
            return Err((path, error));
        }
    }
    Ok(done.into_iter().map(|(path, _)| path).collect())
}

/// What can't be undone is no second failure: the first one is what is said.
fn undo(done: Vec<(PathBuf, Option<Vec<u8>>)>) {
    for (path, before) in done {
        let _ = match before {
            Some(bytes) => write_private(&path, &bytes, true),
            None => fs::remove_file(&path),
        };
    }
}

/// Makes a folder that only its owner can look into, and those it is in. One that is there keeps its permissions.
pub fn make_private_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(Error::file("make", path))
}

/// Whether others than its owner can read what is at `path`.
pub fn others_can_read(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|at| at.mode() & 0o077 != 0)
}

/// So much is read in one piece: the memory is claimed once, and a secret leaves no copies. Whoever reads one sets no higher
/// limit.
pub const IN_ONE_PIECE: u64 = 1 << 16;

/// Reads a file of at most `limit` bytes; `None` if it is larger. It may be a device or a pipe.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    read_from(File::open(path)?, limit)
}

/// The same from anything.
pub fn read_from(from: impl Read, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let more = limit.saturating_add(1);
    let piece = more.min(IN_ONE_PIECE.saturating_add(1));
    let mut bytes = Vec::with_capacity(usize::try_from(piece).unwrap_or_default());
    from.take(more).read_to_end(&mut bytes)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= limit);
    Ok(fits.then_some(bytes))
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

/// Where this user's programs keep their settings: `$XDG_CONFIG_HOME`, else `~/.config`, with our folder in it.
pub fn config_home() -> Option<PathBuf> {
    let xdg = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    Some(base(xdg, std::env::home_dir(), ".config")?.join("hydra"))
}

fn data_home_from(xdg: Option<PathBuf>, home: Option<PathBuf>) -> Option<PathBuf> {
    Some(base(xdg, home, ".local/share")?.join("hydraai"))
}

fn base(xdg: Option<PathBuf>, home: Option<PathBuf>, usual: &str) -> Option<PathBuf> {
    // The XDG specification says to ignore relative paths, and HOME is no better.
    let absolute = |path: &PathBuf| path.is_absolute();
    xdg.filter(absolute)
        .or_else(|| Some(home.filter(absolute)?.join(usual)))
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
