//! Which account a command pays with, and its key, once that is needed.
//!
//! The development accounts, whose secrets everyone knows, pay on local networks only.

use hydra_primitives::AccountBytes;

use super::{
    error::KeysError,
    key::Key,
    password,
    store::{Kept, Store},
    terminal,
};
use crate::{
    accounts,
    args::{PasswordArgs, SignerArgs},
    chain::Chain,
    error::Error,
    output,
};

/// How often a person may type a password.
const TRIES: usize = 3;

/// An account that pays.
#[derive(Clone, Debug)]
pub enum Payer {
    /// One of the wallet's, still locked.
    Kept(Box<Kept>),
    /// One whose key is at hand.
    Open(Box<Key>),
}

impl Payer {
    /// The account that was named: one of the wallet's by name or address, or //Alice and friends; without one, the
    /// wallet's only account.
    pub async fn choose(args: &SignerArgs, chain: &Chain) -> Result<Self, Error> {
        match args.from.as_deref() {
            Some(suri) if suri.starts_with("//") => {
                if !chain.is_local().await? {
                    return Err(Error::DevelopmentOnly);
                }
                Ok(Self::Open(Box::new(
                    Key::from_suri(suri).map_err(|_| KeysError::BadFrom)?,
                )))
            }
            name => Ok(Self::Kept(Box::new(Store::new(&args.keys)?.choose(name)?))),
        }
    }

    /// Its account.
    pub fn account(&self) -> AccountBytes {
        match self {
            Self::Kept(kept) => kept.account,
            Self::Open(key) => key.account(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Kept(kept) => kept.name.clone(),
            Self::Open(key) => accounts::short(&key.account()),
        }
    }

    /// Refuses if there is nowhere its password could come from.
    pub fn check(&self, args: &PasswordArgs) -> Result<(), Error> {
        match self {
            Self::Kept(_) => password::obtainable(args),
            Self::Open(_) => Ok(()),
        }
    }

    /// Its key, with the password.
    pub async fn unlock(self, args: &PasswordArgs) -> Result<Key, Error> {
        match self {
            Self::Kept(kept) => unlock(&kept, args).await,
            Self::Open(key) => Ok(*key),
        }
    }
}

/// The key of an account that is kept.
async fn unlock(kept: &Kept, args: &PasswordArgs) -> Result<Key, Error> {
    let mut tries = match password::is_typed(args) {
        true => TRIES,
        false => 1,
    };
    loop {
        let password = password::known(args, &kept.name).await?;
        let file = kept.file.clone();
        match terminal::apart(move || file.open(&password)).await {
            Err(KeysError::WrongPassword) if tries > 1 => output::note("that isn't it: try again"),
            opened => return opened.map_err(|error| error.of(&kept.path).into()),
        }
        tries -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{file::KeyFile, sealed::Cost};
    use std::fs;

    #[tokio::test]
    async fn a_file_that_does_not_open_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let password = folder.path().join("password");
        let key = Key::from_suri("//Alice").unwrap();
        let kept = Kept {
            account: key.account(),
            name: "main".into(),
            created: None,
            path: "/keys/main.json".into(),
            file: KeyFile::seal(&key, "correct horse", Cost::FORMER).unwrap(),
        };
        let args = PasswordArgs {
            password_file: Some(password.clone()),
            password_stdin: false,
        };
        fs::write(&password, "another horse").unwrap();
        let error = unlock(&kept, &args).await.unwrap_err().to_string();
        assert!(
            error.starts_with("/keys/main.json can't be used: the password is wrong"),
            "{error}"
        );
        // What is forgotten can be replaced, and this says how.
        assert!(error.contains("hydra wallet import NAME --force"), "{error}");
        fs::write(&password, "correct horse").unwrap();
        assert_eq!(unlock(&kept, &args).await.unwrap().account(), key.account());
    }
}
