use super::*;
use crate::keys::{key::Key, sealed::Cost};
use std::os::unix::fs::PermissionsExt;

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store {
        folder: folder.path().join("hydra/keys"),
    };
    (folder, store)
}

fn file(suri: &str, name: &str) -> KeyFile {
    let key = Key::from_suri(suri).unwrap();
    KeyFile::seal(&key, "password", Cost::FORMER).unwrap().named(name)
}

fn names(store: &Store) -> Vec<String> {
    store.list().unwrap().into_iter().map(|kept| kept.name).collect()
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_folder_that_is_not_there_holds_nothing_and_is_not_made_by_looking() {
    let (_folder, store) = store();
    assert!(store.list().unwrap().is_empty());
    assert!(!store.folder.exists());
    assert!(matches!(
        store.choose(None),
        Err(Error::Keys(KeysError::NoAccounts(_)))
    ));
}

#[test]
fn only_the_owner_can_look_into_folder_and_files() {
    let (_folder, store) = store();
    let path = store.add(&file("//Alice", "main"), false).unwrap();
    assert_eq!(
        path.file_name().unwrap(),
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY.json"
    );
    assert_eq!((mode(&store.folder), mode(&path)), (0o700, 0o600));
    assert_eq!(
        fs::read_dir(&store.folder).unwrap().count(),
        1,
        "nothing is left over"
    );
}

#[test]
fn an_account_is_found_by_name_and_address_and_alone() {
    let (_folder, store) = store();
    store.add(&file("//Alice", "main"), false).unwrap();
    assert_eq!(store.choose(None).unwrap().name, "main");
    store.add(&file("//Bob", "savings"), false).unwrap();
    assert_eq!(names(&store), ["main", "savings"]);
    let bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
    assert_eq!(
        store.choose(Some("savings")).unwrap().account,
        store.choose(Some(bob)).unwrap().account
    );
    assert!(matches!(
        store.choose(None),
        Err(Error::Keys(KeysError::WhichAccount(2)))
    ));
    assert!(matches!(
        store.choose(Some("Savings")),
        Err(Error::Keys(KeysError::NoSuchAccount(_)))
    ));
    store.add(&file("//Charlie", "main"), false).unwrap();
    assert!(matches!(
        store.choose(Some("main")),
        Err(Error::Keys(KeysError::AmbiguousName(_)))
    ));
}

#[test]
fn an_account_is_replaced_only_if_that_is_meant_and_in_its_own_file() {
    let (_folder, store) = store();
    let path = store.add(&file("//Alice", "main"), false).unwrap();
    // As somebody copied it there.
    let moved = store.folder.join("alice.json");
    fs::rename(path, &moved).unwrap();
    let again = file("//Alice", "renamed");
    assert!(matches!(
        store.add(&again, false),
        Err(Error::Keys(KeysError::Exists(_)))
    ));
    assert_eq!(names(&store), ["main"]);
    assert_eq!(store.add(&again, true).unwrap(), moved);
    assert_eq!(names(&store), ["renamed"]);
}

#[test]
fn what_can_not_be_understood_is_left_out_and_left_alone() {
    let (_folder, store) = store();
    store.add(&file("//Alice", "main"), false).unwrap();
    let garbage = store.folder.join("other.json");
    fs::write(&garbage, "{}").unwrap();
    fs::write(store.folder.join("notes.txt"), "x").unwrap();
    assert_eq!(names(&store), ["main"]);
    assert_eq!(fs::read_to_string(garbage).unwrap(), "{}");
}

#[test]
fn what_is_in_the_way_is_not_replaced_even_if_replacing_is_meant() {
    let (_folder, store) = store();
    let (alice, bob) = (file("//Alice", "main"), file("//Bob", "savings"));
    let path = store.add(&bob, false).unwrap();
    // A later version's file, or a damaged one: somebody may still read it.
    fs::write(&path, "{}").unwrap();
    for replace in [false, true] {
        let in_the_way = |added: Result<(), Error>| match added.unwrap_err() {
            Error::Keys(KeysError::InTheWay(what)) => assert_eq!(what, path),
            error => panic!("{error}"),
        };
        in_the_way(store.add(&bob, replace).map(drop));
        // All or none.
        in_the_way(store.draft(&[alice.clone(), bob.clone()], replace).map(drop));
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 1);
    }
    // Nor is what came between.
    fs::remove_file(&path).unwrap();
    let draft = store.draft(&[alice, bob], true).unwrap();
    fs::write(&path, "{}").unwrap();
    assert!(matches!(
        draft.keep().unwrap_err(),
        Error::Keys(KeysError::InTheWay(_))
    ));
    assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 1);
}

