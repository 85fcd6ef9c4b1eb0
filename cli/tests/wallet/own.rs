//! This PC's own account, which `hydra up` trains for: its way into the wallet and into a file, without anybody seeing its phrase.

use super::*;

const MEMBER: [&str; 6] = ["network", "member", "--json", "--address", "127.0.0.1", "--id"];

impl Home {
    /// This PC's part of a network that is to be, with the account of the phrase above: as `hydra network member` and the first
    /// `hydra up` leave it.
    fn takes_part(&self, id: &str) -> PathBuf {
        fs::write(self.path("phrase"), PHRASE).unwrap();
        let file = format!("{id}.member");
        let more = [id, "--out", file.as_str(), "--phrase-file", "phrase"];
        let made = run(&mut self.hydra(&[&MEMBER[..], &more].concat()));
        assert!(made.status.success(), "{}", said(&made));
        self.path(&format!(
            ".local/share/hydraai/networks/{id}/pc/node/chains/{id}/keystore"
        ))
    }
}

/// The file of the account's key in this keystore.
fn key_file(keystore: &Path) -> PathBuf {
    let is_account = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(&hex_of("hydr"))
    };
    let mut files = fs::read_dir(keystore).unwrap().map(|entry| entry.unwrap().path());
    files.find(is_account).unwrap()
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn this_pc_s_account_becomes_a_file_that_opens_with_the_password() {
    let home = Home::new();
    home.takes_part("net");
    let backup = ["wallet", "backup", "--this-pc", "--out", "this-pc.json"];
    let saved = run(&mut home.with_password(&backup));
    let text = said(&saved);
    assert!(saved.status.success(), "{text}");
    assert!(text.contains(ADDRESS) && !text.contains("sausage"), "{text}");
    assert_eq!(mode(&home.path("this-pc.json")), 0o600);
    assert_eq!(files(&home.keys()), 0, "it isn't in the wallet");
    let first = fs::read(home.path("this-pc.json")).unwrap();
    assert!(!String::from_utf8_lossy(&first).contains("sausage"));

    // What is there is left, and nobody is asked for a password first.
    refused(&mut home.hydra(&backup), 6, "this-pc.json is there already");
    assert_eq!(fs::read(home.path("this-pc.json")).unwrap(), first);
    let forced = home.json(&[&backup[..], &["--force"]].concat());
    assert_eq!(
        (&forced["name"], &forced["address"], &forced["file"]),
        (&"net".into(), &ADDRESS.into(), &"this-pc.json".into())
    );
    assert_ne!(fs::read(home.path("this-pc.json")).unwrap(), first);

    // By way of standard input and output, and by the folder's name.
    let piped = [
        "wallet",
        "backup",
        "--this-pc",
        "--base-path",
        ".local/share/hydraai/networks/net",
        "--out",
        "-",
        "--password-stdin",
    ];
    let piped = fed(&mut home.hydra(&piped), "another password\n");
    assert!(piped.status.success(), "{}", said(&piped));
    fs::write(home.path("piped.json"), &piped.stdout).unwrap();
    fs::write(home.path("other"), "another password\n").unwrap();

    let elsewhere = Home::new();
    for (file, password) in [("this-pc.json", "password"), ("piped.json", "other")] {
        let (file, password) = (home.path(file), home.path(password));
        let restore = ["wallet", "restore", file.to_str().unwrap(), "--force", "--json"];
        let password = ["--password-file", password.to_str().unwrap()];
        let restored = run(&mut elsewhere.hydra(&[&restore[..], &password].concat()));
        let restored: Value = serde_json::from_slice(&restored.stdout).unwrap();
        assert_eq!(
            (&restored["name"], &restored["address"]),
            (&"net".into(), &ADDRESS.into())
        );
    }
}

#[test]
fn this_pc_s_account_is_mentioned_until_it_is_one_of_the_wallet_s() {
    let home = Home::new();
    let list = || said(&run(&mut home.hydra(&["wallet", "list"])));
    assert!(!list().contains("--this-pc"), "there is none: {}", list());
    home.takes_part("net");
    let listed = list();
    assert!(
        listed.contains(ADDRESS) && listed.contains("`hydra wallet import --this-pc`"),
        "{listed}"
    );
    // What is printed for programs is the wallet's alone.
    let listed = run(&mut home.hydra(&["wallet", "list", "--json"]));
    assert_eq!(
        serde_json::from_slice::<Value>(&listed.stdout).unwrap(),
        Value::Array(vec![])
    );

    let made = home.json(&["wallet", "import", "--this-pc"]);
    assert_eq!(
        (&made["name"], &made["address"]),
        (&"net".into(), &ADDRESS.into())
    );
    assert!(made.get("phrase").is_none(), "{made}");
    let listed = list();
    assert!(
        listed.contains("net ") && !listed.contains("--this-pc"),
        "{listed}"
    );

    // Once more only if it is meant, and then under another name as well.
    let mut again = home.with_password(&["wallet", "import", "--this-pc"]);
    refused(&mut again, 6, "is in this wallet already");
    home.json(&["wallet", "new", "savings"]);
    let mut taken = home.with_password(&["wallet", "import", "savings", "--this-pc", "--force"]);
    refused(&mut taken, 6, "exists already");
    let renamed = home.json(&["wallet", "import", "earned", "--this-pc", "--force"]);
    assert_eq!(renamed["name"], "earned");
    assert_eq!(files(&home.keys()), 2);
}

