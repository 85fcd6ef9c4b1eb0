//! `hydra top` on terminals and without one. No node is needed: that there is none is something to show.

use super::{folder, hydra, refused};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    io::{Read, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Where nobody listens.
const NOBODY: &str = "ws://127.0.0.1:1";

#[test]
fn without_a_terminal_it_names_what_to_use_instead() {
    let (_folder, home) = folder();
    refused(hydra(&home).arg("top"), 6, "use `hydra status`");
    refused(
        hydra(&home).args(["top", "--url", NOBODY]),
        6,
        "or `hydra top --once`",
    );
}

#[test]
fn once_needs_no_terminal_but_a_node() {
    let (_folder, home) = folder();
    refused(
        hydra(&home).args(["top", "--once", "--url", NOBODY]),
        3,
        "no node answers at ws://127.0.0.1:1",
    );
}

#[test]
fn programs_are_sent_to_status() {
    let (_folder, home) = folder();
    let output = hydra(&home).args(["top", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("hydra status --json"), "{said}");
}

/// `script` gives it a terminal of 80 × 24; the shell says how it ended, and how the terminal is then.
fn on_terminal(home: &Path, term: &str) -> Child {
    let line = format!(
        "trap : TERM INT HUP; stty cols 80 rows 24; sh -c 'echo process $$ runs; exec env --default-signal=TERM,INT,HUP {} \
         top --url {NOBODY}'; echo ended with $?; stty -a",
        env!("CARGO_BIN_EXE_hydra")
    );
    let mut script = Command::new("script");
    script
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("HOME", home)
        .env("SHELL", "/bin/sh")
        .env("TERM", term)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    for variable in ["HYDRA_URL", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "NO_COLOR"] {
        script.env_remove(variable);
    }
    script.spawn().unwrap()
}

/// Reads until these words are on the screen.
fn until(screen: &mut ChildStdout, text: &mut Vec<u8>, words: &str) {
    while !String::from_utf8_lossy(text).contains(words) {
        let mut byte = [0];
        let read = screen.read(&mut byte).unwrap();
        assert_eq!(read, 1, "no '{words}': {}", String::from_utf8_lossy(text));
        text.extend(byte);
    }
}

/// Whether the terminal is as it was: what was drawn is gone, the cursor is there, and what is typed is shown.
fn is_given_back(text: &str) {
    assert!(text.contains("\u{1b}[?1049h"), "{text:?}");
    let (_, after) = text.rsplit_once("\u{1b}[?1049l").expect("the screen is left");
    assert!(after.contains("\u{1b}[?25h"), "{after:?}");
    assert!(after.contains("ended with 0"), "{after:?}");
    let settings: Vec<&str> = after.split([' ', ';', '\r', '\n']).collect();
    for setting in ["echo", "icanon", "isig"] {
        assert!(settings.contains(&setting), "{setting}: {after:?}");
    }
}

/// Starts it, waits for the page, ends it so, and returns all that the terminal was sent.
fn shown(term: &str, end: impl FnOnce(Pid, &mut dyn Write)) -> String {
    let (_folder, home) = folder();
    let mut child = on_terminal(&home, term);
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut text = Vec::new();
    until(&mut screen, &mut text, " runs");
    let said = String::from_utf8_lossy(&text).into_owned();
    let (_, process) = said.split_once("process ").unwrap();
    let (process, _) = process.split_once(' ').unwrap();
    let process = Pid::from_raw(process.parse().unwrap());
    // The page's hint, and what is seen of the node.
    until(&mut screen, &mut text, "leaves");
    until(&mut screen, &mut text, "away");
    end(process, &mut keyboard);
    screen.read_to_end(&mut text).unwrap();
    child.wait().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn q_leaves_and_gives_the_terminal_back() {
    is_given_back(&shown("xterm-256color", |_, keyboard| {
        keyboard.write_all(b"q").unwrap();
    }));
}

#[test]
fn ctrl_c_leaves_and_gives_the_terminal_back() {
    is_given_back(&shown("xterm-256color", |_, keyboard| {
        keyboard.write_all(b"\x03").unwrap();
    }));
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        is_given_back(&shown("xterm-256color", |process, _| {
            kill(process, signal).unwrap()
        }));
    }
}

#[test]
fn a_terminal_that_can_not_be_drawn_on_is_not_drawn_on() {
    let (_folder, home) = folder();
    let mut child = on_terminal(&home, "dumb");
    let keyboard = child.stdin.take().unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    drop(keyboard);
    assert!(
        text.contains("TERM=dumb") && text.contains("ended with 6"),
        "{text:?}"
    );
    assert!(!text.contains('\u{1b}'), "{text:?}");
}
