//! What is on disk, and when.

use std::{
    fs, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use proptest::prelude::*;
use redb::StorageBackend;

use super::{CHAIN, Disk, Fixture, at, fixture, path, purpose, update};
use crate::database::{
    absence::PERIOD,
    file::builder,
    findings::tests::{opening, poll},
    *,
};

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
