//! A PC whose clock is wrong, on the real program: libfaketime gives it another time of day.

use crate::common::{Connection, Node, program};
use std::process::Command;

const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A program whose clock is ahead by so many seconds. The clock that only ever runs on is left alone, as on a real PC.
fn with_clock(command: &mut Command, seconds: i64) -> &mut Command {
    assert!(
        std::path::Path::new(FAKETIME).is_file(),
        "libfaketime is missing: run scripts/setup --for-tests"
    );
    command
        .env("LD_PRELOAD", FAKETIME)
        .env("FAKETIME", format!("{seconds:+}s"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
}

#[test]
fn a_clock_that_is_ahead_is_named_in_the_log_of_the_pc_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Node::start(&folder.path().join("alice"), &["--dev"]);
    let listens = Connection::to(alice.rpc())
        .call("system_localListenAddresses", "[]", &[])
        .json();
    let bootnode = listens["result"][0].as_str().expect("an address").to_string();

    let mut command = program();
    command
        .arg("--base-path")
        .arg(folder.path().join("bob"))
        .args(["--chain", "dev", "--bootnodes", &bootnode, "--no-mdns"])
        .args(["--rpc-port", "0", "--no-prometheus", "--no-telemetry"])
        .args(["--listen-addr", "/ip4/127.0.0.1/tcp/0"]);
    let mut bob = Node::run(with_clock(&mut command, 35));
    let said = bob.says("this PC's clock is about");
    assert!(
        said.contains("ahead of the network's") && said.contains("timedatectl"),
        "{said}"
    );
    let seconds: u64 = said
        .split("about ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next()?.parse().ok())
        .expect("a number of seconds");
    assert!((33..=38).contains(&seconds), "{said}");
    assert!(!alice.seen().iter().any(|line| line.contains("clock is about")));
}

#[test]
fn a_clock_that_was_set_back_is_one_sentence_and_no_backtrace() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::start(folder.path(), &["--dev"]);
    node.says("Imported #2");
    drop(node);

    let mut command = program();
    command
        .arg("--base-path")
        .arg(folder.path())
        .args([
            "--dev",
            "--no-mdns",
            "--rpc-port",
            "0",
            "--no-prometheus",
            "--no-telemetry",
        ])
        .args(["--listen-addr", "/ip4/127.0.0.1/tcp/0"]);
    let mut node = Node::run(with_clock(&mut command, -900));
    let said = node.says("ahead of this PC's clock");
    assert!(
        said.contains("about 15 min") && said.contains("timedatectl"),
        "{said}"
    );
    // Some slots go by.
    for _ in 0..2 {
        node.says("Idle");
    }
    let seen = node.seen();
    assert!(
        !seen
            .iter()
            .any(|line| line.contains("panicked") || line.contains("must match")),
        "{seen:?}"
    );
}
