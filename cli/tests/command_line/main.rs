//! The `hydra` program itself, as far as it goes without a network: what it refuses, and how it says so.

mod models;
mod top;

use hydra_cli::network::{self, Layout, Network};
use hydra_test_ports::free_ports;
use std::{
    ffi::OsStr,
    fs,
    net::TcpListener,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// `hydra`, knowing nothing of whoever runs the tests.
fn hydra(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hydra"));
    for variable in [
        "HYDRA_URL",
        "HYDRA_SURI",
        "HYDRA_NODE",
        "HYDRA_TRAINER",
        "HYDRA_KEYS",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "NO_COLOR",
    ] {
        command.env_remove(variable);
    }
    command.env("HOME", home).current_dir(home);
    command
}

/// `hydra demo` with programs that end at once: everything before them is tried.
fn demo(home: &Path) -> Command {
    let mut command = hydra(home);
    let datasets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets");
    command.args([
        "demo",
        "--node",
        "/bin/false",
        "--trainer",
        "/bin/false",
        "--datasets",
    ]);
    command.arg(datasets);
    command
}

/// A folder of our own, by the name that the system has for it.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

/// Its code, data and complaint. With `--json` the data is what `docs/json` says.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = hydra_schema_tests::run(command);
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code(), text(stdout), text(stderr))
}

/// It ends with this code and one sentence, which says this.
fn refused(command: &mut Command, code: i32, words: &str) {
    let (status, out, complaint) = run(command);
    assert_eq!(status, Some(code), "{complaint}");
    assert!(complaint.contains(words), "expected '{words}', got: {complaint}");
    assert!(
        !complaint.contains("panicked") && out.is_empty(),
        "{out}{complaint}"
    );
}

