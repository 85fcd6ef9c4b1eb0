//! `hydra wallet` as far as it goes without a network: what it keeps and where, and what it refuses.

use serde_json::Value;
use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const PASSWORD: &str = "correct horse battery";
const PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
/// The account of that phrase, as polkadot-js has it.
const ADDRESS: &str = "5DfhGyQdFobKM8NsWvEeAKk5EQQgYe9AydgJ7rMB6E1EqRzV";
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

/// A home of our own, with the password in a file.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        fs::write(home.path("password"), format!("{PASSWORD}\n")).unwrap();
        fs::set_permissions(home.path("password"), fs::Permissions::from_mode(0o600)).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn keys(&self) -> PathBuf {
        self.path(".config/hydra/keys")
    }

    fn hydra(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydra"));
        for variable in [
            "HYDRA_URL",
            "HYDRA_SURI",
            "HYDRA_KEYS",
            "XDG_CONFIG_HOME",
            "XDG_DATA_HOME",
        ] {
            command.env_remove(variable);
        }
        command
            .env("HOME", self.0.path())
            .current_dir(self.0.path())
            .stdin(Stdio::null())
            .args(arguments);
        command
    }

    /// Runs it with the password from the file; it must succeed and print JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.with_password(arguments).arg("--json").output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn with_password(&self, arguments: &[&str]) -> Command {
        let mut command = self.hydra(arguments);
        command.args(["--password-file", "password"]);
        command
    }

    /// An account of the phrase above.
    fn import(&self, name: &str) -> Value {
        fs::write(self.path("phrase"), PHRASE).unwrap();
        self.json(&["wallet", "import", name, "--file", "phrase"])
    }
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn refused(command: &mut Command, code: i32, words: &str) {
    let output = command.output().unwrap();
    let complaint = said(&output);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(complaint.contains(words), "expected '{words}', got: {complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
}

fn fed(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended before it read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| entries.count())
}

#[test]
fn a_new_account_is_kept_encrypted_and_comes_back_from_its_phrase() {
    let home = Home::new();
    let made = home.json(&["wallet", "new", "savings"]);
    let (phrase, address) = (
        made["phrase"].as_str().unwrap(),
        made["address"].as_str().unwrap(),
    );
    assert_eq!(phrase.split(' ').count(), 12);
    let file = home.keys().join(format!("{address}.json"));
    assert_eq!(made["file"], file.to_str().unwrap());
    assert_eq!((mode(&home.keys()), mode(&file)), (0o700, 0o600));
    let kept = fs::read_to_string(&file).unwrap();
    assert!(
        !kept.contains(phrase) && kept.contains("xsalsa20-poly1305"),
        "{kept}"
    );

    let listed = home.hydra(&["wallet", "list"]).output().unwrap();
    assert!(
        said(&listed).contains("savings") && said(&listed).contains(address),
        "{listed:?}"
    );
    let shown = home
        .hydra(&["wallet", "show", address, "--json"])
        .output()
        .unwrap();
    let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(
        (&shown["name"], &shown["address"]),
        (&"savings".into(), &address.into())
    );
    assert!(shown.get("phrase").is_none(), "{shown}");

    let other = Home::new();
    fs::write(other.path("phrase"), phrase).unwrap();
    let imported = other.json(&["wallet", "import", "again", "--file", "phrase"]);
    assert_eq!(imported["address"], address);
    assert!(imported.get("phrase").is_none(), "{imported}");
}

#[test]
fn a_phrase_is_the_account_that_polkadot_js_has() {
    let home = Home::new();
    assert_eq!(home.import("main")["address"], ADDRESS);
    // With a path, from standard input, the password from a file.
    let mut import = home.with_password(&["wallet", "import", "alice", "--file", "-", "--json"]);
    let output = fed(&mut import, &format!("{PHRASE}//Alice\n"));
    let alice: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(alice["address"], ALICE, "{}", said(&output));
    refused(
        &mut home.with_password(&["wallet", "import", "other", "--file", "phrase"]),
        6,
        "is in this wallet already",
    );
    fs::write(home.path("phrase"), "//Alice").unwrap();
    refused(
        &mut home.with_password(&["wallet", "import", "dev", "--file", "phrase"]),
        6,
        "known to everyone",
    );
}

