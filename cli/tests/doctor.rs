//! `hydra doctor` on real files, ports and processes, each broken on purpose in one way.

use hydra_cli::{
    accounts,
    keys::key::Key,
    keystore::{self, Kind},
    network::{self, Layout, Network},
};
use hydra_test_ports::free_ports;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    net::TcpListener,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant, SystemTime},
};

/// The user called nobody.
const NOBODY: u32 = 65_534;

/// A home with this PC's part of a network in it: as `hydra network member` and `hydra up` leave it.
struct Home {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Home {
    fn new() -> Self {
        let home = Self::empty();
        let mut member = home.hydra(&["network", "member", "--id", "net", "--base-path", "pc"]);
        member.args(["--out", "member.json", "--address", "127.0.0.1", "--json"]);
        for (option, port) in [
            "--rpc-port",
            "--p2p-port",
            "--trainer-http-port",
            "--trainer-p2p-port",
        ]
        .into_iter()
        .zip(free_ports(4)..)
        {
            member.args([option, &port.to_string()]);
        }
        let made = member.output().unwrap();
        assert!(made.status.success(), "{made:?}");
        fs::write(home.path("pc/chain.json"), r#"{"name":"Net","id":"net"}"#).unwrap();
        home
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        Self {
            _folder: folder,
            path,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn network(&self) -> Network {
        Network::read(&self.path("pc")).unwrap().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Network)) {
        let mut network = self.network();
        change(&mut network);
        network.write(&self.path("pc")).unwrap();
    }

    fn keystore(&self) -> PathBuf {
        self.path("pc/pc/node/chains/net/keystore")
    }

    /// The file of the account's key.
    fn key(&self) -> PathBuf {
        let account = keystore::publics(&self.keystore(), Kind::Account).unwrap()[0];
        keystore::path(&self.keystore(), Kind::Account, &account)
    }

    fn hydra(&self, arguments: &[&str]) -> Command {
        clean(Command::new(env!("CARGO_BIN_EXE_hydra")), &self.path, arguments)
    }

    /// What the doctor says of the network in `pc`.
    fn doctor(&self, arguments: &[&str]) -> Report {
        let mut command = self.hydra(&["doctor", "--base-path", "pc"]);
        command.args(arguments);
        Report::of(&mut command)
    }
}

fn clean(mut command: Command, home: &Path, arguments: &[&str]) -> Command {
    for variable in [
        "HYDRA_URL",
        "HYDRA_NODE",
        "HYDRA_TRAINER",
        "HYDRA_KEYS",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "LD_LIBRARY_PATH",
        "LD_PRELOAD",
    ] {
        command.env_remove(variable);
    }
    command.env("HOME", home).current_dir(home).args(arguments);
    command
}

/// What the doctor said.
struct Report {
    code: Option<i32>,
    json: Value,
}

impl Report {
    fn of(command: &mut Command) -> Self {
        let output = command.arg("--json").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("panicked"), "{said}");
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("not one document ({error}): {output:?}"));
        hydra_schema_tests::check_one("doctor", &json);
        Self {
            code: output.status.code(),
            json,
        }
    }

    fn of_topic(&self, check: &str) -> Vec<&Value> {
        let checks = self.json["checks"].as_array().unwrap();
        checks.iter().filter(|found| found["check"] == check).collect()
    }

    /// It names this, in this state, with these words in what was found or in what to do.
    fn names(&self, check: &str, state: &str, words: &str) {
        let found = self.of_topic(check);
        let says = |found: &&Value| {
            let text = format!("{} → {}", found["found"], found["todo"]);
            found["state"] == state && text.contains(words)
        };
        assert!(
            found.iter().any(says),
            "no {state} of {check} says '{words}': {found:#?}"
        );
        if state == "fault" {
            assert_eq!(self.code, Some(9));
            let mut faults = found.iter().filter(|found| found["state"] == state);
            assert!(faults.all(|fault| fault["todo"].is_string()), "{found:#?}");
        }
    }

