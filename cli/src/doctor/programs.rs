//! The programs: whether they are there, and of one release.
//!
//! It must never wait long for one, nor read more of what one prints than it needs.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};
use tokio::{io::AsyncReadExt, process::Command, time::timeout};

use super::check::{Check, State, Topic};
use crate::{args::DoctorArgs, error::Error, local::programs};

/// How long a program may take to say what it is asked.
pub const PATIENCE: Duration = Duration::from_secs(3);
/// So much of what it prints is read.
const MOST: u64 = 1 << 14;
const WORKER: &str = "hydra-torch-worker";
const BUILD: &str = "build all programs: `cargo build --release --locked --workspace --bins`";

/// Where the programs are.
pub struct Programs {
    /// `hydra-node`.
    pub node: Result<PathBuf, Error>,
    /// `hydra-trainer`.
    pub trainer: Result<PathBuf, Error>,
    /// `hydra-torch-worker`, whether or not it is there; `None` if it isn't known where the trainer is.
    pub worker: Option<PathBuf>,
}

/// What a program printed.
pub struct Said {
    /// To its standard output.
    pub out: String,
    /// To its standard error.
    pub err: String,
}

/// A program and the version that it says it has, or why it says none.
pub struct Versioned {
    /// What it is, for a sentence.
    pub who: String,
    /// Its version.
    pub version: Result<String, String>,
}

impl Programs {
    /// Those that were named, else those near this program.
    pub fn find(args: &DoctorArgs) -> Self {
        let trainer = programs::trainer(args.trainer.as_deref());
        let beside = trainer.as_ref().ok().map(|path| path.with_file_name(WORKER));
        Self {
            node: programs::node(args.node.as_deref()),
            worker: args.worker.clone().or(beside),
            trainer,
        }
    }

    /// Asks node and trainer for their versions. The worker is started by nobody but the trainer, and says none.
    pub async fn versions(&self) -> Vec<Versioned> {
        let one = async |who: &str, program: &Result<PathBuf, Error>| match program {
            Ok(program) => Some(Versioned {
                who: who.into(),
                version: version(program).await,
            }),
            Err(_) => None,
        };
        let (node, trainer) =
            tokio::join!(one("hydra-node", &self.node), one("hydra-trainer", &self.trainer));
        [node, trainer].into_iter().flatten().collect()
    }
}

/// Judges them: `files` are programs as they are on the disk, `running` those that run.
pub fn look(programs: &Programs, files: &[Versioned], running: &[Versioned]) -> Vec<Check> {
    let ours = env!("CARGO_PKG_VERSION");
    let mut checks: Vec<Check> = [&programs.node, &programs.trainer]
        .into_iter()
        .filter_map(|program| program.as_ref().err())
        .map(|error| Check::of(Topic::Programs, State::Fault, error))
        .collect();
    if let Some(worker) = programs.worker.as_ref().filter(|worker| !worker.is_file()) {
        let found = format!("the worker program {} isn't there", worker.display());
        checks.push(Check::fault(Topic::Programs, found, BUILD));
    }
    for Versioned { who, version } in files {
        match version {
            Ok(version) if version == ours => {}
            Ok(version) => checks.push(Check::fault(
                Topic::Programs,
                format!("{who} is of version {version}, and this program of {ours}"),
                "use programs that were built together",
            )),
            Err(reason) => checks.push(Check::fault(Topic::Programs, format!("{who}: {reason}"), BUILD)),
        }
    }
    for Versioned { who, version } in running {
        match version {
            Ok(version) if version == ours => {}
            Ok(version) => checks.push(Check::fault(
                Topic::Programs,
                format!("{who} that runs is of version {version}, and this program of {ours}"),
                "stop node and trainer and start them again",
            )),
            Err(reason) => checks.push(Check::warning(
                Topic::Programs,
                format!("{who}: {reason}"),
                "stop node and trainer and start them again",
            )),
        }
    }
    if checks.is_empty() {
        let found = format!("node, trainer and worker, version {ours}");
        checks.push(Check::ok(Topic::Programs, found));
    }
    checks
}

/// Whether the program of this process was replaced on the disk since it was started.
pub fn is_replaced(pid: u32) -> bool {
    fs::read_link(format!("/proc/{pid}/exe"))
        .is_ok_and(|program| program.as_os_str().as_encoded_bytes().ends_with(b" (deleted)"))
}

async fn version(program: &Path) -> Result<String, String> {
    let said = run(Command::new(program).arg("--version"), PATIENCE).await;
    let said = said.map_err(|error| format!("{} can't be run ({error})", program.display()))?;
    let version = said.out.split_whitespace().nth(1);
    version
        .filter(|version| version.starts_with(|c: char| c.is_ascii_digit()))
        .map(|version| version.chars().take(40).collect())
        .ok_or_else(|| format!("{} says no version", program.display()))
}

/// Runs it to its end, or until it has taken too long or said too much, and returns what it printed.
pub async fn run(command: &mut Command, patience: Duration) -> io::Result<Said> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(io::Error::other("it has no output"));
    };
    let (mut out_bytes, mut err_bytes) = (Vec::new(), Vec::new());
    let (mut out, mut err) = (out.take(MOST), err.take(MOST));
    let read = async { tokio::try_join!(out.read_to_end(&mut out_bytes), err.read_to_end(&mut err_bytes)) };
    match timeout(patience, read).await {
        Ok(read) => read.map(drop)?,
        Err(_) => {
            let seconds = patience.as_secs_f64();
            return Err(io::Error::other(format!("no answer within {seconds} s")));
        }
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Said {
        out: text(&out_bytes),
        err: text(&err_bytes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_says_no_version_is_named_with_why() {
        let none = version(Path::new("/nonexistent")).await.unwrap_err();
        assert!(none.starts_with("/nonexistent can't be run"), "{none}");
        let silent = version(Path::new("/bin/true")).await.unwrap_err();
        assert_eq!(silent, "/bin/true says no version");
    }

    #[tokio::test]
    async fn a_program_that_does_not_end_is_not_waited_for() {
        let patience = Duration::from_millis(50);
        let Err(error) = run(Command::new("sleep").arg("1000"), patience).await else {
            panic!("it sleeps")
        };
        assert_eq!(error.to_string(), "no answer within 0.05 s");
    }

    #[test]
    fn programs_of_two_releases_are_a_fault() {
        let here = || Programs {
            node: Ok("/n".into()),
            trainer: Ok("/t".into()),
            worker: Some(std::env::current_exe().unwrap()),
        };
        let versioned = |version: &str| Versioned {
            who: "hydra-node".into(),
            version: Ok(version.into()),
        };
        let ours = env!("CARGO_PKG_VERSION");
        let fine = look(&here(), &[versioned(ours)], &[versioned(ours)]);
        assert!(
            matches!(fine.as_slice(), [one] if one.state == State::Ok),
            "{fine:?}"
        );
        let old = look(&here(), &[versioned(ours)], &[versioned("0.0.9")]);
        assert!(
            matches!(old.as_slice(), [one] if one.state == State::Fault && one.found.contains("0.0.9")),
            "{old:?}"
        );
    }

    #[test]
    fn a_program_that_was_replaced_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sleep");
        // Copied by another process: a file that this one still held open for writing could not be run.
        let copied = std::process::Command::new("cp")
            .arg("/bin/sleep")
            .arg(&program)
            .status();
        assert!(copied.unwrap().success());
        let mut child = std::process::Command::new(&program).arg("1000").spawn().unwrap();
        assert!(!is_replaced(child.id()));
        fs::remove_file(&program).unwrap();
        assert!(is_replaced(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
