//! What stays, and what goes when.

use std::{collections::HashSet, fs, thread, time::Duration};

use super::{CHAIN, Disk, at, fixture, purpose, tag, update};
use crate::database::{
    absence::{GONE_AFTER, PERIOD},
    findings::tests::{opening, poll},
    *,
};

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
