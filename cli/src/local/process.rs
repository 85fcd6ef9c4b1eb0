//! Child processes that never outlive this one.
//!
//! Each child leads a process group of its own, so that Ctrl-C in a terminal reaches only this program, which then
//! stops them in order, and so that a child's own children go with it. On Linux the kernel also kills a child when
//! this process dies without a chance to (kill -9).
//!
//! Children must be started from the main thread: that kernel feature watches the thread that started the child, and
//! threads of a pool come and go.

use nix::{
    errno::Errno,
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use std::{
    ffi::OsStr,
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{process::Command, sync::watch, time::timeout};

use crate::error::Error;

/// How long a child may take to stop by itself.
const GRACE: Duration = Duration::from_secs(10);
/// How much of a log's end is looked at, and how many lines are shown.
const TAIL_BYTES: u64 = 16 * 1024;
const TAIL_LINES: usize = 8;

/// A running child, killed with its whole group when dropped.
#[derive(Debug)]
pub struct Child {
    who: String,
    group: Pid,
    log: PathBuf,
    exit: watch::Receiver<Option<Exit>>,
}

/// How a child ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// With a code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// The system no longer knows.
    Unknown,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "stopped with exit code {code}"),
            Self::Signal(signal) => match Signal::try_from(*signal) {
                Ok(signal) => write!(f, "was stopped by {signal}"),
                Err(_) => write!(f, "was stopped by signal {signal}"),
            },
            Self::Unknown => write!(f, "stopped"),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl Child {
    /// Starts `program`, its output appended to `log`.
    pub fn start(
        who: String,
        program: &Path,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
        log: &Path,
    ) -> Result<Self, Error> {
        let spawn = |source| Error::Spawn {
            program: program.into(),
            source,
        };
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .map_err(Error::file("write", log))?;
        let err = out.try_clone().map_err(Error::file("write", log))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .process_group(0)
            .kill_on_drop(true);
        die_with_us(&mut command);
        let mut child = command.spawn().map_err(spawn)?;
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .ok_or_else(|| spawn(Errno::ESRCH.into()))?;
        let group = Pid::from_raw(pid);
        let (sender, exit) = watch::channel(None);
        tokio::spawn(async move {
            let exit = child.wait().await.map_or(Exit::Unknown, Exit::from);
            // Whatever it started has lost its parent.
            signal(group, Signal::SIGKILL);
            let _ = sender.send(Some(exit));
        });
        Ok(Self {
            who,
            group,
            log: log.into(),
            exit,
        })
    }

    /// What it is: "Alice's node".
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Its process id, which is its group's too.
    pub fn pid(&self) -> u32 {
        self.group.as_raw().unsigned_abs()
    }

    /// Its log.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// How it ended, if it has.
    pub fn ended(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until it ends.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(exit) => exit.unwrap_or(Exit::Unknown),
            Err(_) => Exit::Unknown,
        }
    }

    /// Asks it to stop, and kills it if it doesn't in time.
    pub async fn stop(&self) {
        if self.ended().is_some() {
            return;
        }
        signal(self.group, Signal::SIGTERM);
        if timeout(GRACE, self.wait()).await.is_err() {
            signal(self.group, Signal::SIGKILL);
            self.wait().await;
        }
    }

    /// The last lines it wrote, indented.
    pub fn tail(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.ended().is_none() {
            signal(self.group, Signal::SIGKILL);
        }
    }
}

/// A group that has gone already is what was wanted.
fn signal(group: Pid, signal: Signal) {
    let _ = killpg(group, signal);
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn die_with_us(command: &mut Command) {
    let us = nix::unistd::getpid();
    // SAFETY: between fork and exec only async-signal-safe functions may be called; prctl, getppid and _exit by way
    // of an error return are, and nothing here allocates.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
            // Had we died before that call, nobody would send the signal any more.
            if nix::unistd::getppid() == us {
                Ok(())
            } else {
                Err(Errno::ESRCH.into())
            }
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_us(_: &mut Command) {}

/// A line without colours and other things that only a terminal understands.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        if c == '\x1b' {
            // An escape sequence ends with its first letter.
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else if !c.is_control() {
            text.push(c);
        }
    }
    text
}

/// The last lines of a file, indented.
pub fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
        let mut bytes = Vec::new();
        file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines
            .get(lines.len().saturating_sub(TAIL_LINES)..)
            .unwrap_or_default();
        Ok(last
            .iter()
            .map(|line| format!("  {}", plain(line)))
            .collect::<Vec<_>>()
            .join("\n"))
    };
    match read() {
        Ok(text) if text.is_empty() => "  (nothing)".into(),
        Ok(text) => text,
        Err(error) => format!("  (can't be read: {error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::kill;
    use std::time::Instant;

    fn sh(script: &str, folder: &Path) -> Child {
        Child::start(
            "it".into(),
            Path::new("/bin/sh"),
            ["-c", script],
            &folder.join("log"),
        )
        .unwrap()
    }

    async fn eventually(what: impl Fn() -> bool) {
        let start = Instant::now();
        while !what() {
            assert!(start.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn alive(pid: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        !state.is_empty() && !state.contains(") Z ")
    }

    #[tokio::test]
    async fn a_child_that_ends_is_noticed_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let child = sh("echo one; echo two >&2; exit 3", folder.path());
        assert_eq!(child.wait().await, Exit::Code(3));
        assert_eq!(child.ended(), Some(Exit::Code(3)));
        assert_eq!(child.tail(), "  one\n  two");
        assert_eq!(Exit::Signal(9).to_string(), "was stopped by SIGKILL");
    }

    #[test]
    fn colours_do_not_get_into_messages() {
        assert_eq!(
            plain("\x1b[2m2026\x1b[0m \x1b[33m WARN\x1b[0m it\tis"),
            "2026  WARN itis"
        );
        assert_eq!(plain("cut off \x1b["), "cut off ");
    }

    #[tokio::test]
    async fn stopping_takes_the_whole_group_along() {
        let folder = tempfile::tempdir().unwrap();
        let child = sh("sleep 100 & echo $!; wait", folder.path());
        let log = folder.path().join("log");
        eventually(|| std::fs::read_to_string(&log).is_ok_and(|text| text.ends_with('\n'))).await;
        let grandchild = std::fs::read_to_string(&log).unwrap();
        assert!(alive(&grandchild));
        child.stop().await;
        assert_eq!(child.ended(), Some(Exit::Signal(15)));
        eventually(|| !alive(&grandchild)).await;
    }

    #[tokio::test]
    async fn a_dropped_child_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let child = sh("sleep 100", folder.path());
        let pid = Pid::from_raw(i32::try_from(child.pid()).unwrap());
        assert!(kill(pid, None).is_ok());
        drop(child);
        eventually(|| !alive(&pid.to_string())).await;
    }

    #[test]
    fn a_missing_program_is_one_clear_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let error = runtime.block_on(async {
            Child::start(
                "it".into(),
                Path::new("/nonexistent"),
                ["x"],
                &folder.path().join("log"),
            )
            .unwrap_err()
        });
        assert!(matches!(error, Error::Spawn { .. }), "{error}");
    }
}
