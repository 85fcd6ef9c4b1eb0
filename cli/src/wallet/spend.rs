//! How anything is paid: who pays is found, everything is checked, what will happen is said, and only after a yes it does.
//!
//! It must never send anything before amount, fee and receiver were said and confirmed.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    accounts, amount,
    args::SpendArgs,
    chain::Chain,
    error::Error,
    home::{self, Home},
    keys::{
        key::Key,
        payer::{Payer, own_home},
        terminal,
    },
    output,
    payment::{self, Call, Order},
    readiness,
    target::Target,
};

/// Somebody who is about to pay for something.
pub struct Spender<'a> {
    /// The chain that it happens on.
    pub chain: Chain,
    /// Who pays.
    pub payer: Payer,
    args: &'a SpendArgs,
}

/// What is going to happen, in words.
pub struct Plan {
    /// In one word, for the receipt: "send".
    pub action: &'static str,
    /// What the chain is to do.
    pub call: Call,
    /// What happens, line by line: a word and what it is.
    pub lines: Vec<(&'static str, String)>,
    /// What is asked: "Send it?"
    pub question: &'static str,
    /// What the receipt says besides.
    pub details: Details,
}

/// The part of a receipt that is not the same for all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Details {
    /// The address of who receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// What the wallet calls the receiver.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_name: Option<String>,
    /// The model that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<u32>,
    /// How much, in HYDRA.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Receipt {
    /// In one word: `send`, `bond`, `unbond`, `withdraw`, `claim`, `pause`, `resume`, `validate` or `stop`.
    pub action: &'static str,
    /// The address of who paid.
    pub from: String,
    /// What it is called.
    pub from_name: String,
    /// The rest of what was done.
    #[serde(flatten)]
    pub details: Details,
    /// The transaction's fee, in HYDRA.
    pub fee: String,
    /// The block that it is in.
    pub block: u64,
    /// Its hash.
    pub block_hash: String,
    /// Whether that block can't be undone any more.
    pub finalised: bool,
    /// Hash of the transaction.
    pub transaction: String,
}

impl<'a> Spender<'a> {
    /// Finds node and account.
    pub async fn new(args: &'a SpendArgs) -> Result<Self, Error> {
        terminal::may_consent(args.yes)?;
        let (signer, base_path) = (&args.signer, args.node.base_path.as_deref());
        let own = own_home(signer.from.as_deref(), base_path)?;
        Self::of(args, own.as_ref()).await
    }

    /// Finds node and account; where none is named, it is this PC's own. Says which home that account is of, if it is.
    pub async fn by_default_of_this_pc(args: &'a SpendArgs) -> Result<(Self, Option<Home>), Error> {
        let (signer, base_path) = (&args.signer, args.node.base_path.as_deref());
        let own = match signer.from.as_deref() {
            None => Some(home::named_or_only(base_path)?),
            from => own_home(from, base_path)?,
        };
        let spender = match &own {
            Some(home) => Self::of_this_pc(args, home).await?,
            None => Self::new(args).await?,
        };
        Ok((spender, own))
    }

    /// Finds the node, for this PC's own account.
    pub async fn of_this_pc(args: &'a SpendArgs, home: &Home) -> Result<Self, Error> {
        terminal::may_consent(args.yes)?;
        Self::of(args, Some(home)).await
    }

    async fn of(args: &'a SpendArgs, own: Option<&Home>) -> Result<Self, Error> {
        // This PC's own network is meant then, whichever else runs on it.
        let target = args.node.target().in_folder(own.map(Home::folder));
        let chain = Target::new(&target)?.chain().await?;
        let payer = Payer::choose(&args.signer, own, &chain).await?;
        payer.check(&args.signer.password)?;
        Ok(Self { chain, payer, args })
    }

    /// Says what will happen, asks, has it done, and shows the receipt.
    pub async fn spend(self, plan: Plan, json: bool) -> Result<(), Error> {
        self.agree(&plan).await?.pay(plan, json).await
    }

