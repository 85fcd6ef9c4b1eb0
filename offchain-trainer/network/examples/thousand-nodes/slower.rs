//! Slower clocks, for more nodes than the computer keeps up with: this program again, with [`SHIM`] under it.

use std::{
    fs,
    io::{Error, ErrorKind, Result},
    os::unix::process::CommandExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Compiled with the C compiler that the rest was built with.
const SHIM: &str = include_str!("slower_clock.c");
/// How many times slower clocks run, where it is set.
const BY: &str = "HYDRA_SLOWER";
/// Where the shim was compiled.
const FOLDER: &str = "HYDRA_SLOWER_FOLDER";
const FILES: [&str; 2] = ["slower_clock.c", "slower_clock.so"];

/// Runs this program again in its place, with clocks that many times slower, and comes back only if that can't be; returns once it is so.
pub fn run(slower: u32) -> Result<()> {
    if slower == 1 {
        return Ok(());
    }
    if std::env::var_os(BY).is_some() {
        // It is loaded, and needed no more.
        if let Some(folder) = std::env::var_os(FOLDER) {
            remove(Path::new(&folder))?;
        }
        return check(slower);
    }
    let folder = tempfile::tempdir()?;
    let [source, shim] = FILES.map(|name| folder.path().join(name));
    fs::write(&source, SHIM)?;
    let compiled = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&shim, &source])
        .arg("-ldl")
        .status()?;
    if !compiled.success() {
        return Err(Error::other("the slower clock doesn't compile"));
    }
    let folder = folder.keep();
    let failed = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env("LD_PRELOAD", &shim)
        .env(BY, slower.to_string())
        .env(FOLDER, &folder)
        .exec();
    remove(&folder)?;
    Err(failed)
}

/// These files and the folder, if there is nothing else in it.
fn remove(folder: &Path) -> Result<()> {
    for name in FILES {
        fs::remove_file(folder.join(name))?;
    }
    fs::remove_dir(folder)
}

/// That clocks run as slowly as they should, by the one that the system writes into a file, and that waiting takes as long.
fn check(slower: u32) -> Result<()> {
    const WAIT: Duration = Duration::from_millis(500);
    let real = || -> Result<f64> {
        let text = fs::read_to_string("/proc/uptime")?;
        let first = text.split(' ').next().and_then(|first| first.parse().ok());
        first.ok_or_else(|| Error::from(ErrorKind::InvalidData))
    };
    let (began, before) = (Instant::now(), real()?);
    std::thread::park_timeout(WAIT);
    let (seen, waited) = (began.elapsed().as_secs_f64(), real()? - before);
    match (waited / seen / f64::from(slower) - 1.0).abs() < 0.1 && seen >= 0.9 * WAIT.as_secs_f64() {
        true => Ok(()),
        false => Err(Error::other(format!(
            "{seen:.2} seconds of slower clocks took {waited:.2}, and not {slower} times as long"
        ))),
    }
}
