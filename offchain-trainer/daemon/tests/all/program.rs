//! The program `hydra-trainer` itself: how it starts, refuses to start, and ends.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::support::{Chain, Pc, claim_of, client, datasets, json, options, workers_of};
use hydra_engine::EngineConfig;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;

fn command(folder: &TempDir, http: u16, p2p: u16) -> Command {
    command_at(folder, &folder.path().join("base"), http, p2p)
}

pub fn command_at(folder: &TempDir, base_path: &Path, http: u16, p2p: u16) -> Command {
    let options = options(30, folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydra-trainer"));
    command
        .arg("--base-path")
        .arg(base_path)
        .arg("--token-file")
        .arg(options.token_file);
    command
        .arg("--key-file")
        .arg(options.key_file)
        .arg("--dataset")
        .arg(datasets());
    command.args([
        "--http-port",
        &http.to_string(),
        "--p2p-port",
        &p2p.to_string(),
        "--workers",
        "1",
        "--no-port-mapping",
        "--no-mdns",
    ]);
    command
}

fn refuses(mut command: Command, words: &str) {
    let Output { status, stderr, .. } = command.output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{stderr}");
    let sentence = stderr
        .lines()
        .find(|line| line.starts_with("error: "))
        .unwrap_or_default();
    assert!(sentence.contains(words), "{stderr}");
}

#[test]
fn a_taken_port_is_one_sentence_and_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let port = hydra_test_ports::free_ports(1);
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    // This program has it.
    let holder = format!("(process {})", std::process::id());
    let by = |ip: &str| format!("port {port} on {ip} is already in use by all-");
    refuses(command(&folder, port, 0), &by("127.0.0.1"));
    refuses(command(&folder, port, 0), &holder);
    drop(taken);
    let taken = TcpListener::bind(("0.0.0.0", port)).unwrap();
    refuses(command(&folder, 0, port), &by("0.0.0.0"));
    refuses(command(&folder, 0, port), &holder);
    drop(taken);
}

#[test]
fn a_base_path_that_can_not_be_used_is_one_sentence_and_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    // Not even root may write there.
    for bad in ["/proc/hydra", "/dev/null/hydra", file.to_str().unwrap()] {
        refuses(
            command_at(&folder, Path::new(bad), 0, 0),
            &format!("the base path {bad} can't be used"),
        );
    }
}

#[test]
fn help_has_no_escape_codes_where_they_are_unwanted() {
    let on_a_terminal = |variables: &[(&str, &str)]| {
        let line = format!("{} --help", env!("CARGO_BIN_EXE_hydra-trainer"));
        let mut script = Command::new("script");
        script
            .args(["--quiet", "--return", "--command", &line, "/dev/null"])
            .stdin(Stdio::null())
            .env_remove("NO_COLOR")
            .env("TERM", "xterm");
        let output = script.envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        on_a_terminal(&[]).contains('\x1b'),
        "a terminal may be styled, or this test shows nothing"
    );
    for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        // Where CI is set, libraries take every terminal for one that can be styled.
        let help = on_a_terminal(&[plain, ("CI", "true")]);
        assert!(
            help.contains("Usage") && !help.contains('\x1b'),
            "{plain:?}: {help:?}"
        );
    }
}

/// As systemd, cron and containers start programs; and nothing is written anywhere but in the base path.
#[test]
fn it_needs_no_home_no_temporary_folder_and_no_text_in_its_paths() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join(OsStr::from_bytes(b"b\xff\xfe\xc3se"));
    let mut bare = command_at(&folder, &base, 0, 0);
    bare.env_clear()
        .env("TMPDIR", "/nonexistent")
        .env("NO_COLOR", "1")
        .current_dir("/");
    let mut running = start(bare);
    assert!(base.join("trainer.redb").is_file(), "the path as it was given");
    refuses(command_at(&folder, &base, 0, 0), "another trainer is using");
    let pid = Pid::from_raw(i32::try_from(running.child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(ends(&mut running.child), 0);
    let mut log = String::new();
    let mut stderr = running.child.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    assert!(log.contains("stopping") && !log.contains('\u{1b}'), "{log}");
}

#[test]
fn bad_files_are_one_sentence_and_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let mut missing = command(&folder, 0, 0);
    missing.arg("--dataset").arg(folder.path());
    refuses(missing, "digits.csv.gz");
    let short = command(&folder, 0, 0);
    std::fs::write(folder.path().join("token"), "abcd").unwrap();
    refuses(short, "instead of 64 hexadecimal digits");
    let missing = command(&folder, 0, 0);
    std::fs::remove_file(folder.path().join("key")).unwrap();
    refuses(missing, "can't be read");
}

pub struct Running {
    pub child: Child,
    pub url: String,
    pub ready: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // Harmless if it has ended; a test that failed leaves no trainer behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn start(mut command: Command) -> Running {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut running = Running {
        child,
        url: String::new(),
        ready: String::new(),
    };
    let mut line = String::new();
    BufReader::new(running.child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let Some(address) = line
        .trim()
        .strip_prefix("ready: peer ")
        .and_then(|l| l.rsplit(' ').next())
    else {
        let mut errors = String::new();
        let mut stderr = running.child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        panic!("{line} {errors}");
    };
    running.url = format!("http://{address}");
    running.ready = line;
    running
}