    /// Says what will happen, and for which fee, and asks.
    pub async fn agree(self, plan: &Plan) -> Result<Agreed, Error> {
        let Self { chain, payer, args } = self;
        readiness::check(&chain, args.finalized).await?;
        let (account, name) = (payer.account(), payer.name());
        let key = payer.unlock(&args.signer.password).await?;
        let order = Order {
            key: &key,
            call: &plan.call,
        };
        let fee = payment::quote(&chain, order).await?;
        output::note(&plan.said(
            &described(&accounts::address(&account), Some(&name)),
            &amount::exact(fee),
        ));
        terminal::consent(plan.question, args.yes).await?;
        Ok(Agreed {
            chain,
            key,
            name,
            finalized: args.finalized,
        })
    }
}

/// Somebody who said yes.
pub struct Agreed {
    /// The chain that it happens on.
    pub chain: Chain,
    key: Key,
    name: String,
    finalized: bool,
}

impl Agreed {
    /// Has it done, and shows the receipt.
    pub async fn pay(self, plan: Plan, json: bool) -> Result<(), Error> {
        let Self {
            chain,
            key,
            name,
            finalized,
        } = self;
        let order = Order {
            key: &key,
            call: &plan.call,
        };
        let payment = payment::pay(&chain, order, finalized, output::note).await?;
        let mut details = plan.details;
        if payment.received > 0 {
            details.amount = Some(amount::exact(payment.received));
        }
        let receipt = Receipt {
            action: plan.action,
            from: accounts::address(&key.account()),
            from_name: name,
            details,
            fee: amount::exact(payment.fee),
            block: payment.block.number,
            block_hash: hex::encode(payment.block.hash.0),
            finalised: finalized,
            transaction: hex::encode(payment.transaction.0),
        };
        if json {
            output::json(&receipt)
        } else {
            output::data(&receipt.text())
        }
    }
}

impl Plan {
    fn said(&self, from: &str, fee: &str) -> String {
        let mut lines = self.lines.clone();
        lines.push(("from", from.into()));
        lines.push(("fee", format!("about {fee} HYDRA")));
        let lines = lines.iter().map(|(word, what)| format!("{word:<9} {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Receipt {
    fn text(&self) -> String {
        let finalised = if self.finalised { ", final" } else { "" };
        let amount = self
            .details
            .amount
            .as_ref()
            .map(|amount| format!(" {amount} HYDRA"));
        let to = self
            .details
            .to
            .as_ref()
            .map(|to| format!(" to {}", described(to, self.details.to_name.as_deref())));
        format!(
            "{}{}{}: done in block {}{finalised}, for a fee of {} HYDRA\nblock        {}\ntransaction  {}\n",
            self.action,
            amount.unwrap_or_default(),
            to.unwrap_or_default(),
            self.block,
            self.fee,
            self.block_hash,
            self.transaction
        )
    }
}

/// An account by address and, if it has one, name.
pub fn described(address: &str, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{address} ({name})"),
        None => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan {
            action: "send",
            call: Call::Send([7; 32], 1),
            lines: vec![("send", "1.5 HYDRA".into()), ("to", "5G (savings)".into())],
            question: "Send it?",
            details: Details::default(),
        }
    }

    #[test]
    fn amount_receiver_sender_and_fee_are_said_in_this_order() {
        assert_eq!(
            plan().said("5F (main)", "0.001"),
            "send      1.5 HYDRA\nto        5G (savings)\nfrom      5F (main)\nfee       about 0.001 HYDRA"
        );
    }

    #[test]
    fn a_receipt_names_the_block() {
        let receipt = Receipt {
            action: "send",
            from: "5F".into(),
            from_name: "main".into(),
            details: Details {
                to: Some("5G".into()),
                amount: Some("1.5".into()),
                ..Details::default()
            },
            fee: "0.001".into(),
            block: 30,
            block_hash: "ab".into(),
            finalised: true,
            transaction: "cd".into(),
        };
        assert_eq!(
            receipt.text(),
            "send 1.5 HYDRA to 5G: done in block 30, final, for a fee of 0.001 HYDRA\nblock        ab\ntransaction  cd\n"
        );
        let json = serde_json::to_value(&receipt).unwrap();
        assert_eq!(
            (&json["to"], &json["to_name"]),
            (&"5G".into(), &serde_json::Value::Null)
        );
    }
}