#[test]
fn of_two_files_of_an_account_the_one_that_is_called_by_it_counts() {
    let (_folder, store) = store();
    let path = store.add(&file("//Alice", "main"), false).unwrap();
    fs::write(store.folder.join("0.json"), file("//Alice", "copy").to_bytes()).unwrap();
    fs::write(store.folder.join("z.json"), file("//Alice", "copy").to_bytes()).unwrap();
    assert_eq!(names(&store), ["main"]);
    assert_eq!(store.choose(None).unwrap().path, path);
    assert_eq!(store.add(&file("//Alice", "again"), true).unwrap(), path);
    // Without it, the first of the others.
    fs::remove_file(path).unwrap();
    assert_eq!(store.choose(None).unwrap().path, store.folder.join("0.json"));
}

#[test]
fn accounts_that_come_together_get_names_of_their_own() {
    let (_folder, store) = store();
    store.add(&file("//Alice", "main"), false).unwrap();
    let long = "a".repeat(40);
    let named = |names: &[(&str, &str)]| {
        let files: Vec<KeyFile> = names.iter().map(|(suri, name)| file(suri, name)).collect();
        store.names_for(&files).unwrap()
    };
    let mut cut = "a".repeat(38);
    cut.push_str(" 2");
    let new = [
        ("//Bob", "main"),
        ("//Charlie", " main "),
        ("//Dave", "savings"),
        ("//Eve", "//Bob"),
        ("//Ferdie", ""),
        ("//Bob//1", long.as_str()),
        ("//Bob//2", long.as_str()),
    ];
    assert_eq!(
        named(&new),
        [
            "main 2",
            "main 3",
            "savings",
            "Eve",
            "Ferdie",
            long.as_str(),
            cut.as_str()
        ]
    );
    // The one that is there may keep its name.
    assert_eq!(
        named(&[("//Alice", "main"), ("//Bob", "main")]),
        ["main", "main 2"]
    );
}

#[test]
fn an_address_of_another_network_chooses_nothing() {
    let (_folder, store) = store();
    store.add(&file("//Alice", "main"), false).unwrap();
    let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
    assert!(matches!(
        store.choose(Some(polkadot)),
        Err(Error::Keys(KeysError::ForeignAddress { .. }))
    ));
}

#[test]
fn names_are_of_one_line_and_of_one_account() {
    let (_folder, store) = store();
    store.add(&file("//Alice", "main"), false).unwrap();
    let alice = Key::from_suri("//Alice").unwrap().account();
    assert!(store.check_name("main", Some(&alice)).is_ok());
    assert!(matches!(
        store.check_name("main", None),
        Err(Error::Keys(KeysError::NameTaken(_)))
    ));
    let address = accounts::address(&alice);
    let long = "a".repeat(41);
    for bad in [
        "",
        " main",
        "a\nb",
        "--yes",
        "//Alice",
        address.as_str(),
        long.as_str(),
        "a\u{202e}b",
    ] {
        assert!(
            matches!(
                store.check_name(bad, None),
                Err(Error::Keys(KeysError::BadName(_)))
            ),
            "{bad:?}"
        );
    }
    assert!(store.check_name("Ünïted savings 2", None).is_ok());
}

#[test]
fn a_name_in_a_file_from_elsewhere_does_not_write_on_the_terminal() {
    let (_folder, store) = store();
    store.add(&file("//Alice", "a\x1b[2J\nfee 0"), false).unwrap();
    assert_eq!(names(&store), ["a [2J fee 0"]);
}
