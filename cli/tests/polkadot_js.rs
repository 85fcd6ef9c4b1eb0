//! Key files go both ways: what `hydra` writes opens in polkadot-js, and what polkadot-js writes opens in `hydra`. With the
//! packages that `scripts/setup --for-tests` installs.

use hydra_cli::{
    accounts,
    keys::{
        file::{self, Content},
        key::Key,
    },
};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};
use subxt_signer::sr25519;

/// Beyond ASCII, and with a space at its end.
const PASSWORD: &str = "correct hörse 🐎 ";
const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const MESSAGE: &str = "a message";

/// What polkadot-js answers.
fn keyring(command: &str, input: &Value) -> Value {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/polkadot-js/keystore.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .arg(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Node.js is there: scripts/setup --for-tests");
    node.stdin
        .take()
        .unwrap()
        .write_all(input.to_string().as_bytes())
        .unwrap();
    let output = node.wait_with_output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{complaint}\n(its packages: scripts/setup --for-tests)"
    );
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// `hydra wallet` in this folder, with the password from this file.
fn output(folder: &Path, arguments: &[&str], password: &str) -> Output {
    hydra_schema_tests::run(
        Command::new(env!("CARGO_BIN_EXE_hydra"))
            .arg("wallet")
            .args(arguments)
            .args(["--json", "--keys", "keys", "--password-file", password])
            .current_dir(folder)
            .stdin(Stdio::null()),
    )
}

/// The same with the password above; it must succeed.
fn wallet(folder: &Path, arguments: &[&str]) -> Value {
    fs::write(folder.join("password"), PASSWORD).unwrap();
    let output = output(folder, arguments, "password");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn what_hydra_writes_polkadot_js_unlocks_and_signs_with() {
    let folder = tempfile::tempdir().unwrap();
    // A soft path last: its secret is no expanded seed.
    for (name, path) in [
        ("plain", ""),
        ("hard", "//hydra//0"),
        ("soft", "//hydra/1/two"),
        ("word", "///more"),
    ] {
        fs::write(folder.path().join("phrase"), format!("{PHRASE}{path}")).unwrap();
        let made = wallet(folder.path(), &["import", name, "--file", "phrase"]);
        let file = read(&folder.path().join(made["file"].as_str().unwrap()));
        let signed = keyring(
            "sign",
            &json!({ "file": file, "password": PASSWORD, "message": MESSAGE }),
        );
        assert_eq!(
            (&signed["address"], &signed["name"]),
            (&made["address"], &name.into())
        );
        let hex =
            |field: &str| hex::decode(signed[field].as_str().unwrap().trim_start_matches("0x")).unwrap();
        let signature = sr25519::Signature(hex("signature").try_into().unwrap());
        let public = sr25519::PublicKey(hex("publicKey").try_into().unwrap());
        assert!(sr25519::verify(&signature, MESSAGE, &public), "{name}");
    }
}

#[test]
fn what_polkadot_js_writes_is_the_same_account_here_and_its_signatures_count_there() {
    let folder = tempfile::tempdir().unwrap();
    for (name, path) in [("plain", ""), ("soft", "//hydra/1/two")] {
        let input = json!({ "suri": format!("{PHRASE}{path}"), "password": PASSWORD, "name": name });
        let written = keyring("write", &input);
        fs::write(folder.path().join("file.json"), written.to_string()).unwrap();
        let restored = wallet(folder.path(), &["restore", "file.json"]);
        assert_eq!(
            (&restored["address"], &restored["name"]),
            (&written["address"], &name.into())
        );
        let own = Key::from_suri(&format!("{PHRASE}{path}")).unwrap();
        assert_eq!(restored["address"], accounts::address(&own.account()));

        let bytes = fs::read(folder.path().join(restored["file"].as_str().unwrap())).unwrap();
        let Content::One(file) = file::parse(&bytes).unwrap() else {
            panic!("one account")
        };
        let signature = file.open(PASSWORD).unwrap().sign_bytes(MESSAGE.as_bytes());
        let signature = format!("0x{}", hex::encode(signature));
        let input = json!({ "address": restored["address"], "message": MESSAGE, "signature": signature });
        assert_eq!(keyring("verify", &input)["valid"], true);
    }
}

#[test]
fn an_export_of_several_accounts_is_taken_in_and_each_keeps_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let suri = |path: &str| format!("{PHRASE}//{path}");
    let account = |path: &str, password: &str, name: &str, kind: &str| json!({ "suri": suri(path), "password": password, "name": name, "type": kind });
    let batch = keyring(
        "batch",
        &json!({
            "password": PASSWORD,
            "accounts": [
                account("1", "the first password", "main", "sr25519"),
                account("2", "the second one", "main", "sr25519"),
                account("1", "the first password", "again", "sr25519"),
                account("3", "the third", "edward", "ed25519"),
                account("3", "the third", "carla", "ecdsa"),
            ],
            "watched": [{ "address": "5Gr", "meta": { "name": "ledger", "isHardware": true, "isExternal": true } }],
        }),
    );
    fs::write(folder.path().join("batch.json"), batch.to_string()).unwrap();
    // The password is that of the export.
    fs::write(folder.path().join("first"), "the first password").unwrap();
    let restore = ["restore", "batch.json"];
    let refused = output(folder.path(), &restore, "first");
    assert_eq!(refused.status.code(), Some(6), "{refused:?}");
    assert!(!folder.path().join("keys").exists());

    fs::write(folder.path().join("password"), PASSWORD).unwrap();
    let restored = output(folder.path(), &restore, "password");
    let complaint = String::from_utf8_lossy(&restored.stderr).into_owned();
    assert!(restored.status.success(), "{complaint}");
    for (name, reason) in [
        ("again", "twice"),
        ("edward", "ed25519"),
        ("carla", "ecdsa"),
        ("ledger", "watched only"),
    ] {
        let line = format!("{name} is left out: ");
        let said = complaint.lines().find(|said| said.starts_with(&line));
        assert!(
            said.is_some_and(|said| said.contains(reason)),
            "{name}: {complaint}"
        );
    }
    assert!(
        complaint.contains("keeps the password that it had"),
        "{complaint}"
    );
    let restored: Value = serde_json::from_slice(&restored.stdout).unwrap();
    let restored = restored.as_array().unwrap();
    let names: Vec<&str> = restored.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["main", "main 2"]);
    for (restored, (path, password)) in restored
        .iter()
        .zip([("1", "the first password"), ("2", "the second one")])
    {
        let own = Key::from_suri(&suri(path)).unwrap();
        assert_eq!(restored["address"], accounts::address(&own.account()));
        let bytes = fs::read(folder.path().join(restored["file"].as_str().unwrap())).unwrap();
        let Content::One(file) = file::parse(&bytes).unwrap() else {
            panic!("one account")
        };
        assert_eq!(file.open(password).unwrap().account(), own.account());
        assert!(file.open(PASSWORD).is_err());
    }
    // All or none: one of them is there already.
    let again = output(folder.path(), &restore, "password");
    assert_eq!(again.status.code(), Some(6), "{again:?}");
    assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 2);
}

