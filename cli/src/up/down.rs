//! `hydra down`: ends the `hydra up` that runs on this PC, which stops its programs in order.
//!
//! It must never signal a process that is not that `hydra up`: the number counts only if that process has the folder's lock. Right
//! after the folder was locked, the number is still the one of an earlier `hydra up`.

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use schemars::JsonSchema;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::{Instant, sleep};

use crate::{args::HomeArgs, error::Error, files, home, network, output, shell};

/// How long it may take. Node and trainer have ten seconds each before they are killed.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked at: there is no event for the end of another's child.
const POLL: Duration = Duration::from_millis(100);

/// What is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Down {
    /// This PC's folder.
    folder: PathBuf,
    /// Whether something ran.
    stopped: bool,
}

/// Runs the command.
pub async fn down(args: &HomeArgs, json: bool) -> Result<(), Error> {
    let home = home::named_or_only(args.base_path.as_deref())?;
    let deadline = Instant::now() + PATIENCE;
    let mut told = 0;
    while home.try_own()?.is_none() {
        // Whoever locks it writes its number at once.
        let pid = home::named_or_only(Some(&home.path))?.network.hydra_pid;
        if pid != told && network::is_run_by(&home.path, pid) {
            end(pid)?;
            told = pid;
        }
        if Instant::now() >= deadline {
            let seconds = PATIENCE.as_secs();
            return Err(Error::StillUp { pid, seconds });
        }
        sleep(POLL).await;
    }
    let stopped = told != 0;
    if json {
        return output::json(&Down {
            folder: home.path,
            stopped,
        });
    }
    let folder = shell::word(&home.path);
    output::note(&match stopped {
        true => format!("stopped; `hydra up --base-path {folder}` goes on where it was"),
        false => format!("no `hydra up` runs in {folder}{}", elsewhere(&home.path)),
    });
    Ok(())
}

/// Those that run in other folders, with what stops them.
fn elsewhere(but: &Path) -> String {
    let others = files::data_home().map(|data| network::others_up(&data, but));
    let line = |folder: PathBuf| {
        format!(
            "\none runs in {0}: `hydra down --base-path {0}`",
            shell::word(&folder)
        )
    };
    others.unwrap_or_default().into_iter().map(line).collect()
}

fn end(pid: u32) -> Result<(), Error> {
    let still_up = Error::StillUp { pid, seconds: 0 };
    let Ok(number) = i32::try_from(pid) else {
        return Err(still_up);
    };
    match kill(Pid::from_raw(number), Signal::SIGTERM) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(_) => Err(still_up),
    }
}
