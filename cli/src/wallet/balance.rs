//! `hydra wallet balance`: what the chain says accounts have.

use hydra_primitives::{AccountBytes, Balance};
use schemars::JsonSchema;
use serde::Serialize;

use super::own;
use crate::{
    accounts, amount,
    args::BalanceArgs,
    chain::{Chain, Hash},
    error::Error,
    home::Home,
    keys::{
        address,
        error::KeysError,
        payer::{THIS_PC, own_home},
        store::Store,
    },
    output,
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
    /// Bonded as stake, in HYDRA.
    bonded: String,
    /// Payments for questions to models that it can claim, in HYDRA.
    claimable: String,
    /// The same as numbers, to be shown rounded.
    #[serde(skip)]
    units: [Balance; 3],
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
        lines.push(line(&chain, &account, name, claimable, best.hash).await?);
    }
    if json {
        return output::json(&Balances {
            block: best.number,
            accounts: lines,
        });
    }
    output::data(&table(&lines))
}

async fn line(
    chain: &Chain,
    account: &AccountBytes,
    name: String,
    claimable: Balance,
    at: Hash,
) -> Result<Line, Error> {
    let funds = chain.funds(account, at).await?;
    let bonded = chain.node_status(account, at).await?.stake;
    Ok(Line {
        name,
        address: accounts::address(account),
        spendable: amount::exact(funds.spendable),
        free: amount::exact(funds.free),
        bonded: amount::exact(bonded),
        claimable: amount::exact(claimable),
        units: [funds.spendable, bonded, claimable],
    })
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
        ("claimable", Align::Right),
        ("address", Align::Left),
    ]);
    for line in lines {
        let [spendable, bonded, claimable] = line.units.map(amount::short);
        table.row([
            line.name.clone(),
            spendable,
            bonded,
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

    #[test]
    fn numbers_stand_under_each_other_with_their_unit() {
        let line = Line {
            name: "savings".into(),
            address: "5F".into(),
            spendable: String::new(),
            free: String::new(),
            bonded: String::new(),
            claimable: String::new(),
            units: [12 * HYDRA + HYDRA / 2, HYDRA, 0],
        };
        assert_eq!(
            table(&[line]),
            "name     to spend (HYDRA)  bonded  claimable  address\nsavings              12.5       1          0  5F\n"
        );
    }
}
