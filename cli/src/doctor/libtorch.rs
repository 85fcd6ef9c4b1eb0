//! Whether the worker finds the LibTorch that it was built for, and what in an environment names another one.
//!
//! The dynamic loader is asked what it would load; the worker itself isn't run. Whether this PC computes what the network
//! computes, only the trainer's own test says.

use std::{
    ffi::OsString,
    fs,
    io::Read,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};
use tokio::process::Command;

use super::{
    check::{Check, State, Topic},
    programs,
};

/// The only one whose functions the worker can call.
const VERSION: &str = "2.11.0";
/// The library that computes.
const LIBRARY: &str = "libtorch_cpu.so";
/// With this, the loader lists what it would load, and ends.
const TRACE: &str = "LD_TRACE_LOADED_OBJECTS";
const REPAIR: &str = "run `scripts/setup`, then build again";
/// No header that holds a version is longer.
const MOST: u64 = 1 << 16;

/// What the loader would load of one name: a file, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Loaded {
    name: String,
    path: Option<PathBuf>,
}

/// Looks for it; returns the folder it is in, too.
pub async fn look(worker: &Path) -> (Check, Option<PathBuf>) {
    let fault = |found: String, todo: &str| (Check::fault(Topic::Libtorch, found, todo), None);
    if !is_program(worker) {
        let found = format!("{} is no program whose libraries can be listed", worker.display());
        return fault(found, REPAIR);
    }
    let path = std::path::absolute(worker).unwrap_or_else(|_| worker.into());
    let mut command = Command::new(path);
    // As the trainer starts it: with nothing that names libraries.
    command.env_clear().env(TRACE, "1").current_dir("/");
    let said = match programs::run(&mut command, programs::PATIENCE).await {
        Ok(said) => said,
        Err(error) => {
            let found = format!("{} can't be run ({error})", worker.display());
            return fault(found, REPAIR);
        }
    };
    let loaded = loaded(&said.out);
    if let Some(missing) = loaded.iter().find(|loaded| loaded.path.is_none()) {
        let found = format!(
            "the worker needs {}, which isn't where it was when it was built",
            missing.name
        );
        return fault(found, REPAIR);
    }
    let path = loaded
        .into_iter()
        .find(|loaded| loaded.name == LIBRARY)
        .and_then(|loaded| loaded.path);
    match (path, said.err.lines().next()) {
        (Some(path), _) => of_version(&path),
        (None, Some(complaint)) => fault(
            format!("the worker's libraries can't be loaded ({complaint})"),
            REPAIR,
        ),
        (None, None) => fault(format!("{} uses no {LIBRARY}", worker.display()), REPAIR),
    }
}

fn of_version(library: &Path) -> (Check, Option<PathBuf>) {
    let folder = library.parent().unwrap_or(Path::new("/")).to_path_buf();
    let place = folder.display();
    let check = match version_beside(&folder) {
        Some(version) if version == VERSION => Check::ok(Topic::Libtorch, format!("{VERSION}, in {place}")),
        Some(version) => Check::fault(
            Topic::Libtorch,
            format!("{version}, in {place}, and the worker needs {VERSION}"),
            REPAIR,
        ),
        None => Check::new(
            Topic::Libtorch,
            State::Unknown,
            format!("it is in {place}, where nothing says its version"),
            format!("the worker needs {VERSION}; the trainer's own test has the last word"),
        ),
    };
    (check, Some(folder))
}

/// Whether the file can be asked for its libraries: a program of the system's own format. A script would be run.
fn is_program(path: &Path) -> bool {
    let mut magic = [0; 4];
    fs::File::open(path)
        .and_then(|mut file| file.read_exact(&mut magic))
        .is_ok()
        && magic == *b"\x7fELF"
}

/// The lines `name => path (address)` and `name => not found` that the loader prints.
fn loaded(text: &str) -> Vec<Loaded> {
    let line = |line: &str| {
        let (name, path) = line.trim().split_once(" => ")?;
        let path = match path {
            "not found" => None,
            path => Some(path.rsplit_once(" (").map_or(path, |(path, _)| path).into()),
        };
        Some(Loaded {
            name: name.into(),
            path,
        })
    };
    text.lines().filter_map(line).collect()
}

/// The version of the LibTorch whose libraries are in this folder, as its headers or its own note say.
fn version_beside(folder: &Path) -> Option<String> {
    let root = folder.parent()?;
    let read = |name: &str| {
        let file = fs::File::open(root.join(name)).ok()?;
        let mut text = String::new();
        file.take(MOST).read_to_string(&mut text).ok()?;
        Some(text)
    };
    let headers = [
        "include/torch/headeronly/version.h",
        "include/torch/csrc/api/include/torch/version.h",
    ];
    let written = headers
        .into_iter()
        .filter_map(read)
        .find_map(|text| of_header(&text));
    written.or_else(|| Some(read("build-version")?.trim().split('+').next()?.into()))
}

