//! The file: opening it, its format, writing to it, and what is done with a damaged one.
//!
//! The whole file is checked when it is opened. A damaged one is moved aside, and what is whole in it of the findings is taken over; one
//! of a newer release is refused and left alone. Nothing of it is read again while the trainer runs: memory has it all, so that a disk
//! that fails or is full takes nothing away. After a failed write the file is closed, and the next write opens it again, or makes a
//! new one of all that is in memory. Must never leave a file half made under its own name.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use codec::{DecodeAll, Encode};
use hydra_primitives::H256;
use redb::{
    Builder, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition, TableError,
    backends::{FileBackend, InMemoryBackend},
};

use super::{
    absence::Of,
    error::{DatabaseError, is_full},
    findings::{self, Entry},
    record::Record,
};
use crate::replace::sync_folder_of;

/// The format that is written and understood.
const FORMAT: u32 = 1;
const FORMATS: TableDefinition<&str, u32> = TableDefinition::new("format");
const FORMAT_KEY: &str = "format";
/// A blob by its name: [`Record`].
const BLOBS: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("blobs");
/// A finding by its number: [`findings::encode`].
const FINDINGS: TableDefinition<u64, &[u8]> = TableDefinition::new("findings");
/// For how many periods a model was away, by chain and model.
const AWAY: TableDefinition<(&[u8; 32], u32), u32> = TableDefinition::new("away");

/// Memory for pages: what is read often is in memory anyway.
const CACHE: usize = 4 << 20;
/// The newest version of the storage engine's own format that this release reads, and where a file says its version, twice.
const ENGINE: u8 = 3;
const ENGINE_AT: [usize; 2] = [64, 192];

/// Rows to be written; `None` and 0 are removed.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) blobs: Vec<(H256, Option<Record>)>,
    pub(super) findings: Vec<(u64, Option<Entry>)>,
    pub(super) away: Vec<(Of, u32)>,
}

impl Rows {
    pub(super) fn is_empty(&self) -> bool {
        self.blobs.is_empty() && self.findings.is_empty() && self.away.is_empty()
    }
}

/// What a file held.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) blobs: Vec<(H256, Record)>,
    pub(super) findings: Vec<Entry>,
    pub(super) away: Vec<(Of, u32)>,
    /// All of it has to be written: it isn't in the file, or not in a good one.
    pub(super) is_unwritten: bool,
    /// What a person should know.
    pub(super) said: Vec<String>,
}

/// Why the file can't be used.
#[derive(Debug)]
enum Trouble {
    /// What the system said.
    Io(io::Error),
    /// Its content is not what was written.
    Damaged(String),
    /// A newer release has written it, in this format.
    Newer(u32),
    /// Another process has it open.
    InUse,
}

impl<E: Into<redb::Error>> From<E> for Trouble {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::Io(error) => match error.kind() {
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged(error.to_string()),
                _ => Self::Io(error),
            },
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            error
            @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_)) => {
                Self::Io(io::Error::other(error.to_string()))
            }
            error => Self::Damaged(error.to_string()),
        }
    }
}

/// How an open file becomes a database: another way in tests.
pub(super) type Engine = Box<dyn Fn(File) -> Result<redb::Database, redb::Error> + Send + Sync>;

/// As it is done.
pub(super) fn engine() -> Engine {
    Box::new(|file| Ok(builder().create_with_backend(FileBackend::new(file)?)?))
}

pub(super) fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
    builder
}

/// The file, open or to be opened by the next write.
pub(super) struct DatabaseFile {
    path: PathBuf,
    open: Option<redb::Database>,
    engine: Engine,
    is_over: bool,
}

impl DatabaseFile {
    /// Opens the file and reads all of it. Where there is none, or a damaged one, or no room to open it, the next write makes one.
    pub(super) fn open(path: PathBuf, engine: Engine) -> Result<(Self, Loaded), DatabaseError> {
        let mut file = Self {
            path,
            open: None,
            engine,
            is_over: false,
        };
        // A crash interrupted its making: what was to be in it is where it was.
        remove(&file.beside("new")).map_err(|source| file.error("remove what is left beside", source))?;
        let mut loaded = Loaded {
            is_unwritten: true,
            ..Loaded::default()
        };
        if !file.path.exists() {
            return Ok((file, loaded));
        }
        match file.open_and_load() {
            Ok((database, found)) => {
                file.open = Some(database);
                loaded = found;
            }
            Err(Trouble::Io(error)) if is_full(&error) => match file.load_copy() {
                Ok(found) => {
                    let path = file.path.display();
                    loaded = found;
                    loaded.said.push(format!(
                        "the disk is full, so nothing can be written to {path} ({error}): what is in it is known, and what is new is \
                         written when there is room. Free some space"
                    ));
                }
                Err(Trouble::Damaged(why)) => file.salvage(&mut loaded, &why)?,
                Err(other) => return Err(file.refuse(other)),
            },
            Err(Trouble::Damaged(why)) => file.salvage(&mut loaded, &why)?,
            Err(other) => return Err(file.refuse(other)),
        }
        Ok((file, loaded))
    }

