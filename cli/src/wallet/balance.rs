//! `hydra wallet balance`: what the chain says accounts have.

use hydra_primitives::{AccountBytes, Balance};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

use super::{calls, own};
use crate::{
    accounts, amount,
    args::BalanceArgs,
    chain::{Block, Chain},
    error::Error,
    home::Home,
    keys::{
        address,
        error::KeysError,
        payer::{THIS_PC, own_home},
        store::Store,
    },
    output,
    report::{figures, unbonding::Unbonding},
    table::{Align, Table},
    target::Target,
};

/// What is shown.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Balances {
    /// The newest block, at which this was so.
    block: u64,
    /// What each account has.
    accounts: Vec<Line>,
}

/// What an account has, in HYDRA.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Line {
    /// What its owner calls it.
    name: String,
    /// Its address.
    address: String,
    /// What can be spent, in HYDRA.
    spendable: String,
    /// What isn't on hold, in HYDRA: what can be spent, and the little that keeps the account in existence.
    free: String,
    /// Bonded as stake and not on its way back, in HYDRA.
    bonded: String,
    /// What of its stake is on its way back, the oldest first.
    unbonding: Vec<Unbonding>,
    /// What of that can be withdrawn now, in HYDRA.
    withdrawable: String,
    /// Payments for questions to models that it can claim, in HYDRA.
    claimable: String,
    /// The same as numbers, to be shown rounded: to spend, bonded, unbonding, claimable, and what of it can be withdrawn.
    #[serde(skip)]
    units: [Balance; 5],
}

/// Runs the command.
pub async fn run(args: BalanceArgs, json: bool) -> Result<(), Error> {
    let store = Store::new(&args.keys)?;
    let (named, base_path) = (args.account.as_deref(), args.node.base_path.as_deref());
    let own = own_home(named, base_path)?;
    let mut wanted = match &own {
        Some(home) => vec![(home.own_account()?, THIS_PC.to_owned())],
        None => wanted(&store, named)?,
    };
    let target = Target::new(&args.node.target().in_folder(own.as_ref().map(Home::folder)))?;
    if named.is_none() {
        // Of this very network: on another chain it would seem to have nothing.
        let own = target.folder().and_then(own::of_folder);
        let own = own.filter(|own| !wanted.iter().any(|(account, _)| account == own));
        if let Some(own) = own {
            wanted.push((own, THIS_PC.into()));
            output::note(&own::hint(&own));
        }
    }
    if wanted.is_empty() {
        // Says where accounts would be, and how to make one.
        store.choose(None)?;
    }
    let chain = target.chain().await?;
    let best = chain.best().await?;
    let models = chain.models(best.hash).await?;
    let mut lines = Vec::new();
    for (account, name) in wanted {
        let mut claimable: Balance = 0;
        for model in &models {
            claimable = claimable.saturating_add(chain.owed(*model, &account, best.hash).await?);
        }
        lines.push(line(&chain, &account, name, claimable, best).await?);
    }
    let slot = chain.slot(best.hash).await?;
    if json {
        return output::json(&Balances {
            block: best.number,
            accounts: lines,
        });
    }
    let later: String = lines
        .iter()
        .flat_map(|line| line.later(best.number, slot))
        .collect();
    output::data(&format!("{}{later}", table(&lines)))
}

async fn line(
    chain: &Chain,
    account: &AccountBytes,
    name: String,
    claimable: Balance,
    at: Block,
) -> Result<Line, Error> {
    let funds = chain.funds(account, at.hash).await?;
    let bonded = chain.node_status(account, at.hash).await?.stake;
    let unbonds = chain.unbonding(account, at.hash).await?;
    let unbonding = unbonds
        .iter()
        .fold(0, |sum: Balance, unbond| sum.saturating_add(unbond.amount));
    let withdrawable = calls::free(&unbonds, at.number);
    Ok(Line {
        name,
        address: accounts::address(account),
        spendable: amount::exact(funds.spendable),
        free: amount::exact(funds.free),
        bonded: amount::exact(bonded),
        unbonding: unbonds.iter().map(Unbonding::new).collect(),
        withdrawable: amount::exact(withdrawable),
        claimable: amount::exact(claimable),
        units: [funds.spendable, bonded, unbonding, claimable, withdrawable],
    })
}

