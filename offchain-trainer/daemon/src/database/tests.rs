//! The database over real files, and over disks that fail.

use std::{
    collections::HashSet,
    fs,
    io::{self, ErrorKind},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use proptest::prelude::*;
use redb::{StorageBackend, backends::FileBackend};
use tempfile::TempDir;

use super::{
    absence::{GONE_AFTER, PERIOD},
    convert::tests::{journal_record, ledger_record},
    file::builder,
    findings::tests::{opening, poll},
    *,
};

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

#[test]
fn findings_and_records_survive_a_restart() {
    let f = fixture();
    f.database.found(poll(1), opening(1)).unwrap();
    f.database.found(poll(1), opening(2)).unwrap();
    let update = f.put(b"update", update(1));
    let data = f.put(b"data", Purpose::DataSet);
    let late = hydra_primitives::content_hash(b"late");
    assert!(f.database.keep([late]));
    f.database.write_all().unwrap();
    let bytes = f.database.bytes();
    let f = f.start_again();
    assert_eq!(f.database.finding(&poll(1)), Some(opening(1)));
    assert_eq!(f.database.finding(&poll(2)), None);
    assert_eq!(f.database.bytes(), bytes);
    assert!(f.database.knows(late, Purpose::DataSet) && f.database.knows(data, Purpose::DataSet));
    assert_eq!(f.sweep(at(100, 100), &[]), 1);
    assert!(!f.store.has(update) && f.store.has(data));
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    let f = fixture();
    let mode = |f: &Fixture| {
        let file = fs::metadata(path(&f.folder)).unwrap();
        std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777
    };
    assert_eq!(mode(&f), 0o600);
}

#[test]
fn only_one_program_has_it_open_until_it_is_closed() {
    let f = fixture();
    let refused = Database::open(f.folder.path());
    assert!(matches!(refused, Err(DatabaseError::InUse { .. })), "{refused:?}");
    f.database.close().unwrap();
    assert!(Database::open(f.folder.path()).is_ok());
    let late = f.database.found(poll(1), opening(1));
    assert!(matches!(late, Err(DatabaseError::Closed)), "{late:?}");
}

/// A disk that forgets what it wasn't told to keep when the power goes.
#[derive(Debug, Clone, Default)]
struct Volatile(Arc<Mutex<[Vec<u8>; 2]>>);

impl Volatile {
    fn after_a_power_cut(&self) -> Vec<u8> {
        lock(&self.0)[1].clone()
    }
}

impl StorageBackend for Volatile {
    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.0)[0].len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = offset as usize;
        out.copy_from_slice(&lock(&self.0)[0][offset..offset + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        lock(&self.0)[0].resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = lock(&self.0);
        disk[1] = disk[0].clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = offset as usize;
        lock(&self.0)[0][offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }
}

#[test]
fn what_was_recorded_is_there_after_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Volatile::default();
    let made = disk.clone();
    let engine: Engine = Box::new(move |_| Ok(builder().create_with_backend(made.clone())?));
    let database = Database::with_engine(folder.path(), engine, 100).unwrap();
    for n in 0..20 {
        let blob = poll(1000 + n);
        database.found(poll(n), opening(n)).unwrap();
        database.note(blob, update(n as u32)).unwrap();
        let after = tempfile::tempdir().unwrap();
        fs::write(path(&after), disk.after_a_power_cut()).unwrap();
        let again = Database::open(after.path()).unwrap();
        assert_eq!(again.complaints(), Vec::<String>::new());
        assert!((0..=n).all(|n| again.finding(&poll(n)) == Some(opening(n))));
        assert_eq!(purpose(&again, blob), Some(update(n as u32)));
    }
}

#[test]
fn all_who_wait_at_a_time_are_served_by_one_write() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let database = Arc::new(disk.open(&folder));
    let one = {
        let before = disk.syncs.load(Ordering::Relaxed);
        database.note(poll(1000), update(1)).unwrap();
        disk.syncs.load(Ordering::Relaxed) - before
    };
    let before = disk.syncs.load(Ordering::Relaxed);
    let threads: Vec<_> = (0..32)
        .map(|n| {
            let database = database.clone();
            thread::spawn(move || match n % 2 {
                0 => database.note(poll(n), update(1)),
                _ => database.found(poll(n), opening(n)),
            })
        })
        .collect();
    threads.into_iter().for_each(|one| one.join().unwrap().unwrap());
    let syncs = disk.syncs.load(Ordering::Relaxed) - before;
    assert!(syncs < 16 * one, "{syncs} instead of 32 times {one}");
    // Nobody is kept waiting by one who writes time after time.
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for n in 2000.. {
                database.note(poll(n), update(1)).unwrap();
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for n in 0..20 {
            let before = disk.syncs.load(Ordering::Relaxed);
            database.note(poll(3000 + n), update(1)).unwrap();
            let syncs = disk.syncs.load(Ordering::Relaxed) - before;
            assert!(syncs <= 4 * one, "{syncs}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    // What is known costs nothing.
    let before = disk.syncs.load(Ordering::Relaxed);
    database.note(poll(0), update(1)).unwrap();
    database.found(poll(1), opening(1)).unwrap();
    assert!(database.knows(poll(0), update(1)) && !database.knows(poll(0), update(2)));
    assert_eq!(disk.syncs.load(Ordering::Relaxed), before);
}

#[test]
fn what_can_not_be_written_is_remembered_and_comes_to_disk_with_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let database = disk.open(&folder);
    database.found(poll(1), opening(1)).unwrap();
    database.note(poll(10), update(1)).unwrap();
    disk.fill();
    let refused = database.found(poll(2), opening(2)).unwrap_err();
    assert!(refused.is_full(), "{refused}");
    assert!(refused.to_string().contains("free disk space"), "{refused}");
    assert_eq!(database.finding(&poll(2)), Some(opening(2)), "it is given");
    let refused = database.note(poll(11), update(1)).unwrap_err();
    assert!(refused.is_full(), "{refused}");
    assert!(!database.knows(poll(11), update(1)));
    assert!(
        database.note(poll(11), update(1)).is_err(),
        "it must not be stored yet"
    );
    // What was known before can be used.
    assert!(database.knows(poll(10), update(1)));
    database.note(poll(10), update(1)).unwrap();
    disk.free();
    database.found(poll(3), opening(3)).unwrap();
    assert!(database.knows(poll(11), update(1)));
    drop(database);
    let database = disk.open(&folder);
    assert!((1..=3).all(|n| database.finding(&poll(n)) == Some(opening(n))));
    assert_eq!(purpose(&database, poll(11)), Some(update(1)));
}

#[test]
fn on_a_full_disk_what_is_there_is_known_and_what_is_new_is_written_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let database = disk.open(&folder);
    database.found(poll(1), opening(1)).unwrap();
    database.note(poll(10), Purpose::DataSet).unwrap();
    drop(database);
    disk.fill();
    let before = fs::read(path(&folder)).unwrap();
    let database = disk.open(&folder);
    let said = database.complaints().join(" ");
    assert!(said.contains("the disk is full"), "{said}");
    assert_eq!(database.finding(&poll(1)), Some(opening(1)));
    assert!(database.knows(poll(10), Purpose::DataSet));
    assert!(database.found(poll(2), opening(2)).unwrap_err().is_full());
    assert_eq!(fs::read(path(&folder)).unwrap(), before);
    disk.free();
    database.write_all().unwrap();
    drop(database);
    let database = disk.open(&folder);
    assert!([1, 2].iter().all(|n| database.finding(&poll(*n)).is_some()));
}

#[test]
fn it_starts_for_the_first_time_on_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    disk.fill();
    let database = disk.open(&folder);
    assert!(database.complaints().join(" ").contains("free disk space"));
    assert!(database.found(poll(1), opening(1)).is_err());
    assert!(!path(&folder).exists());
    assert!(
        !path(&folder).with_extension("redb.new").exists(),
        "no half file takes room"
    );
    disk.free();
    database.found(poll(2), opening(2)).unwrap();
    drop(database);
    let database = disk.open(&folder);
    assert!([1, 2].iter().all(|n| database.finding(&poll(*n)).is_some()));
}

