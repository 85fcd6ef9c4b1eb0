//! Which account a command pays with, and its key, once that is needed: one of the wallet's, or this PC's own, whose key is kept
//! by `hydra up` without a password.
//!
//! The development accounts, whose secrets everyone knows, pay on local networks only.

use hydra_primitives::AccountBytes;
use std::path::Path;

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
    home::{self, Home},
    output,
};

pub use super::store::THIS_PC;

/// How often a person may type a password.
const TRIES: usize = 3;

/// An account that pays.
#[derive(Clone, Debug)]
pub enum Payer {
    /// One of the wallet's, still locked.
    Kept(Box<Kept>),
    /// This PC's own, whose key is at hand.
    Own(Box<Key>),
    /// Another one whose key is at hand.
    Open(Box<Key>),
}

/// This PC's part of a network, if its own account is what `name` means: it is called [`THIS_PC`], as none of the wallet's is.
pub fn own_home(name: Option<&str>, base_path: Option<&Path>) -> Result<Option<Home>, Error> {
    match name {
        Some(THIS_PC) => home::named_or_only(base_path).map(Some),
        _ => Ok(None),
    }
}

impl Payer {
    /// The account that was named: this PC's, if `own` says so, one of the wallet's by name or address, or //Alice and friends;
    /// without one, the wallet's only account.
    pub async fn choose(args: &SignerArgs, own: Option<&Home>, chain: &Chain) -> Result<Self, Error> {
        if let Some(home) = own {
            return Self::own(home, chain).await;
        }
        match args.from.as_deref() {
            Some(suri) if suri.starts_with("//") => development(suri, chain.is_local().await?),
            name => Ok(Self::Kept(Box::new(Store::new(&args.keys)?.choose(name)?))),
        }
    }

    /// This PC's own account: the one that its node trains for.
    async fn own(home: &Home, chain: &Chain) -> Result<Self, Error> {
        let account = chain.counting(&home.accounts()?).await?;
        let account = account.ok_or_else(|| Error::NoSender(home.path.clone()))?;
        home.key(&account).map(|key| Self::Own(Box::new(key)))
    }

    /// Its account.
    pub fn account(&self) -> AccountBytes {
        match self {
            Self::Kept(kept) => kept.account,
            Self::Own(key) | Self::Open(key) => key.account(),
        }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Kept(kept) => kept.name.clone(),
            Self::Own(_) => THIS_PC.into(),
            Self::Open(key) => accounts::short(&key.account()),
        }
    }

    /// Refuses if there is nowhere its password could come from.
    pub fn check(&self, args: &PasswordArgs) -> Result<(), Error> {
        match self {
            Self::Kept(_) => password::obtainable(args),
            Self::Own(_) | Self::Open(_) => Ok(()),
        }
    }

    /// Its key, with the password.
    pub async fn unlock(self, args: &PasswordArgs) -> Result<Key, Error> {
        match self {
            Self::Kept(kept) => unlock(&kept, args).await,
            Self::Own(key) | Self::Open(key) => Ok(*key),
        }
    }
}

/// A development account. Elsewhere than on a local network its secret is no wallet: whatever it holds is anyone's.
fn development(suri: &str, local: bool) -> Result<Payer, Error> {
    if !local {
        return Err(Error::DevelopmentOnly);
    }
    let key = Key::from_suri(suri).map_err(|_| KeysError::BadFrom)?;
    Ok(Payer::Open(Box::new(key)))
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
    use crate::{
        exit::ExitCode,
        keys::{file::KeyFile, sealed::Cost},
    };
    use std::fs;

    #[test]
    fn a_development_account_pays_on_a_local_network_only() {
        let alice = development("//Alice", true).unwrap();
        assert_eq!(
            (alice.name(), Some(alice.account())),
            ("Alice".into(), accounts::development("Alice"))
        );
        for suri in ["//Alice", "//Alice//stash", "//"] {
            let error = development(suri, false).unwrap_err();
            assert!(matches!(error, Error::DevelopmentOnly), "{error}");
            assert_eq!(error.exit_code(), ExitCode::Impossible);
        }
    }

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
