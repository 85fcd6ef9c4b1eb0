//! Whatever a worker is started in: the bits stay the same, or what is wrong is said.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{config, engine, engine_under};
use hydra_engine::{Engine, EngineConfig, EngineError, LoadCause};

/// A folder of its own, deleted in the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hydra-worker-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// With files that are called like LibTorch's and are none.
    fn with_false_libraries(name: &str) -> Self {
        let folder = Self::new(name);
        for library in ["libtorch.so", "libtorch_cpu.so", "libc10.so"] {
            fs::write(folder.0.join(library), "no library at all").unwrap();
        }
        folder
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A worker whose own search path for libraries leads nowhere.
fn worker_without_libtorch(folder: &Path) -> PathBuf {
    let mut program = fs::read(config().worker_path()).unwrap();
    let libtorch =
        std::env::var("LIBTORCH").expect("LIBTORCH names the folder that the worker was linked to");
    let at = program
        .windows(libtorch.len())
        .position(|w| w == libtorch.as_bytes())
        .unwrap();
    program[at..at + libtorch.len()].fill(b'x');
    // Copied by another process: a file that this one still held open for writing could not be run.
    let (patched, copy) = (folder.join("patched"), folder.join("hydra-torch-worker"));
    fs::write(&patched, program).unwrap();
    fs::set_permissions(&patched, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let copied = Command::new("cp").args([&patched, &copy]).status().unwrap();
    assert!(copied.success());
    copy
}

/// The test below, as this program calls it.
const KNOWN_ANSWER: &str = "environment::known_answer_in_the_environment_of_this_process";

#[test]
fn known_answer_in_the_environment_of_this_process() {
    engine().self_test().unwrap();
}

/// Conda, CUDA, profilers and a person's own settings leave such things behind.
#[test]
fn the_environment_of_the_caller_changes_neither_the_libraries_nor_the_bits() {
    let folder = Folder::with_false_libraries("caller");
    let mut here = Command::new(std::env::current_exe().unwrap());
    here.args(["--exact", KNOWN_ANSWER]);
    let variables = [
        ("LD_LIBRARY_PATH", folder.text()),
        ("OMP_NUM_THREADS", "8"),
        ("OMP_DYNAMIC", "true"),
        ("MKL_NUM_THREADS", "8"),
        ("MKL_CBWR", "AVX512"),
        ("ATEN_CPU_CAPABILITY", "avx512"),
        ("ONEDNN_MAX_CPU_ISA", "ALL"),
        ("DNNL_MAX_CPU_ISA", "ALL"),
        ("ONEDNN_DEFAULT_FPMATH_MODE", "BF16"),
        ("KMP_AFFINITY", "scatter"),
        ("GOMP_CPU_AFFINITY", "0-7"),
        ("TORCH_SHOW_CPP_STACKTRACES", "1"),
        ("MALLOC_PERTURB_", "165"),
        ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable"),
        ("PYTHONPATH", folder.text()),
        ("CONDA_PREFIX", folder.text()),
        ("TMPDIR", "/nowhere"),
        ("HOME", "/nowhere"),
    ];
    let output = here.envs(variables).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Even what LibTorch, MKL, oneDNN and OpenMP read: they compute nothing that counts.
#[test]
fn whatever_a_launcher_sets_the_bits_stay_the_same() {
    let set = [
        "env",
        "OMP_NUM_THREADS=8",
        "MKL_CBWR=AVX512",
        "ATEN_CPU_CAPABILITY=default",
        "ONEDNN_DEFAULT_FPMATH_MODE=BF16",
        "DNNL_MAX_CPU_ISA=SSE41",
        "KMP_SETTINGS=1",
    ];
    engine_under(&set).self_test().unwrap();
}

/// Tells the thread that answers to round upwards, as soon as it has begun to: after a worker has looked at its start.
const LATE: &str = "
    #define _GNU_SOURCE
    #include <fenv.h>
    #include <sys/syscall.h>
    #include <unistd.h>

    ssize_t write(int to, const void *from, size_t count) {
        if (to == 1)
            fesetround(FE_UPWARD);
        return syscall(SYS_write, to, from, count);
    }
";

/// A library that was built with fast mathematics, or sets such things itself, may be loaded at any time.
#[test]
fn a_worker_that_is_told_after_its_start_to_compute_otherwise_ends_without_a_result_and_says_why() {
    let folder = Folder::new("late");
    let (source, library) = (folder.0.join("late.c"), folder.0.join("late.so"));
    fs::write(&source, LATE).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]);
    compiler.args([&library, &source]).arg("-lm");
    assert!(compiler.status().unwrap().success());
    let preload = format!("LD_PRELOAD={}", library.display());
    let error = engine_under(&["env", &preload]).self_test().unwrap_err();
    assert!(matches!(error, EngineError::LosesSmallNumbers), "{error}");
    assert!(error.needs_repair() && !error.costs_a_worker());
}

#[test]
fn variables_of_the_caller_do_not_reach_the_worker() {
    let output = engine_under(&["sh", "-c", "env >&2; exit 1"])
        .self_test()
        .unwrap_err()
        .to_string();
    // PATH is passed on.
    assert!(output.contains("PATH="), "{output}");
    assert!(
        !output.contains("CARGO") && !output.contains("LD_LIBRARY_PATH"),
        "{output}"
    );
}

/// Even if somebody else starts it: the path in the program comes before the variable.
#[test]
fn a_worker_finds_its_own_libtorch_where_the_environment_names_another() {
    let folder = Folder::with_false_libraries("another");
    let path = format!("LD_LIBRARY_PATH={}", folder.text());
    engine_under(&["env", &path]).self_test().unwrap();
}

#[test]
fn a_missing_libtorch_is_told_in_one_sentence() {
    let folder = Folder::new("missing");
    let error = Engine::new(EngineConfig {
        worker: Some(worker_without_libtorch(&folder.0)),
        ..config()
    })
    .self_test()
    .unwrap_err();
    let EngineError::CantLoad { library, cause, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        library.starts_with("lib") && *cause == LoadCause::Missing,
        "{error}"
    );
    assert!(error.to_string().contains("scripts/setup"), "{error}");
    assert!(error.needs_repair());
}

#[test]
fn a_false_libtorch_is_told_with_its_path() {
    let folder = Folder::with_false_libraries("false");
    let path = format!("LD_LIBRARY_PATH={}", folder.text());
    let error = Engine::new(EngineConfig {
        worker: Some(worker_without_libtorch(&folder.0)),
        launcher: vec!["env".into(), path.into()],
        ..config()
    })
    .self_test()
    .unwrap_err();
    let EngineError::CantLoad { library, cause, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        library.starts_with(folder.text()) && *cause == LoadCause::Wrong,
        "{error}"
    );
    assert!(error.needs_repair());
}

#[test]
fn limits_that_keep_libraries_out_are_told_as_limits() {
    for limit in ["ulimit -n 3", "ulimit -v 200000"] {
        let script = format!("{limit}; exec \"$@\"");
        let error = engine_under(&["sh", "-c", &script, "sh"])
            .self_test()
            .unwrap_err();
        let EngineError::CantLoad { cause, .. } = &error else {
            panic!("{limit}: {error}")
        };
        assert_eq!(*cause, LoadCause::NoRoom, "{limit}: {error}");
        assert!(!error.needs_repair());
    }
}

#[test]
fn closed_streams_and_a_bare_system_keep_no_worker_from_working() {
    engine_under(&["sh", "-c", "exec \"$@\" 2>&-", "sh"])
        .self_test()
        .unwrap();
    let bare = ["env", "-u", "HOME", "-u", "PATH", "TMPDIR=/nowhere"];
    engine_under(&bare).self_test().unwrap();
}

/// A trainer that was started in a folder that is gone since, without any stream of its own.
#[test]
fn a_folder_that_was_deleted_keeps_no_worker_from_working() {
    let (folder, elsewhere) = (Folder::new("deleted"), Folder::new("said"));
    let said = elsewhere.0.join("said");
    // Standard input and errors are closed; what is said goes to a file.
    let script = "cd \"$1\" && rmdir \"$1\" && exec \"$2\" --exact \"$3\" <&- >\"$4\" 2>&-";
    let status = Command::new("sh")
        .args(["-c", script, "sh", folder.text()])
        .arg(std::env::current_exe().unwrap())
        .arg(KNOWN_ANSWER)
        .arg(&said)
        .status();
    let said = fs::read_to_string(&said).unwrap();
    assert!(status.unwrap().success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_worker_leaves_the_cores_and_the_memory_to_others() {
    let engine = engine();
    engine.self_test().unwrap();
    let [pid] = engine.workers()[..] else {
        panic!("one worker expected")
    };
    for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
        let stat = fs::read_to_string(task.unwrap().path().join("stat")).unwrap();
        // The name, in brackets, may hold spaces; the niceness is the 17th word after it.
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        assert_eq!(rest.split(' ').nth(16), Some("19"), "{stat}");
    }
    let killed = fs::read_to_string(format!("/proc/{pid}/oom_score_adj")).unwrap();
    assert!(killed.trim().parse::<i32>().unwrap() >= 500, "{killed}");
}