#[test]
fn what_an_earlier_release_has_left_is_taken_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let [ledger, journal] = ["blobs.ledger", "findings.journal"].map(|name| folder.path().join(name));
    let tag = tag(Kind::Weights, 3);
    let records = [
        ledger_record(&poll(1), &Some(tag)),
        ledger_record(&poll(2), &None),
    ];
    fs::write(&ledger, records.concat()).unwrap();
    // Half of one is what a crash leaves.
    let half = &journal_record(3)[..20];
    fs::write(
        &journal,
        [&journal_record(1)[..], &journal_record(2), half].concat(),
    )
    .unwrap();

    let database = Database::open(folder.path()).unwrap();
    let said = database.complaints().join(" ");
    assert!(
        said.contains("20 bytes of") && said.contains("findings.journal"),
        "{said}"
    );
    assert!(database.complaints().is_empty());
    assert_eq!(purpose(&database, poll(1)), Some(Purpose::For(tag)));
    assert_eq!(purpose(&database, poll(2)), Some(Purpose::DataSet));
    assert!(
        [1, 2]
            .iter()
            .all(|n| database.finding(&poll(*n)) == Some(opening(*n)))
    );
    assert!(!ledger.exists() && !journal.exists());
    assert!(folder.path().join("blobs.ledger.converted").is_file());
    assert!(folder.path().join("findings.journal.converted").is_file());
    drop(database);
    let database = Database::open(folder.path()).unwrap();
    assert!(
        [1, 2]
            .iter()
            .all(|n| database.finding(&poll(*n)) == Some(opening(*n)))
    );
    assert_eq!(database.finding(&poll(3)), None);
}

