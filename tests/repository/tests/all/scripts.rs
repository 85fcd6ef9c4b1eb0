//! The scripts in the surroundings that cron, systemd, conda and containers give them.

use hydra_repository_tests::checkout;
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const SCRIPTS: [&str; 7] = ["run", "test", "setup", "lint", "soak", "weights", "cargo"];

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
fn what_was_changed_before_another_checkout_was_built_is_built_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("target");
    let long_ago = std::time::SystemTime::UNIX_EPOCH;
    let checkout_of = |name: &str| {
        let root = folder.path().join(name);
        fs::create_dir_all(root.join("scripts/lib")).expect("a folder");
        fs::copy(
            checkout().join("scripts/lib/env.sh"),
            root.join("scripts/lib/env.sh"),
        )
        .expect("a file");
        fs::write(root.join("lib.rs"), "").expect("a file");
        root
    };
    let is_new_after_use = |root: &Path| {
        let source = fs::File::options()
            .write(true)
            .open(root.join("lib.rs"))
            .expect("a file");
        source.set_modified(long_ago).expect("ours");
        let output = bare(
            ". \"$ROOT/scripts/lib/env.sh\"; own_target",
            &[("ROOT", root), ("HYDRA_TARGET_DIR", &target)],
        );
        assert!(output.status.success(), "{}", stderr(&output));
        source
            .metadata()
            .and_then(|data| data.modified())
            .expect("a time")
            > long_ago
    };
    let (a, b) = (checkout_of("a"), checkout_of("b"));
    assert!(
        is_new_after_use(&a),
        "it may have been built before from another checkout"
    );
    assert!(!is_new_after_use(&a), "a second build has nothing to do");
    assert!(is_new_after_use(&b));
    assert!(is_new_after_use(&a));
    fs::remove_dir_all(&a).expect("ours");
    let a = checkout_of("a");
    assert!(is_new_after_use(&a), "it is another one in the same place");
}

/// Two checkouts that share a target directory, in which cargo builds nothing.
struct Shared {
    folder: tempfile::TempDir,
}

impl Shared {
    const LONG_AGO: std::time::SystemTime = std::time::SystemTime::UNIX_EPOCH;

    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn target(&self) -> std::path::PathBuf {
        self.folder.path().join("target")
    }

    /// A checkout with these files, whose times are of long ago.
    fn checkout(&self, name: &str, files: &[(&str, &str)]) -> std::path::PathBuf {
        let root = self.folder.path().join(name);
        fs::create_dir_all(root.join("scripts/lib")).expect("a folder");
        let script = root.join("scripts/lib/env.sh");
        fs::copy(checkout().join("scripts/lib/env.sh"), script).expect("a file");
        for (file, content) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("in the checkout")).expect("a folder");
            fs::write(&path, content).expect("a file");
            let file = fs::File::options().write(true).open(path).expect("a file");
            file.set_modified(Self::LONG_AGO).expect("ours");
        }
        root
    }

    /// What the scripts do, as strict as they are.
    fn build(&self, root: &Path) {
        let output = bare(
            "set -euo pipefail; . \"$ROOT/scripts/lib/env.sh\"; cargo() { :; }; on_target build",
            &[("ROOT", root), ("HYDRA_TARGET_DIR", &self.target())],
        );
        assert!(output.status.success(), "{output:?}");
    }

    /// Whether cargo would take this for changed.
    fn is_new(path: std::path::PathBuf) -> bool {
        path.metadata().and_then(|data| data.modified()).expect("a time") > Self::LONG_AGO
    }
}

#[test]
fn what_is_the_same_in_another_checkout_is_not_built_again() {
    let shared = Shared::new();
    let (same, gone) = (("src/same.rs", "1"), ("old/gone.rs", "1"));
    let a = shared.checkout("a", &[same, gone, ("old/kept.rs", "1"), ("other.rs", "1")]);
    let b = shared.checkout("b with a space", &[same, ("old/kept.rs", "1"), ("other.rs", "2")]);
    for root in [&a, &b] {
        let output = Command::new("git").arg("init").arg("--quiet").arg(root).output();
        assert!(output.expect("git runs").status.success());
    }
    shared.build(&a);
    // Times of a build in `a`: as if all had been there for long.
    for file in ["src/same.rs", "old/gone.rs", "old/kept.rs", "other.rs"] {
        let file = fs::File::options()
            .write(true)
            .open(a.join(file))
            .expect("a file");
        file.set_modified(Shared::LONG_AGO).expect("ours");
    }
    shared.build(&a);
    shared.build(&b);
    assert!(!Shared::is_new(b.join("src/same.rs")) && !Shared::is_new(b.join("src")));
    assert!(Shared::is_new(b.join("other.rs")));
    // A file is missing here.
    assert!(!Shared::is_new(b.join("old/kept.rs")) && Shared::is_new(b.join("old")));

    // Somebody has built who kept no record of what.
    let fingerprints = shared.target().join("release/.fingerprint");
    fs::create_dir_all(&fingerprints).expect("a folder");
    fs::write(fingerprints.join("x"), "").expect("a file");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    let fingerprint = fs::File::options()
        .write(true)
        .open(fingerprints.join("x"))
        .expect("a file");
    fingerprint.set_modified(later).expect("ours");
    shared.build(&a);
    assert!(Shared::is_new(a.join("src/same.rs")));
}