    /// Nothing is wrong about this.
    fn is_well(&self, check: &str) {
        let found = self.of_topic(check);
        assert!(
            !found.is_empty() && found.iter().all(|found| found["state"] == "ok"),
            "{found:#?}"
        );
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The worker, built with all programs.
fn worker() -> PathBuf {
    let worker = Path::new(env!("CARGO_BIN_EXE_hydra")).with_file_name("hydra-torch-worker");
    assert!(
        worker.exists(),
        "{} is not built: cargo build --release --workspace --bins",
        worker.display()
    );
    worker
}

/// The folder of the LibTorch that the worker was built with, as its loader has it.
fn libtorch() -> String {
    let listed = Command::new(worker())
        .env_clear()
        .env("LD_TRACE_LOADED_OBJECTS", "1")
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let line = listed.lines().find(|line| line.contains("libtorch_cpu.so =>"));
    let (_, path) = line.unwrap().split_once("=> ").unwrap();
    let (folder, _) = path.rsplit_once("/libtorch_cpu.so").unwrap();
    folder.to_owned()
}

/// Every file below a folder, with what would change if anything were written.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, u32, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let at = fs::symlink_metadata(&path).unwrap();
        found.insert(path.clone(), (at.len(), at.mode(), at.modified().unwrap()));
        if at.is_dir() {
            found.extend(files(&path));
        }
    }
    found
}

#[test]
fn a_pc_that_only_was_stopped_has_no_fault_and_nothing_of_it_is_touched() {
    let home = Home::new();
    worker();
    let before = files(&home.path);
    let report = home.doctor(&[]);
    assert_eq!(report.code, Some(0), "{:#}", report.json);
    assert_eq!(report.json["faults"], 0);
    for check in [
        "processor",
        "programs",
        "libtorch",
        "environment",
        "wallet",
        "folder",
        "network_file",
        "keys",
        "identities",
        "ports",
    ] {
        report.is_well(check);
    }
    report.names("node", "warning", "hydra up --base-path");
    report.names("trainer", "warning", "it does not run");
    assert_eq!(files(&home.path), before, "nothing is written");

    let text = home.hydra(&["doctor", "--base-path", "pc"]).output().unwrap();
    assert_eq!(text.status.code(), Some(0));
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("\nok       keys          of 5"), "{text}");
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("No fault, ") && last.ends_with("node, trainer)."),
        "{text}"
    );
}

