//! Files that are damaged, or only half there.

use std::fs;

use tempfile::TempDir;

use super::{fixture, path, update};
use crate::database::{
    findings::tests::{opening, poll},
    *,
};

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
