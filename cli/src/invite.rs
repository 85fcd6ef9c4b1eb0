//! `hydra invite`: sends someone what a PC needs to take part, from this PC's account unless another is named.
//!
//! It must never send anything before it has said how much and to whom, and heard a yes.

use crate::{
    accounts,
    args::InviteArgs,
    error::Error,
    home::{self, Home},
    keys::key::Key,
    up::FEES,
    wallet::{Spender, Transfer, transfer},
};

/// Runs the command.
pub async fn run(args: InviteArgs, json: bool) -> Result<(), Error> {
    let InviteArgs {
        address,
        amount,
        mut spend,
    } = args;
    let key = match spend.signer.from {
        Some(_) => None,
        None => {
            let home = home::named_or_only(spend.node.base_path.as_deref())?;
            let key = key_of(&home)?;
            // Its network is meant, whichever else runs on this PC.
            spend.node.base_path = Some(home.path);
            Some(key)
        }
    };
    let spender = match key {
        Some(key) => Spender::with_key(&spend, key).await?,
        None => Spender::new(&spend).await?,
    };
    let chain = &spender.chain;
    let amount = match amount {
        Some(amount) => amount,
        None => {
            let least = chain.least_stake(chain.best().await?.hash).await?;
            least.saturating_add(FEES)
        }
    };
    let invited = Transfer {
        to: address,
        name: accounts::name(&address).map(Into::into),
        amount,
        lines: vec![
            ("on", chain.name().await?),
            ("then", "their `hydra up` goes on by itself".into()),
        ],
    };
    transfer(spender, invited, json).await
}

/// The key of this PC's account.
fn key_of(home: &Home) -> Result<Key, Error> {
    let accounts = home.accounts()?;
    let account = accounts
        .first()
        .ok_or_else(|| Error::NoSender(home.path.clone()))?;
    home.key(account)
}
