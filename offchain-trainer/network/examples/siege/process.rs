//! Processes, and what they take.

use crate::Outcome;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// A process that runs until its input ends.
pub struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

/// What a process has taken so far, or takes now.
#[derive(Clone, Copy, Default)]
pub struct Taken {
    /// The most of what it has had in memory, in MiB.
    pub memory: f64,
    /// Files and sockets that are open.
    pub descriptors: usize,
    /// Seconds of processor time.
    pub cpu: f64,
    /// MiB that went to the disk.
    pub written: f64,
}

impl Running {
    /// Starts this program again as somebody else.
    pub fn start(args: &[&str]) -> Outcome<Self> {
        // Hostile ones have processors of their own: here they get what nobody else wants.
        let mut command = match args.first() {
            Some(&("attack" | "lie")) => {
                let mut nice = Command::new("nice");
                nice.args(["-n", "19"]).arg(std::env::current_exe()?);
                nice
            }
            _ => Command::new(std::env::current_exe()?),
        };
        let mut child = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Self { child, out })
    }

    /// What it says after `word`.
    pub fn said(&mut self, word: &str) -> Outcome<String> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.out.read_line(&mut line)? == 0 {
                return Err(format!("it ended without saying '{}'", word.trim()).into());
            }
            if let Some(rest) = line.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
    }

    /// What it answers with `word` to a line.
    pub fn asked(&mut self, word: &str, line: &str) -> Outcome<String> {
        let input = self.child.stdin.as_mut().ok_or("it was told to end")?;
        writeln!(input, "{line}")?;
        self.said(&format!("{word} "))
    }

    /// Has it end by itself.
    pub fn tell_to_end(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn taken(&self) -> Outcome<Taken> {
        taken(self.child.id())
    }

    /// From now on only what it has from now on counts as the most memory.
    pub fn forget_the_most(&self) -> Outcome {
        fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5")?;
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn taken(pid: u32) -> Outcome<Taken> {
    let folder = format!("/proc/{pid}");
    let folder = Path::new(&folder);
    let number = |file: &str, name: &str| -> Outcome<f64> {
        let text = fs::read_to_string(folder.join(file))?;
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        let word = line.and_then(|line| line.split_whitespace().next());
        Ok(word.ok_or("the system says it otherwise")?.parse()?)
    };
    let stat = fs::read_to_string(folder.join("stat"))?;
    // Behind the name, which may hold anything: the 14th and 15th field of all.
    let (_, fields) = stat.rsplit_once(')').ok_or("the system says it otherwise")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks.map(|ticks| ticks.parse().unwrap_or(0.0)).sum();
    Ok(Taken {
        memory: number("status", "VmHWM:")? / 1024.0,
        descriptors: fs::read_dir(folder.join("fd"))?.count(),
        cpu: ticks / 100.0,
        written: number("io", "write_bytes:")? / f64::from(1 << 20),
    })
}