#[test]
fn what_is_known_already_is_not_replaced_by_what_an_earlier_release_has_left() {
    let f = fixture();
    f.database.found(poll(1), opening(9)).unwrap();
    f.database.note(poll(5), Purpose::DataSet).unwrap();
    f.database.close().unwrap();
    let records = ledger_record(&poll(5), &Some(tag(Kind::Update, 3)));
    fs::write(f.folder.path().join("blobs.ledger"), records).unwrap();
    fs::write(f.folder.path().join("findings.journal"), journal_record(1)).unwrap();
    let database = Database::open(f.folder.path()).unwrap();
    assert_eq!(database.finding(&poll(1)), Some(opening(9)));
    assert_eq!(purpose(&database, poll(5)), Some(Purpose::DataSet));
}

#[test]
fn what_can_not_be_taken_over_is_refused_or_waits_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let journal = folder.path().join("findings.journal");
    // No room: known, and taken over at a later start.
    fs::write(&journal, journal_record(1)).unwrap();
    let disk = Disk::default();
    disk.fill();
    let database = disk.open(&folder);
    assert_eq!(database.finding(&poll(1)), Some(opening(1)));
    assert!(journal.exists());
    drop(database);
    disk.free();
    drop(disk.open(&folder));
    assert!(!journal.exists());
    // Can't be read.
    fs::create_dir(&journal).unwrap();
    let refused = Database::open(folder.path()).unwrap_err().to_string();
    assert!(
        refused.contains("findings.journal") && refused.contains("Nothing is lost"),
        "{refused}"
    );
    fs::remove_dir(&journal).unwrap();
    // Can't be renamed.
    fs::write(&journal, journal_record(2)).unwrap();
    let taken = folder.path().join("findings.journal.converted");
    fs::remove_file(&taken).unwrap();
    fs::create_dir(&taken).unwrap();
    let refused = Database::open(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("can't rename"), "{refused}");
    fs::remove_dir(&taken).unwrap();
    let database = Database::open(folder.path()).unwrap();
    assert!(
        [1, 2]
            .iter()
            .all(|n| database.finding(&poll(*n)) == Some(opening(*n)))
    );
}

