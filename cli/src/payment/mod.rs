//! Having the chain do something that costs: exactly once, or with an error that says whether money may be gone.
//!
//! Whether a payment went through is read from the blocks of the chain alone. What a transaction pool says of one is a
//! guess about the branch it happens to look at: short forks are everyday life here, and a payment that was dropped from
//! one branch may be in the other. Must never send a second payment while the first could still be included.

mod find;
mod order;
mod sign;

pub use find::Payment;
pub use order::{Call, Order, Registration, SessionKeys};

use hydra_primitives::Balance;
use std::{collections::BTreeSet, time::Duration};
use tokio::time::timeout;

use crate::{
    accounts, amount,
    chain::{Block, Chain, Hash},
    error::Error,
};
use find::find;
use sign::sign;

/// A transaction names the hash of the block its validity begins with, so that block must be one that no fork removes:
/// the last final one, or, where finality is far behind, one this deep.
const SAFE_DEPTH: u64 = 16;
/// After so many blocks without the payment it is signed and sent again, with the same nonce.
const RESEND_AFTER: u64 = 6;
/// After so many blocks it is given up.
const GIVE_UP_AFTER: u64 = 48;
/// The longest wait for the next block.
const BLOCK_PATIENCE: Duration = Duration::from_secs(120);

/// Transactions that were signed for one order, all with nonces of which at most one can be paid.
#[derive(Default)]
struct Sent {
    hashes: BTreeSet<Hash>,
    /// Whether a pool took any of them.
    taken: bool,
    /// What the node said against the last one.
    refusal: Option<String>,
}

/// What the fee will be, if the account can afford it all. Nothing is signed: what the node is asked about could not be paid.
pub async fn quote(chain: &Chain, order: Order<'_>) -> Result<Balance, Error> {
    let nonce = chain.next_nonce(&order.key.account()).await?;
    let fee = sign::fee(chain, order, nonce, anchor(chain).await?).await?;
    affordable(chain, order, fee).await?;
    Ok(fee)
}

/// Has it done, if the account can afford it, and waits until a block includes the payment (with `finalised`, until that block
/// can't be undone). `note` hears what is happening.
pub async fn pay(
    chain: &Chain,
    order: Order<'_>,
    finalised: bool,
    note: impl Fn(&str),
) -> Result<Payment, Error> {
    let paid = attempt(chain, order, None, finalised, &note).await?;
    paid.ok_or_else(|| Error::PaymentUnclear("another payment of this account came first".into()))
}

/// Has it done for whoever saw in the block `at` that it is to be done, and would see otherwise after an earlier payment that
/// is still on its way: of all that were decided there, at most one is paid. `None` if that was another one.
pub async fn pay_as_of(chain: &Chain, order: Order<'_>, at: Block) -> Result<Option<Payment>, Error> {
    let account = order.key.account();
    let nonce = chain.nonce_at(&account, at.hash).await?;
    match attempt(chain, order, Some(nonce), false, &|_: &str| ()).await {
        // Because of the other one, perhaps.
        Err(error @ (Error::TooPoor { .. } | Error::TransactionRefused(_))) => {
            let now = chain.best().await?;
            match chain.nonce_at(&account, now.hash).await? > nonce {
                true => Ok(None),
                false => Err(error),
            }
        }
        paid => paid,
    }
}

async fn attempt(
    chain: &Chain,
    order: Order<'_>,
    only: Option<u64>,
    finalised: bool,
    note: &dyn Fn(&str),
) -> Result<Option<Payment>, Error> {
    let mut sent = Sent::default();
    match pay_once(chain, order, only, finalised, note, &mut sent).await {
        // Whatever the node can't tell any more: something was sent, and may be in a block.
        Err(error @ (Error::NodeUnreachable { .. } | Error::NodeLost { .. } | Error::NotHydra { .. }))
            if !sent.hashes.is_empty() =>
        {
            Err(sent.unclear(&error.to_string()))
        }
        paid => paid,
    }
}

