//! The scripts in the surroundings that cron, systemd, conda and containers give them.

use hydra_repository_tests::checkout;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const SCRIPTS: [&str; 5] = ["run", "test", "setup", "lint", "soak"];

/// Runs bash with nothing but a search path in its environment.
fn bare(line: &str, more: &[(&str, &Path)]) -> Output {
    Command::new("bash")
        .args(["-c", line])
        .current_dir(checkout())
        .env_clear()
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .envs(more.iter().copied())
        .output()
        .expect("bash runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn help_needs_no_home() {
    for script in SCRIPTS {
        let output = bare(&format!("scripts/{script} --help"), &[]);
        assert!(output.status.success(), "scripts/{script}: {}", stderr(&output));
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("usage: scripts/"),
            "scripts/{script}"
        );
    }
}

#[test]
fn what_a_script_does_not_know_is_refused_in_one_sentence() {
    for script in ["setup", "test", "lint", "soak"] {
        let output = bare(&format!("scripts/{script} --nonsense"), &[]);
        assert_eq!(output.status.code(), Some(1), "scripts/{script}");
        assert!(
            stderr(&output).starts_with("error: ") && stderr(&output).contains("--help"),
            "scripts/{script}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn no_escape_codes_in_a_pipe() {
    let output = bare(". scripts/lib/env.sh; say hello", &[]);
    assert_eq!(stderr(&output), "==> hello\n");
}

#[test]
fn libraries_of_other_environments_are_not_passed_on() {
    let foreign = Path::new("/opt/conda/lib");
    let output = bare(
        ". scripts/lib/env.sh; env",
        &[("LD_LIBRARY_PATH", foreign), ("PYTHONHOME", foreign)],
    );
    let environment = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    assert!(!environment.contains("conda"), "{environment}");
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let output = bare("scripts/setup", &[("HYDRA_CACHE", Path::new("/proc/nothing"))]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("set HYDRA_CACHE"), "{}", stderr(&output));
}

#[test]
fn hydra_is_linked_where_new_terminals_find_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, target) = (folder.path().join("home"), folder.path().join("target"));
    let program = target.join("release/hydra");
    fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    fs::write(&program, "").expect("a file");
    let environment = [("HOME", home.as_path()), ("HYDRA_TARGET_DIR", target.as_path())];
    let link = home.join(".cargo/bin/hydra");

    for _ in 0..2 {
        let output = bare(
            ". scripts/lib/env.sh; . scripts/lib/link.sh; link_hydra",
            &environment,
        );
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(fs::read_link(&link).expect("a link"), program);
    }

    // Somebody else's program of that name stays.
    fs::remove_file(&link).expect("ours");
    fs::write(&link, "theirs").expect("a file");
    let output = bare(
        ". scripts/lib/env.sh; . scripts/lib/link.sh; link_hydra",
        &environment,
    );
    assert!(output.status.success());
    assert!(stderr(&output).contains("another program"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&link).expect("theirs"), "theirs");
}
