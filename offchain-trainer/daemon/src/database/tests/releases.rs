//! What other releases have left.

use std::fs;

use super::{Disk, fixture, path, purpose, tag};
use crate::database::{
    convert::tests::{journal_record, ledger_record},
    findings::tests::{opening, poll},
    *,
};

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