#[test]
fn a_newer_release_s_database_is_refused_and_left_alone() {
    let f = fixture();
    f.database.close().unwrap();
    {
        let newer = redb::Database::open(path(&f.folder)).unwrap();
        let writing = newer.begin_write().unwrap();
        let formats = redb::TableDefinition::<&str, u32>::new("format");
        writing.open_table(formats).unwrap().insert("format", 2).unwrap();
        writing.commit().unwrap();
    }
    let refuses = |words: &str| {
        let refused = Database::open(f.folder.path()).unwrap_err();
        assert!(matches!(refused, DatabaseError::Newer { .. }), "{refused}");
        assert!(refused.to_string().contains(words), "{refused}");
        assert!(!path(&f.folder).with_extension("redb.damaged").exists());
    };
    refuses("newer release (format 2; this one knows 1)");
    // So is one that a newer storage engine wrote.
    let mut bytes = fs::read(path(&f.folder)).unwrap();
    for at in [64, 192] {
        assert_eq!(bytes[at], 3);
        bytes[at] = 4;
    }
    fs::write(path(&f.folder), &bytes).unwrap();
    refuses("newer release");
    assert_eq!(fs::read(path(&f.folder)).unwrap(), bytes);
}

/// A database with findings, and its bytes.
fn written(findings: u64) -> (TempDir, Vec<u8>) {
    let f = fixture();
    for n in 0..findings {
        f.database.found(poll(n), opening(n)).unwrap();
    }
    f.put(b"update", update(1));
    f.database.close().unwrap();
    let bytes = fs::read(path(&f.folder)).unwrap();
    (f.folder, bytes)
}

#[test]
fn of_a_damaged_database_the_whole_findings_are_taken_over_and_it_is_kept_aside() {
    let (folder, whole) = written(20);
    let aside = path(&folder).with_extension("redb.damaged");
    let mut damages = 0;
    for at in (0..whole.len()).step_by(whole.len() / 150) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        fs::write(path(&folder), &bytes).unwrap();
        let database = Database::open(folder.path()).unwrap();
        let said = database.complaints().join(" ");
        let known = (0..20).filter(|n| database.finding(&poll(*n)).is_some()).count();
        let right = (0..20).all(|n| database.finding(&poll(n)).is_none_or(|found| found == opening(n)));
        assert!(right, "byte {at}");
        if said.is_empty() {
            // Nobody needs that byte.
            assert_eq!(known, 20, "byte {at}");
        } else {
            damages += 1;
            assert!(known >= 19, "byte {at}: {known}");
            assert!(
                said.contains("is damaged") && said.contains("findings were whole"),
                "{said}"
            );
            assert_eq!(fs::read(&aside).unwrap(), bytes);
            fs::remove_file(&aside).unwrap();
        }
        // And it goes on, from here and from the next start.
        database.found(poll(100), opening(100)).unwrap();
        drop(database);
        let database = Database::open(folder.path()).unwrap();
        assert_eq!(database.complaints(), Vec::<String>::new());
        assert!(database.finding(&poll(100)).is_some());
    }
    assert!(damages > 10, "{damages}");
}

#[test]
fn a_file_that_is_cut_short_or_is_no_database_is_kept_aside() {
    let (folder, whole) = written(20);
    let aside = path(&folder).with_extension("redb.damaged");
    let cuts = [0, 1, 100, 320, 5000, whole.len() / 2, whole.len() - 1];
    let contents = cuts.iter().map(|cut| whole[..*cut].to_vec());
    for bytes in contents.chain([b"no database at all".to_vec()]) {
        fs::write(path(&folder), &bytes).unwrap();
        let database = Database::open(folder.path()).unwrap();
        let said = database.complaints().join(" ");
        assert!(said.contains("is damaged"), "{} bytes: {said}", bytes.len());
        assert!(aside.exists());
        database.found(poll(100), opening(100)).unwrap();
        drop(database);
        let database = Database::open(folder.path()).unwrap();
        assert_eq!(database.complaints(), Vec::<String>::new());
        assert!(database.finding(&poll(100)).is_some());
    }
}

