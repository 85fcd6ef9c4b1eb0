//! The two secrets that the trainer is given as files: the token it shares with the node, and the key of its data-plane
//! identity.
//!
//! Must never print or log what it read.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// More than a file with a secret has; no more is read of what may be a device or somebody's film.
const MAX_FILE: u64 = 4096;

/// 32 secret bytes. `Debug` doesn't show them.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// The bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFile {
    /// `--token-file`.
    Token,
    /// `--key-file`.
    Key,
}

impl SecretFile {
    fn name(self) -> &'static str {
        match self {
            Self::Token => "token file",
            Self::Key => "key file",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Token => {
                "Name the file that the node uses (it makes trainer.token in its base path at first start)"
            }
            Self::Key => "Make one with `openssl rand -hex 32 > FILE`, and keep it: it is this PC's identity",
        }
    }
}

/// Why a secret can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It can't be read.
    #[error("the {} {} can't be read ({source}). {}", file.name(), path.display(), file.advice())]
    Unreadable {
        /// Which file.
        file: SecretFile,
        /// Where it was looked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another number of digits.
    #[error("the {} {} has {found} characters instead of 64 hexadecimal digits. {}", file.name(), path.display(), file.advice())]
    WrongLength {
        /// Which file.
        file: SecretFile,
        /// Where it is.
        path: PathBuf,
        /// Characters found, white space at the ends not counted.
        found: usize,
    },
    /// Something else than hexadecimal digits.
    #[error("the {} {} has characters that are no hexadecimal digits; it needs exactly 64 of them. {}", file.name(), path.display(), file.advice())]
    NotHexadecimal {
        /// Which file.
        file: SecretFile,
        /// Where it is.
        path: PathBuf,
    },
}

/// Reads 64 hexadecimal digits; white space around them is allowed.
///
/// # Errors
/// [`SecretError`].
pub fn read(file: SecretFile, path: &Path) -> Result<Secret, SecretError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|opened| opened.take(MAX_FILE).read_to_end(&mut bytes))
        .map_err(|source| SecretError::Unreadable {
            file,
            path: path.into(),
            source,
        })?;
    let secret = parse(file, path, &bytes)?;
    warn_if_public(file, path);
    Ok(secret)
}

fn parse(file: SecretFile, path: &Path, bytes: &[u8]) -> Result<Secret, SecretError> {
    let text = bytes.trim_ascii();
    if text.len() != 64 {
        return Err(SecretError::WrongLength {
            file,
            path: path.into(),
            found: text.len(),
        });
    }
    let mut secret = [0; 32];
    hex::decode_to_slice(text, &mut secret).map_err(|_| SecretError::NotHexadecimal {
        file,
        path: path.into(),
    })?;
    Ok(Secret(secret))
}

#[cfg(unix)]
fn warn_if_public(file: SecretFile, path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
        tracing::warn!(
            "other users can read the {}: run  chmod 600 {}",
            file.name(),
            path.display()
        );
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: SecretFile, _: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn reads_64_digits_with_a_line_end() {
        let (_folder, path) = written(&format!("{}\n", "0f".repeat(32)));
        let secret = read(SecretFile::Token, &path).unwrap();
        assert_eq!(secret.bytes(), &[0x0f; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }

    #[test]
    fn each_defect_has_a_sentence_that_says_what_to_do() {
        let (folder, path) = written("abcd");
        let short = read(SecretFile::Token, &path).unwrap_err();
        assert!(matches!(short, SecretError::WrongLength { found: 4, .. }));
        assert!(short.to_string().contains("trainer.token"), "{short}");
        let missing = read(SecretFile::Key, &folder.path().join("nothing")).unwrap_err();
        assert!(matches!(missing, SecretError::Unreadable { .. }));
        assert!(missing.to_string().contains("openssl"), "{missing}");
        // No file that ends.
        let endless = read(SecretFile::Token, Path::new("/dev/zero")).unwrap_err();
        assert!(matches!(endless, SecretError::WrongLength { found: 4096, .. }));
        let (_folder, path) = written(&"x".repeat(64));
        assert!(matches!(
            read(SecretFile::Key, &path),
            Err(SecretError::NotHexadecimal { .. })
        ));
    }
    proptest! {
        #[test]
        fn hostile_bytes_are_a_secret_or_a_sentence(bytes in proptest::collection::vec(any::<u8>(), 0..200), digits in "[0-9a-fA-F]{60,68}") {
            let parse = |bytes: &[u8]| parse(SecretFile::Key, Path::new("key"), bytes);
            if let Err(error) = parse(&bytes) {
                prop_assert!(error.to_string().contains("openssl"));
            }
            prop_assert_eq!(parse(digits.as_bytes()).is_ok(), digits.len() == 64);
        }
    }
}
