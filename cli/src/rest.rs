//! `hydra pause`, `hydra resume` and `hydra validate`: what an account does beside training.
//!
//! It must never send anything before what will happen and its fee were said and confirmed, and never show a session key's secret.

use hydra_primitives::{AccountBytes, Perbill};

use crate::{
    args::{RestArgs, SpendArgs, ValidateArgs},
    chain::{Chain, Hash},
    error::Error,
    home::{self, Home},
    output,
    payment::{Call, SessionKeys},
    wallet::{Details, Plan, Spender},
};

/// A member's score is at least this, as the chain has it.
const GOOD_SCORE: Perbill = Perbill::from_percent(80);

/// `hydra pause`.
pub async fn pause(args: RestArgs, json: bool) -> Result<(), Error> {
    let plan = Plan {
        action: "pause",
        call: Call::Pause,
        lines: vec![
            (
                "pause",
                "the account is drawn for nothing new from then on".into(),
            ),
            ("keeps", "its stake and its score".into()),
            ("note", "what it was drawn for already still counts".into()),
        ],
        question: "Pause it?",
        details: Details::default(),
    };
    change(&args.spend, true, plan, json).await
}

/// `hydra resume`.
pub async fn resume(args: RestArgs, json: bool) -> Result<(), Error> {
    let plan = Plan {
        action: "resume",
        call: Call::Resume,
        lines: vec![(
            "resume",
            "the account takes part again, at the latest from the session after its next heartbeat on".into(),
        )],
        question: "Resume?",
        details: Details::default(),
    };
    change(&args.spend, false, plan, json).await
}

/// Has an account's pause begin or end.
async fn change(args: &SpendArgs, pausing: bool, plan: Plan, json: bool) -> Result<(), Error> {
    let (spender, _) = Spender::by_default_of_this_pc(args).await?;
    let best = spender.chain.best().await?;
    let status = spender
        .chain
        .node_status(&spender.payer.account(), best.hash)
        .await?;
    if !status.registered {
        return Err(Error::NotRegistered(spender.payer.name()));
    }
    if status.paused == pausing {
        let is = if pausing {
            "is paused already"
        } else {
            "is not paused"
        };
        return Err(Error::NothingToDo(format!("{} {is}", spender.payer.name())));
    }
    spender.spend(plan, json).await
}

/// `hydra validate`.
pub async fn validate(args: ValidateArgs, json: bool) -> Result<(), Error> {
    let (spender, home) = Spender::by_default_of_this_pc(&args.spend).await?;
    let account = spender.payer.account();
    let best = spender.chain.best().await?.hash;
    let registered = spender.chain.session_keys(&account, best).await?;
    if args.stop {
        if registered.is_none() {
            let who = spender.payer.name();
            return Err(Error::NothingToDo(format!("{who} has no session keys")));
        }
        return spender.spend(stop(), json).await;
    }
    let status = spender.chain.node_status(&account, best).await?;
    if !status.registered {
        return Err(Error::NotRegistered(spender.payer.name()));
    }
    let mut plan = Plan {
        action: "validate",
        // What it costs doesn't depend on which keys they are; they are made after a yes.
        call: Call::SetKeys(Box::new(SessionKeys {
            babe: [1; 32],
            grandpa: [1; 32],
            proof: vec![1; 128],
            deposit: spender.chain.key_deposit(best).await?,
        })),
        lines: vec![
            (
                "validate",
                "the account may be drawn to make blocks, from the session after the next on".into(),
            ),
            ("keys", kept(home.as_ref(), &spender.chain)),
        ],
        question: "Register its session keys?",
        details: Details::default(),
    };
    if status.reputation < GOOD_SCORE {
        let score = f64::from(status.reputation.deconstruct()) / 1e9;
        plan.lines.push((
            "note",
            format!(
                "its score is {score:.3}, and whoever makes blocks has 0.8 at least: it isn't drawn before"
            ),
        ));
    }
    let name = spender.payer.name();
    let agreed = spender.agree(&plan).await?;
    let keys = keys(home.as_ref(), &agreed.chain, &account, best).await?;
    if registered == Some([keys.babe, keys.grandpa]) {
        let drawn = match agreed.chain.committee(best).await?.contains(&account) {
            true => "and makes blocks in this session",
            false => "and isn't drawn in this session",
        };
        return Err(Error::NothingToDo(format!(
            "{name} has these session keys already, {drawn}"
        )));
    }
    plan.call = Call::SetKeys(Box::new(keys));
    agreed.pay(plan, json).await?;
    if home.is_some_and(|home| !home.joined.validator) {
        output::note(
            "stop `hydra up` and start it again: from then on its node makes blocks when the account is drawn",
        );
    }
    Ok(())
}

fn stop() -> Plan {
    Plan {
        action: "stop",
        call: Call::PurgeKeys,
        lines: vec![
            (
                "stop",
                "the account is drawn for no committee from the session after the next on".into(),
            ),
            ("note", "leave its node running until then".into()),
        ],
        question: "Take its session keys away?",
        details: Details::default(),
    }
}

/// Where the secrets of the keys are.
fn kept(home: Option<&Home>, chain: &Chain) -> String {
    match home {
        Some(home) => format!("in {}", home.keystore().display()),
        None => format!("made by the node at {}", chain.url()),
    }
}

/// Session keys with their proof: of this PC's keystore, or made by the node.
async fn keys(
    home: Option<&Home>,
    chain: &Chain,
    account: &AccountBytes,
    at: Hash,
) -> Result<SessionKeys, Error> {
    let ([babe, grandpa], proof) = match home {
        Some(home) => {
            let proven = home::prove_session_keys(&home.keystore(), account)?;
            (proven.publics, proven.proof)
        }
        None => {
            let made = chain.rotate_keys(account).await?;
            (made.keys, made.proof)
        }
    };
    Ok(SessionKeys {
        babe,
        grandpa,
        proof,
        deposit: chain.key_deposit(at).await?,
    })
}