#[test]
fn without_git_everything_is_built_again() {
    let shared = Shared::new();
    let (a, b) = (
        shared.checkout("a", &[("same.rs", "1")]),
        shared.checkout("b", &[("same.rs", "1")]),
    );
    shared.build(&a);
    assert!(!shared.target().join(".built").exists());
    shared.build(&b);
    assert!(Shared::is_new(b.join("same.rs")));
}

/// A shell script of that name that answers like this.
fn stub(folder: &Path, name: &str, line: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::create_dir_all(folder).expect("a folder");
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{line}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
}

#[test]
fn what_is_mistyped_is_refused_before_anything_is_built() {
    for (arguments, said) in [
        ("--bogus", "no option '--bogus'"),
        ("--pcs 2 --until-acuracy=0.9", "no option '--until-acuracy'"),
        ("--until-accuracy 2", "not '2'"),
        ("--until-accuracy=x", "not 'x'"),
        ("--until-accuracy 0", "not '0'"),
        ("--until-accuracy 0.9.5", "not '0.9.5'"),
        ("--pcs 2 --until-accuracy", "needs a value"),
        ("--pcs 9", "from 1 to 4, not '9'"),
        ("--timeout soon", "not 'soon'"),
        ("--base-port=70000", "not '70000'"),
        ("--json extra", "no 'extra'"),
        ("-q", "no '-q'"),
        ("--base-path --json", "--base-path needs a value"),
        ("--base-path=", "--base-path needs a value"),
        ("--json=1", "takes no value"),
        ("--pc.", "no '--pc.'"),
        ("--timeout 5", "is for --until-accuracy"),
        ("--only bob", "needs the network's --base-path"),
        ("--only bob --base-path x --base-port 9", "don't go together"),
        ("--pcs 2 --options", "no option '--options'"),
    ] {
        let output = bare(
            &format!("scripts/run {arguments}"),
            &[("HOME", Path::new("/proc/none"))],
        );
        assert_eq!(output.status.code(), Some(2), "{arguments}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{arguments}: {}", stderr(&output));
    }
    // And what is right goes on, to a set-up that can't write where there is nothing.
    for arguments in [
        "--until-accuracy 0.95 --pcs=2 --json",
        "--until-accuracy=1",
        "--pcs --base-path q --until-accuracy 1 --timeout=900",
        "--only bob --base-path=q",
        "--options",
        "-V",
    ] {
        let output = bare(
            &format!("scripts/run {arguments}"),
            &[("HOME", Path::new("/proc/none"))],
        );
        assert_ne!(output.status.code(), Some(2), "{arguments}: {}", stderr(&output));
        assert!(!output.status.success(), "{arguments}");
    }
}

#[test]
fn help_needs_no_entry_in_passwd() {
    let folder = tempfile::tempdir().expect("a folder");
    stub(folder.path(), "getent", "exit 2");
    for script in SCRIPTS {
        let line = format!("PATH=\"$STUBS:$PATH\"; scripts/{script} --help");
        let output = bare(&line, &[("STUBS", folder.path())]);
        assert!(output.status.success(), "scripts/{script}: {}", stderr(&output));
    }
}

