//! `hydra wallet list`, `show` and `receive`: what is in the wallet. None of them needs a node or a password.

use hydra_primitives::AccountBytes;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

use super::own;
use crate::{
    accounts,
    args::{ListArgs, ReceiveArgs, ShowArgs},
    error::Error,
    keys::store::{Kept, Store},
    output, qr,
    report::figures,
    table::{Align, Table},
};

/// An account as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Shown {
    /// What its owner calls it.
    name: String,
    /// Its address.
    address: String,
    /// Its public key, `0x` and hexadecimal digits: what some tools want instead.
    public_key: String,
    /// When it was made, in milliseconds since 1970, if its file says so.
    created: Option<u64>,
    /// Where its encrypted file is.
    file: PathBuf,
}

impl From<Kept> for Shown {
    fn from(kept: Kept) -> Self {
        Self {
            name: kept.name,
            address: accounts::address(&kept.account),
            public_key: format!("0x{}", hex::encode(kept.account)),
            created: kept.created,
            file: kept.path,
        }
    }
}

impl Shown {
    fn day(&self) -> String {
        self.created.map_or_else(|| "-".into(), figures::day)
    }
}

/// `hydra wallet list`.
pub fn list(args: &ListArgs, json: bool) -> Result<(), Error> {
    let kept = Store::new(&args.keys)?.list()?;
    let accounts: Vec<AccountBytes> = kept.iter().map(|kept| kept.account).collect();
    let shown: Vec<Shown> = kept.into_iter().map(Shown::from).collect();
    if json {
        return output::json(&shown);
    }
    if shown.is_empty() {
        output::note("there is no account yet: make one with `hydra wallet new NAME`");
        own::mention(&accounts);
        return Ok(());
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("address", Align::Left),
        ("created", Align::Left),
    ]);
    for account in &shown {
        table.row([account.name.clone(), account.address.clone(), account.day()]);
    }
    output::data(&table.render())?;
    own::mention(&accounts);
    Ok(())
}

/// `hydra wallet show`.
pub fn show(args: &ShowArgs, json: bool) -> Result<(), Error> {
    let shown = Shown::from(Store::new(&args.keys)?.choose(Some(&args.account))?);
    if json {
        return output::json(&shown);
    }
    output::data(&format!(
        "name        {}\naddress     {}\npublic key  {}\ncreated     {}\nfile        {}\n",
        shown.name,
        shown.address,
        shown.public_key,
        shown.day(),
        shown.file.display()
    ))
}

/// `hydra wallet receive`.
pub fn receive(args: &ReceiveArgs, json: bool) -> Result<(), Error> {
    let shown = Shown::from(Store::new(&args.keys)?.choose(args.account.as_deref())?);
    if json {
        return output::json(&shown);
    }
    let code = qr::draw(&shown.address, args.invert);
    output::data(&format!("{}\n{code}", shown.address))
}
