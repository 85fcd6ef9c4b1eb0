//! This PC's own account, the one that `hydra up` made or took and trains for, as far as the wallet has to do with it.
//!
//! It must never change anything in the PC's folder, and never show what the key's file there holds.

use hydra_primitives::AccountBytes;
use std::path::Path;

use crate::{
    accounts,
    args::OwnAccountArgs,
    error::Error,
    home::{self, Home},
    keys::{
        error::KeysError,
        key::{self, Key},
    },
    output,
};

/// Its key, and what a copy of it is called: by the network, since on another PC it isn't this PC's any more.
pub fn key(args: &OwnAccountArgs) -> Result<(Key, String), Error> {
    let home = home::named_or_only(args.base_path.as_deref())?;
    let account = home.own_account()?;
    match key::is_public(&account) {
        true => Err(KeysError::PublicSecret.into()),
        false => Ok((home.key(&account)?, home.joined.id.clone())),
    }
}

/// The account of the PC in this folder, if it is one that takes part in a network with others. Nobody asked for it, so that it
/// can't be found is no reason to fail.
pub fn of_folder(folder: &Path) -> Option<AccountBytes> {
    Home::open(folder).ok().flatten()?.own_account().ok()
}

/// Says how this PC's account comes into the wallet, if there is one and it isn't among these.
pub fn mention(kept: &[AccountBytes]) {
    let account = home::named_or_only(None).and_then(|home| home.own_account());
    if let Ok(account) = account
        && !kept.contains(&account)
    {
        output::note(&hint(&account));
    }
}

/// What to type for that.
pub fn hint(account: &AccountBytes) -> String {
    format!(
        "this PC's own account, {}, is not in the wallet: `hydra wallet import --this-pc` takes it in, and --from this-pc pays \
         with it as it is",
        accounts::address(account)
    )
}