#[test]
fn where_cd_would_lead_elsewhere_the_scripts_stay() {
    let output = bare(
        "scripts/run --help && . scripts/lib/env.sh && echo \"$HYDRA_ROOT\"",
        &[("CDPATH", Path::new(".:/"))],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let shown = String::from_utf8_lossy(&output.stdout);
    let root = checkout().canonicalize().expect("it is there");
    assert_eq!(shown.lines().last(), root.to_str());
}

/// What `scripts/setup` does about a tool, with a cargo that only says what it was told.
fn tool(name: &str, have: Option<&str>) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    stub(folder.path(), "cargo", "echo \"cargo $*\"");
    if let Some(version) = have {
        stub(folder.path(), name, &format!("echo '{name} {version} (2026)'"));
    }
    // The function itself, out of the script, which would set up everything.
    let line = format!(
        "set -euo pipefail; . scripts/lib/env.sh; eval \"$(sed -n '/^cargo_tool()/,/^}}/p' scripts/setup)\"; \
         PATH=\"$STUBS:$PATH\"; cargo_tool {name} 0.18.0 0.20.2; echo done"
    );
    bare(&line, &[("STUBS", folder.path()), ("HYDRA_CACHE", folder.path())])
}

#[test]
fn a_tool_that_is_missing_or_too_old_is_installed() {
    for (have, installs) in [
        (None, true),
        (Some("0.9.9"), true),
        (Some("0.18.0"), false),
        (Some("0.20.2"), false),
    ] {
        let output = tool("hydra-no-such-tool", have);
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && out.ends_with("done\n"),
            "{have:?}: {}",
            stderr(&output)
        );
        assert_eq!(out.contains("cargo install"), installs, "{have:?}: {out}");
    }
}

#[test]
fn a_tool_that_was_installed_for_being_newer_comes_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, tools) = (folder.path().join("home"), folder.path().join("tools/bin"));
    stub(&home.join(".cargo/bin"), "hydra-some-tool", "echo old");
    stub(&tools, "hydra-some-tool", "echo new");
    let output = bare(
        ". scripts/lib/env.sh; hydra-some-tool",
        &[("HOME", &home), ("HYDRA_CACHE", folder.path())],
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "new\n",
        "{}",
        stderr(&output)
    );
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

/// What a function does that a script has in it, without the rest of the script.
fn function(script: &str, name: &str, more: &str) -> Output {
    bare(
        &format!(
            "set -euo pipefail; . scripts/lib/env.sh; eval \"$(sed -n '/^{name}()/,/^}}/p' scripts/{script})\"; {more}"
        ),
        &[],
    )
}

#[test]
fn what_was_flaky_or_shown_without_namespaces_is_said_before_the_count() {
    let log = [
        "\u{1b}[32m        PASS\u{1b}[0m [  64.944s] (   5/1149) hydra-network-tests::all founding::four_pcs",
        "  stderr ───",
        "    NO NETWORK NAMESPACES (Root: unshare: not permitted): 4 PCs share the loopback address",
        "    killed after 15ms, at 'machine', in 'machine'",
        "   FLAKY 2/2 [ 104.997s] (   2/1149) hydra-network-tests::all cheat::work_that_was_not_done",
        // A test that failed is shown once more at the end.
        "    NO NETWORK NAMESPACES (Root: unshare: not permitted): 4 PCs share the loopback address",
    ];
    let remarks = |log: &str| {
        let output = function("test", "remarks", &format!("remarks <(printf '%s' \"{log}\")"));
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(
        remarks(&log.join("\n")),
        "flaky, passed at its second try: hydra-network-tests::all cheat::work_that_was_not_done\n\
         shown less than it should: NO NETWORK NAMESPACES (Root: unshare: not permitted): 4 PCs share the loopback address\n"
    );
    assert_eq!(remarks("PASS"), "");
}

#[test]
fn three_upgrades_in_a_row_say_that_all_passed_and_the_first_that_fails_ends_them() {
    let upgrade =
        |nextest: &str| function("soak", "upgrade", &format!("nextest() {{ {nextest}; }}; upgrade"));
    let passed = upgrade("echo run");
    assert!(passed.status.success(), "{}", stderr(&passed));
    assert_eq!(String::from_utf8_lossy(&passed.stdout), "run\nrun\nrun\n");
    let said = stderr(&passed);
    assert!(said.contains("3 of 3 passed, one after the other, in "), "{said}");
    let failed = upgrade("echo run; false");
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&failed.stdout), "run\n");
    assert!(!stderr(&failed).contains("passed"), "{}", stderr(&failed));
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

    // So does a link to it.
    let theirs = folder.path().join("hydra-of-theirs");
    fs::rename(&link, &theirs).expect("theirs");
    std::os::unix::fs::symlink(&theirs, &link).expect("a link");
    let output = bare(
        ". scripts/lib/env.sh; . scripts/lib/link.sh; link_hydra",
        &environment,
    );
    assert!(output.status.success());
    assert!(stderr(&output).contains("another program"), "{}", stderr(&output));
    assert_eq!(fs::read_link(&link).expect("theirs"), theirs);
}