#[test]
fn a_new_file_that_a_crash_left_half_way_is_removed() {
    let (folder, whole) = written(3);
    let new = path(&folder).with_extension("redb.new");
    let half = || fs::write(&new, &whole[..1000]).unwrap();
    half();
    let database = Database::open(folder.path()).unwrap();
    assert!(!new.exists() && database.complaints().is_empty());
    assert!(database.finding(&poll(2)).is_some());
    // At the first start.
    let folder = tempfile::tempdir().unwrap();
    fs::write(path(&folder).with_extension("redb.new"), &whole[..1000]).unwrap();
    let database = Database::open(folder.path()).unwrap();
    assert!(database.complaints().is_empty());
    assert!(!path(&folder).with_extension("redb.new").exists());
}

#[test]
fn old_findings_leave_memory_and_file() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::default();
    let open = || Database::with_engine(folder.path(), disk.engine(), 3).unwrap();
    let database = open();
    for n in 0..20 {
        database.found(poll(n), opening(n)).unwrap();
    }
    let kept = |database: &Database| {
        (0..20)
            .map(|n| database.finding(&poll(n)).is_some())
            .collect::<Vec<_>>()
    };
    let newest: Vec<bool> = (0..20).map(|n| n >= 17).collect();
    assert_eq!(kept(&database), newest);
    drop(database);
    assert_eq!(kept(&open()), newest);
}

#[test]
fn the_rules_are_kept() {
    let f = fixture();
    let of_update = f.put(b"update", update(5));
    let weights = f.put(b"weights", tag_of(Kind::Weights, 2));
    let there = || [of_update, weights].map(|hash| f.store.has(hash));
    f.sweep(at(8, 4), &[]);
    assert_eq!(there(), [true, true]);
    f.sweep(at(9, 4), &[]);
    assert_eq!(there(), [false, true]);
    f.sweep(at(9, 5), &[weights]);
    assert_eq!(there(), [false, true]);
    f.sweep(at(9, 5), &[]);
    assert_eq!(there(), [false, false]);
    // Blobs of another chain go.
    let old = f.put(b"old", tag_of(Kind::Weights, 9));
    let data = f.put(b"data", Purpose::DataSet);
    let genesis = H256::repeat_byte(2);
    assert_eq!(f.sweep(Standing { genesis, ..at(0, 0) }, &[]), 1);
    assert!(!f.store.has(old) && f.store.has(data));
}

fn tag_of(kind: Kind, number: u32) -> Purpose {
    Purpose::For(tag(kind, number))
}

#[test]
fn what_was_stored_for_models_that_are_gone_goes_after_a_while_also_over_restarts() {
    let mut f = fixture();
    let blob = f.put(b"weights", tag_of(Kind::Weights, 1));
    let other = Purpose::For(Tag {
        model: 7,
        ..tag(Kind::Weights, 1)
    });
    let stays = f.put(b"others", other);
    for period in 1..=GONE_AFTER {
        for _ in 0..PERIOD {
            f.database.sheet(CHAIN, [7]);
        }
        assert!(f.store.has(blob));
        let swept = f.database.sweep_gone(&f.store).unwrap();
        assert_eq!(swept.blobs, usize::from(period == GONE_AFTER));
        if period % 50 == 0 {
            f = f.start_again();
        }
    }
    assert!(!f.store.has(blob) && f.store.has(stays));
}