#[test]
fn a_backup_of_this_pc_s_account_signs_in_polkadot_js() {
    let folder = tempfile::tempdir().unwrap();
    let hydra = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hydra"));
        command.args(arguments).arg("--json").current_dir(folder.path());
        // Where it notes which network this PC takes part in.
        command.env("HOME", folder.path()).env_remove("XDG_DATA_HOME");
        let output = hydra_schema_tests::run(command.stdin(Stdio::null()));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{complaint}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let member = ["network", "member", "--id", "net", "--address", "127.0.0.1"];
    let member = hydra(&[&member[..], &["--out", "member.json", "--base-path", "pc"]].concat());
    fs::write(folder.path().join("password"), PASSWORD).unwrap();
    let backup = ["wallet", "backup", "--this-pc", "--base-path", "pc"];
    let backup = hydra(
        &[
            &backup[..],
            &["--out", "this-pc.json", "--password-file", "password"],
        ]
        .concat(),
    );
    assert_eq!(backup["address"], member["account"]);
    let signed = keyring(
        "sign",
        &json!({ "file": read(&folder.path().join("this-pc.json")), "password": PASSWORD, "message": MESSAGE }),
    );
    assert_eq!(
        (&signed["address"], &signed["name"]),
        (&member["account"], &"net".into())
    );
}

/// polkadot-js takes it for the bytes that it means.
#[test]
fn a_password_that_is_a_hexadecimal_number_goes_both_ways() {
    const NUMBER: &str = "0x00C0ffee5eed";
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("number"), NUMBER).unwrap();
    fs::write(folder.path().join("phrase"), PHRASE).unwrap();
    let made = output(folder.path(), &["import", "here", "--file", "phrase"], "number");
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let file = read(&folder.path().join(made["file"].as_str().unwrap()));
    let signed = keyring(
        "sign",
        &json!({ "file": file, "password": NUMBER, "message": MESSAGE }),
    );
    assert_eq!(signed["address"], made["address"]);

    let input = json!({ "suri": format!("{PHRASE}//there"), "password": NUMBER, "name": "there" });
    let written = keyring("write", &input);
    fs::write(folder.path().join("file.json"), written.to_string()).unwrap();
    let restored = output(folder.path(), &["restore", "file.json"], "number");
    assert!(restored.status.success(), "{restored:?}");
}

#[test]
fn a_backup_is_what_polkadot_js_takes() {
    let folder = tempfile::tempdir().unwrap();
    let made = wallet(folder.path(), &["new", "savings"]);
    let output = Command::new(env!("CARGO_BIN_EXE_hydra"))
        .args([
            "wallet",
            "backup",
            "savings",
            "--out",
            "savings.json",
            "--keys",
            "keys",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let file = read(&folder.path().join("savings.json"));
    let signed = keyring(
        "sign",
        &json!({ "file": file, "password": PASSWORD, "message": MESSAGE }),
    );
    assert_eq!(signed["address"], made["address"]);
}
