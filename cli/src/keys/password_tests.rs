use super::*;
use proptest::prelude::*;
use std::fs;

fn read(bytes: &[u8]) -> Result<String, Error> {
    line(Some(bytes.to_vec()), "a file").map(|password| password.to_string())
}

#[test]
fn a_password_is_one_line_without_its_end() {
    for bytes in [b"two words".as_slice(), b"two words\n", b"two words\r\n"] {
        assert_eq!(read(bytes).unwrap(), "two words");
    }
    assert_eq!(read(b" spaces count \n").unwrap(), " spaces count ");
    assert_eq!(read("ä€😀".as_bytes()).unwrap(), "ä€😀");
}

#[test]
fn what_is_no_password_is_refused_and_not_repeated() {
    for bytes in [
        b"two\nlines".as_slice(),
        b"secret\xff",
        b"se\0cret",
        b"secret\n\n",
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(
            error.starts_with("a file is not UTF-8 text of one line"),
            "{error}"
        );
        assert!(!error.contains("secret"), "{error}");
    }
    assert!(matches!(read(b"\n"), Err(Error::Keys(KeysError::EmptyPassword))));
    assert!(matches!(
        line(None, "x"),
        Err(Error::Keys(KeysError::BadPassword(_)))
    ));
}

#[test]
fn a_new_password_is_not_short() {
    let long = |text: &str| long(Zeroizing::new(text.into())).map(drop);
    assert!(long("12345678").is_ok());
    // Letters, not bytes.
    assert!(matches!(
        long("äöüäöü"),
        Err(Error::Keys(KeysError::ShortPassword(6, 8)))
    ));
}

#[test]
fn a_file_is_read_up_to_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let args = PasswordArgs {
        password_file: Some(path.clone()),
        password_stdin: false,
    };
    fs::write(&path, "correct horse\n").unwrap();
    assert_eq!(given(&args).unwrap().unwrap().as_str(), "correct horse");
    fs::write(&path, vec![b'a'; 5000]).unwrap();
    assert!(matches!(
        given(&args),
        Err(Error::Keys(KeysError::BadPassword(_)))
    ));
    fs::remove_file(&path).unwrap();
    assert!(matches!(given(&args), Err(Error::File { .. })));
    assert!(given(&PasswordArgs::default()).unwrap().is_none());
}

proptest! {
    #[test]
    fn hostile_bytes_are_no_password_or_one_line(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        if let Ok(password) = read(&bytes) {
            prop_assert!(!password.is_empty() && !password.contains(['\n', '\0']));
        }
    }
}
