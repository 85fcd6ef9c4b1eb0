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

/// How many accounts are looked up at the most: each is a few questions to the node, and there may be a quarter of a million.
pub const MOST: usize = 64;

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
    /// What is bonded and not on its way back, in HYDRA.
    pub stake: String,
    /// What of its stake is on its way back, in HYDRA.
    pub unbonding: String,
    /// How well it did its duties lately, from 0 to 1. It scales what the stake weighs in draws.
    #[schemars(range(min = 0, max = 1))]
    pub score: f64,
    /// Whether it takes part: a draw that falls on it counts.
    pub active: bool,
    /// Whether its owner paused it.
    pub paused: bool,
    /// How large the tasks may be that it takes on: 4 MiB of memory in class 0, and twice as much in each class after it.
    pub size_class: u8,
    /// How many tasks it takes on at a time.
    pub room: u8,
    /// How many it has.
    pub busy: u8,
    /// The session of its last heartbeat.
    pub heartbeat: u32,
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
            unbonding: amount::exact(status.unbonding),
            score: f64::from(status.reputation.deconstruct()) / 1e9,
            active: status.active,
            paused: status.paused,
            size_class: status.size_class,
            room: status.room,
            busy: status.busy,
            heartbeat: status.heartbeat,
        }
    }

    fn takes_part(&self) -> &'static str {
        match (self.paused, self.active) {
            (true, _) => "paused",
            (false, true) => "yes",
            (false, false) => "no",
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
        ("score", Align::Right),
        ("tasks", Align::Right),
        ("takes part", Align::Left),
    ]);
    for account in accounts {
        table.row([
            account.name.clone(),
            amount::short(account.free),
            account.stake.clone(),
            format!("{:.3}", account.score),
            format!("{} of {}", account.busy, account.room),
            account.takes_part().into(),
        ]);
    }
    table.render()
}
