//! Starts and watches whole local networks for the tests beside this file: the programs a user runs, nothing mocked.
//!
//! Everything is waited for by events (lines a program prints, new blocks), each with a limit that fails the test and
//! says what was waited for.
//!
//! Start with [`LocalNetwork`] (`hydra demo`) and [`Member`] (`hydra up`, at its place in a [`netns::Lan`], or behind a router of a
//! [`laboratory::Laboratory`]), then the tests, one file per story. Nothing here may look into a program: only at what it prints, answers and leaves behind. The tests in
//! `zombienet/` use it, too.

mod adversary;
pub mod clients;
pub mod laboratory;
mod member;
mod namespace;
pub mod netns;
mod network;
mod newcomer;
pub mod proc;
mod watch;

pub use adversary::Adversary;
pub use hydra_test_ports::free_ports;
pub use member::{Member, SuspendedNode};
pub use network::LocalNetwork;
pub use newcomer::Newcomer;
pub use watch::{Chronicle, Watch};

use std::path::PathBuf;

/// A program of the workspace, built before the tests.
pub fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a test knows its own path");
    let release = tests
        .parent()
        .and_then(|deps| deps.parent())
        .expect("tests are built into release/deps");
    let path = release.join(name);
    assert!(
        path.exists(),
        "{} is not built: cargo build --release --workspace --bins",
        path.display()
    );
    path
}

/// A path in the checkout.
pub fn checkout(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
