//! Keys as files of the wallet.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::{
    error::Error,
    keys::{
        file::KeyFile,
        key::{Key, Secret},
        sealed::Cost,
        terminal,
    },
};

/// Encrypts a key, under this name and with the time.
pub async fn seal(key: &Key, name: &str, password: Secret) -> Result<KeyFile, Error> {
    let own = key.clone();
    let sealed = terminal::apart(move || KeyFile::seal(&own, &password, Cost::DEFAULT)).await?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or_default();
    Ok(sealed.named(name).made_at(now))
}
