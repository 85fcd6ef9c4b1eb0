//! Processes that provide and get, and what they say.

use crate::Outcome;
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

/// The most memory this process has had, in KiB.
pub fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok())
        .unwrap_or(0)
}

/// For who provides: waits until nobody needs it any more, and says how much memory it has taken.
pub fn until_input_ends() {
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    println!("memory {}", peak_memory());
}

/// For who gets: what came, and how long it took.
pub fn got(bytes: u64, time: Duration) {
    println!("got {bytes} {} {}", time.as_secs_f64(), peak_memory());
}

/// A process that provides.
pub struct Provider {
    child: Child,
    out: BufReader<ChildStdout>,
    pub address: String,
}

impl Provider {
    pub fn start(program: &Path, args: &[&str]) -> Outcome<Self> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut out = BufReader::new(child.stdout.take().ok_or("no output")?);
        let address = line(&mut out, "ready ")?;
        Ok(Self { child, out, address })
    }

    /// Ends it; its memory in KiB.
    pub fn end(mut self) -> Outcome<u64> {
        drop(self.child.stdin.take());
        let memory = line(&mut self.out, "memory ")?.parse()?;
        self.child.wait()?;
        Ok(memory)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes, seconds, and memory in KiB.
pub fn get(program: &Path, args: &[&str]) -> Outcome<(u64, f64, u64)> {
    let output = Command::new(program)
        .args(args)
        .stderr(Stdio::inherit())
        .output()?;
    let mut out = BufReader::new(&output.stdout[..]);
    let said = line(&mut out, "got ")?;
    let mut numbers = said.split_whitespace();
    let mut next = || numbers.next().ok_or("it says too little");
    Ok((next()?.parse()?, next()?.parse()?, next()?.parse()?))
}

fn line(out: &mut impl BufRead, word: &str) -> Outcome<String> {
    let mut line = String::new();
    loop {
        line.clear();
        if out.read_line(&mut line)? == 0 {
            return Err(format!("it ended without saying '{}'", word.trim()).into());
        }
        if let Some(rest) = line.strip_prefix(word) {
            return Ok(rest.trim().to_owned());
        }
    }
}
