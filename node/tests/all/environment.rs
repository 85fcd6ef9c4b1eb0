//! What a home PC's surroundings do to a node, on the real program.

use crate::common::{Node, ends, program};
use std::{
    ffi::OsStr,
    net::TcpListener,
    os::unix::ffi::OsStrExt,
    process::{Command, Stdio},
};

/// The sentence with which the node ends. What it logged just before may be written after it: log lines wait in a buffer.
fn why(said: &str) -> &str {
    let mut sentences = said.lines().filter(|line| line.starts_with("hydra-node: "));
    sentences.next().unwrap_or_default()
}

/// The node on a terminal of its own, until it serves.
fn on_a_terminal(variables: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let line = format!(
        "exec {} --dev --base-path {} --rpc-port 0 --no-prometheus --no-telemetry --listen-addr /ip4/127.0.0.1/tcp/0",
        env!("CARGO_BIN_EXE_hydra-node"),
        folder.path().display()
    );
    let mut command = Command::new("script");
    command
        .args(["-qefc", &line, "/dev/null"])
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .envs(variables.iter().copied());
    let mut node = Node::run(&mut command);
    node.says("Running JSON-RPC server");
    node.seen().to_vec()
}

#[test]
fn no_escape_codes_where_they_are_unwanted() {
    let coloured = |lines: Vec<String>| lines.iter().any(|line| line.contains('\x1b'));
    assert!(
        coloured(on_a_terminal(&[])),
        "a terminal shows colours, or this test shows nothing"
    );
    assert!(!coloured(on_a_terminal(&[("NO_COLOR", "1")])));
    assert!(!coloured(on_a_terminal(&[("TERM", "dumb")])));

    let folder = tempfile::tempdir().unwrap();
    let mut piped = Node::start(folder.path(), &["--dev"]);
    piped.rpc();
    assert!(!coloured(piped.seen().to_vec()));
}

#[test]
fn help_has_no_escape_codes_where_they_are_unwanted() {
    let help = |variables: &[(&str, &str)]| {
        let mut command = Command::new("script");
        command
            .args([
                "-qefc",
                concat!(env!("CARGO_BIN_EXE_hydra-node"), " --help"),
                "/dev/null",
            ])
            .stdin(Stdio::null())
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(
        help(&[]).contains('\x1b'),
        "a terminal shows colours, or this test shows nothing"
    );
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        // Where CI is set, libraries take every terminal for one that can be styled.
        let plainly = help(&[plain, ("CI", "true")]);
        assert!(
            plainly.contains("Usage") && !plainly.contains('\x1b'),
            "{plain:?}"
        );
    }
}

#[test]
fn a_base_path_that_is_not_utf_8_is_refused_and_not_mangled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(OsStr::from_bytes(b"gr\xf6\xdfe"));
    let (output, said) = ends(program().args(["--dev", "--base-path"]).arg(&path));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("not UTF-8"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_home_that_can_not_be_written_to_is_one_sentence() {
    let mut command = program();
    command
        .args(["--chain", "local"])
        .env_remove("XDG_DATA_HOME")
        .env("HOME", "/proc/no-home");
    let (output, said) = ends(&mut command);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("/proc/no-home") && said.contains("--base-path"),
        "{said}"
    );
}

#[test]
fn a_taken_port_is_refused_with_the_name_of_who_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let us = format!("(process {})", std::process::id());
    for options in [
        ["--rpc-port", &port, "--port", "0"],
        ["--rpc-port", "0", "--port", &port],
    ] {
        let mut command = program();
        command
            .args(["--dev", "--no-prometheus", "--base-path"])
            .arg(folder.path())
            .args(options);
        let (output, said) = ends(&mut command);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let why = why(&said);
        assert!(why.contains(&us) && why.contains(&port), "{said}");
    }
}

#[test]
fn low_space_is_announced_and_too_little_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let free = hydra_host::free_space(folder.path()).unwrap() / (1024 * 1024);
    let enough = (free / 2).to_string();
    let mut node = Node::start(folder.path(), &["--dev", "--db-storage-threshold", &enough]);
    let warning = node.says("space runs out");
    assert!(warning.contains("--db-storage-threshold"), "{warning}");
    drop(node);

    let too_much = (free * 2).to_string();
    let mut command = program();
    command
        .args(["--dev", "--no-prometheus", "--rpc-port", "0", "--base-path"])
        .arg(folder.path())
        .args([
            "--listen-addr",
            "/ip4/127.0.0.1/tcp/0",
            "--db-storage-threshold",
            &too_much,
        ])
        .stdout(Stdio::null());
    let (output, said) = ends(&mut command);
    assert_eq!(output.status.code(), Some(1), "{said}");
    let why = why(&said);
    assert!(
        why.contains("too little space") && why.contains(&too_much),
        "{said}"
    );
}
