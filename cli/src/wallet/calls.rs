//! `hydra wallet send`, `hydra stake` and `hydra claim`: what each must check, and how it is said.

use hydra_primitives::{AccountBytes, Balance};

use super::spend::{Details, Plan, Spender, described};
use crate::{
    accounts, amount,
    args::{BondArgs, ClaimArgs, SendArgs, UnbondArgs, WithdrawArgs},
    chain::Unbond,
    error::Error,
    keys::{address, error::KeysError, store::Store},
    payment::Call,
    report::figures,
};

/// `hydra wallet send`.
pub async fn send(args: SendArgs, json: bool) -> Result<(), Error> {
    // A wrong address is the most that can go wrong, so it is what is looked at first.
    let (to, name) = receiver(&Store::new(&args.spend.signer.keys)?, &args.to)?;
    let spender = Spender::new(&args.spend).await?;
    let transfer = Transfer {
        to,
        name,
        amount: args.amount,
        lines: Vec::new(),
    };
    self::transfer(spender, transfer, json).await
}

/// HYDRA that is to be somebody else's.
pub struct Transfer {
    /// Who receives it.
    pub to: AccountBytes,
    /// What the sender calls the receiver.
    pub name: Option<String>,
    /// How much.
    pub amount: Balance,
    /// What is said of it besides: a word and what it is.
    pub lines: Vec<(&'static str, String)>,
}

/// Sends it, once that was said and confirmed.
pub async fn transfer(spender: Spender<'_>, transfer: Transfer, json: bool) -> Result<(), Error> {
    let Transfer {
        to,
        name,
        amount,
        lines: more,
    } = transfer;
    let best = spender.chain.best().await?.hash;
    let least = spender.chain.existential_deposit(best).await?;
    let has = spender.chain.funds(&to, best).await?;
    let is_new = has.free == 0 && has.held == 0;
    if is_new && amount < least {
        let who = accounts::short(&to);
        return Err(Error::TooLittle { who, least });
    }
    let address = accounts::address(&to);
    let mut lines = vec![
        ("send", format!("{} HYDRA", amount::exact(amount))),
        ("to", described(&address, name.as_deref())),
    ];
    lines.extend(more);
    if to == spender.payer.account() {
        lines.push(("note", "sender and receiver are the same account".into()));
    } else if is_new {
        lines.push((
            "note",
            "the receiver has nothing yet: check the address once more".into(),
        ));
    }
    let plan = Plan {
        action: "send",
        call: Call::Send(to, amount),
        lines,
        question: "Send it?",
        details: Details {
            to: Some(address),
            to_name: name,
            model: None,
            amount: Some(amount::exact(amount)),
        },
    };
    spender.spend(plan, json).await
}

/// An address, or one of the wallet's accounts.
fn receiver(store: &Store, to: &str) -> Result<(AccountBytes, Option<String>), Error> {
    if let Some(account) = address::read(to)? {
        let name = store.name_of(&account)?;
        return Ok((account, name.or_else(|| accounts::name(&account).map(Into::into))));
    }
    match store.choose(Some(to)) {
        Ok(kept) => Ok((kept.account, Some(kept.name))),
        Err(Error::Keys(KeysError::NoSuchAccount(name))) => Err(Error::NoSuchReceiver(name)),
        Err(error) => Err(error),
    }
}

/// `hydra stake bond`.
pub async fn bond(args: BondArgs, json: bool) -> Result<(), Error> {
    let spender = Spender::new(&args.spend).await?;
    let best = spender.chain.best().await?.hash;
    let status = spender.chain.node_status(&spender.payer.account(), best).await?;
    if !status.registered {
        return Err(Error::NotRegistered(spender.payer.name()));
    }
    let (total, least) = (
        status.stake.saturating_add(args.amount),
        spender.chain.least_stake(best).await?,
    );
    if total < least {
        return Err(Error::StakeTooSmall { total, least });
    }
    let plan = Plan {
        action: "bond",
        call: Call::Bond(args.amount),
        lines: vec![
            ("bond", format!("{} HYDRA", amount::exact(args.amount))),
            ("stake", format!("{} HYDRA then", amount::exact(total))),
            (
                "note",
                "`hydra stake unbond` takes it back; what a wrong result costs is taken from it".into(),
            ),
        ],
        question: "Bond it?",
        details: Details {
            amount: Some(amount::exact(args.amount)),
            ..Details::default()
        },
    };
    spender.spend(plan, json).await
}

/// `hydra stake unbond`.
pub async fn unbond(args: UnbondArgs, json: bool) -> Result<(), Error> {
    let spender = Spender::new(&args.spend).await?;
    let best = spender.chain.best().await?;
    let status = spender
        .chain
        .node_status(&spender.payer.account(), best.hash)
        .await?;
    let amount = match args.amount {
        Some(amount) => amount,
        None => status.stake,
    };
    let Some(left) = status.stake.checked_sub(amount).filter(|_| amount > 0) else {
        return Err(Error::NotBonded {
            who: spender.payer.name(),
            bonded: status.stake,
        });
    };
    let least = spender.chain.least_stake(best.hash).await?;
    if left > 0 && left < least {
        return Err(Error::StakeLeftTooSmall { left, least });
    }
    let delay = spender.chain.unbonding_delay(best.hash).await?;
    let slot = spender.chain.slot(best.hash).await?;
    let takes_part = match left {
        0 => "the account takes no part without a stake",
        _ => "the account takes no part until its next heartbeat counts",
    };
    let plan = Plan {
        action: "unbond",
        call: Call::Unbond(amount),
        lines: vec![
            ("unbond", format!("{} HYDRA", amount::exact(amount))),
            ("stake", format!("{} HYDRA then", amount::exact(left))),
            (
                "free",
                format!(
                    "in {delay} blocks, about {}; then `hydra stake withdraw`",
                    figures::brief(slot.saturating_mul(delay))
                ),
            ),
            ("note", takes_part.into()),
        ],
        question: "Unbond it?",
        details: Details {
            amount: Some(amount::exact(amount)),
            ..Details::default()
        },
    };
    spender.spend(plan, json).await
}

/// `hydra stake withdraw`.
pub async fn withdraw(args: WithdrawArgs, json: bool) -> Result<(), Error> {
    let spender = Spender::new(&args.spend).await?;
    let best = spender.chain.best().await?;
    let unbonding = spender
        .chain
        .unbonding(&spender.payer.account(), best.hash)
        .await?;
    let amount = free(&unbonding, best.number);
    if amount == 0 {
        return Err(Error::NothingToWithdraw {
            who: spender.payer.name(),
            until: unbonding.first().map(|unbond| unbond.until),
        });
    }
    let plan = Plan {
        action: "withdraw",
        call: Call::Withdraw,
        lines: vec![("withdraw", format!("{} HYDRA", amount::exact(amount)))],
        question: "Withdraw it?",
        details: Details {
            amount: Some(amount::exact(amount)),
            ..Details::default()
        },
    };
    spender.spend(plan, json).await
}

/// What can be withdrawn at this block. The transaction comes in a later one.
pub(super) fn free(unbonding: &[Unbond], best: u64) -> Balance {
    unbonding
        .iter()
        .filter(|unbond| u64::from(unbond.until) <= best.saturating_add(1))
        .fold(0, |sum: Balance, unbond| sum.saturating_add(unbond.amount))
}

/// `hydra claim`.
pub async fn claim(args: ClaimArgs, json: bool) -> Result<(), Error> {
    let spender = Spender::new(&args.spend).await?;
    let best = spender.chain.best().await?.hash;
    spender.chain.existing_model(args.model, best).await?;
    let owed = spender
        .chain
        .owed(args.model, &spender.payer.account(), best)
        .await?;
    if owed == 0 {
        let who = spender.payer.name();
        return Err(Error::NothingToClaim {
            who,
            model: args.model,
        });
    }
    let plan = Plan {
        action: "claim",
        call: Call::Claim(args.model),
        lines: vec![
            ("claim", format!("{} HYDRA", amount::exact(owed))),
            ("for", format!("questions to model {}", args.model)),
        ],
        question: "Claim it?",
        details: Details {
            model: Some(args.model),
            ..Details::default()
        },
    };
    spender.spend(plan, json).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_by_the_next_block_can_be_withdrawn() {
        let unbond = |amount, until| Unbond { amount, until };
        let unbonding = [unbond(1, 90), unbond(2, 101), unbond(4, 102)];
        assert_eq!(free(&unbonding, 100), 3);
        assert_eq!(free(&unbonding, 88), 0);
        assert_eq!(free(&[], 100), 0);
    }
}
