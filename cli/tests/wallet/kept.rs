//! What `hydra wallet` keeps, where, and how it comes back.

use super::*;

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

    let listed = run(&mut home.hydra(&["wallet", "list"]));
    assert!(
        said(&listed).contains("savings") && said(&listed).contains(address),
        "{listed:?}"
    );
    let shown = run(&mut home.hydra(&["wallet", "show", address, "--json"]));
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
    let mut import = home.with_password(&["wallet", "import", "savings", "--file", "-", "--json"]);
    let output = fed(&mut import, &format!("\u{feff}{PHRASE}//savings\n"));
    let savings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(savings["address"], SAVINGS, "{}", said(&output));
    refused(
        &mut home.with_password(&["wallet", "import", "other", "--file", "phrase"]),
        6,
        "is in this wallet already",
    );
}

#[test]
fn a_password_behind_a_phrase_keeps_its_spaces() {
    let home = Home::new();
    let address = |phrase: &str| {
        fs::write(home.path("phrase"), phrase).unwrap();
        let import = ["wallet", "import", "main", "--file", "phrase", "--force"];
        home.json(&import)["address"].clone()
    };
    let spaced = address(&format!("{PHRASE}///word \r\n"));
    fs::remove_dir_all(home.keys()).unwrap();
    let plain = address(&format!("{PHRASE}///word\n"));
    assert_ne!(spaced, plain);
    fs::write(home.path("phrase"), format!("{PHRASE}///{}", "a".repeat(5000))).unwrap();
    refused(
        &mut home.with_password(&["wallet", "import", "long", "--file", "phrase"]),
        6,
        "that is no seed phrase",
    );
    refused(
        &mut home.with_password(&["wallet", "import", "long", "--file", "/dev/zero"]),
        6,
        "larger than 64 KiB",
    );
}

#[test]
fn a_forgotten_password_is_replaced_with_the_phrase() {
    let home = Home::new();
    let before = home.import("main");
    fs::write(home.path("new"), "a new password\n").unwrap();
    let import = |name: &'static str, more: &[&'static str]| {
        let import = ["wallet", "import", name, "--file", "phrase", "--json"];
        home.hydra(&[&import[..], &["--password-file", "new"], more].concat())
    };
    // Under whatever name, only if it is meant, and never in another one's place.
    refused(&mut import("main", &[]), 6, "exists already");
    refused(&mut import("renamed", &[]), 6, "--force replaces its file");
    home.json(&["wallet", "new", "other"]);
    refused(&mut import("other", &["--force"]), 6, "exists already");
    let output = run(&mut import("main", &["--force"]));
    let after: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(after["file"], before["file"], "{}", said(&output));
    assert_eq!(files(&home.keys()), 2);

    // The file opens with the new one only.
    let file = after["file"].as_str().unwrap();
    let other = Home::new();
    refused(
        &mut other.with_password(&["wallet", "restore", file]),
        6,
        "`hydra wallet import NAME --force`",
    );
    let new = home.path("new");
    let restore = [
        "wallet",
        "restore",
        file,
        "--password-file",
        new.to_str().unwrap(),
    ];
    let restored = run(&mut other.hydra(&restore));
    assert!(restored.status.success(), "{}", said(&restored));
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
    let output = run(&mut home.with_password(&["wallet", "new", "savings", "--json"]));
    assert!(output.status.success());
    assert!(said(&output).contains("chmod 600 password"), "{}", said(&output));
}

#[test]
fn a_backup_is_restored_elsewhere_with_its_password() {
    let home = Home::new();
    home.import("main");
    let saved = run(&mut home.hydra(&["wallet", "backup", "main", "--out", "main.json"]));
    assert!(saved.status.success(), "{}", said(&saved));
    assert_eq!(mode(&home.path("main.json")), 0o600);
    let mut again = home.hydra(&["wallet", "backup", ADDRESS, "--out", "main.json"]);
    refused(&mut again, 6, "was left as it is");
    // Whoever could read what was there.
    fs::set_permissions(home.path("main.json"), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(again.arg("--force").status().unwrap().success());
    assert_eq!(mode(&home.path("main.json")), 0o600);
    let piped = run(&mut home.hydra(&["wallet", "backup", "main", "--out", "-"]));
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
fn an_address_is_shown_with_a_code_to_scan() {
    let home = Home::new();
    home.import("main");
    let output = run(home.hydra(&["wallet", "receive"]).env("NO_COLOR", "1"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(ADDRESS), "{text}");
    assert!(text.contains('▀') && !text.contains('\x1b'), "{text}");
    let json = run(&mut home.hydra(&["wallet", "receive", "main", "--json"]));
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["address"], ADDRESS);
    assert!(!json.to_string().contains('▀'));
}

#[test]
fn the_folder_can_be_named_and_a_relative_setting_is_none() {
    let home = Home::new();
    home.json(&["wallet", "new", "here", "--keys", "mine"]);
    assert_eq!(files(&home.path("mine")), 1);
    let listed = run(home.hydra(&["wallet", "list"]).env("HYDRA_KEYS", "mine"));
    assert!(said(&listed).contains("here"));
    // Set to nothing is not set.
    let listed = run(home.hydra(&["wallet", "list"]).env("HYDRA_KEYS", ""));
    assert!(listed.status.success(), "{}", said(&listed));
    assert!(listed.stdout.is_empty(), "{}", said(&listed));
    let output = run(home
        .with_password(&["wallet", "new", "there", "--json"])
        .env("XDG_CONFIG_HOME", "relative"));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(files(&home.keys()), 1);
    assert!(!home.path("relative").exists());
    let output = run(home
        .with_password(&["wallet", "new", "far", "--json"])
        .env("XDG_CONFIG_HOME", home.path("config")));
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(files(&home.path("config/hydra/keys")), 1);
    refused(
        home.hydra(&["wallet", "list"]).env("HOME", "relative"),
        1,
        "set HOME or XDG_CONFIG_HOME",
    );
}