#[test]
fn a_base_path_that_is_not_utf8_is_refused_and_not_mangled() {
    let (_folder, home) = folder();
    let name = OsStr::from_bytes(b"caf\xe9");
    refused(
        demo(&home).arg("--base-path").arg(home.join(name)),
        2,
        "is not UTF-8",
    );
    // By way of the environment, too.
    refused(
        demo(&home).env("XDG_DATA_HOME", home.join(name)),
        2,
        "is not UTF-8",
    );
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_home_that_can_not_be_written_is_one_sentence_with_the_way_out() {
    let (_folder, home) = folder();
    // Even root can't make a folder in a file.
    let file = home.join("file");
    fs::write(&file, "").unwrap();
    let way_out =
        "can't be written (Not a directory (os error 20)): name a folder that can be with --base-path";
    refused(demo(&home).env("HOME", &file), 1, way_out);
    refused(demo(&home).env("XDG_DATA_HOME", file.join("data")), 1, way_out);
}

#[test]
fn a_home_that_is_no_path_is_not_taken_for_one_in_the_current_folder() {
    let (_folder, home) = folder();
    refused(demo(&home).env("HOME", "home"), 1, "set HOME or XDG_DATA_HOME");
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_goal_that_can_not_be_reached_is_refused_at_once() {
    let (_folder, home) = folder();
    let goal = ["--pcs", "2", "--until-accuracy", "0.9", "--base-path", "n"];
    refused(demo(&home).args(goal), 6, "at least 3 must run");
    assert!(!home.join("n").exists());
}

#[test]
fn addresses_that_are_none_are_answered_with_one_that_is() {
    let (_folder, home) = folder();
    for (given, example) in [
        ("http://127.0.0.1:9944", "ws://127.0.0.1:9944"),
        ("127.0.0.1:9944", "ws://127.0.0.1:9944"),
        ("ws://0.0.0.0:9944", "ws://127.0.0.1:9944"),
        ("ws://10.0.0.5", "ws://10.0.0.5:9944"),
    ] {
        let example = format!("for example {example}");
        refused(hydra(&home).args(["status", "--url", given]), 2, &example);
        refused(hydra(&home).arg("rounds").env("HYDRA_URL", given), 2, &example);
    }
}

#[test]
fn a_network_that_was_stopped_is_not_mistaken_for_whoever_has_its_port_now() {
    let (_folder, home) = folder();
    let base_path = home.join("network");
    fs::create_dir(&base_path).unwrap();
    let stranger = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = stranger.local_addr().unwrap().port();
    let mut network = Layout::new(base_path.clone(), 1, 20_000).network();
    network.pcs[0].node.rpc_port = port;
    network.pcs[0].node.rpc_url = format!("ws://127.0.0.1:{port}");
    network.write(&base_path).unwrap();

    let words = format!("its port {port} is used by ");
    refused(hydra(&home).args(["status", "--base-path", "network"]), 3, &words);
    network::remember(&home.join(".local/share/hydraai"), &base_path).unwrap();
    refused(hydra(&home).args(["rounds", "--pc", "alice"]), 3, &words);
    // Remembered and not named: whatever runs at the usual address is meant, and nothing of that network.
    let (_, out, complaint) = run(hydra(&home).arg("status"));
    let said = out + &complaint;
    assert!(said.contains("ws://127.0.0.1:9944"), "{said}");
    assert!(!said.contains(&format!(":{port}")), "{said}");
}

#[test]
fn a_moved_network_is_started_where_it_is() {
    let (_folder, home) = folder();
    let (before, after) = (home.join("before"), home.join("after"));
    fs::create_dir(&before).unwrap();
    Layout::new(before.clone(), 4, free_ports(16))
        .network()
        .write(&before)
        .unwrap();
    fs::rename(&before, &after).unwrap();
    let only = ["--only", "bob", "--base-path", "after"];
    let log = after.join("bob/");
    refused(demo(&home).args(only), 8, log.to_str().unwrap());
    assert!(after.join("bob/node.log").exists());
    assert!(!before.exists(), "nothing is made where it was");
}

#[test]
fn who_holds_a_port_is_named_and_left_overs_as_what_they_are() {
    let (_folder, home) = folder();
    let base_path = home.join("network");
    fs::create_dir(&base_path).unwrap();
    let mut network = Layout::new(base_path.clone(), 4, free_ports(16)).network();
    // The port of a trainer that answers nobody any more; one that does is made use of.
    let port = network.pc("dave").unwrap().trainer.p2p_port;
    let _held = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let us = std::process::id();
    let only = ["--only", "dave", "--base-path", "network"];

    network.write(&base_path).unwrap();
    let stranger = format!("(process {us}), which is not of this network");
    refused(demo(&home).args(only), 8, &stranger);
    network.pcs[3].trainer.pid = us;
    network.write(&base_path).unwrap();
    let own = format!(
        "(process {us}), this network's own trainer of Dave, which still runs: stop it with `kill {us}`"
    );
    refused(demo(&home).args(only), 8, &own);
}

#[test]
fn folders_and_names_that_can_not_be_are_told_from_those_that_can() {
    let (_folder, home) = folder();
    fs::write(home.join("file"), "").unwrap();
    let at = |path: &str| {
        let mut command = demo(&home);
        command.args(["--base-port", &free_ports(16).to_string(), "--base-path", path]);
        command
    };
    refused(&mut at("file"), 2, "file is no folder");
    refused(&mut at("."), 2, "holds something else, file for example");
    refused(
        hydra(&home).args(["man", "--out", "file"]),
        2,
        "file is no folder",
    );
    refused(
        hydra(&home).args(["ask", "99999999999"]),
        6,
        "no validation set has an image 99999999999",
    );
    // A start that is refused leaves nothing.
    let port = free_ports(16);
    let _held = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let new = ["--base-port", &port.to_string(), "--base-path", "new"];
    refused(demo(&home).args(new), 8, "is taken by");
    assert!(!home.join("new").exists());

    fs::create_dir(home.join("network")).unwrap();
    Layout::new(home.join("network"), 3, free_ports(16))
        .network()
        .write(&home.join("network"))
        .unwrap();
    let eve = "has no PC called eve; it has alice, bob and charlie";
    refused(
        demo(&home).args(["--only", "eve", "--base-path", "network"]),
        8,
        eve,
    );
    refused(
        hydra(&home).args(["status", "--pc", "eve", "--base-path", "network"]),
        8,
        eve,
    );
}

#[test]
fn pages_and_completions_come_as_json_too() {
    let (_folder, home) = folder();
    let json = |arguments: &[&str]| -> serde_json::Value {
        let (code, out, complaint) = run(hydra(&home).args(arguments));
        assert_eq!(code, Some(0), "{complaint}");
        serde_json::from_str(&out).unwrap()
    };
    let pages = json(&["man", "--out", "man1", "--json"]);
    let pages = pages.as_array().unwrap();
    assert!(pages.contains(&"man1/hydra-demo.1".into()), "{pages:?}");
    assert!(
        json(&["completions", "bash", "--json"])
            .as_str()
            .unwrap()
            .contains("complete")
    );
}

#[test]
fn runs_without_a_folder_do_not_fill_the_disk() {
    let (_folder, home) = folder();
    let port = free_ports(16).to_string();
    let made = home.join(".local/share/hydraai/local");
    let count = || fs::read_dir(&made).unwrap().count();
    for expected in [1, 2, 2, 2] {
        let (code, _, complaint) = run(demo(&home).args(["--pcs", "1", "--base-port", &port]));
        assert_eq!(code, Some(8), "{complaint}");
        assert_eq!(count(), expected, "{complaint}");
    }
    // Named once, it is somebody's.
    let kept = fs::read_dir(&made).unwrap().next().unwrap().unwrap().path();
    run(demo(&home)
        .args(["--pcs", "1", "--base-port", &port, "--base-path"])
        .arg(&kept));
    assert!(!Network::read(&kept).unwrap().unwrap().disposable);
    for _ in 0..3 {
        run(demo(&home).args(["--pcs", "1", "--base-port", &port]));
    }
    assert!(kept.exists());
}

#[test]
fn an_output_that_can_not_be_is_refused_before_the_node_is_asked() {
    let (_folder, home) = folder();
    let url = format!("ws://127.0.0.1:{}", free_ports(1));
    let export = |out: &str| {
        let mut command = hydra(&home);
        command.args(["model", "export", "--url", &url, "--out", out]);
        command
    };
    fs::create_dir(home.join("dir")).unwrap();
    symlink("dir", home.join("link")).unwrap();
    refused(&mut export("dir"), 1, "can't write dir: is a directory");
    refused(&mut export("link"), 1, "is a directory");
    refused(&mut export("none/file"), 1, "can't write none/file");
    // Whatever can be written leads to the next question.
    refused(&mut export("/dev/null"), 3, "no node answers");
    refused(&mut export("-"), 3, "no node answers");
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn with_json_a_failure_is_json_too() {
    let (_folder, home) = folder();
    let (code, out, complaint) = run(hydra(&home).args(["--json", "status", "--url", "http://x:1"]));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["code"]), (Some(2), &2.into()));
    assert!(complaint.contains(json["error"].as_str().unwrap()), "{complaint}");
    // The command line itself, too.
    let (code, out, _) = run(hydra(&home).args(["status", "--json", "--nonsense"]));
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["code"]), (Some(2), &2.into()));
    let said = json["error"].as_str().unwrap();
    assert!(said.starts_with("unexpected argument '--nonsense'"), "{said}");
}