    /// Writes these rows; they are on disk when this returns. Where the file has to be made anew, `all` of them.
    pub(super) fn write(&mut self, rows: &Rows, all: impl FnOnce() -> Rows) -> Result<(), DatabaseError> {
        if self.is_over {
            return Err(DatabaseError::Closed);
        }
        let written = guarded(|| {
            let database = match self.open.take() {
                Some(database) => Some(database),
                None => self.open_again()?,
            };
            match database {
                Some(database) => put(&database, rows).map(|()| database),
                None => self.make(&all()),
            }
        });
        match written {
            Ok(database) => {
                self.open = Some(database);
                Ok(())
            }
            Err(trouble) => Err(self.cant_write(trouble)),
        }
    }

    /// Whether the file is there and was good when it was used last.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Nothing is written any more, and the file is free for others.
    pub(super) fn close(&mut self) {
        self.is_over = true;
        self.open = None;
    }

    /// The file as it is, or `None` if there is none that is good.
    fn open_again(&self) -> Result<Option<redb::Database>, Trouble> {
        if !self.path.exists() {
            return Ok(None);
        }
        match self.open_and_load() {
            Ok((database, _)) => Ok(Some(database)),
            Err(Trouble::Damaged(_)) => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Makes a new file of these rows, and puts it in the old one's place, which is moved aside.
    fn make(&self, all: &Rows) -> Result<redb::Database, Trouble> {
        let new = self.beside("new");
        remove(&new).map_err(Trouble::Io)?;
        let made = create(&new).map_err(Trouble::Io).and_then(|file| {
            let database = (self.engine)(file)?;
            put(&database, all)?;
            Ok(database)
        });
        let database = made.inspect_err(|_| drop(remove(&new)))?;
        let placed = || {
            if self.path.exists() {
                let aside = self.beside("damaged");
                remove(&aside)?;
                // A second name, so that there is a file under the first one at any time. Not all file systems have that.
                fs::hard_link(&self.path, &aside).or_else(|_| fs::copy(&self.path, &aside).map(drop))?;
            }
            fs::rename(&new, &self.path)?;
            sync_folder_of(&self.path)
        };
        placed().map_err(Trouble::Io)?;
        Ok(database)
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".");
        name.push(suffix);
        name.into()
    }

    /// Opens the file, which must be there.
    fn open_and_load(&self) -> Result<(redb::Database, Loaded), Trouble> {
        check_engine(&self.path)?;
        let file = OpenOptions::new().read(true).write(true).open(&self.path);
        let file = file.map_err(Trouble::Io)?;
        guarded(|| {
            let database = (self.engine)(file)?;
            let loaded = load(&database)?;
            Ok((database, loaded))
        })
    }

    /// Reads a copy of the file, which is repaired if need be, in memory.
    fn load_copy(&self) -> Result<Loaded, Trouble> {
        let bytes = fs::read(&self.path).map_err(Trouble::Io)?;
        guarded(|| {
            let copy = InMemoryBackend::new();
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            copy.set_len(length).map_err(Trouble::Io)?;
            copy.write(0, &bytes).map_err(Trouble::Io)?;
            load(&builder().create_with_backend(copy)?)
        })
    }

    /// Takes what is whole in a damaged file. The next write moves it aside.
    fn salvage(&self, loaded: &mut Loaded, why: &str) -> Result<(), DatabaseError> {
        let bytes = fs::read(&self.path).map_err(|source| self.error("read", source))?;
        loaded.findings = findings::salvaged(&bytes);
        loaded.said.push(format!(
            "the database {} is damaged, by a crash or by the disk ({why}), and is moved to {}. {} findings were whole and are taken \
             over; what is found again of others is the same, but takes computing. Blobs that are no longer known to be needed stay \
             until room is short. If it happens again, check the disk and the memory of this PC",
            self.path.display(),
            self.beside("damaged").display(),
            loaded.findings.len()
        ));
        Ok(())
    }

    fn error(&self, action: &'static str, source: io::Error) -> DatabaseError {
        DatabaseError::Io {
            action,
            path: self.path.clone(),
            source,
        }
    }

    fn refuse(&self, trouble: Trouble) -> DatabaseError {
        match trouble {
            Trouble::Io(source) => self.error("open", source),
            Trouble::Damaged(why) => self.error("open", io::Error::other(why)),
            Trouble::InUse => DatabaseError::InUse {
                path: self.path.clone(),
            },
            Trouble::Newer(found) => DatabaseError::Newer {
                path: self.path.clone(),
                found,
                known: FORMAT,
            },
        }
    }

    fn cant_write(&self, trouble: Trouble) -> DatabaseError {
        match trouble {
            Trouble::Io(source) => self.error("write to", source),
            Trouble::Damaged(why) => self.error("write to", io::Error::other(why)),
            other => self.refuse(other),
        }
    }
}

/// A damaged file may make the storage engine stumble in ways that it doesn't report as such.
fn guarded<T>(work: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Trouble::Damaged("using it ended in a programming error".into())))
}