#[test]
fn with_a_p2p_address_it_listens_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut quiet = command(&folder, 0, 0);
    quiet.args(["--p2p-address", "127.0.0.1"]);
    let mut running = start(quiet);
    let addresses: Vec<&str> = running
        .ready
        .split(' ')
        .filter(|word| word.starts_with("/ip"))
        .collect();
    assert!(
        !addresses.is_empty()
            && addresses
                .iter()
                .all(|address| address.starts_with("/ip4/127.0.0.1/")),
        "{addresses:?}"
    );
    let pid = Pid::from_raw(i32::try_from(running.child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();
    assert_eq!(ends(&mut running.child), 0);
}

pub fn ends(child: &mut Child) -> i32 {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code().expect("it ends by itself, not by the signal");
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_stops_it_cleanly_with_its_workers() {
    let folder = tempfile::tempdir().unwrap();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut running = start(command(&folder, 0, 0));
        let pid = running.child.id();
        let http = client();
        let ready = async {
            loop {
                let status = json(
                    http.get(format!("{}/v1/status", running.url))
                        .send()
                        .await
                        .unwrap(),
                )
                .await;
                if status["engine"]["state"] != "starting" {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let status = tokio::time::timeout(Duration::from_secs(60), ready)
            .await
            .unwrap();
        assert_eq!(status["engine"]["state"], "ready", "{status:#}");
        let workers = workers_of(pid);
        assert_eq!(workers.len(), 1);
        kill(Pid::from_raw(pid as i32), signal).unwrap();
        assert_eq!(ends(&mut running.child), 0);
        assert!(!std::path::Path::new(&format!("/proc/{}", workers[0])).exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_trainers_cant_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = start(command(&folder, 0, 0));
    refuses(command(&folder, 0, 0), "another trainer is using");
    kill(Pid::from_raw(running.child.id() as i32), Signal::SIGTERM).unwrap();
    assert_eq!(ends(&mut running.child), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_it_says_so_serves_and_never_trains_or_says_that_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(31, &folder);
    options.worker_binary = Some(folder.path().join("no-such-worker"));
    options.dataset = vec![datasets()];
    let trainer = hydra_trainer::Trainer::start(options.clone()).await.unwrap();
    let mut pc = Pc {
        account: [31; 32],
        folder,
        options,
        trainer: Some(trainer),
        http: client(),
    };
    let status = pc.status_with(|s| s["engine"]["state"] == "failed").await;
    assert!(
        status["engine"]["reason"]
            .as_str()
            .unwrap()
            .contains("no-such-worker"),
        "{status:#}"
    );
    let mut chain = Chain::new(&[&pc]);
    chain.heartbeat = Some(3);
    let owed = chain.sheet(&pc, vec![chain.train(&pc)]);
    assert!(pc.post(&owed).await.is_empty());
    pc.status_with(|s| s["models"][0]["version"] == 0 && s["models"][0]["state"] == "idle")
        .await;
    assert!(pc.post(&owed).await.is_empty());
    let weights = pc.weights().await;
    assert_eq!(weights.status(), reqwest::StatusCode::OK);
    let (code, answer) = pc
        .ask("/v1/infer", r#"{"model":0,"image":{"ValidationIndex":0}}"#)
        .await;
    assert_eq!(code, reqwest::StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        answer["error"].as_str().unwrap().contains("engine can't be used"),
        "{answer}"
    );
    pc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_engine_that_could_not_be_finished_is_made_again_with_a_later_sheet() {
    let folder = tempfile::tempdir().unwrap();
    // Ends at once the first time, as if it had been killed.
    let worker = folder.path().join("worker");
    let real = EngineConfig::default().worker_path();
    let script = format!(
        "#!/bin/sh\nif [ -e \"$0.tried\" ]; then exec {}; fi\n: > \"$0.tried\"\nexit 1\n",
        real.display()
    );
    std::fs::write(&worker, script).unwrap();
    std::fs::set_permissions(&worker, PermissionsExt::from_mode(0o755)).unwrap();
    let mut options = options(32, &folder);
    options.worker_binary = Some(worker);
    options.dataset = vec![datasets()];
    let trainer = hydra_trainer::Trainer::start(options.clone()).await.unwrap();
    let mut pc = Pc {
        account: [32; 32],
        folder,
        options,
        trainer: Some(trainer),
        http: client(),
    };
    let status = pc
        .status_with(|s| s["errors"].to_string().contains("next duty sheet"))
        .await;
    assert_eq!(status["engine"]["state"], "starting", "{status:#}");
    let chain = Chain::new(&[&pc]);
    assert_eq!(claim_of(&pc, &chain).await.base, chain.confirmed.weights);
    assert_eq!(pc.status().await["engine"]["state"], "ready");
    pc.stop().await;
}
