//! How the off-chain worker learns where the trainer is and what secret they share: the node leaves both in
//! persistent off-chain storage, the one place that node and runtime can both reach and no other program can.
//!
//! Must never depend on the trainer being there.

use crate::{cli::TrainerOptions, notice::quoted};
use codec::Encode;
use hydra_primitives::duty::{TRAINER_LINK_KEY, TrainerLink};
use sc_service::Configuration;
use sp_core::{Pair, offchain::OffchainStorage, sr25519};
use std::{
    fs::{self, OpenOptions},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
};

/// The token file's name in the base path.
const TOKEN_FILE: &str = "trainer.token";

/// Why there is no token. The node runs all the same.
#[allow(missing_docs, reason = "each message is its own documentation")]
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(
        "the trainer's token file {path} can't be read ({source}): make it readable to this user, or leave out \
         --trainer-token-file to have one made"
    )]
    Unreadable { path: PathBuf, source: io::Error },

    #[error(
        "the trainer's token file {path} must hold 64 hexadecimal characters and nothing else: correct it, or delete it \
         and start without --trainer-token-file to have a new one made"
    )]
    Malformed { path: PathBuf },

    #[error(
        "the trainer's token can't be written to {path} ({source}): make the folder writable to this user"
    )]
    Unwritable { path: PathBuf, source: io::Error },
}

/// What the service needs to know about the trainer.
pub struct TrainerSettings {
    /// Where it listens and the shared secret; `None` if there is no secret.
    pub link: Option<TrainerLink>,
    /// Where it listens, secret or not: its pages may use the node's JSON-RPC.
    pub port: u16,
    /// The secret of its account, if not the keystore's own.
    pub suri: Option<String>,
}

impl TrainerSettings {
    /// From the command line; makes the token file if none was named and none is there yet. Without a token it says why
    /// in the log: a defect of the trainer's must not keep the node from running.
    pub fn new(options: TrainerOptions, config: &Configuration) -> Self {
        let link = match token(options.trainer_token_file, config.base_path.path()) {
            Ok(token) => Some(TrainerLink {
                port: options.trainer_port,
                token,
                started: sp_timestamp::Timestamp::current().as_millis(),
            }),
            Err(error) => {
                log::error!("{error}; then start the node again. Until then it neither trains nor votes");
                None
            }
        };
        Self {
            link,
            port: options.trainer_port,
            suri: options.trainer_suri.or_else(|| config.dev_key_seed.clone()),
        }
    }
}

/// Leaves `link` where `StorageValueRef::persistent(TRAINER_LINK_KEY)` finds it, or nothing, so that no duty goes out
/// with an earlier run's token.
pub fn publish(storage: &mut impl OffchainStorage, link: Option<&TrainerLink>) {
    let prefix = sp_core::offchain::STORAGE_PREFIX;
    match link {
        Some(link) => storage.set(prefix, TRAINER_LINK_KEY, &link.encode()),
        None => storage.remove(prefix, TRAINER_LINK_KEY),
    }
}

/// The token in the file that was named, or in the base path's, which is made at the first start.
fn token(named: Option<PathBuf>, base_path: &Path) -> Result<[u8; 32], TokenError> {
    let Some(path) = named else {
        let path = base_path.join(TOKEN_FILE);
        return match make_token(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => read_token(&path),
            made => made.map_err(|source| TokenError::Unwritable { path, source }),
        };
    };
    read_token(&path)
}

fn read_token(path: &Path) -> Result<[u8; 32], TokenError> {
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::InvalidData => TokenError::Malformed { path: path.into() },
        _ => TokenError::Unreadable {
            path: path.into(),
            source,
        },
    })?;
    warn_if_public(path);
    let mut token = [0; 32];
    hex::decode_to_slice(text.trim(), &mut token).map_err(|_| TokenError::Malformed { path: path.into() })?;
    Ok(token)
}

/// Fails with `AlreadyExists` if there is a file, so that two nodes starting at once can't end up with two tokens. The
/// file appears whole or not at all, whenever the power goes.
fn make_token(path: &Path) -> io::Result<[u8; 32]> {
    if path.try_exists()? {
        return Err(ErrorKind::AlreadyExists.into());
    }
    // A fresh key's seed is 32 bytes from the operating system's random generator.
    let (_, token) = sr25519::Pair::generate();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let made = write_private(&draft, &format!("{}\n", hex::encode(token)))
        .and_then(|()| fs::hard_link(&draft, path));
    // Its work is done, or it is of no use.
    let _ = fs::remove_file(&draft);
    made.map(|()| token)
}

/// A new file that only its owner can read, on disk when this returns.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    // What an earlier process of this number left behind.
    if let Err(error) = fs::remove_file(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(unix)]
fn warn_if_public(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        log::warn!(
            "other users can read the trainer's token: run  chmod 600 {}",
            quoted(path)
        );
    }
}

#[cfg(not(unix))]
fn warn_if_public(_: &Path) {}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Decode;
    use sp_core::offchain::storage::InMemOffchainStorage;
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_made_token_is_private_and_reads_back() {
        let (folder, other) = (folder(), folder());
        let base = folder.path().join("sub");
        let path = base.join(TOKEN_FILE);
        let made = token(None, &base).unwrap();
        assert_eq!(token(None, &base).unwrap(), made);
        assert_eq!(token(Some(path.clone()), other.path()).unwrap(), made);
        assert_eq!(make_token(&path).unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(
            fs::read_dir(&base).unwrap().count(),
            1,
            "nothing is left of its making"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn refuses_a_token_that_is_no_token() {
        let folder = folder();
        let base = folder.path();
        for text in ["", "abcd", &"x".repeat(64), &"0".repeat(66)] {
            fs::write(base.join(TOKEN_FILE), text).unwrap();
            assert!(
                matches!(token(None, base), Err(TokenError::Malformed { .. })),
                "{text}"
            );
        }
        fs::write(base.join(TOKEN_FILE), [0xff; 64]).unwrap();
        assert!(matches!(token(None, base), Err(TokenError::Malformed { .. })));
    }

    #[test]
    fn refuses_a_token_file_that_is_not_there() {
        let folder = folder();
        let base = folder.path();
        let named = token(Some(base.join("nothing")), base);
        assert!(matches!(named, Err(TokenError::Unreadable { .. })));
        // A named file is never made.
        assert_eq!(fs::read_dir(base).unwrap().count(), 0);
    }

    #[test]
    fn says_where_a_token_can_not_be_written() {
        let folder = folder();
        let file = folder.path().join("a file, no folder");
        fs::write(&file, "").unwrap();
        let error = token(None, &file).unwrap_err();
        assert!(matches!(error, TokenError::Unwritable { .. }), "{error}");
    }

    #[test]
    fn the_link_is_found_under_its_key_until_there_is_none() {
        let mut storage = InMemOffchainStorage::default();
        let link = TrainerLink {
            port: 7,
            token: [9; 32],
            started: 5,
        };
        let found = |storage: &InMemOffchainStorage| {
            let bytes = storage.get(sp_core::offchain::STORAGE_PREFIX, TRAINER_LINK_KEY)?;
            TrainerLink::decode(&mut &bytes[..]).ok()
        };
        publish(&mut storage, Some(&link));
        assert!(found(&storage) == Some(link));
        publish(&mut storage, None);
        assert!(found(&storage).is_none());
    }
}
