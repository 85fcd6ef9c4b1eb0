use super::*;
use proptest::prelude::*;
use serde_json::json;

/// What polkadot-js itself wrote, with scrypt's former cost: from the tests of subxt-signer.
const ALICE: &str = r#"{"encoded":"DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","meta":{"genesisHash":"","name":"Alice","whenCreated":1718265838755}}"#;

fn one(bytes: &[u8]) -> Result<KeyFile, KeysError> {
    match parse(bytes)? {
        Content::One(file) => Ok(file),
        Content::Several(_) => Err(KeysError::Several),
    }
}

fn alice() -> Key {
    Key::from_suri("//Alice").unwrap()
}

fn made() -> KeyFile {
    KeyFile::seal(&alice(), "password", Cost::FORMER).unwrap()
}

/// The same file with something else in it.
fn with(pointer: &str, value: Value) -> Vec<u8> {
    let mut json: Value = serde_json::from_str(ALICE).unwrap();
    *json.pointer_mut(pointer).unwrap() = value;
    json.to_string().into_bytes()
}

#[test]
fn a_file_of_polkadot_js_opens() {
    let file = one(ALICE.as_bytes()).unwrap();
    assert_eq!(
        (file.name(), file.created()),
        (Some("Alice"), Some(1_718_265_838_755))
    );
    assert_eq!(file.open("whoisalice").unwrap().account(), alice().account());
    assert_eq!(file.open("whoisbob").unwrap_err(), KeysError::WrongPassword);
    // What it says besides is kept.
    assert_eq!(one(&file.to_bytes()).unwrap(), file);
    assert!(
        String::from_utf8(file.to_bytes())
            .unwrap()
            .contains("genesisHash")
    );
}