#[test]
fn a_pc_without_a_network_is_told_how_to_join_one() {
    let home = Home::empty();
    let report = Report::of(&mut home.hydra(&["doctor"]));
    report.names("network", "unknown", "hydra up --network FILE");
    report.is_well("wallet");
    assert_eq!(fs::read_dir(&home.path).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_port_that_another_program_has_is_named_with_the_program() {
    let home = Home::new();
    let port = home.network().pcs[0].trainer.p2p_port;
    let _held = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let report = home.doctor(&[]);
    report.names("ports", "fault", &format!("port {port} "));
    report.names("ports", "fault", &format!("(process {})", std::process::id()));
    report.names("ports", "fault", "--trainer-p2p-port PORT");
    // What is its own is no fault.
    home.change(|network| network.pcs[0].trainer.pid = std::process::id());
    home.doctor(&[]).is_well("ports");
}

#[test]
fn a_key_that_others_can_read_is_a_fault() {
    let home = Home::new();
    set_mode(&home.key(), 0o644);
    let chmod = format!("`chmod 600 {}`", home.key().display());
    home.doctor(&[]).names("keys", "fault", &chmod);
    set_mode(&home.key(), 0o600);
    home.doctor(&[]).is_well("keys");
    let token = home.network().pcs[0].trainer.token_file.clone();
    set_mode(&token, 0o640);
    home.doctor(&[])
        .names("identities", "fault", "its mode lets others read it");
}

#[test]
fn a_damaged_key_is_named_and_never_quoted() {
    let home = Home::new();
    let key = home.key();
    let secret = fs::read_to_string(&key).unwrap();
    // As after a full disk.
    let half = &secret[..secret.len() / 2];
    fs::write(&key, half).unwrap();
    let report = home.doctor(&[]);
    report.names("keys", "fault", "is no key of a node's keystore");
    assert!(!report.json.to_string().contains(half.trim_start_matches('"')));
    // Another account's secret in its place.
    let (_, phrase) = Key::generate().unwrap();
    fs::write(&key, format!("\"{}\"", *phrase)).unwrap();
    home.doctor(&[])
        .names("keys", "fault", "of the account that it names");
    fs::remove_file(&key).unwrap();
    home.doctor(&[])
        .names("keys", "fault", "no key of an account is in");
}

#[test]
fn two_accounts_in_one_keystore_are_a_warning_with_the_way_out() {
    let home = Home::new();
    let (key, phrase) = Key::generate().unwrap();
    keystore::insert(&home.keystore(), Kind::Account, &key.account(), &phrase).unwrap();
    let report = home.doctor(&[]);
    report.names("keys", "warning", "the keys of 2 accounts");
    // Nobody but the owner knows which one is meant.
    for account in keystore::publics(&home.keystore(), Kind::Account).unwrap() {
        let path = keystore::path(&home.keystore(), Kind::Account, &account);
        report.names("keys", "warning", &format!("`mv {} ", path.display()));
    }
    assert_eq!(report.json["faults"], 0, "{:#}", report.json);
}

#[test]
fn identities_that_are_damaged_missing_or_another_pc_s_are_faults() {
    let home = Home::new();
    let trainer = home.network().pcs[0].trainer.clone();
    fs::write(&trainer.token_file, "half a tok").unwrap();
    home.doctor(&[])
        .names("identities", "fault", "64 hexadecimal characters");
    fs::write(&trainer.token_file, "ab".repeat(32)).unwrap();
    home.doctor(&[]).is_well("identities");
    fs::write(&trainer.key_file, "cd".repeat(32)).unwrap();
    home.doctor(&[])
        .names("identities", "fault", "is of another trainer than others know");
    fs::remove_file(&trainer.key_file).unwrap();
    home.doctor(&[]).names(
        "identities",
        "fault",
        "the identity of this PC's trainer isn't in",
    );
    let node = home.keystore().with_file_name("network").join("secret_ed25519");
    fs::write(node, "nothing").unwrap();
    home.doctor(&[])
        .names("identities", "fault", "secret_ed25519 is no key");
}

#[test]
fn a_damaged_account_of_the_wallet_is_named() {
    let home = Home::empty();
    let keys = home.path(".config/hydra/keys");
    fs::create_dir_all(&keys).unwrap();
    fs::write(keys.join("savings.json"), r#"{"encoded":"AAAA"#).unwrap();
    fs::write(keys.join("notes.txt"), "no account").unwrap();
    let report = Report::of(&mut home.hydra(&["doctor"]));
    report.names("wallet", "fault", "savings.json can't be used");
    assert_eq!(report.of_topic("wallet").len(), 1);
}

#[test]
fn programs_that_are_missing_or_of_another_release_are_faults() {
    let home = Home::new();
    home.doctor(&["--worker", "none"])
        .names("programs", "fault", "the worker program none isn't there");
    home.doctor(&["--trainer", "none"])
        .names("programs", "fault", "can't find hydra-trainer");
    let old = home.path("hydra-node");
    fs::write(&old, "#!/bin/sh\necho hydra-node 0.0.9\n").unwrap();
    set_mode(&old, 0o755);
    // Copied by another process: a file that this one still held open for writing could not be run.
    let copy = home.path("old-node");
    assert!(Command::new("cp").args([&old, &copy]).status().unwrap().success());
    home.doctor(&["--node", "./old-node"])
        .names("programs", "fault", "hydra-node is of version 0.0.9");
}

#[test]
fn a_worker_whose_libtorch_is_gone_is_a_fault() {
    let home = Home::new();
    let libtorch = libtorch();
    let mut program = fs::read(worker()).unwrap();
    let places: Vec<usize> = program
        .windows(libtorch.len())
        .enumerate()
        .filter(|(_, window)| *window == libtorch.as_bytes())
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        program[at..at + libtorch.len()].fill(b'x');
    }
    let (patched, worker) = (home.path("patched"), home.path("worker"));
    fs::write(&patched, program).unwrap();
    set_mode(&patched, 0o755);
    let copied = Command::new("cp").args([&patched, &worker]).status().unwrap();
    assert!(copied.success());
    let report = home.doctor(&["--worker", "worker"]);
    report.names("libtorch", "fault", "isn't where it was when it was built");
    report.names("libtorch", "fault", "scripts/setup");
    // A program, and no worker.
    home.doctor(&["--worker", "/bin/true"])
        .names("libtorch", "fault", "uses no libtorch_cpu.so");
}

#[test]
fn an_environment_that_names_another_libtorch_is_a_warning() {
    let home = Home::new();
    let other = home.path("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("libtorch_cpu.so"), "no library at all").unwrap();
    let under = |name: &str, value: &Path| {
        let mut command = home.hydra(&["doctor", "--base-path", "pc"]);
        Report::of(command.env(name, value))
    };
    let report = under("LD_LIBRARY_PATH", &other);
    let named = format!(
        "LD_LIBRARY_PATH of this shell names another LibTorch, in {}",
        other.display()
    );
    report.names("environment", "warning", &named);
    // Workers don't get it.
    report.is_well("libtorch");
    under("LD_LIBRARY_PATH", Path::new(&libtorch())).is_well("environment");
    under("LD_PRELOAD", &home.path("none.so")).names("environment", "warning", "`unset LD_PRELOAD`");
}

#[test]
fn a_folder_that_was_moved_is_missed_and_is_well_where_it_is() {
    let home = Home::new();
    let data = home.path(".local/share/hydraai");
    network::remember_joined(&data, &home.path("pc")).unwrap();
    let doctor = || Report::of(&mut home.hydra(&["doctor"]));
    doctor().is_well("folder");
    fs::rename(home.path("pc"), home.path("moved")).unwrap();
    let gone = format!("no longer in {}", home.path("pc").display());
    doctor().names("network", "fault", &gone);
    home.doctor(&[])
        .names("network", "fault", "there is no network in pc");
    let moved = Report::of(&mut home.hydra(&["doctor", "--base-path", "moved"]));
    for check in ["folder", "keys", "identities", "network_file"] {
        moved.is_well(check);
    }
}

#[test]
fn a_network_that_was_deleted_is_no_fault_for_ever() {
    let home = Home::empty();
    let data = home.path(".local/share/hydraai");
    let doctor = || Report::of(&mut home.hydra(&["doctor"]));
    network::remember(&data, &home.path("demo")).unwrap();
    doctor().names("network", "unknown", "hydra up --network FILE");
    // This PC's own is missed, until its owner says not to.
    network::remember_joined(&data, &home.path("pc")).unwrap();
    let named = network::joined_file(&data);
    doctor().names("network", "fault", &format!("`rm {}`", named.display()));
    fs::remove_file(named).unwrap();
    doctor().names("network", "unknown", "hydra up --network FILE");
}

#[test]
fn a_folder_that_can_not_be_written_is_a_fault() {
    let home = Home::new();
    let pc = home.path("pc");
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    set_mode(&home.path, 0o755);
    let report = if is_root {
        // Root may write whatever the mode says, so somebody else looks: at a folder of theirs.
        chown(&pc, Some(NOBODY), Some(NOBODY)).unwrap();
        set_mode(&pc, 0o555);
        let program = home.path("hydra");
        let copied = Command::new("cp")
            .arg(env!("CARGO_BIN_EXE_hydra"))
            .arg(&program)
            .status();
        assert!(copied.unwrap().success());
        set_mode(&program, 0o755);
        let mut command = clean(
            Command::new(&program),
            &home.path,
            &["doctor", "--base-path", "pc"],
        );
        Report::of(command.uid(NOBODY).gid(NOBODY))
    } else {
        set_mode(&pc, 0o555);
        home.doctor(&[])
    };
    set_mode(&pc, 0o755);
    report.names("folder", "fault", "pc can't be written");
    report.names("folder", "fault", "`chmod u+rwx ");
}

#[test]
fn a_network_s_file_of_another_network_or_none_is_a_fault() {
    let home = Home::new();
    let file = home.path("pc/chain.json");
    fs::write(&file, r#"{"name":"Other","id":"other-net"}"#).unwrap();
    home.doctor(&[]).names(
        "network_file",
        "fault",
        "is the file of another network: other-net",
    );
    fs::write(&file, "{\"name\":").unwrap();
    home.doctor(&[])
        .names("network_file", "fault", "is no network's file");
    fs::remove_file(&file).unwrap();
    home.doctor(&[]).names("network_file", "fault", "isn't there");
}

#[test]
fn a_network_json_that_makes_no_sense_is_a_fault_and_the_pc_is_looked_at_all_the_same() {
    let home = Home::new();
    fs::write(home.path("pc/network.json"), "{}").unwrap();
    let report = home.doctor(&[]);
    report.names("network", "fault", "network.json can't be understood");
    assert!(report.of_topic("keys").is_empty());
    report.is_well("wallet");
}

#[test]
fn programs_that_ended_while_hydra_runs_are_faults() {
    let home = Home::new();
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    home.change(|network| {
        network.hydra_pid = std::process::id();
        network.ready = true;
        network.pcs[0].node.pid = child.id();
        network.pcs[0].trainer.pid = child.id();
    });
    let report = home.doctor(&[]);
    report.names("node", "fault", "it does not run, though `hydra` does");
    report.names("trainer", "fault", "start it with `hydra up --base-path ");
}

#[test]
fn numbers_of_processes_from_before_a_restart_mean_nobody() {
    let home = Home::new();
    worker();
    home.change(|network| {
        network.hydra_pid = std::process::id();
        network.ready = true;
        network.pcs[0].node.pid = std::process::id();
    });
    home.doctor(&[])
        .names("node", "fault", "nobody listens on its port");
    let file = home.path("pc/network.json");
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let report = home.doctor(&[]);
    assert_eq!(report.json["faults"], 0, "{:#}", report.json);
    report.names("node", "warning", "it does not run");
    report.names("trainer", "warning", "it does not run");
}

#[test]
fn what_is_about_to_run_is_not_missed() {
    let home = Home::new();
    home.change(|network| network.hydra_pid = std::process::id());
    let report = home.doctor(&[]);
    report.names("node", "warning", "it is just starting");
    report.names("trainer", "warning", "it is just starting");
}

#[test]
fn programs_that_keep_silent_are_faults_and_not_waited_for() {
    let home = Home::new();
    let pc = home.network().pcs[0].clone();
    let listen = |port| TcpListener::bind(("127.0.0.1", port)).unwrap();
    let _held = [listen(pc.node.rpc_port), listen(pc.trainer.http_port)];
    // This process, as if it were node and trainer, stuck.
    home.change(|network| {
        network.hydra_pid = std::process::id();
        network.ready = true;
        network.pcs[0].node.pid = std::process::id();
        network.pcs[0].trainer.pid = std::process::id();
    });
    let start = Instant::now();
    let report = home.doctor(&[]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    report.is_well("ports");
    report.names("node", "fault", "does not answer within");
    report.names("node", "fault", &format!("`kill -9 {}`", std::process::id()));
    report.names("trainer", "fault", &format!("`kill -9 {}`", std::process::id()));
    report.names("clock", "unknown", "neither node nor trainer");
}

#[test]
fn a_pc_of_a_local_network_is_looked_at_as_well() {
    let home = Home::empty();
    let folder = home.path("demo");
    fs::create_dir(&folder).unwrap();
    let network = Layout::new(folder.clone(), 4, free_ports(16)).network();
    let _held = TcpListener::bind(("127.0.0.1", network.pcs[1].node.p2p_port)).unwrap();
    network.write(&folder).unwrap();
    let doctor = |pc: &str| Report::of(&mut home.hydra(&["doctor", "--base-path", "demo", "--pc", pc]));
    let bob = doctor("bob");
    assert_eq!(bob.json["pc"], "bob");
    bob.names("ports", "fault", "--base-port PORT");
    bob.names("node", "warning", "hydra demo --only bob --base-path");
    bob.is_well("folder");
    // Its keys are everybody's, and it has no file.
    assert!(bob.of_topic("keys").is_empty() && bob.of_topic("network_file").is_empty());
    doctor("eve").names("network", "fault", "has no PC called eve");
}

#[test]
fn who_is_meant_is_the_account_that_the_folder_is_of() {
    let home = Home::new();
    let (key, _) = Key::generate().unwrap();
    let other = accounts::address(&key.account());
    home.change(|network| network.pcs[0].account = other.clone());
    home.doctor(&[]).names(
        "keys",
        "fault",
        &format!("the key of this PC's account {other} isn't in"),
    );
}
