//! `hydra wallet send`, `hydra stake bond` and `hydra claim`: what each must check, and how it is said.

use hydra_primitives::{AccountBytes, Balance};

use super::spend::{Details, Plan, Spender, described};
use crate::{
    accounts, amount,
    args::{BondArgs, ClaimArgs, SendArgs},
    error::Error,
    keys::{address, error::KeysError, store::Store},
    payment::Call,
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
                "this version of the chain has no call that ends a bond".into(),
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
