//! The network's folder: ours, to be written, and where its programs think it is; and the network's file in it.
//!
//! It must never write to find out whether it could.

use nix::{
    errno::Errno,
    unistd::{AccessFlags, access},
};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

use super::{
    check::{Check, State, Topic},
    place::Subject,
};
use crate::{error::Error, home::Home, network};

/// The folder and those in it that node and trainer write to.
pub fn look(subject: &Subject) -> Vec<Check> {
    let pc = &subject.pc;
    let mut folders = vec![
        subject.folder.clone(),
        pc.folder.clone(),
        pc.node.base_path.clone(),
        pc.trainer.base_path.clone(),
    ];
    folders.extend(subject.home.as_ref().map(Home::keystore));
    let us = us();
    // One sentence is enough: what holds of a folder mostly holds of those in it.
    let first = folders.iter().find_map(|folder| problem(folder, us));
    let parts = [
        ("the node", pc.node.pid, &pc.node.base_path),
        ("the trainer", pc.trainer.pid, &pc.trainer.base_path),
    ];
    let moved = parts.into_iter().find_map(|(who, pid, base_path)| {
        let before = told(pid).filter(|before| before != base_path && network::alive(pid))?;
        Some(Check::warning(
            Topic::Folder,
            format!(
                "{who} (process {pid}) was started with {}: the folder was moved while it ran, or this one is a copy",
                before.display()
            ),
            format!("stop what runs there, and start it again with `{}`", subject.again()),
        ))
    });
    let checks: Vec<Check> = first.into_iter().chain(moved).collect();
    if checks.is_empty() {
        return vec![Check::ok(Topic::Folder, "this user's, and can be written")];
    }
    checks
}

/// The number of the user who runs this: a process's own folder is its user's.
fn us() -> u32 {
    fs::metadata("/proc/self").map_or(u32::MAX, |at| at.uid())
}

/// What is wrong with a folder for the user with this number.
fn problem(folder: &Path, us: u32) -> Option<Check> {
    let shown = folder.display();
    let at = match fs::metadata(folder) {
        // What isn't there is made when it is needed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            return Some(Check::of(
                Topic::Folder,
                State::Fault,
                &Error::file("open", folder)(error),
            ));
        }
        Ok(at) => at,
    };
    if !at.is_dir() {
        let found = format!("{shown} is no folder");
        return Some(Check::fault(
            Topic::Folder,
            found,
            "move it away, and start again",
        ));
    }
    // As root, files of another user can be written, and then belong to root.
    if at.uid() != us && us == 0 {
        let found = format!("{shown} belongs to the user {}, and you are root", at.uid());
        return Some(Check::warning(
            Topic::Folder,
            found,
            "run hydra as that user: files that root makes there lock that user out",
        ));
    }
    match access(folder, AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK) {
        Ok(()) => None,
        Err(Errno::EROFS) => Some(Check::fault(
            Topic::Folder,
            format!("{shown} is on a disk that can't be written (it is mounted read-only)"),
            "look for what is wrong with the disk (`dmesg`), or mount it for writing",
        )),
        Err(_) if at.uid() != us => Some(Check::fault(
            Topic::Folder,
            format!(
                "{shown} belongs to the user {}, and you (user {us}) can't write it",
                at.uid()
            ),
            format!("run hydra as that user, or give it to yourself: `sudo chown -R {us} {shown}`"),
        )),
        Err(_) => Some(Check::fault(
            Topic::Folder,
            format!("{shown} can't be written"),
            format!("`chmod u+rwx {shown}`"),
        )),
    }
}

/// The folder that a process was told to keep its data in.
fn told(pid: u32) -> Option<PathBuf> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0);
    words.find(|word| *word == b"--base-path")?;
    let folder = Path::new(OsStr::from_bytes(words.next()?));
    folder.is_absolute().then(|| folder.into())
}

/// The network's file.
pub fn network_file(home: &Home) -> Check {
    let fresh = "get a fresh copy from whoever founded the network, and start with `hydra up --network FILE`";
    match home.spec() {
        Err(error) => Check::of(Topic::NetworkFile, State::Fault, &error),
        Ok(None) => Check::fault(
            Topic::NetworkFile,
            format!("{} isn't there", home.chain_file().display()),
            fresh,
        ),
        Ok(Some(spec)) if spec.id != home.joined.id => Check::fault(
            Topic::NetworkFile,
            format!(
                "{} is the file of another network: {}, and this folder is of {}",
                home.chain_file().display(),
                spec.id,
                home.joined.id
            ),
            format!("move it away; {fresh}"),
        ),
        Ok(Some(spec)) => Check::ok(Topic::NetworkFile, format!("{} ({})", spec.name, spec.id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_where_a_folder_should_be_is_named_and_nothing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let us = us();
        assert_eq!(problem(folder.path(), us), None);
        assert_eq!(problem(&folder.path().join("none"), us), None);
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let check = problem(&file, us).unwrap();
        assert_eq!(check.state, State::Fault);
        assert!(check.found.ends_with("is no folder"), "{}", check.found);
    }

    #[test]
    fn root_is_warned_of_a_folder_that_is_another_user_s() {
        let folder = tempfile::tempdir().unwrap();
        // Who isn't root asks as if root did.
        if us() == 0 {
            std::os::unix::fs::chown(folder.path(), Some(65_534), None).unwrap();
        }
        let check = problem(folder.path(), 0).unwrap();
        assert_eq!(check.state, State::Warning);
        assert!(check.found.contains("and you are root"), "{}", check.found);
    }

    #[test]
    fn where_a_process_was_told_to_keep_its_data_is_read_from_its_command_line() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "echo; read line", "sh", "--base-path", "/where/it/was"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // A process that has only just been made has no command line yet.
        let mut said = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut said).unwrap();
        assert_eq!(told(child.id()), Some("/where/it/was".into()));
        assert_eq!(told(std::process::id()), None);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