/// With `only`, that nonce is the only one to be used; `None` if another payment had it.
async fn pay_once(
    chain: &Chain,
    order: Order<'_>,
    only: Option<u64>,
    finalised: bool,
    note: &dyn Fn(&str),
    sent: &mut Sent,
) -> Result<Option<Payment>, Error> {
    let account = order.key.account();
    // Before anything is sent, so that no block is missed.
    let mut heads = if finalised {
        chain.finalised_heads().await?
    } else {
        chain.new_heads().await?
    };
    // From the pool: a second question within seconds comes after the first.
    let mut nonce = match only {
        Some(only) => only,
        None => chain.next_nonce(&account).await?,
    };
    let first = anchor(chain).await?;
    send(chain, order, nonce, first, sent, Some(note)).await?;

    let mut looked_at = BTreeSet::new();
    let (mut started, mut sent_at) = (None, None);
    loop {
        match timeout(BLOCK_PATIENCE, heads.next()).await {
            Ok(Some(Ok(_))) => {}
            Ok(Some(Err(error))) => return Err(sent.unclear(&error.to_string())),
            Ok(None) => return Err(sent.unclear("the node closed the connection")),
            Err(_) => {
                let seconds = BLOCK_PATIENCE.as_secs();
                return Err(sent.unclear(&format!("there was no new block for {seconds} s")));
            }
        }
        // Not the head that was announced: that one may be replaced already.
        let tip = if finalised {
            chain.finalised().await?
        } else {
            chain.best().await?
        };
        if let Some(payment) = find(chain, tip, first.number, &mut looked_at, &sent.hashes).await? {
            return Ok(Some(payment));
        }
        if only.is_some() && chain.nonce_at(&account, tip.hash).await? > nonce {
            return Ok(None);
        }
        let waited = tip.number.saturating_sub(*started.get_or_insert(tip.number));
        if waited >= GIVE_UP_AFTER {
            return Err(sent.unclear(&format!("it is in none of {waited} blocks")));
        }
        // Final, so that no branch is left in which the nonce is still free and an earlier payment could be included.
        let last = chain.finalised().await?;
        let used = chain.nonce_at(&account, last.hash).await? > nonce;
        // By this very payment, perhaps: it may have become final since the blocks were looked at.
        if used && let Some(payment) = find(chain, last, first.number, &mut looked_at, &sent.hashes).await? {
            return Ok(Some(payment));
        }
        if used && only.is_some() {
            return Ok(None);
        }
        let lost = tip.number.saturating_sub(*sent_at.get_or_insert(tip.number)) >= RESEND_AFTER;
        if used {
            note("another transaction of this wallet came first; paying again after it …");
            nonce = chain.next_nonce(&account).await?;
            sent.taken = false;
        }
        if lost || !sent.taken {
            send(chain, order, nonce, anchor(chain).await?, sent, None).await?;
            sent_at = Some(tip.number);
        }
    }
}

/// A block to begin a transaction's validity with.
async fn anchor(chain: &Chain) -> Result<Block, Error> {
    let (best, last) = (chain.best().await?, chain.finalised().await?);
    match best.number.checked_sub(SAFE_DEPTH) {
        Some(deep) if deep > last.number => chain.block_at(deep).await,
        _ => Ok(last),
    }
}

/// Signs the payment and hands it to the node. With `note`, checks first that the account can afford it, and says what it
/// will cost.
///
/// A refusal is no error unless nothing was ever sent and nothing will change: pools refuse for passing reasons, too.
async fn send(
    chain: &Chain,
    order: Order<'_>,
    nonce: u64,
    anchor: Block,
    sent: &mut Sent,
    note: Option<&dyn Fn(&str)>,
) -> Result<(), Error> {
    if let Some(note) = note {
        let fee = sign::fee(chain, order, nonce, anchor).await?;
        affordable(chain, order, fee).await?;
        note(&match order.call.takes() {
            0 => format!("paying a fee of {} HYDRA …", amount::exact(fee)),
            takes => format!(
                "paying {} HYDRA and a fee of {} …",
                amount::exact(takes),
                amount::exact(fee)
            ),
        });
    }
    let signed = sign(chain, order, nonce, anchor).await?;
    // Noted before it is sent: an answer that gets lost does not mean that the transaction did.
    sent.hashes.insert(signed.hash);
    // An earlier one's refusal says nothing of this one, whose answer may get lost.
    let before = sent.refusal.take();
    let mut answer = chain.submit(&signed.bytes).await?;
    if matches!(&answer, Err(refusal) if refusal.is_too_old()) {
        // Many blocks came at once, as after a standstill. With the same nonce, so that at most one of the two is paid.
        let again = sign(chain, order, nonce, self::anchor(chain).await?).await?;
        sent.hashes.insert(again.hash);
        answer = chain.submit(&again.bytes).await?;
    }
    match answer {
        Ok(()) => sent.taken = true,
        // The pool has this very transaction, or another one with this nonce: the blocks will tell which.
        Err(refusal) if refusal.is_rivalry() => sent.taken = true,
        Err(refusal) if !sent.taken && before == Some(refusal.words()) => {
            return Err(Error::TransactionRefused(refusal.words()));
        }
        Err(refusal) => sent.refusal = Some(refusal.words()),
    }
    Ok(())
}

async fn affordable(chain: &Chain, order: Order<'_>, fee: Balance) -> Result<(), Error> {
    let account = order.key.account();
    let cost = order.call.takes().saturating_add(fee);
    let spendable = chain.funds(&account, chain.best().await?.hash).await?.spendable;
    match spendable < cost {
        true => Err(Error::TooPoor {
            who: accounts::short(&account),
            spendable,
            cost,
        }),
        false => Ok(()),
    }
}

impl Sent {
    /// The error of a payment of which it is not known what became.
    fn unclear(&self, reason: &str) -> Error {
        let refused = self.refusal.as_ref();
        match refused.filter(|_| !self.taken) {
            Some(refusal) => Error::TransactionRefused(refusal.clone()),
            None => Error::PaymentUnclear(reason.into()),
        }
    }
}
