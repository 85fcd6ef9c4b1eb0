//! One PC has one account, on the real program.

use crate::common::{Node, ends, program};
use std::path::Path;

/// //Bob, who takes part in the local network from genesis.
const BOB: &str = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";

fn insert(base_path: &Path, suri: &str) {
    let mut command = program();
    command
        .args(["key", "insert", "--chain", "local", "--base-path"])
        .arg(base_path)
        .args(["--key-type", "hydr", "--scheme", "sr25519", "--suri", suri]);
    let (output, said) = ends(&mut command);
    assert!(output.status.success(), "{said}");
}

#[test]
fn an_account_that_was_given_first_stays_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    insert(folder.path(), "//Bob");
    let mut node = Node::start(folder.path(), &["--chain", "local"]);
    let line = node.says("Trainer account: ");
    assert!(line.contains(BOB), "{line}");
    node.rpc();
    let seen = node.seen();
    let said = |text: &str| seen.iter().any(|line| line.contains(text));
    assert!(
        !said("Made a new account") && !said("accounts, and a PC has one"),
        "{seen:?}"
    );
}

#[test]
fn of_two_accounts_the_registered_one_counts_and_the_other_can_be_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    for suri in ["//Bob", "//Somebody"] {
        insert(folder.path(), suri);
    }
    let mut node = Node::start(folder.path(), &["--chain", "local"]);
    assert!(node.says("Trainer account: ").contains(BOB));
    let which = node.says("the keys of 2 accounts, and a PC has one");
    assert!(which.contains(BOB) && which.contains("registered"), "{which}");
    let how = node.says("does nothing here");
    let file = how.split('\'').nth(1).expect("the command names a file");
    assert!(how.contains("mv '") && Path::new(file).is_file(), "{how}");
    drop(node);

    // Doing what it says ends it.
    std::fs::rename(file, folder.path().join("elsewhere.key")).unwrap();
    let mut node = Node::start(folder.path(), &["--chain", "local"]);
    assert!(node.says("Trainer account: ").contains(BOB));
    node.rpc();
    let seen = node.seen();
    assert!(
        !seen.iter().any(|line| line.contains("does nothing here")),
        "{seen:?}"
    );
}
