//! Slower clocks, for more nodes than the computer keeps up with: this program again, with [`SHIM`] under it.

use std::{
    fs,
    io::{Error, ErrorKind, Result},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Compiled with the C compiler that the rest was built with.
const SHIM: &str = include_str!("slower_clock.c");
/// How many times slower clocks run, where it is set.
const BY: &str = "HYDRA_SLOWER";
const PRELOAD: &str = "LD_PRELOAD";

/// Runs this program again in its place, with clocks that many times slower, and comes back only if that can't be; returns once it is so.
pub fn run(slower: u32) -> Result<()> {
    if slower == 1 {
        return Ok(());
    }
    if std::env::var_os(BY).is_some() {
        // It is loaded, and needed no more.
        let shim = std::env::var_os(PRELOAD).map(PathBuf::from);
        if let Some(folder) = shim.as_deref().and_then(Path::parent) {
            fs::remove_dir_all(folder)?;
        }
        return check(slower);
    }
    let folder = tempfile::tempdir()?;
    let (source, shim) = (
        folder.path().join("slower_clock.c"),
        folder.path().join("slower_clock.so"),
    );
    fs::write(&source, SHIM)?;
    let compiled = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&shim, &source])
        .arg("-ldl")
        .status()?;
    if !compiled.success() {
        return Err(Error::other("the slower clock doesn't compile"));
    }
    let _ = folder.keep();
    let failed = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .env(PRELOAD, &shim)
        .env(BY, slower.to_string())
        .exec();
    Err(failed)
}

/// That clocks run as slowly as they should, by the one that the system writes into a file.
fn check(slower: u32) -> Result<()> {
    let real = || -> Result<f64> {
        let text = fs::read_to_string(Path::new("/proc/uptime"))?;
        let first = text.split(' ').next().and_then(|first| first.parse().ok());
        first.ok_or_else(|| Error::from(ErrorKind::InvalidData))
    };
    let (began, before) = (Instant::now(), real()?);
    std::thread::sleep(Duration::from_millis(1));
    while began.elapsed() < Duration::from_millis(500) {
        std::thread::park_timeout(Duration::from_millis(500).saturating_sub(began.elapsed()));
    }
    let seen = (real()? - before) / began.elapsed().as_secs_f64();
    match (seen / f64::from(slower) - 1.0).abs() < 0.1 {
        true => Ok(()),
        false => Err(Error::other(format!(
            "clocks run {seen:.1} times slower, not {slower} times"
        ))),
    }
}