impl Line {
    /// What becomes of what is on its way back, line by line.
    fn later(&self, best: u64, slot: Duration) -> Vec<String> {
        let [.., withdrawable] = self.units;
        let mut lines = Vec::new();
        if withdrawable > 0 {
            lines.push(format!(
                "{}: {} HYDRA of the stake can be withdrawn: hydra stake withdraw\n",
                self.name,
                amount::short(withdrawable)
            ));
        }
        for unbonding in &self.unbonding {
            let left = u64::from(unbonding.until).saturating_sub(best);
            if left > 1 {
                let blocks = u32::try_from(left).unwrap_or(u32::MAX);
                lines.push(format!(
                    "{}: {} HYDRA can be withdrawn from block {} on, in about {}\n",
                    self.name,
                    unbonding.amount,
                    unbonding.until,
                    figures::brief(slot.saturating_mul(blocks))
                ));
            }
        }
        lines
    }
}

/// All of the wallet's accounts, or the one that was named: any address may be.
fn wanted(store: &Store, account: Option<&str>) -> Result<Vec<(AccountBytes, String)>, Error> {
    let Some(wanted) = account else {
        let all = store.list()?.into_iter();
        return Ok(all.map(|kept| (kept.account, kept.name)).collect());
    };
    if let Some(account) = address::read(wanted)? {
        let name = store.name_of(&account)?;
        return Ok(vec![(account, name.unwrap_or_else(|| accounts::short(&account)))]);
    }
    match store.choose(Some(wanted)) {
        Ok(kept) => Ok(vec![(kept.account, kept.name)]),
        Err(Error::Keys(KeysError::NoSuchAccount(name))) => Err(Error::NoSuchReceiver(name)),
        Err(error) => Err(error),
    }
}

fn table(lines: &[Line]) -> String {
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("to spend (HYDRA)", Align::Right),
        ("bonded", Align::Right),
        ("unbonding", Align::Right),
        ("claimable", Align::Right),
        ("address", Align::Left),
    ]);
    for line in lines {
        let [spendable, bonded, unbonding, claimable, _] = line.units.map(amount::short);
        table.row([
            line.name.clone(),
            spendable,
            bonded,
            unbonding,
            claimable,
            line.address.clone(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::HYDRA;

    fn line() -> Line {
        Line {
            name: "savings".into(),
            address: "5F".into(),
            spendable: String::new(),
            free: String::new(),
            bonded: String::new(),
            unbonding: vec![],
            withdrawable: String::new(),
            claimable: String::new(),
            units: [12 * HYDRA + HYDRA / 2, HYDRA, 0, 0, 0],
        }
    }

    #[test]
    fn numbers_stand_under_each_other_with_their_unit() {
        assert_eq!(
            table(&[line()]),
            "name     to spend (HYDRA)  bonded  unbonding  claimable  address\nsavings              12.5       1          0          0  5F\n"
        );
    }

    #[test]
    fn stake_on_its_way_back_says_when_it_is_free() {
        let unbonding = |amount: &str, until| Unbonding {
            amount: amount.into(),
            until,
        };
        let mut line = line();
        assert!(line.later(100, Duration::from_secs(10)).is_empty());
        line.unbonding = vec![unbonding("2", 90), unbonding("5", 17_380)];
        line.units = [0, 0, 7 * HYDRA, 0, 2 * HYDRA];
        assert_eq!(
            line.later(100, Duration::from_secs(10)),
            [
                "savings: 2 HYDRA of the stake can be withdrawn: hydra stake withdraw\n",
                "savings: 5 HYDRA can be withdrawn from block 17380 on, in about 2 d\n",
            ]
        );
    }
}
