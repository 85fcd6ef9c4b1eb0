//! The trainer's account: an sr25519 key of type `hydr` in the node's keystore, with which the off-chain worker
//! signs. It is apart from the session keys, and a person's savings should be in neither.

use crate::error::Error;
use sp_core::crypto::{KeyTypeId, Ss58Codec};
use sp_keystore::Keystore;

/// The key type, as in the pallet's application crypto.
pub const TRAINER_KEY: KeyTypeId = KeyTypeId(*b"hydr");

/// Sees to it that there is a trainer's key, and says which account that is. `suri` is for development: its key is
/// kept in memory only.
pub fn provide_trainer_key(keystore: &dyn Keystore, suri: Option<&str>) -> Result<(), Error> {
    match suri {
        Some(suri) => {
            // Looked at first, because the keystore would quote the secret in its error.
            <sp_core::sr25519::Pair as sp_core::Pair>::from_string(suri, None)
                .map_err(|error| Error::TrainerSuri(error.to_string()))?;
            generate(keystore, Some(suri))?;
        }
        None if keystore.sr25519_public_keys(TRAINER_KEY).is_empty() => {
            generate(keystore, None)?;
            log::info!("🔑 Made a new account for this node's trainer");
        }
        None => {}
    }
    for public in keystore.sr25519_public_keys(TRAINER_KEY) {
        log::info!("🔑 Trainer account: {}", public.to_ss58check());
    }
    Ok(())
}

fn generate(keystore: &dyn Keystore, suri: Option<&str>) -> Result<(), Error> {
    keystore
        .sr25519_generate_new(TRAINER_KEY, suri)
        .map(drop)
        .map_err(|error| Error::Keystore(error.to_string()))
}