/// `hydra up` with programs that end at once.
fn up(home: &Path) -> Command {
    let mut command = hydra(home);
    command.args(["up", "--node", "/bin/false", "--trainer", "/bin/false"]);
    command
}

#[test]
fn what_takes_part_in_nothing_is_told_where_to_begin() {
    let (_folder, home) = folder();
    let begin = "takes part in no network yet";
    refused(&mut up(&home), 8, begin);
    refused(hydra(&home).arg("down"), 8, begin);
    refused(hydra(&home).arg("logs"), 8, begin);
    refused(hydra(&home).args(["logs", "--base-path", "nothing"]), 8, begin);
    let nobody = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
    refused(hydra(&home).args(["invite", nobody]), 8, begin);
    for arguments in [&["pause", "--yes"][..], &["resume"], &["validate", "--stop"]] {
        refused(hydra(&home).args(arguments), 8, begin);
    }
    refused(
        hydra(&home).args(["registration", "--account", nobody]),
        6,
        "it is not known which identity the trainer has",
    );
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "nothing is made");
}

#[test]
fn a_file_that_is_no_network_s_is_refused_and_leaves_nothing() {
    let (_folder, home) = folder();
    let file = home.join("net.json");
    for text in [
        "",
        "{}",
        r#"{"name":"N","id":"../n"}"#,
        r#"{"name":"N","id":"dev"}"#,
        r#"{"name":"N","id":"n","genesis":{"runtimeGenesis":{}}}"#,
    ] {
        fs::write(&file, text).unwrap();
        refused(
            up(&home).args(["--network", "net.json"]),
            8,
            "is no network's file",
        );
    }
    refused(
        up(&home).args(["--network", "none.json"]),
        1,
        "can't read none.json",
    );
    assert!(!home.join(".local").exists());
}

