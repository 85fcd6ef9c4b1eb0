//! Accounts: what the chain says of each, and a table of them.

use hydra_primitives::{AccountBytes, Balance, status::NodeStatus};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts, amount,
    chain::{Chain, Hash},
    error::Error,
    table::{Align, Table},
};

/// An account.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Account {
    /// Its address.
    pub account: String,
    /// In short.
    pub name: String,
    /// Free balance, in HYDRA.
    pub balance: String,
    /// The same in the smallest unit, to be shown rounded.
    #[serde(skip)]
    pub free: Balance,
    /// Stake, in HYDRA.
    pub stake: String,
    /// Reputation, from 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    pub reputation: f64,
    /// Whether it counts as showing up.
    pub active: bool,
}

impl Account {
    /// From what the chain says.
    pub fn new(account: &AccountBytes, balance: Balance, status: &NodeStatus) -> Self {
        Self {
            account: accounts::address(account),
            name: accounts::short(account),
            balance: amount::exact(balance),
            free: balance,
            stake: amount::exact(status.stake),
            reputation: f64::from(status.reputation.deconstruct()) / 1e9,
            active: status.active,
        }
    }
}

/// Reads accounts at a block.
pub async fn read(chain: &Chain, accounts: &[AccountBytes], at: Hash) -> Result<Vec<Account>, Error> {
    let mut rows = Vec::new();
    for account in accounts {
        let status = chain.node_status(account, at).await?;
        rows.push(Account::new(
            account,
            chain.funds(account, at).await?.free,
            &status,
        ));
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

/// The accounts as a table.
pub fn table(accounts: &[Account]) -> String {
    let mut table = Table::new(&[
        ("account", Align::Left),
        ("balance (HYDRA)", Align::Right),
        ("stake", Align::Right),
        ("reputation", Align::Right),
        ("active", Align::Left),
    ]);
    for account in accounts {
        table.row([
            account.name.clone(),
            amount::short(account.free),
            account.stake.clone(),
            format!("{:.3}", account.reputation),
            if account.active { "yes" } else { "no" }.into(),
        ]);
    }
    table.render()
}
