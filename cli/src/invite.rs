//! `hydra invite`: sends someone what a PC needs to take part, from this PC's account unless another is named.
//!
//! It must never send anything before it has said how much and to whom, and heard a yes.

use crate::{
    accounts,
    args::InviteArgs,
    error::Error,
    up::FEES,
    wallet::{Spender, Transfer, transfer},
};

/// Runs the command.
pub async fn run(args: InviteArgs, json: bool) -> Result<(), Error> {
    let InviteArgs {
        address,
        amount,
        spend,
    } = args;
    let (spender, _) = Spender::by_default_of_this_pc(&spend).await?;
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
