//! What `hydra wallet` refuses, and that it loses and keeps nothing then.

use super::*;

#[test]
fn what_everyone_knows_is_not_kept() {
    let home = Home::new();
    let import = || home.with_password(&["wallet", "import", "dev", "--file", "file"]);
    let dev = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    for secret in ["//Alice", dev, format!("{dev}//Alice").as_str(), ALICE_FILE] {
        fs::write(home.path("file"), secret).unwrap();
        refused(&mut import(), 6, "known to everyone");
    }
    refused(
        &mut home.with_password(&["wallet", "restore", "file"]),
        6,
        "known to everyone",
    );
    assert_eq!(files(&home.keys()), 0);
}

#[test]
fn no_account_is_kept_whose_words_nobody_saw() {
    let home = Home::new();
    let new = || home.with_password(&["wallet", "new", "savings", "--json"]);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    // A reader that has gone away.
    let (reader, gone) = std::io::pipe().unwrap();
    drop(reader);
    for out in [Stdio::from(full), Stdio::from(gone)] {
        let mut command = new();
        command.stdout(out).stderr(Stdio::piped());
        refused(&mut command, 6, "so no account was kept");
        assert_eq!(files(&home.keys()), 0);
    }
    home.json(&["wallet", "new", "savings"]);
    assert_eq!(files(&home.keys()), 1);
}

#[test]
fn what_is_wrong_with_the_folder_is_said_once_and_nothing_in_it_is_lost() {
    let home = Home::new();
    let made = home.import("main");
    let file = PathBuf::from(made["file"].as_str().unwrap());
    fs::copy(&file, home.keys().join("copy.json")).unwrap();
    fs::write(home.keys().join("broken.json"), "{}").unwrap();
    for command in [
        &["wallet", "list", "--json"][..],
        &["wallet", "show", "main", "--json"],
        &[
            "wallet",
            "import",
            "savings",
            "--file",
            "other",
            "--json",
            "--password-file",
            "password",
        ],
    ] {
        fs::write(home.path("other"), format!("{PHRASE}//savings")).unwrap();
        let output = run(&mut home.hydra(command));
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        assert_eq!(text.matches("broken.json").count(), 1, "{text}");
        // Both are named.
        assert_eq!(
            text.matches("copy.json is of the same account as ").count(),
            1,
            "{text}"
        );
        assert!(text.contains(&format!("account as {}", file.display())), "{text}");
    }
    // What a later version wrote, perhaps.
    fs::remove_file(home.keys().join("copy.json")).unwrap();
    fs::write(&file, "{}").unwrap();
    let import = ["wallet", "import", "main", "--file", "phrase", "--force"];
    refused(
        &mut home.with_password(&import),
        6,
        "is in the way and was left as it is",
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
}

#[test]
fn another_network_s_address_is_answered_with_this_one_s() {
    let home = Home::new();
    home.import("main");
    let polkadot = "13DyfGHEWo6GF98AxoBbovBHy82rrr4H3LrWaxggtEpgku8o";
    let nowhere = ["--url", "ws://127.0.0.1:1"];
    for command in [
        &["wallet", "send", polkadot, "1", "--yes"][..],
        &["wallet", "balance", polkadot],
    ] {
        let command = [command, &nowhere].concat();
        refused(&mut home.hydra(&command), 6, ADDRESS);
    }
    for command in ["show", "receive"] {
        refused(
            &mut home.hydra(&["wallet", command, polkadot]),
            6,
            "is an address of another network",
        );
    }
}

#[test]
fn a_phrase_with_a_mistake_is_answered_with_its_place_and_never_repeated() {
    let home = Home::new();
    fs::write(home.path("phrase"), PHRASE.replacen("thank", "thnak", 1)).unwrap();
    let output = run(&mut home.with_password(&["wallet", "import", "main", "--file", "phrase", "--json"]));
    assert_eq!(output.status.code(), Some(6));
    let said = said(&output);
    assert!(said.contains("word 3"), "{said}");
    assert!(!said.contains("thnak") && !said.contains("sausage"), "{said}");
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
    let url = format!("ws://127.0.0.1:{}", hydra_test_ports::free_ports(1));
    let send = |to: &str| home.with_password(&["wallet", "send", to, "1", "--yes", "--url", &url]);
    // One letter wrong.
    let typo = ADDRESS.replace("5EHg", "5EHk");
    refused(&mut send(&typo), 6, "neither an address nor the name");
    refused(&mut send(ADDRESS), 3, "no node answers");
    refused(
        &mut home.hydra(&["wallet", "balance", "main", "--url", &url]),
        3,
        "no node answers",
    );
}