/// Whether the storage engine of a newer release wrote the file: for this release's it would be merely damaged.
fn check_engine(path: &Path) -> Result<(), Trouble> {
    let mut header = Vec::new();
    let file = File::open(path).map_err(Trouble::Io)?;
    file.take(320).read_to_end(&mut header).map_err(Trouble::Io)?;
    let versions = ENGINE_AT.map(|at| header.get(at).copied().unwrap_or_default());
    // One of them alone is a damaged bit.
    match versions {
        [one, other] if one == other && one > ENGINE && header.starts_with(b"redb") => {
            Err(Trouble::Newer(u32::from(one)))
        }
        _ => Ok(()),
    }
}

fn load(database: &redb::Database) -> Result<Loaded, Trouble> {
    let reading = database.begin_read()?;
    let format = match reading.open_table(FORMATS) {
        Ok(table) => table.get(FORMAT_KEY)?.map(|format| format.value()),
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(error.into()),
    };
    match format {
        Some(format) if format > FORMAT => return Err(Trouble::Newer(format)),
        Some(_) => {}
        None => return Err(Trouble::Damaged("it is no trainer's".into())),
    }
    let mut loaded = Loaded::default();
    let mut unreadable = 0usize;
    for row in reading.open_table(BLOBS)?.iter()? {
        let (hash, record) = row?;
        match Record::decode_all(&mut record.value()) {
            Ok(record) => loaded.blobs.push((H256(*hash.value()), record)),
            Err(_) => unreadable = unreadable.saturating_add(1),
        }
    }
    for row in reading.open_table(FINDINGS)?.iter()? {
        let (number, entry) = row?;
        match findings::decode(entry.value()) {
            Some(entry) if entry.0 == number.value() => loaded.findings.push(entry),
            _ => unreadable = unreadable.saturating_add(1),
        }
    }
    for row in reading.open_table(AWAY)?.iter()? {
        let (of, periods) = row?;
        let (genesis, model) = of.value();
        loaded.away.push(((H256(*genesis), model), periods.value()));
    }
    if unreadable > 0 {
        loaded.said.push(format!(
            "{unreadable} entries of the trainer's database can't be read, and were left out: please report it"
        ));
    }
    Ok(loaded)
}

fn put(database: &redb::Database, rows: &Rows) -> Result<(), Trouble> {
    // On disk when it is committed: that is how the engine does it unless told otherwise.
    let writing = database.begin_write()?;
    {
        let mut formats = writing.open_table(FORMATS)?;
        formats.insert(FORMAT_KEY, FORMAT)?;
        let mut blobs = writing.open_table(BLOBS)?;
        for (hash, record) in &rows.blobs {
            match record {
                Some(record) => drop(blobs.insert(&hash.0, record.encode().as_slice())?),
                None => drop(blobs.remove(&hash.0)?),
            }
        }
        let mut found = writing.open_table(FINDINGS)?;
        for (number, entry) in &rows.findings {
            match entry {
                Some(entry) => drop(found.insert(number, findings::encode(entry).as_slice())?),
                None => drop(found.remove(number)?),
            }
        }
        let mut away = writing.open_table(AWAY)?;
        for ((genesis, model), periods) in &rows.away {
            match periods {
                0 => drop(away.remove((&genesis.0, *model))?),
                periods => drop(away.insert((&genesis.0, *model), periods)?),
            }
        }
    }
    writing.commit()?;
    Ok(())
}

/// A new file, which only its owner may read: it holds witnesses that are not public yet.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