#[test]
fn a_member_s_keys_are_made_once_and_its_file_holds_no_secret() {
    let (_folder, home) = folder();
    let member = |out: &str| {
        let mut command = hydra(&home);
        command.args([
            "network",
            "member",
            "--id",
            "net",
            "--base-path",
            "pc",
            "--out",
            out,
        ]);
        command.args([
            "--address",
            "203.0.113.7",
            "--address",
            "pc.example.org",
            "--json",
        ]);
        command
    };
    let made = |out: &str| -> serde_json::Value {
        let (code, text, complaint) = run(&mut member(out));
        assert_eq!(code, Some(0), "{complaint}");
        serde_json::from_str(&text).unwrap()
    };
    let first = made("a.json");
    assert_eq!(made("b.json"), first);
    refused(
        &mut {
            let mut again = hydra(&home);
            again.args([
                "network",
                "member",
                "--id",
                "net",
                "--base-path",
                "pc",
                "--out",
                "a.json",
            ]);
            again
        },
        6,
        "a.json is there already",
    );
    let node = first["node_addresses"][1].as_str().unwrap();
    assert!(
        node.starts_with("/dns/pc.example.org/tcp/30333/p2p/12D3KooW"),
        "{node}"
    );
    let keystore = home.join("pc/pc/node/chains/net/keystore");
    let keys: Vec<_> = fs::read_dir(&keystore)
        .unwrap()
        .map(|key| key.unwrap().path())
        .collect();
    assert_eq!(keys.len(), 3);
    let file = fs::read_to_string(home.join("a.json")).unwrap();
    for key in keys {
        let secret: String = serde_json::from_slice(&fs::read(&key).unwrap()).unwrap();
        assert!(!file.contains(&secret));
    }
    // The network isn't founded yet.
    refused(
        up(&home).args(["--base-path", "pc"]),
        8,
        "takes part in no network yet",
    );
}

#[test]
fn a_network_that_can_not_be_is_refused_before_anything_is_made() {
    let (_folder, home) = folder();
    let new = |arguments: &[&str]| {
        let mut command = hydra(&home);
        command
            .args(["network", "new", "--node", "/bin/false", "--out", "out"])
            .args(arguments);
        command
    };
    refused(&mut new(&["--yes", "--id", "dev"]), 2, "development network");
    refused(&mut new(&["--yes", "--id", "a/b"]), 2, "its id must be");
    refused(
        &mut new(&["--yes", "--address", "1.2.3.4:30333"]),
        2,
        "neither an IP address nor a name",
    );
    refused(
        &mut new(&["--yes", "--rpc-port", "9000", "--p2p-port", "9000"]),
        8,
        "two of this PC's ports would be 9000",
    );
    assert!(!home.join("out").exists());
    // Nobody is there to be asked.
    let (code, out, complaint) = run(&mut new(&[]));
    assert_eq!((code, out.as_str()), (Some(6), ""), "{complaint}");
    assert!(complaint.contains("with --yes"), "{complaint}");
    fs::write(home.join("member.json"), "{}").unwrap();
    refused(
        &mut new(&["--yes", "--member", "member.json"]),
        2,
        "describes no member",
    );
    fs::create_dir(home.join("out")).unwrap();
    fs::write(home.join("out/net.json"), "").unwrap();
    refused(
        &mut new(&["--yes", "--id", "net"]),
        6,
        "out/net.json is there already",
    );
    fs::remove_file(home.join("out/net.json")).unwrap();
    // A node that exports nothing.
    let (code, _, complaint) = run(&mut new(&["--yes", "--id", "net", "--base-path", "pc"]));
    assert_eq!(code, Some(8), "{complaint}");
    assert!(
        complaint.contains("does not take the network's description"),
        "{complaint}"
    );
    assert_eq!(fs::read_dir(home.join("out")).unwrap().count(), 0);
}

