//! What the dynamic loader says when a program can't be started for its libraries.
//!
//! It is the only one who knows which library is at fault and where it lies, so its own words are kept. Pure: reads a
//! text, and must never guess where the text doesn't say so.

/// Why a library was not loaded, and with that, what helps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadCause {
    /// It isn't where the worker looks.
    Missing,
    /// It is there, and is not what the worker was built with.
    Wrong,
    /// There is no memory, or there are no file descriptors left for it: nothing is wrong with it.
    NoRoom,
}

impl LoadCause {
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Missing => {
                "Run `scripts/setup`, then build again: it was there when the worker was built, and was moved or deleted"
            }
            Self::Wrong => {
                "Run `scripts/setup`, then build again: this file is damaged, or of another version than the worker \
                 was built with"
            }
            Self::NoRoom => {
                "Give this PC more memory, or raise the limits that it runs the trainer with (`ulimit -a`); a disk that is \
                 mounted `noexec` can't hold libraries, either"
            }
        }
    }
}

/// A library that was not loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct LoadFailure {
    /// Its name, or its path where the loader names it.
    pub library: String,
    /// What the loader says of it.
    pub problem: String,
    pub cause: LoadCause,
}

const LIBRARIES: &str = ": error while loading shared libraries: ";
const LOOKUPS: [&str; 2] = [": symbol lookup error: ", ": relocation error: "];
const OF_THE_SYSTEM: [&str; 5] = [
    "Cannot allocate memory",
    "failed to map segment",
    "Too many open files",
    // The same two, where the loader has no texts for errors yet.
    "Error 12",
    "Error 24",
];

/// The failure that a program's standard error tells of, if the dynamic loader wrote it.
pub(crate) fn load_failure(stderr: &str) -> Option<LoadFailure> {
    stderr.lines().find_map(line)
}

fn line(line: &str) -> Option<LoadFailure> {
    let failure = |library: &str, problem: &str, cause| {
        Some(LoadFailure {
            library: library.into(),
            problem: problem.into(),
            cause,
        })
    };
    if let Some((_, said)) = line.split_once(LIBRARIES) {
        let (library, problem) = said.split_once(": ")?;
        let cause = match problem {
            _ if OF_THE_SYSTEM.iter().any(|of| problem.contains(of)) => LoadCause::NoRoom,
            _ if problem.contains("No such file") => LoadCause::Missing,
            _ => LoadCause::Wrong,
        };
        return failure(library, problem, cause);
    }
    if let Some((_, said)) = LOOKUPS.iter().find_map(|of| line.split_once(of)) {
        let (library, problem) = said.split_once(": ")?;
        return failure(library, problem, LoadCause::Wrong);
    }
    // PROGRAM: LIBRARY: version `GLIBC_2.38' not found (required by LIBRARY)
    let (of, missing) = line.split_once(": version `")?;
    let (_, library) = of.rsplit_once(": ")?;
    let (version, _) = missing.split_once("' not found")?;
    failure(library, &format!("it has no version {version}"), LoadCause::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stderr: &str) -> Option<(String, String, LoadCause)> {
        load_failure(stderr).map(|f| (f.library, f.problem, f.cause))
    }

    #[test]
    fn the_loader_names_the_library_and_what_is_wrong_with_it() {
        let cases = [
            (
                "/b/w: error while loading shared libraries: libtorch.so: cannot open shared object file: No such file \
                 or directory",
                "libtorch.so",
                "cannot open shared object file: No such file or directory",
                LoadCause::Missing,
            ),
            (
                "/b/w: error while loading shared libraries: /x/libtorch_cpu.so: file too short",
                "/x/libtorch_cpu.so",
                "file too short",
                LoadCause::Wrong,
            ),
            (
                "/b/w: symbol lookup error: /x/libtorch.so: undefined symbol: _ZN2at4randE",
                "/x/libtorch.so",
                "undefined symbol: _ZN2at4randE",
                LoadCause::Wrong,
            ),
            (
                "/b/w: /lib/libc.so.6: version `GLIBC_2.99' not found (required by /x/libtorch_cpu.so)",
                "/lib/libc.so.6",
                "it has no version GLIBC_2.99",
                LoadCause::Wrong,
            ),
            (
                "w: error while loading shared libraries: libc10.so: failed to map segment from shared object: Cannot \
                 allocate memory",
                "libc10.so",
                "failed to map segment from shared object: Cannot allocate memory",
                LoadCause::NoRoom,
            ),
            (
                "w: error while loading shared libraries: libtorch_cpu.so: failed to map segment from shared object",
                "libtorch_cpu.so",
                "failed to map segment from shared object",
                LoadCause::NoRoom,
            ),
            (
                "w: error while loading shared libraries: libc10.so: cannot open shared object file: Error 24",
                "libc10.so",
                "cannot open shared object file: Error 24",
                LoadCause::NoRoom,
            ),
        ];
        for (stderr, library, problem, cause) in cases {
            let expected = Some((library.to_owned(), problem.to_owned(), cause));
            assert_eq!(read(&format!("something else\n{stderr}\n")), expected, "{stderr}");
        }
    }

    #[test]
    fn other_texts_are_no_failure_of_the_loader() {
        for text in [
            "",
            "version `",
            "a: version `1' is fine",
            "terminate called: out of memory",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