#[test]
fn files_without_a_record_are_cached_and_records_without_a_file_are_forgotten() {
    let f = fixture();
    let update_of = f.put(b"update", update(1));
    let orphan = f.store.put(b"orphan").unwrap();
    let lost = f.put(b"lost", update(1));
    f.store.remove(lost).unwrap();
    let grown = hydra_primitives::content_hash(b"longer");
    f.database.note(grown, update(2)).unwrap();
    f.store.put(b"longer").unwrap();
    let found = f.database.reconcile(&f.store).unwrap();
    assert_eq!(
        found,
        Reconciled {
            adopted: 1,
            forgotten: 1
        }
    );
    assert_eq!(purpose(&f.database, orphan), Some(Purpose::Cached));
    assert_eq!(purpose(&f.database, lost), None);
    assert_eq!(f.database.bytes(), (18, 6));
    let f = f.start_again();
    assert_eq!(f.database.bytes(), (18, 6));
    assert_eq!(f.database.reconcile(&f.store).unwrap(), Reconciled::default());
    assert_eq!(f.sweep(at(100, 100), &[]), 2);
    assert!(f.store.has(orphan) && !f.store.has(update_of));
}

#[test]
fn what_is_only_cached_makes_room_the_least_used_first_and_nothing_else_does() {
    let f = fixture();
    let needed = f.put(b"needed", update(1));
    let data = f.put(b"data", Purpose::DataSet);
    let cached: Vec<H256> = (0..4u8)
        .map(|n| {
            let hash = f.store.put(&[n; 10]).unwrap();
            let file = fs::File::options().write(true).open(f.store.path(hash)).unwrap();
            let written = UNIX_EPOCH + Duration::from_secs(1000 + u64::from(n));
            file.set_modified(written).unwrap();
            hash
        })
        .collect();
    f.database.reconcile(&f.store).unwrap();
    // The oldest is read by somebody.
    f.store.get(cached[0], 10).unwrap();
    f.database.used(f.store.take_used());
    let there = || cached.iter().map(|hash| f.store.has(*hash)).collect::<Vec<_>>();
    assert_eq!(f.database.evict(&f.store, 0).unwrap(), Swept::default());
    assert_eq!(
        f.database.evict(&f.store, 11).unwrap(),
        Swept { blobs: 2, bytes: 20 }
    );
    assert_eq!(there(), [true, false, false, true]);
    // What is needed now is cached no more.
    f.database.note(cached[3], update(1)).unwrap();
    assert_eq!(f.database.evict(&f.store, u64::MAX).unwrap().blobs, 1);
    assert_eq!(there(), [false, false, false, true]);
    assert!(f.store.has(needed) && f.store.has(data));
}

#[test]
fn who_needs_a_blob_that_is_just_being_deleted_waits_and_gets_it_anew() {
    let f = fixture();
    let hash = f.put(b"update", update(1));
    assert!(lock(&f.database.memory).catalog.leave_one(hash, |_| true));
    assert!(!f.database.knows(hash, update(9)));
    thread::scope(|scope| {
        let needs = scope.spawn(|| {
            f.database.note(hash, update(9)).unwrap();
            f.store.has(hash)
        });
        f.store.remove(hash).unwrap();
        thread::sleep(Duration::from_millis(20));
        assert!(!needs.is_finished());
        lock(&f.database.memory).catalog.left(&hash);
        f.database.left.notify_all();
        assert!(!needs.join().unwrap());
    });
    assert_eq!(purpose(&f.database, hash), Some(update(9)));
}

#[test]
fn a_blob_that_can_not_be_deleted_stays_known_keeps_no_other_and_is_tried_again() {
    let f = fixture();
    let hash = hydra_primitives::content_hash(b"a folder");
    f.database.note(hash, update(1)).unwrap();
    fs::create_dir(f.store.path(hash)).unwrap();
    // Of so many, some come after it.
    let others: Vec<H256> = (0..20).map(|n| f.put(&[n], update(2))).collect();
    assert!(f.database.sweep(&f.store, &at(100, 0), &HashSet::new()).is_err());
    assert_eq!(purpose(&f.database, hash), Some(update(1)));
    assert!(!others.iter().any(|other| f.store.has(*other)));
    fs::remove_dir(f.store.path(hash)).unwrap();
    f.sweep(at(100, 0), &[]);
    assert_eq!(purpose(&f.database, hash), None);
}