#[test]
fn a_file_has_the_fields_of_version_3() {
    let file = made().named("savings").made_at(1_700_000_000_000);
    let json: Value = serde_json::from_slice(&file.to_bytes()).unwrap();
    assert_eq!(
        json["encoding"],
        json!({ "content": ["pkcs8", "sr25519"], "type": ["scrypt", "xsalsa20-poly1305"], "version": "3" })
    );
    assert_eq!(
        json["address"],
        "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    );
    assert_eq!(
        json["meta"],
        json!({ "name": "savings", "whenCreated": 1_700_000_000_000u64 })
    );
    assert_eq!(json.as_object().unwrap().len(), 4);
    // Salt, cost, nonce, tag, header, secret, divider, public key.
    let encoded = STANDARD.decode(json["encoded"].as_str().unwrap()).unwrap();
    assert_eq!(encoded.len(), 32 + 12 + 24 + 16 + 16 + 64 + 5 + 32);
}

#[test]
fn derived_keys_come_back_too() {
    for suri in ["//Alice/soft", "//Alice/soft//hard", "//Alice/1/2/3"] {
        let key = Key::from_suri(suri).unwrap();
        let (again, public) = decode(&encode(&key)).unwrap();
        assert_eq!((again.account(), public), (key.account(), key.account()));
    }
}

#[test]
fn the_first_generations_held_a_seed() {
    let key = Key::from_seed(&[7; 32]).unwrap();
    let content = [HEADER.as_slice(), &[7; 32], &DIVIDER, &key.account()].concat();
    assert_eq!(decode(&content).unwrap().0.account(), key.account());
}

#[test]
fn a_file_that_names_another_account_than_its_key_s_is_refused() {
    let bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
    let file = one(&with("/address", bob.into())).unwrap();
    assert_eq!(file.open("whoisalice").unwrap_err(), KeysError::OtherAccount);
    // Another network's way to write the same account is no other account.
    let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
    let file = one(&with("/address", polkadot.into())).unwrap();
    assert_eq!(file.open("whoisalice").unwrap().account(), alice().account());
}

#[test]
fn what_is_no_such_file_is_refused_with_what_to_do() {
    assert_eq!(
        one(&vec![b' '; MAX_BYTES as usize + 1]),
        Err(KeysError::TooLarge(MAX_BYTES))
    );
    for garbage in [
        b"".as_slice(),
        b"{}",
        b"null",
        b"[]",
        b"\xff\xfe{",
        &ALICE.as_bytes()[..200],
    ] {
        assert_eq!(one(garbage), Err(KeysError::NotAKeyFile));
    }
    assert_eq!(
        one(&with("/encoding/version", "2".into())),
        Err(KeysError::OldFormat("2".into()))
    );
    assert_eq!(
        one(&with("/encoding/content", json!(["pkcs8", "ed25519"]))),
        Err(KeysError::OtherKind("pkcs8 ed25519".into()))
    );
    assert_eq!(
        one(&with("/encoding/type", json!(["none"]))),
        Err(KeysError::OtherEncryption("none".into()))
    );
    assert_eq!(
        one(&with("/encoding/type", "none".into())),
        Err(KeysError::OtherEncryption("none".into()))
    );
    assert_eq!(
        one(&with("/address", "0x1234".into())),
        Err(KeysError::NotAKeyFile)
    );
    for damaged in ["", "AAAA", "not base64!", "0x12", "0xzz"] {
        assert_eq!(
            one(&with("/encoded", damaged.into())),
            Err(KeysError::Damaged),
            "{damaged}"
        );
    }
}

#[test]
fn a_file_whose_base64_begins_as_hexadecimal_numbers_do_is_read() {
    let file: Value = serde_json::from_slice(&made().to_bytes()).unwrap();
    let mut bytes = STANDARD.decode(file["encoded"].as_str().unwrap()).unwrap();
    // Of the salt, which is as likely as any other.
    bytes[0] = 0xd3;
    bytes[1] = 0x10 | bytes[1] & 0x0f;
    let encoded = STANDARD.encode(&bytes);
    assert!(encoded.starts_with("0x"), "{encoded}");
    one(&with("/encoded", encoded.into())).unwrap();
}

#[test]
fn a_mark_at_the_beginning_of_the_text_does_no_harm() {
    assert!(one(&[b"\xef\xbb\xbf", ALICE.as_bytes()].concat()).is_ok());
}

/// An export of several accounts, with the password "of the export".
fn batch(accounts: &Value) -> Several {
    let sealed = Sealed::seal(accounts.to_string().as_bytes(), "of the export", Cost::FORMER).unwrap();
    let json = json!({
        "encoded": STANDARD.encode(sealed.encode()),
        "encoding": { "content": ["batch-pkcs8"], "type": ENCRYPTION, "version": "3" },
        "accounts": [],
    });
    match parse(json.to_string().as_bytes()).unwrap() {
        Content::Several(several) => several,
        Content::One(_) => panic!("there are several"),
    }
}

#[test]
fn several_accounts_are_read_together_and_each_keeps_its_password() {
    let bob = Key::from_suri("//Bob").unwrap();
    let files = [
        made().named("a"),
        KeyFile::seal(&bob, "another", Cost::FORMER).unwrap().named("b"),
    ];
    let several = batch(&serde_json::to_value(&files).unwrap());
    let opened = several.open("of the export").unwrap();
    let names: Vec<&str> = opened.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
    for (one, file) in opened.iter().zip(&files) {
        assert_eq!(one.file.as_ref().unwrap(), file);
    }
    let second = opened[1].file.as_ref().unwrap();
    assert_eq!(second.open("another").unwrap().account(), bob.account());
    assert_eq!(
        second.open("of the export").unwrap_err(),
        KeysError::WrongPassword
    );
    assert_eq!(several.open("password").unwrap_err(), KeysError::WrongPassword);
    let many = vec![files[0].clone(); MAX_ACCOUNTS + 1];
    assert_eq!(
        batch(&serde_json::to_value(many).unwrap())
            .open("of the export")
            .unwrap_err(),
        KeysError::TooMany(MAX_ACCOUNTS + 1, MAX_ACCOUNTS)
    );
}

#[test]
fn what_can_not_be_kept_of_several_accounts_is_named_with_its_reason() {
    let with =
        |pointer: &str, value: Value| -> Value { serde_json::from_slice(&with(pointer, value)).unwrap() };
    let accounts = json!([
        with("/meta/name", "good".into()),
        with("/encoding/content", json!(["pkcs8", "ed25519"])),
        with("/encoding/type", json!(["none"])),
        with("/encoded", "".into()),
        with("/meta", json!({ "name": "ledger", "isHardware": true })),
        { "address": "0x1234", "meta": { "isExternal": true } },
        { "encoded": "AAAA", "meta": null },
        null,
    ]);
    let opened = batch(&accounts).open("of the export").unwrap();
    let said: Vec<(&str, Option<&KeysError>)> = opened
        .iter()
        .map(|one| (one.name.as_str(), one.file.as_ref().err()))
        .collect();
    assert_eq!(
        said,
        [
            ("good", None),
            ("Alice", Some(&KeysError::OtherKind("pkcs8 ed25519".into()))),
            ("Alice", Some(&KeysError::OtherEncryption("none".into()))),
            ("Alice", Some(&KeysError::NoSecret)),
            ("ledger", Some(&KeysError::NoSecret)),
            ("0x1234", Some(&KeysError::NoSecret)),
            ("an account without name", Some(&KeysError::NotAKeyFile)),
            ("an account without name", Some(&KeysError::NoSecret)),
        ]
    );
    assert_eq!(
        batch(&json!({})).open("of the export").unwrap_err(),
        KeysError::Damaged
    );
}

proptest! {
    #[test]
    fn every_key_comes_back_from_its_content(seed: [u8; 32]) {
        let key = Key::from_seed(&seed).unwrap();
        let (again, public) = decode(&encode(&key)).unwrap();
        prop_assert_eq!(again.account(), key.account());
        prop_assert_eq!(public, key.account());
        prop_assert_eq!(*again.secret(), *key.secret());
    }

    #[test]
    fn hostile_bytes_are_no_file_or_one(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn hostile_bytes_in_a_file_are_refused_or_harmless(at in 0..ALICE.len(), byte: u8) {
        let mut bytes = ALICE.as_bytes().to_vec();
        bytes[at] = byte;
        if let Ok(Content::One(file)) = parse(&bytes) {
            let again = one(&file.to_bytes()).unwrap();
            prop_assert_eq!(again.account(), file.account());
            prop_assert_eq!(again.encoded, file.encoded);
        }
    }

    #[test]
    fn hostile_bytes_are_no_content_or_one(bytes in prop::collection::vec(any::<u8>(), 0..200), seed: [u8; 32]) {
        let _ = decode(&bytes);
        let _ = decode(&[HEADER.as_slice(), &bytes].concat());
        // Of the right form, with whatever secret.
        let secret = [seed, seed].concat();
        let _ = decode(&[HEADER.as_slice(), &secret, &DIVIDER, &seed].concat());
    }
}

proptest! {
    // Each takes a tenth of a second.
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn every_password_opens_what_it_closed(seed: [u8; 32], password in "\\PC{1,40}") {
        let key = Key::from_seed(&seed).unwrap();
        let file = one(&KeyFile::seal(&key, &password, Cost::FORMER).unwrap().to_bytes()).unwrap();
        prop_assert_eq!(file.open(&password).unwrap().account(), key.account());
        prop_assert_eq!(file.open(&format!("{password}!")).unwrap_err(), KeysError::WrongPassword);
    }
}