#[test]
fn what_this_pc_has_no_key_of_is_not_backed_up() {
    let home = Home::new();
    let backup = || {
        let mut command = home.with_password(&["wallet", "backup", "--this-pc", "--out", "this-pc.json"]);
        command.arg("--json");
        command
    };
    refused(&mut backup(), 8, "takes part in no network yet");
    let mut import = home.with_password(&["wallet", "import", "--this-pc"]);
    refused(&mut import, 8, "takes part in no network yet");
    let mut named = backup();
    named.args(["--base-path", "nothing"]);
    refused(&mut named, 8, "takes part in no network yet");

    let keystore = home.takes_part("net");
    let key = key_file(&keystore);
    let phrase = fs::read(&key).unwrap();
    // Not read, not a key, and another account's.
    fs::remove_file(&key).unwrap();
    refused(&mut backup(), 6, "isn't in");
    fs::create_dir(&key).unwrap();
    refused(&mut backup(), 1, "can't read");
    fs::remove_dir(&key).unwrap();
    let other = "\"bottom drive obey lake curtain smoke basket hold race lonely fit walk\"";
    for bad in ["sausage", other] {
        fs::write(&key, bad).unwrap();
        let output = run(&mut backup());
        assert_eq!(output.status.code(), Some(8), "{}", said(&output));
        assert!(
            said(&output).contains("is no key of a node's keystore"),
            "{}",
            said(&output)
        );
        assert!(!said(&output).contains("sausage") && !said(&output).contains("lonely"));
    }
    // Which of two is this PC's only the chain knows.
    fs::write(&key, &phrase).unwrap();
    let second = keystore.join(format!("{}{}", hex_of("hydr"), "07".repeat(32)));
    fs::write(&second, &phrase).unwrap();
    refused(&mut backup(), 6, "the keys of 2 accounts");
    fs::remove_file(&second).unwrap();

    refused(
        &mut home.hydra(&["wallet", "backup", "--this-pc", "--out", "this-pc.json"]),
        6,
        "there is no terminal to ask for",
    );
    fs::write(home.path("password"), "short\n").unwrap();
    refused(&mut backup(), 6, "needs at least 8");
    assert!(!home.path("this-pc.json").exists());
}

#[test]
fn of_several_networks_one_has_to_be_named() {
    let home = Home::new();
    home.takes_part("net");
    home.takes_part("other");
    // Which one took part last isn't known any more.
    fs::remove_file(home.path(".local/share/hydraai/this-pc")).unwrap();
    let backup = ["wallet", "backup", "--this-pc", "--out", "this-pc.json"];
    refused(
        &mut home.with_password(&backup),
        8,
        "say which is meant with --base-path",
    );
    let named = [
        &backup[..],
        &["--base-path", ".local/share/hydraai/networks/other"],
    ]
    .concat();
    assert_eq!(home.json(&named)["address"], ADDRESS);
    // Nobody asked for it here.
    let listed = run(&mut home.hydra(&["wallet", "list"]));
    assert!(listed.status.success(), "{}", said(&listed));
}

#[test]
fn this_pc_pays_with_its_own_account_and_none_of_the_wallet_s_can_be_called_so() {
    let home = Home::new();
    let pays: [&[&str]; 9] = [
        &["wallet", "send", SAVINGS, "1", "--yes"],
        &["stake", "bond", "1", "--yes"],
        &["stake", "unbond", "--all", "--yes"],
        &["stake", "withdraw", "--yes"],
        &["pause", "--yes"],
        &["validate", "--yes"],
        &["claim", "--yes"],
        &["invite", SAVINGS, "--yes"],
        &["ask", "7"],
    ];
    let paid = |arguments: &[&str], more: &[&str]| {
        home.with_password(&[arguments, &["--from", "this-pc"], more].concat())
    };
    for arguments in pays {
        refused(&mut paid(arguments, &[]), 8, "takes part in no network yet");
    }
    home.takes_part("net");
    for arguments in pays {
        // Its own node is meant, which doesn't run, and not whichever runs at the usual address.
        refused(&mut paid(arguments, &[]), 3, "hydra up --base-path");
    }
    refused(
        &mut home.hydra(&["wallet", "balance", "this-pc"]),
        3,
        "hydra up --base-path",
    );
    refused(
        &mut home.hydra(&["wallet", "balance", "that-pc"]),
        6,
        "neither an address nor the name",
    );

    // Or that one would pay in its place.
    for arguments in [&["new"][..], &["import", "--force"], &["import", "--this-pc"]] {
        let named = [&["wallet"][..], arguments, &["this-pc"]].concat();
        refused(
            &mut home.with_password(&named),
            6,
            "stands for this PC's own account",
        );
    }
}
