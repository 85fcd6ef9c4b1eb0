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
    process::{Command, Stdio},
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

/// `hydra wallet` in this folder.
fn wallet(folder: &Path, arguments: &[&str]) -> Value {
    fs::write(folder.join("password"), PASSWORD).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_hydra"))
        .arg("wallet")
        .args(arguments)
        .args(["--json", "--keys", "keys", "--password-file", "password"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
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
fn an_export_of_several_accounts_is_taken_in_whole() {
    let folder = tempfile::tempdir().unwrap();
    let suris = [format!("{PHRASE}//1"), format!("{PHRASE}//2")];
    let batch = keyring("batch", &json!({ "suris": suris, "password": PASSWORD }));
    fs::write(folder.path().join("batch.json"), batch.to_string()).unwrap();
    let restored = wallet(folder.path(), &["restore", "batch.json"]);
    let names: Vec<&str> = restored
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["account 1", "account 2"]);
    for (restored, suri) in restored.as_array().unwrap().iter().zip(&suris) {
        let own = Key::from_suri(suri).unwrap();
        assert_eq!(restored["address"], accounts::address(&own.account()));
    }
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
