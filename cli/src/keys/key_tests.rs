use super::*;
use crate::accounts;
use proptest::prelude::*;
use subxt_signer::sr25519;

/// From the tests of BIP-39.
const PHRASE: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

/// As another library derives it.
fn elsewhere(suri: &str) -> AccountBytes {
    let uri: SecretUri = suri.parse().unwrap();
    sr25519::Keypair::from_uri(&uri).unwrap().public_key().0
}

#[test]
fn a_phrase_is_the_same_account_as_elsewhere() {
    for suri in [
        PHRASE.to_owned(),
        format!("{PHRASE}//Alice"),
        format!("{PHRASE}//hydra/0/soft//9"),
        format!("{PHRASE}///a password / with signs"),
        format!("{PHRASE}//hard/soft///password"),
        format!("0x{}", "17".repeat(32)),
        format!("0x{}//hard", "17".repeat(32)),
        "//Bob".to_owned(),
    ] {
        assert_eq!(
            Key::from_suri(&suri).unwrap().account(),
            elsewhere(&suri),
            "{suri}"
        );
    }
    assert_eq!(
        Key::from_suri("//Alice").unwrap().account(),
        accounts::development("Alice").unwrap()
    );
}

#[test]
fn a_phrase_may_be_written_as_people_write_it() {
    let written = "\u{feff}  Legal winner\tthank\nyear wave sausage\r\nworth useful legal   winner thank yellow//Alice \n";
    assert_eq!(
        Key::from_suri(written).unwrap().account(),
        elsewhere(&format!("{PHRASE}//Alice"))
    );
}

#[test]
fn a_password_behind_a_phrase_keeps_its_spaces_and_loses_the_end_of_the_line() {
    let with = |end: &str| {
        Key::from_own_suri(&format!("{PHRASE}//1///word{end}"))
            .unwrap()
            .account()
    };
    let spaced = elsewhere(&format!("{PHRASE}//1///word "));
    assert_ne!(spaced, elsewhere(&format!("{PHRASE}//1///word")));
    for end in [" ", " \n", " \r\n", " \n\n"] {
        assert_eq!(with(end), spaced, "{end:?}");
    }
    assert_eq!(with("\n"), elsewhere(&format!("{PHRASE}//1///word")));
}

#[test]
fn what_everyone_knows_is_not_kept_however_it_is_written() {
    let dev = "Bottom drive  obey lake curtain smoke basket hold race lonely fit walk";
    let alice = "0xe5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
    assert_eq!(
        Key::from_suri(alice).unwrap().account(),
        Key::from_suri("//Alice").unwrap().account()
    );
    for text in [
        dev.to_owned(),
        format!("{dev}\n"),
        format!("{dev}//Alice"),
        format!("{dev}///a password"),
        format!("\u{feff}{dev}//mine"),
        "\u{feff}//Alice".into(),
        "///a password".into(),
        alice.into(),
    ] {
        assert_eq!(
            Key::from_own_suri(&text).unwrap_err(),
            KeysError::PublicSecret,
            "{text}"
        );
    }
    for suri in ["//Ferdie", "//Alice//stash", "//One", DEV_PHRASE] {
        assert!(is_public(&Key::from_suri(suri).unwrap().account()), "{suri}");
    }
    assert!(!is_public(&Key::from_suri(PHRASE).unwrap().account()));
}

#[test]
fn what_is_wrong_with_a_phrase_is_said_and_the_phrase_is_not() {
    let error = |text: &str| {
        let error = Key::from_own_suri(text).unwrap_err();
        for word in text
            .split_whitespace()
            .filter(|word| word.len() > 5 && !word.starts_with('/'))
        {
            assert!(!error.to_string().contains(word), "{error}");
        }
        error
    };
    assert_eq!(error("legal winner hydraai"), KeysError::WordCount(3));
    assert_eq!(error(&PHRASE.replace("wave", "waves")), KeysError::UnknownWord(5));
    assert_eq!(error(&PHRASE.replace("wave", "year")), KeysError::Checksum);
    assert_eq!(error("0x1234"), KeysError::NotAPhrase);
    assert_eq!(error(""), KeysError::NotAPhrase);
    assert_eq!(error("//Alice"), KeysError::PublicSecret);
    assert_eq!(error(" /soft"), KeysError::PublicSecret);
}

#[test]
fn a_new_key_comes_back_from_its_twelve_words() {
    let (key, phrase) = Key::generate().unwrap();
    assert_eq!(phrase.split(' ').count(), 12);
    assert_eq!(Key::from_own_suri(&phrase).unwrap().account(), key.account());
    assert_eq!(elsewhere(&phrase), key.account());
    let (other, _) = Key::generate().unwrap();
    assert_ne!(other.account(), key.account());
}

#[test]
fn a_key_shows_its_address_only() {
    let key = Key::from_suri("//Alice").unwrap();
    assert_eq!(
        format!("{key:?}"),
        "Key(5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY)"
    );
}

#[test]
fn what_it_signs_is_accepted_elsewhere() {
    let key = Key::from_suri(&format!("{PHRASE}//hard/soft")).unwrap();
    let again = Key::from_secret(&key.secret()).unwrap();
    assert_eq!(again.account(), key.account());
    for key in [key, again] {
        let signature = sr25519::Signature(key.sign_bytes(b"message"));
        let public = sr25519::PublicKey(key.account());
        assert!(sr25519::verify(&signature, b"message", &public));
        assert!(!sr25519::verify(&signature, b"another", &public));
    }
}

proptest! {
    #[test]
    fn hostile_bytes_are_no_phrase_or_one(text in ".{0,200}") {
        let _ = Key::from_own_suri(&text);
    }

    #[test]
    fn hostile_bytes_are_no_secret_or_one(bytes in prop::array::uniform32(any::<u8>()), nonce in prop::array::uniform32(any::<u8>())) {
        let mut secret = [0; SECRET_LEN];
        secret[..32].copy_from_slice(&bytes);
        secret[32..].copy_from_slice(&nonce);
        if let Some(key) = Key::from_secret(&secret) {
            prop_assert_eq!(Key::from_secret(&key.secret()).unwrap().account(), key.account());
        }
    }
}