#[test]
fn a_phrase_with_a_mistake_is_answered_with_its_place_and_never_repeated() {
    let home = Home::new();
    fs::write(home.path("phrase"), PHRASE.replace("obey", "obbey")).unwrap();
    let output = home
        .with_password(&["wallet", "import", "main", "--file", "phrase", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(6));
    let said = said(&output);
    assert!(said.contains("word 3"), "{said}");
    assert!(!said.contains("obbey") && !said.contains("curtain"), "{said}");
    assert_eq!(files(&home.keys()), 0);
}

#[test]
fn nobody_is_asked_where_nobody_is() {
    let home = Home::new();
    let nobody = "there is no terminal to ask for";
    refused(
        &mut home.hydra(&["wallet", "new", "savings", "--json"]),
        6,
        nobody,
    );
    refused(
        &mut home.with_password(&["wallet", "import", "savings"]),
        6,
        nobody,
    );
    // Nor is a phrase written where it would stay.
    refused(
        &mut home.with_password(&["wallet", "new", "savings"]),
        6,
        "at a terminal, or with --json",
    );
    assert_eq!(files(&home.keys()), 0);
    home.import("main");
    refused(
        &mut home.with_password(&["wallet", "send", ALICE, "1"]),
        6,
        "with --yes",
    );
    refused(&mut home.with_password(&["stake", "bond", "1"]), 6, "with --yes");
    refused(&mut home.with_password(&["claim"]), 6, "with --yes");
    refused(
        &mut home.hydra(&["wallet", "restore", "password"]),
        6,
        "is no key file",
    );
}

#[test]
fn a_password_comes_from_standard_input_too_and_is_not_short() {
    let home = Home::new();
    let mut new = home.hydra(&["wallet", "new", "savings", "--password-stdin", "--json"]);
    let output = fed(&mut new, "correct horse\n");
    assert!(output.status.success(), "{}", said(&output));
    let mut new = home.hydra(&["wallet", "new", "other", "--password-stdin", "--json"]);
    let output = fed(&mut new, "short\n");
    assert_eq!(output.status.code(), Some(6));
    assert!(
        said(&output).contains("has 5 characters and needs at least 8"),
        "{}",
        said(&output)
    );
    let mut both = home.hydra(&["wallet", "import", "x", "--file", "-", "--password-stdin"]);
    refused(&mut both, 6, "standard input can't hold both");
}

#[test]
fn a_password_that_others_can_read_is_remarked() {
    let home = Home::new();
    fs::set_permissions(home.path("password"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = home
        .with_password(&["wallet", "new", "savings", "--json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(said(&output).contains("chmod 600 password"), "{}", said(&output));
}

#[test]
fn a_backup_is_restored_elsewhere_with_its_password() {
    let home = Home::new();
    home.import("main");
    let saved = home
        .hydra(&["wallet", "backup", "main", "--out", "main.json"])
        .output()
        .unwrap();
    assert!(saved.status.success(), "{}", said(&saved));
    assert_eq!(mode(&home.path("main.json")), 0o600);
    let mut again = home.hydra(&["wallet", "backup", ADDRESS, "--out", "main.json"]);
    refused(&mut again, 6, "was left as it is");
    assert!(again.arg("--force").status().unwrap().success());
    let piped = home
        .hydra(&["wallet", "backup", "main", "--out", "-"])
        .output()
        .unwrap();
    assert_eq!(piped.stdout, fs::read(home.path("main.json")).unwrap());

    let other = Home::new();
    fs::copy(home.path("main.json"), other.path("main.json")).unwrap();
    fs::write(other.path("wrong"), "another password\n").unwrap();
    let mut wrong = other.hydra(&["wallet", "restore", "main.json", "--password-file", "wrong"]);
    refused(&mut wrong, 6, "the password is wrong");
    assert_eq!(files(&other.keys()), 0);
    let restored = other.json(&["wallet", "restore", "main.json"]);
    assert_eq!(
        (&restored["name"], &restored["address"]),
        (&"main".into(), &ADDRESS.into())
    );
    // Once more only if it is meant.
    let again = ["wallet", "restore", "main.json", "--name", "renamed"];
    refused(&mut other.with_password(&again), 6, "is in this wallet already");
    assert_eq!(
        other.json(&[&again[..], &["--force"]].concat())["name"],
        "renamed"
    );
    assert_eq!(files(&other.keys()), 1);
}

#[test]
fn a_file_from_a_stranger_costs_nothing_and_is_not_kept() {
    let home = Home::new();
    let write = |encoded: &str| {
        let file = serde_json::json!({
            "encoded": encoded,
            "encoding": { "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" },
            "address": ADDRESS,
            "meta": {},
        });
        fs::write(home.path("file.json"), file.to_string()).unwrap();
    };
    let restore = || home.with_password(&["wallet", "restore", "file.json"]);
    // A cost of 4 TiB: salt, N = 2³¹, p = 1, r = 16, nonce, box.
    let mut bytes = [
        vec![0; 32],
        vec![0, 0, 0, 128, 1, 0, 0, 0, 16, 0, 0, 0],
        vec![0; 64],
    ]
    .concat();
    write(&base64(&bytes));
    refused(&mut restore(), 6, "made to exhaust this PC");
    bytes.truncate(50);
    write(&base64(&bytes));
    refused(&mut restore(), 6, "it is damaged");
    fs::write(home.path("file.json"), b"\xff\xfe").unwrap();
    refused(&mut restore(), 6, "is no key file");
    let huge = fs::File::create(home.path("file.json")).unwrap();
    huge.set_len(1 << 30).unwrap();
    refused(&mut restore(), 6, "larger than 1024 KiB");
    refused(
        &mut home.with_password(&["wallet", "restore", "/dev/zero"]),
        6,
        "larger than 1024 KiB",
    );
    assert_eq!(files(&home.keys()), 0);
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let mut three = [0; 3];
            three[..chunk.len()].copy_from_slice(chunk);
            let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
            (0..4usize).map(move |n| match n <= chunk.len() {
                true => char::from(LETTERS[(bits >> (18 - 6 * n)) as usize & 63]),
                false => '=',
            })
        })
        .collect()
}

#[test]
fn an_address_is_shown_with_a_code_to_scan() {
    let home = Home::new();
    home.import("main");
    let output = home
        .hydra(&["wallet", "receive"])
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(ADDRESS), "{text}");
    assert!(text.contains('▀') && !text.contains('\x1b'), "{text}");
    let json = home
        .hydra(&["wallet", "receive", "main", "--json"])
        .output()
        .unwrap();
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["address"], ADDRESS);
    assert!(!json.to_string().contains('▀'));
}

#[test]
fn names_are_unique_and_wrong_ones_are_explained() {
    let home = Home::new();
    home.import("main");
    refused(
        &mut home.with_password(&["wallet", "new", "main", "--json"]),
        6,
        "exists already",
    );
    refused(
        &mut home.with_password(&["wallet", "new", "//Bob", "--json"]),
        6,
        "looks like something else",
    );
    refused(
        &mut home.hydra(&["wallet", "show", "Main"]),
        6,
        "there is no account called Main",
    );
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("ws://{closed}");
    let send = |to: &str| home.with_password(&["wallet", "send", to, "1", "--yes", "--url", &url]);
    // One letter wrong.
    let typo = ADDRESS.replace("5Dfh", "5Dfk");
    refused(&mut send(&typo), 6, "neither an address nor the name");
    refused(&mut send(ADDRESS), 3, "no node answers");
    refused(
        &mut home.hydra(&["wallet", "balance", "main", "--url", &url]),
        3,
        "no node answers",
    );
}

#[test]
fn the_folder_can_be_named_and_a_relative_setting_is_none() {
    let home = Home::new();
    home.json(&["wallet", "new", "here", "--keys", "mine"]);
    assert_eq!(files(&home.path("mine")), 1);
    let listed = home
        .hydra(&["wallet", "list"])
        .env("HYDRA_KEYS", "mine")
        .output()
        .unwrap();
    assert!(said(&listed).contains("here"));
    let output = home
        .with_password(&["wallet", "new", "there", "--json"])
        .env("XDG_CONFIG_HOME", "relative")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(files(&home.keys()), 1);
    assert!(!home.path("relative").exists());
    let output = home
        .with_password(&["wallet", "new", "far", "--json"])
        .env("XDG_CONFIG_HOME", home.path("config"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(files(&home.path("config/hydra/keys")), 1);
    refused(
        home.hydra(&["wallet", "list"]).env("HOME", "relative"),
        1,
        "set HOME or XDG_CONFIG_HOME",
    );
}

/// `script` gives it a terminal, and types.
fn typed(home: &Home, command: &str, typed: &str) -> Output {
    let line = format!("{} {command}", env!("CARGO_BIN_EXE_hydra"));
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env("HOME", home.0.path()).current_dir(home.0.path());
    for variable in ["HYDRA_KEYS", "XDG_CONFIG_HOME"] {
        script.env_remove(variable);
    }
    fed(&mut script, typed)
}

#[test]
fn a_person_types_the_password_twice_and_is_shown_the_words() {
    let home = Home::new();
    let output = typed(&home, "wallet new savings", "correct horse\ncorrect horse\n");
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    assert!(
        text.contains("New password: ") && text.contains("Again: "),
        "{text}"
    );
    assert!(text.contains("Write down these words"), "{text}");
    assert_eq!(files(&home.keys()), 1);
    let other = Home::new();
    let output = typed(&other, "wallet new savings", "correct horse\ncorrect house\n");
    assert!(said(&output).contains("are not the same"), "{}", said(&output));
    assert_eq!(files(&other.keys()), 0);
}
