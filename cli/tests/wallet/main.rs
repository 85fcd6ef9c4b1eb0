//! `hydra wallet` as far as it goes without a network: what it keeps and where, and what it refuses.

mod kept;
mod own;
mod refused;
mod typed;

use hydra_schema_tests::{check, run};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const PASSWORD: &str = "correct horse battery";
/// From the tests of BIP-39.
const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";
/// The account of that phrase, as polkadot-js has it.
const ADDRESS: &str = "5EHgWw2Af1pnoc7f1A8bfmM97W3DAYW8xr82RfhLL9oAabAe";
/// The account of that phrase and //savings.
const SAVINGS: &str = "5ENfHP2FeotD9essU3byr4UAt4MQ6gTt6aNxMZcUKiheNFJd";
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
/// What polkadot-js wrote: from the tests of subxt-signer.
const ALICE_FILE: &str = r#"{"encoded":"DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","meta":{"genesisHash":"","name":"Alice","whenCreated":1718265838755}}"#;

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
        let output = run(self.with_password(arguments).arg("--json"));
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
    let output = run(command);
    let complaint = said(&output);
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert!(complaint.contains(words), "expected '{words}', got: {complaint}");
    assert!(!complaint.contains("panicked"), "{complaint}");
}

/// Runs it with this on its standard input.
fn fed(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended before it read all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    check(command, &output);
    output
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| entries.count())
}