fn of_header(text: &str) -> Option<String> {
    let number = |name: &str| {
        let mut lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found =
            lines.find(|words| matches!(words.as_slice(), ["#define", defined, _] if *defined == name))?;
        found.last()?.parse::<u16>().ok()
    };
    let [major, minor, patch] = [
        number("TORCH_VERSION_MAJOR")?,
        number("TORCH_VERSION_MINOR")?,
        number("TORCH_VERSION_PATCH")?,
    ];
    Some(format!("{major}.{minor}.{patch}"))
}

/// The variables of a process that change how programs load.
pub fn variables_of(pid: u32) -> Vec<(String, String)> {
    let bytes = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let variables = bytes.split(|byte| *byte == 0).filter_map(|variable| {
        let text = OsString::from_vec(variable.into()).into_string().ok()?;
        let (name, value) = text.split_once('=')?;
        name.starts_with("LD_")
            .then(|| (name.to_owned(), value.to_owned()))
    });
    variables.collect()
}

/// What of these variables of `whose` brings in other libraries than LibTorch's, which is in `libtorch`.
pub fn environment(whose: &str, variables: &[(String, String)], libtorch: Option<&Path>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, value) in variables.iter().filter(|(_, value)| !value.is_empty()) {
        let todo = format!("`unset {name}` before hydra's programs are started; workers don't get it");
        if name == "LD_PRELOAD" {
            let found = format!("{name} of {whose} puts {value} into every program");
            checks.push(Check::warning(Topic::Environment, found, todo));
        } else if name == "LD_LIBRARY_PATH"
            && let Some(other) = value.split(':').find(|folder| is_another(folder, libtorch))
        {
            let found = format!("{name} of {whose} names another LibTorch, in {other}");
            checks.push(Check::warning(Topic::Environment, found, todo));
        }
    }
    checks
}

/// Whether this folder holds a LibTorch that isn't ours.
fn is_another(folder: &str, libtorch: Option<&Path>) -> bool {
    let folder = Path::new(folder);
    if !["libtorch.so", LIBRARY, "libc10.so"]
        .iter()
        .any(|name| folder.join(name).exists())
    {
        return false;
    }
    libtorch.is_none_or(|ours| fs::canonicalize(ours).ok() != fs::canonicalize(folder).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_loader_lists_is_read_line_by_line() {
        let text = "\tlinux-vdso.so.1 (0x00007fff)\n\tlibtorch_cpu.so => /l t/libtorch_cpu.so (0x00007f65)\n\tlibc10.so => not found\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f63)\n";
        let found = |name: &str, path: Option<&str>| Loaded {
            name: name.into(),
            path: path.map(PathBuf::from),
        };
        assert_eq!(
            loaded(text),
            [
                found("libtorch_cpu.so", Some("/l t/libtorch_cpu.so")),
                found("libc10.so", None)
            ]
        );
        assert_eq!(loaded(""), []);
    }

    #[test]
    fn a_version_is_read_from_a_header_or_from_a_note() {
        let root = tempfile::tempdir().unwrap();
        let lib = root.path().join("lib");
        assert_eq!(version_beside(&lib), None);
        fs::write(root.path().join("build-version"), "2.10.1+cpu\n").unwrap();
        assert_eq!(version_beside(&lib).as_deref(), Some("2.10.1"));
        let headers = root.path().join("include/torch/headeronly");
        fs::create_dir_all(&headers).unwrap();
        let text = "#pragma once\n#define TORCH_VERSION_MAJOR 2\n/// x\n#define TORCH_VERSION_MINOR 11\n#define TORCH_VERSION_PATCH 0\n\
                    #define TORCH_VERSION \"2.11.0\"\n";
        fs::write(headers.join("version.h"), text).unwrap();
        assert_eq!(version_beside(&lib).as_deref(), Some(VERSION));
        let (check, folder) = of_version(&lib.join(LIBRARY));
        assert_eq!((check.state, folder), (State::Ok, Some(lib.clone())));
        fs::write(headers.join("version.h"), text.replace("MINOR 11", "MINOR 9")).unwrap();
        let (check, _) = of_version(&lib.join(LIBRARY));
        assert_eq!(check.state, State::Fault);
        assert!(check.found.starts_with("2.9.0, in "), "{}", check.found);
    }

    #[test]
    fn variables_that_name_other_libraries_are_named_with_whose_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_str().unwrap().to_owned();
        let variables = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let library = variables("LD_LIBRARY_PATH", &format!("/nowhere:{path}"));
        assert_eq!(environment("this shell", &library, None), []);
        fs::write(folder.path().join(LIBRARY), "").unwrap();
        assert_eq!(environment("this shell", &library, Some(folder.path())), []);
        let other = environment("this shell", &library, Some(Path::new("/opt")));
        assert!(
            matches!(other.as_slice(), [one] if one.state == State::Warning && one.found.ends_with(&path)),
            "{other:?}"
        );
        let preload = environment("the trainer", &variables("LD_PRELOAD", "/x.so"), None);
        assert!(
            matches!(preload.as_slice(), [one] if one.found.contains("of the trainer puts /x.so")),
            "{preload:?}"
        );
        assert_eq!(environment("x", &variables("LD_PRELOAD", ""), None), []);
    }
}
