//! The keys in a node's keystore: files named after a key's type and public half, each with its secret as a JSON string.
//! The node reads them when it starts and whenever it looks for a key.
//!
//! It must never replace or delete a key, and never put a secret into an error: it may be the only one to what an account
//! holds.

use std::{
    fs, io,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

use crate::{error::Error, files, keys::key::Secret};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The account that trains and verifies.
    Account,
    /// Making blocks.
    Babe,
    /// Making blocks final.
    Grandpa,
}

impl Kind {
    /// The four letters that the node knows it by.
    fn tag(self) -> [u8; 4] {
        match self {
            Self::Account => *b"hydr",
            Self::Babe => *b"babe",
            Self::Grandpa => *b"gran",
        }
    }
}

/// The file of a key.
pub fn path(keystore: &Path, kind: Kind, public: &[u8; 32]) -> PathBuf {
    keystore.join(hex::encode([kind.tag().as_slice(), public].concat()))
}

/// Puts a key there, unless it is there already. `secret` is a phrase or a 0x… seed.
pub fn insert(keystore: &Path, kind: Kind, public: &[u8; 32], secret: &str) -> Result<(), Error> {
    let path = path(keystore, kind, public);
    let text = Zeroizing::new(serde_json::Value::from(secret).to_string());
    files::make_private_folder(keystore)?;
    files::write_private_once(&path, text.as_bytes()).map_err(Error::file("write", path))
}

/// The public halves of all keys of this kind, in order.
pub fn publics(keystore: &Path, kind: Kind) -> Result<Vec<[u8; 32]>, Error> {
    let entries = match fs::read_dir(keystore) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(Error::file("open", keystore))?,
    };
    let mut publics = Vec::new();
    for entry in entries {
        let name = entry.map_err(Error::file("open", keystore))?.file_name();
        // What isn't called like a key is none.
        let bytes = name.to_str().and_then(|name| hex::decode(name).ok());
        let public = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&kind.tag()));
        publics.extend(public.and_then(|public| <[u8; 32]>::try_from(public).ok()));
    }
    publics.sort_unstable();
    Ok(publics)
}

/// A key's secret.
pub fn secret(keystore: &Path, kind: Kind, public: &[u8; 32]) -> Result<Secret, Error> {
    let path = path(keystore, kind, public);
    let text = fs::read(&path).map(Zeroizing::new);
    let text = text.map_err(Error::file("read", &path))?;
    let secret = serde_json::from_slice(&text).map(Secret::new);
    secret.map_err(|_| Error::BadKey {
        path,
        reason: "it holds no JSON string".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_is_a_file_as_the_node_reads_it_and_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = folder.path().join("keystore");
        assert_eq!(publics(&keystore, Kind::Account).unwrap(), Vec::<[u8; 32]>::new());
        insert(&keystore, Kind::Account, &[7; 32], "some \"words\"").unwrap();
        insert(&keystore, Kind::Account, &[7; 32], "others").unwrap();
        insert(&keystore, Kind::Babe, &[1; 32], "0x00").unwrap();
        fs::write(keystore.join("notes.txt"), "mine").unwrap();
        let file = keystore.join(format!("68796472{}", "07".repeat(32)));
        assert_eq!(fs::read_to_string(&file).unwrap(), r#""some \"words\"""#);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(publics(&keystore, Kind::Account).unwrap(), [[7; 32]]);
        assert_eq!(
            *secret(&keystore, Kind::Account, &[7; 32]).unwrap(),
            "some \"words\""
        );
    }

    #[test]
    fn a_damaged_key_is_named_and_never_quoted() {
        let folder = tempfile::tempdir().unwrap();
        insert(folder.path(), Kind::Account, &[7; 32], "secret words").unwrap();
        fs::write(path(folder.path(), Kind::Account, &[7; 32]), "secret words").unwrap();
        let error = secret(folder.path(), Kind::Account, &[7; 32])
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret words"), "{error}");
    }
}
