//! Network namespaces: made, entered, configured. What networks on this machine are built from.
//!
//! Each is held open by a process that ends with its standard input, so that nothing is left of it however a test ends, and none has a
//! name outside.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
};

/// With whose rights namespaces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// Root's.
    Root,
    /// Those of a user namespace, which needs none where the kernel allows it.
    User,
}

impl Rights {
    /// Options of `unshare` and of `nsenter`.
    pub(crate) fn options(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Root => (&["--net"], &["--net"]),
            Self::User => (
                &["--user", "--map-root-user", "--net"],
                &["--user", "--preserve-credentials", "--net"],
            ),
        }
    }
}

/// A network namespace, for as long as its first process lives.
pub(crate) struct Namespace(Child);

impl Namespace {
    /// One made by a process that a command begins with `enter` for, with these options of `unshare`.
    pub(crate) fn new(enter: &[String], unshare: &[&str]) -> Result<Self, String> {
        let words = [
            &["unshare"],
            unshare,
            &["--", "sh", "-c", "echo made && exec cat"],
        ]
        .concat();
        let mut child = command(enter, &words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{words:?}: {error}"))?;
        let mut line = String::new();
        let out = child.stdout.take().expect("stdout is piped");
        // Nothing comes after it.
        let made = BufReader::new(out).read_line(&mut line).is_ok() && line == "made\n";
        let mut namespace = Self(child);
        match made {
            true => Ok(namespace),
            false => {
                namespace.let_go();
                let mut complaint = String::new();
                if let Some(mut err) = namespace.0.stderr.take() {
                    let _ = err.read_to_string(&mut complaint);
                }
                Err(complaint.trim().into())
            }
        }
    }

    /// The process that holds it.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// What a command begins with that is to run in it.
    pub(crate) fn enter(&self, join: &[&str]) -> Vec<String> {
        let id = self.0.id().to_string();
        let words = [&["nsenter", "--target", &id], join, &["--"]].concat();
        words.into_iter().map(str::to_owned).collect()
    }

    fn let_go(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// Has `ip` do all this in a namespace.
pub(crate) fn ip(enter: &[String], lines: &[String]) -> Result<(), String> {
    let text = format!("{}\n", lines.join("\n"));
    fed(enter, &["ip", "-batch", "-"], &text, "ip (package iproute2)").map(drop)
}

/// Has `nft` take these rules in a namespace.
pub(crate) fn nft(enter: &[String], rules: &str) -> Result<(), String> {
    fed(enter, &["nft", "-f", "-"], rules, "nft (package nftables)").map(drop)
}

/// Sets values of the kernel's in a namespace: `net/ipv4/ip_forward`, and so on. One that this kernel doesn't have is left out.
pub(crate) fn sysctl(enter: &[String], values: &[(&str, &str)]) -> Result<(), String> {
    let lines: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("[ ! -e /proc/sys/{name} ] || echo {value} > /proc/sys/{name}"))
        .collect();
    let script = format!("set -e\n{}\n", lines.join("\n"));
    fed(enter, &["sh", "-s"], &script, "the kernel's settings").map(drop)
}

/// Runs a command in a namespace with this standard input. Returns what it prints.
pub(crate) fn fed(enter: &[String], words: &[&str], input: &str, what: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{what}: {error}");
    let mut child = command(enter, words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut pipe = child.stdin.take().expect("stdin is piped");
    let written = pipe.write_all(input.as_bytes());
    drop(pipe);
    let output = child.wait_with_output().map_err(failed)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => written.map(|()| text(&output.stdout)).map_err(failed),
        false => Err(format!("{what}: {}", text(&output.stderr).trim())),
    }
}

/// The command that runs `words` in a namespace.
pub(crate) fn command(enter: &[String], words: &[&str]) -> Command {
    let mut all = enter.iter().map(String::as_str).chain(words.iter().copied());
    let mut command = Command::new(all.next().expect("a program"));
    command.args(all);
    command
}