#[test]
fn a_cached_blob_that_can_not_be_deleted_does_not_keep_others_from_making_room() {
    let f = fixture();
    let stuck = hydra_primitives::content_hash(b"a folder");
    fs::create_dir(f.store.path(stuck)).unwrap();
    let others: Vec<H256> = (0..20).map(|n| f.put(&[n], Purpose::Cached)).collect();
    f.database.stored(stuck, Purpose::Cached, 1);
    assert!(f.database.evict(&f.store, u64::MAX).is_err());
    assert!(!others.iter().any(|other| f.store.has(*other)));
    assert_eq!(purpose(&f.database, stuck), Some(Purpose::Cached));
}

#[test]
fn large_blobs_are_named_the_one_used_last_first() {
    let f = fixture();
    let [small, one, two, three] = [1, 2, 3, 4].map(H256::repeat_byte);
    for (hash, size, used) in [(small, 9, 9), (one, 10, 1), (two, 11, 3), (three, 12, 2)] {
        let stored = Some(Stored { size, at: used });
        let purpose = Purpose::DataSet;
        let record = Record {
            purpose,
            stored,
            used,
        };
        lock(&f.database.memory).catalog.set(hash, record);
    }
    f.database.note(H256::repeat_byte(5), update(1)).unwrap();
    assert_eq!(f.database.large(10, 9), [two, three, one]);
    assert_eq!(f.database.large(10, 2), [two, three]);
}

#[test]
fn a_blob_that_arrives_after_its_time_goes_with_the_next_sweep() {
    let f = fixture();
    let hash = hydra_primitives::content_hash(b"late");
    f.database.note(hash, update(1)).unwrap();
    assert_eq!(f.sweep(at(100, 0), &[]), 1);
    f.store.put(b"late").unwrap();
    f.database.stored(hash, update(1), 4);
    assert_eq!(f.sweep(at(100, 0), &[]), 1);
    assert!(!f.store.has(hash));
}

#[derive(Debug, Clone)]
enum Deed {
    Found(u64),
    Note(u64, u32),
    Keep(u64),
    Stored(u64, u64),
    Lost(u64),
    Sweep(u32),
    Sheets(bool),
    Again,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        (0..200u64).prop_map(Deed::Found),
        (0..30u64, 0..20u32).prop_map(|(n, round)| Deed::Note(n, round)),
        (0..30u64).prop_map(Deed::Keep),
        (0..30u64, 0..1000u64).prop_map(|(n, size)| Deed::Stored(n, size)),
        (0..30u64).prop_map(Deed::Lost),
        (0..20u32).prop_map(Deed::Sweep),
        any::<bool>().prop_map(Deed::Sheets),
        Just(Deed::Again),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_file_has_what_memory_has(deeds in proptest::collection::vec(deed(), 1..60)) {
        let mut f = fixture();
        for deed in deeds {
            match deed {
                Deed::Found(n) => f.database.found(poll(n), opening(n)).unwrap(),
                Deed::Note(n, round) => f.database.note(poll(n), update(round)).unwrap(),
                Deed::Keep(n) => drop(f.database.keep([poll(n)])),
                Deed::Stored(n, size) => f.database.stored(poll(n), update(1), size),
                Deed::Lost(n) => f.database.lost(poll(n)),
                Deed::Sweep(round) => drop(f.sweep(at(round, 0), &[])),
                Deed::Sheets(named) => {
                    for _ in 0..PERIOD {
                        f.database.sheet(CHAIN, named.then_some(0));
                    }
                    f.database.sweep_gone(&f.store).unwrap();
                }
                Deed::Again => {
                    let rows = |f: &Fixture| {
                        let memory = lock(&f.database.memory);
                        let Rows { blobs, findings, away } = memory.rows(&memory.everything());
                        (blobs, findings, away, memory.catalog.bytes(), memory.catalog.cached())
                    };
                    let before = rows(&f);
                    f = f.start_again();
                    prop_assert_eq!(rows(&f), before);
                }
            }
        }
    }
}
