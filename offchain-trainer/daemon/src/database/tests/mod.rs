//! The database over real files, and over disks that fail.

mod damage;
mod keeping;
mod releases;
mod writing;

use std::{
    collections::HashSet,
    io::{self, ErrorKind},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use redb::{StorageBackend, backends::FileBackend};
use tempfile::TempDir;

use super::{file::builder, *};

const CHAIN: H256 = H256::repeat_byte(1);

fn tag(kind: Kind, number: u32) -> Tag {
    Tag {
        genesis: CHAIN,
        model: 0,
        kind,
        number,
    }
}

fn update(number: u32) -> Purpose {
    Purpose::For(tag(Kind::Update, number))
}

fn at(round: u32, version: u32) -> Standing {
    Standing {
        genesis: CHAIN,
        model: 0,
        round,
        version,
    }
}

/// A disk that may be full, and counts how often it is waited for.
#[derive(Debug, Clone, Default)]
struct Disk {
    is_full: Arc<AtomicBool>,
    syncs: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct OnDisk(FileBackend, Disk);

impl OnDisk {
    fn has_room(&self) -> io::Result<()> {
        match self.1.is_full.load(Ordering::Relaxed) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }
}

impl StorageBackend for OnDisk {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.has_room()?;
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.1.syncs.fetch_add(1, Ordering::Relaxed);
        // As slow as a disk, so that others come meanwhile.
        thread::sleep(Duration::from_millis(2));
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.has_room()?;
        self.0.write(offset, data)
    }
}

impl Disk {
    fn engine(&self) -> Engine {
        let disk = self.clone();
        Box::new(move |file| {
            disk.has_room()?;
            let file = FileBackend::new(file)?;
            Ok(builder().create_with_backend(OnDisk(file, disk.clone()))?)
        })
    }

    fn has_room(&self) -> io::Result<()> {
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(ErrorKind::StorageFull.into()),
            false => Ok(()),
        }
    }

    fn fill(&self) {
        self.is_full.store(true, Ordering::Relaxed);
    }

    fn free(&self) {
        self.is_full.store(false, Ordering::Relaxed);
    }

    fn open(&self, folder: &TempDir) -> Database {
        Database::with_engine(folder.path(), self.engine(), 100).unwrap()
    }
}

struct Fixture {
    folder: TempDir,
    store: BlobStore,
    database: Database,
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = BlobStore::open(folder.path().join("blobs")).unwrap();
    let database = Database::open(folder.path()).unwrap();
    assert_eq!(database.complaints(), Vec::<String>::new());
    Fixture {
        folder,
        store,
        database,
    }
}

impl Fixture {
    fn put(&self, bytes: &[u8], purpose: impl Into<Purpose>) -> H256 {
        let (hash, purpose) = (hydra_primitives::content_hash(bytes), purpose.into());
        self.database.note(hash, purpose).unwrap();
        self.store.put(bytes).unwrap();
        self.database.stored(hash, purpose, bytes.len() as u64);
        hash
    }

    fn sweep(&self, at: Standing, needed: &[H256]) -> usize {
        let needed: HashSet<H256> = needed.iter().copied().collect();
        self.database.sweep(&self.store, &at, &needed).unwrap().blobs
    }

    fn start_again(self) -> Self {
        self.database.close().unwrap();
        let (folder, store) = (self.folder, self.store);
        let database = Database::open(folder.path()).unwrap();
        assert_eq!(database.complaints(), Vec::<String>::new());
        Self {
            folder,
            store,
            database,
        }
    }
}

fn purpose(database: &Database, hash: H256) -> Option<Purpose> {
    let memory = lock(&database.memory);
    memory.catalog.get(&hash).map(|record| record.purpose)
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join(FILE)
}