#[test]
fn what_up_starts_and_dies_is_reported_with_why_and_started_again() {
    let (_folder, home) = folder();
    fs::write(home.join("net.json"), r#"{"name":"Net","id":"net"}"#).unwrap();
    let port = free_ports(16);
    let mut command = up(&home);
    command.args(["--network", "net.json", "--json"]);
    for (n, option) in (0..).zip([
        "--rpc-port",
        "--p2p-port",
        "--trainer-http-port",
        "--trainer-p2p-port",
    ]) {
        command.args([option, &(port + n).to_string()]);
    }
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
    let mut event = |state: &str| -> serde_json::Value {
        loop {
            let line = lines.next().expect("it goes on").unwrap();
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            hydra_schema_tests::check_one("up", &event);
            if event["state"] == state {
                return event;
            }
        }
    };
    let account = event("account");
    assert_eq!(account["is_new"], true);
    assert_eq!(event("network")["id"], "net");
    assert!(Path::new(account["key_file"].as_str().unwrap()).exists());
    let first = event("ended");
    assert!(first["how"].as_str().unwrap().contains("exit code 1"), "{first}");
    assert_eq!(first["again_in_seconds"], 1);
    event("started");

    // One folder, one `hydra up`.
    refused(&mut up(&home), 8, "runs already");
    let (code, _, complaint) = run(hydra(&home).arg("down"));
    assert_eq!(code, Some(0), "{complaint}");
    event("stopped");
    assert!(child.wait().unwrap().success());
    let (code, _, complaint) = run(hydra(&home).arg("down"));
    assert_eq!(code, Some(0), "{complaint}");
    assert!(complaint.contains("no `hydra up` runs"), "{complaint}");
}

#[test]
fn of_two_pcs_that_run_one_has_to_be_named_and_the_only_one_is_meant() {
    let (_folder, home) = folder();
    fs::write(home.join("net.json"), r#"{"name":"Net","id":"net"}"#).unwrap();
    let port = free_ports(16);
    let mut pcs: Vec<_> = [("b", port), ("c", port + 4)]
        .into_iter()
        .map(|(name, port)| {
            let mut command = up(&home);
            command.args(["--network", "net.json", "--json", "--base-path", name]);
            for (n, option) in (0..).zip([
                "--rpc-port",
                "--p2p-port",
                "--trainer-http-port",
                "--trainer-p2p-port",
            ]) {
                command.args([option, &(port + n).to_string()]);
            }
            let mut child = command
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            let mut lines = std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
            // From then on it runs for other commands.
            while !lines
                .next()
                .expect("it goes on")
                .unwrap()
                .contains("\"state\":\"network\"")
            {}
            // Whoever writes goes on only while somebody reads.
            (child, std::thread::spawn(move || lines.for_each(drop)))
        })
        .collect();
    for command in ["down", "status"] {
        let (code, _, complaint) = run(hydra(&home).arg(command));
        assert_eq!(code, Some(8), "{complaint}");
        for name in ["b", "c"] {
            let folder = home.join(name);
            assert!(complaint.contains(folder.to_str().unwrap()), "{complaint}");
        }
        assert!(
            complaint.contains("say which is meant with --base-path"),
            "{complaint}"
        );
    }
    // The last that was started ends first, and the other one is found.
    for arguments in [&["down", "--base-path", "c"][..], &["down"]] {
        let (code, _, complaint) = run(hydra(&home).args(arguments));
        assert_eq!(code, Some(0), "{complaint}");
        assert!(complaint.contains("stopped"), "{complaint}");
        let (mut child, reader) = pcs.pop().unwrap();
        assert!(child.wait().unwrap().success());
        reader.join().unwrap();
    }
}

/// `script` gives it a terminal.
fn on_a_terminal(variables: &[(&str, &str)], command: &str) -> String {
    let (_folder, home) = folder();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", command, "/dev/null"]);
    script
        .env("HOME", &home)
        .env_remove("NO_COLOR")
        .env("TERM", "xterm");
    let (_, out, _) = run(script.envs(variables.iter().copied()));
    assert!(out.contains("Usage"), "{out}");
    out
}

#[test]
fn escape_codes_are_for_terminals_that_want_them() {
    let hydra = env!("CARGO_BIN_EXE_hydra");
    for arguments in ["--help", "demo --help", "--nonsense"] {
        let command = format!("{hydra} {arguments}");
        assert!(
            on_a_terminal(&[], &command).contains('\x1b'),
            "{arguments}: a terminal may be styled"
        );
        for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            // Where CI is set, libraries take every terminal for one that can be styled.
            for more in [("CI", ""), ("CI", "true")] {
                let out = on_a_terminal(&[plain, more], &command);
                assert!(
                    !out.contains('\x1b'),
                    "{arguments} with {plain:?} {more:?}: {out:?}"
                );
            }
        }
        let piped = on_a_terminal(&[], &format!("{command} 2>&1 | cat"));
        assert!(!piped.contains('\x1b'), "{arguments} | cat: {piped:?}");
    }
}
