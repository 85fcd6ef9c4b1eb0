//! `hydra logs`: what this PC's programs wrote.

use schemars::JsonSchema;
use serde::Serialize;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::sleep;

use crate::{
    args::{LogPart, LogsArgs},
    error::Error,
    home, output,
};

/// How much of a log's end is shown.
const SHOWN: u64 = 64 << 10;
/// How often a log is looked at that is followed.
const POLL: Duration = Duration::from_millis(300);

/// A line of a log, as programs read it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Line<'a> {
    /// Which program wrote it: `node` or `trainer`.
    program: &'a str,
    /// What it wrote.
    line: &'a str,
}

/// One log, as far as it was shown.
struct Log {
    name: &'static str,
    path: PathBuf,
    file: Option<File>,
    /// The beginning of a line whose end isn't written yet.
    rest: Vec<u8>,
}

/// Runs the command.
pub async fn logs(args: &LogsArgs, json: bool) -> Result<(), Error> {
    let home = home::named_or_only(args.home.base_path.as_deref())?;
    let all = [
        (LogPart::Node, "node", &home.pc.node.log),
        (LogPart::Trainer, "trainer", &home.pc.trainer.log),
    ];
    let wanted = all
        .into_iter()
        .filter(|(part, ..)| args.part.is_none_or(|only| only == *part));
    let mut logs: Vec<Log> = wanted.map(|(_, name, path)| Log::new(name, path)).collect();
    // Whose line it is needs to be said only where it may be another's.
    let names = logs.len() > 1;
    loop {
        for log in &mut logs {
            for line in log.lines()? {
                show(log.name, &line, names, json)?;
            }
        }
        if !args.follow {
            return Ok(());
        }
        sleep(POLL).await;
    }
}

fn show(name: &str, line: &str, names: bool, json: bool) -> Result<(), Error> {
    if json {
        return output::event(&Line { program: name, line });
    }
    match names {
        true => output::data(&format!("{name:<7} {line}")),
        false => output::data(line),
    }
}

impl Log {
    fn new(name: &'static str, path: &Path) -> Self {
        Self {
            name,
            path: path.into(),
            file: None,
            rest: Vec::new(),
        }
    }

    /// The lines since the last time; the first time, those at its end.
    fn lines(&mut self) -> Result<Vec<String>, Error> {
        let bytes = self.read().map_err(Error::file("read", &self.path))?;
        self.rest.extend(bytes);
        let whole = self
            .rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&lines)
            .lines()
            .map(str::to_owned)
            .collect())
    }

    fn read(&mut self) -> io::Result<Vec<u8>> {
        // A log that was put aside goes on under its name with a new one.
        let is_another = match (&self.file, std::fs::metadata(&self.path)) {
            (Some(file), Ok(there)) => file.metadata()?.ino() != there.ino(),
            _ => false,
        };
        let first = self.file.is_none();
        if first || is_another {
            let mut file = match File::open(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                other => other?,
            };
            let length = file.metadata()?.len();
            if first && length > SHOWN {
                file.seek(SeekFrom::Start(length - SHOWN))?;
            }
            self.file = Some(file);
        }
        let mut bytes = Vec::new();
        if let Some(file) = &mut self.file {
            file.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, io::Write};

    #[test]
    fn a_log_is_read_line_by_line_also_after_it_was_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.log");
        let mut log = Log::new("node", &path);
        assert!(log.lines().unwrap().is_empty(), "not there yet");
        fs::write(&path, "one\ntw").unwrap();
        assert_eq!(log.lines().unwrap(), ["one"]);
        let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
        writeln!(file, "o").unwrap();
        assert_eq!(log.lines().unwrap(), ["two"]);
        fs::rename(&path, folder.path().join("node.log.1")).unwrap();
        fs::write(&path, "three\n").unwrap();
        assert_eq!(log.lines().unwrap(), ["three"]);
    }
}
