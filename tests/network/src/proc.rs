//! Child processes of tests: what they print, how they end, and that nothing is left of them.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How often a process is looked at: there is no event for the end of one that can be awaited with a limit.
const POLL: Duration = Duration::from_millis(10);

/// A running program whose lines are read as they come.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    what: String,
}

/// Which of its outputs is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Data.
    Stdout,
    /// Progress.
    Stderr,
}

impl Running {
    /// Starts it. The other output is dropped.
    pub fn start(what: &str, command: &mut Command, stream: Stream) -> Self {
        Self::begin(what, command.stdin(Stdio::null()), stream)
    }

    /// Starts one that is spoken to: whatever is written there, it reads. Its standard output is read.
    pub fn spoken_to(what: &str, command: &mut Command) -> (Self, ChildStdin) {
        let mut running = Self::begin(what, command.stdin(Stdio::piped()), Stream::Stdout);
        let input = running.child.stdin.take().expect("stdin is piped");
        (running, input)
    }

    fn begin(what: &str, command: &mut Command, stream: Stream) -> Self {
        match stream {
            Stream::Stdout => command.stdout(Stdio::piped()).stderr(Stdio::null()),
            Stream::Stderr => command.stdout(Stdio::null()).stderr(Stdio::piped()),
        };
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{what} can't be started: {error}"));
        let pipe: Box<dyn Read + Send> = match stream {
            Stream::Stdout => Box::new(child.stdout.take().expect("stdout is piped")),
            Stream::Stderr => Box::new(child.stderr.take().expect("stderr is piped")),
        };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
            what: what.into(),
        }
    }

    /// The next line that contains `text`.
    pub fn line_with(&mut self, text: &str, limit: Duration) -> String {
        self.line_with_any(&[text], limit)
    }

    /// The next line that contains one of these texts.
    pub fn line_with_any(&mut self, texts: &[&str], limit: Duration) -> String {
        let end = Instant::now() + limit;
        let text = texts.join("' or '");
        loop {
            match self
                .lines
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if texts.iter().any(|text| line.contains(text)) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!(
                        "{} did not print '{text}' within {limit:?}, but:\n{}",
                        self.what,
                        self.seen.join("\n")
                    )
                }
                Err(RecvTimeoutError::Disconnected) => {
                    panic!(
                        "{} ended without printing '{text}', but:\n{}",
                        self.what,
                        self.seen.join("\n")
                    )
                }
            }
        }
    }

    /// Every line so far.
    pub fn lines(&mut self) -> &[String] {
        self.seen.extend(self.lines.try_iter());
        &self.seen
    }

    /// Waits for its end. All its lines are read meanwhile.
    pub fn end(&mut self, limit: Duration) -> (ExitStatus, Vec<String>) {
        let end = Instant::now() + limit;
        while let Ok(line) = self
            .lines
            .recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            self.seen.push(line);
        }
        // The pipe is closed: it has ended, or will at once.
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("our own child") {
                return (status, std::mem::take(&mut self.seen));
            }
            std::thread::sleep(POLL);
        }
        panic!(
            "{} did not end within {limit:?}; it printed:\n{}",
            self.what,
            self.seen.join("\n")
        )
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("our own child");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Stopped the ordinary way, so that it stops its children.
        if self.child.try_wait().ok().flatten().is_none() {
            self.signal(Signal::SIGTERM);
            let end = Instant::now() + Duration::from_secs(30);
            while Instant::now() < end && self.child.try_wait().ok().flatten().is_none() {
                std::thread::sleep(POLL);
            }
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Whether there is such a process (a zombie that nobody has waited for does not count).
pub fn alive(pid: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = state
        .rsplit(") ")
        .next()
        .is_some_and(|rest| rest.starts_with('Z'));
    !zombie && kill(Pid::from_raw(pid.cast_signed()), None) != Err(Errno::ESRCH)
}

/// Ends a process at once, as a power cut would. One that has gone with its parent already is what was wanted.
pub fn kill_9(pid: u32) {
    signal(pid, Signal::SIGKILL);
}

/// Sends a signal to a process. One that has gone needs none.
pub fn signal(pid: u32, signal: Signal) {
    match kill(Pid::from_raw(pid.cast_signed()), signal) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(error) => panic!("process {pid}: {error}"),
    }
}

/// Waits until a process that is not our child is gone.
pub fn gone(pid: u32, limit: Duration) {
    let end = Instant::now() + limit;
    while alive(pid) {
        assert!(Instant::now() < end, "process {pid} still runs after {limit:?}");
        std::thread::sleep(POLL);
    }
}

/// Every descendant of a process.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut all = Vec::new();
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    for task in tasks {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|c| c.parse().ok()) {
            all.push(child);
            all.extend(descendants(child));
        }
    }
    all
}

/// Runs a command to its end. What `hydra --json` prints must be what `docs/json` says, whether it succeeds or not.
pub fn run(command: &mut Command) -> Output {
    hydra_schema_tests::run(command.stdin(Stdio::null()))
}

/// What a successful command printed, as JSON.
pub fn json(output: &Output) -> serde_json::Value {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{}\n{out}\n{err}", output.status);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("not JSON ({error}): {out}"))
}
