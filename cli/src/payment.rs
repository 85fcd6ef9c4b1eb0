//! Paying for a question: exactly once, or with an error that says whether money may be gone.
//!
//! Whether a payment went through is read from the blocks of the chain alone. What a transaction pool says of one is a
//! guess about the branch it happens to look at: short forks are everyday life here, and a payment that was dropped from
//! one branch may be in the other. Must never send a second payment while the first could still be included.

use hydra_primitives::{Balance, H256, ModelId};
use std::{collections::BTreeSet, time::Duration};
use subxt::{
    config::DefaultExtrinsicParamsBuilder, dynamic, error::DispatchError, ext::scale_decode::DecodeAsType,
    utils::AccountId32,
};
use subxt_signer::sr25519::Keypair;
use tokio::time::timeout;

use crate::{
    accounts, amount,
    chain::{Block, Chain, Config, Hash},
    error::Error,
};

/// How long a payment stays valid, in blocks: long enough to be included, short enough not to surprise anyone later.
const MORTAL_BLOCKS: u64 = 64;
/// A transaction names the hash of the block its validity begins with, so that block must be one that no fork removes:
/// the last final one, or, where finality is far behind, one this deep.
const SAFE_DEPTH: u64 = 16;
/// After so many blocks without the payment it is signed and sent again, with the same nonce.
const RESEND_AFTER: u64 = 6;
/// After so many blocks it is given up.
const GIVE_UP_AFTER: u64 = 48;
/// The longest wait for the next block.
const BLOCK_PATIENCE: Duration = Duration::from_secs(120);

/// What a wallet buys.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Who pays.
    pub wallet: &'a Keypair,
    /// The model to be asked.
    pub model: ModelId,
    /// BLAKE3 of the question.
    pub request: H256,
    /// Its price.
    pub price: Balance,
}

/// A question that was paid for.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The block it is in.
    pub block: Block,
    /// Hash of the transaction.
    pub transaction: Hash,
    /// What the transaction itself cost.
    pub fee: Balance,
}

/// Transactions that were signed for one order, all with nonces of which at most one can be paid.
#[derive(Default)]
struct Sent {
    hashes: BTreeSet<Hash>,
    /// Whether a pool took any of them.
    taken: bool,
    /// What the node said against the last one.
    refusal: Option<String>,
}

/// Pays for one question, if the wallet can afford it, and waits until a block includes the payment (with `finalised`,
/// until that block can't be undone). `note` hears what is happening.
pub async fn pay(
    chain: &Chain,
    order: Order<'_>,
    finalised: bool,
    note: impl Fn(&str),
) -> Result<Payment, Error> {
    let mut sent = Sent::default();
    match pay_once(chain, order, finalised, &note, &mut sent).await {
        // Whatever the node can't tell any more: something was sent, and may be in a block.
        Err(error @ (Error::NodeUnreachable { .. } | Error::NodeLost { .. } | Error::NotHydra { .. }))
            if !sent.hashes.is_empty() =>
        {
            Err(sent.unclear(&error.to_string()))
        }
        paid => paid,
    }
}

async fn pay_once(
    chain: &Chain,
    order: Order<'_>,
    finalised: bool,
    note: &dyn Fn(&str),
    sent: &mut Sent,
) -> Result<Payment, Error> {
    let account = order.wallet.public_key().0;
    // Before anything is sent, so that no block is missed.
    let mut heads = if finalised {
        chain.finalised_heads().await?
    } else {
        chain.new_heads().await?
    };
    // From the pool: a second question within seconds comes after the first.
    let mut nonce = chain.next_nonce(&account).await?;
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
            return Ok(payment);
        }
        let waited = tip.number.saturating_sub(*started.get_or_insert(tip.number));
        if waited >= GIVE_UP_AFTER {
            return Err(sent.unclear(&format!("it is in none of {waited} blocks")));
        }
        // Final, so that no branch is left in which the nonce is still free and an earlier payment could be included.
        let used = chain.final_nonce(&account).await? > nonce;
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

/// Signs the payment and hands it to the node. With `note`, checks first that the wallet can afford it, and says what it
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
    let account = AccountId32(order.wallet.public_key().0);
    let call = dynamic::tx("HydraToken", "pay_query", (order.model, order.request));
    let params = DefaultExtrinsicParamsBuilder::<Config>::new()
        .mortal(MORTAL_BLOCKS)
        .nonce(nonce)
        .build();
    let at = chain.at(anchor.hash).await?;
    let mut signable = chain
        .within(at.transactions().create_signable(&call, &account, params))
        .await?
        .map_err(|error| chain.strange(error))?;
    let signed = signable
        .sign(order.wallet)
        .map_err(|error| chain.strange(error))?;
    if let Some(note) = note {
        let fee = chain
            .within(signed.partial_fee_estimate())
            .await?
            .map_err(|error| chain.strange(error))?;
        let cost = order.price.saturating_add(fee);
        let spendable = chain.funds(&account.0, chain.best().await?.hash).await?.spendable;
        if spendable < cost {
            return Err(Error::TooPoor {
                who: accounts::short(&account.0),
                spendable,
                cost,
            });
        }
        note(&format!(
            "paying {} HYDRA and a fee of {} …",
            amount::exact(order.price),
            amount::exact(fee)
        ));
    }
    // Noted before it is sent: an answer that gets lost does not mean that the transaction did.
    sent.hashes.insert(signed.hash());
    match chain.submit(signed.encoded()).await? {
        Ok(()) => sent.taken = true,
        // The pool has this very transaction, or another one with this nonce: the blocks will tell which.
        Err(refusal) if refusal.is_rivalry() => sent.taken = true,
        Err(refusal) if !sent.taken && sent.refusal.as_ref() == Some(&refusal.message) => {
            return Err(Error::TransactionRefused(refusal.message));
        }
        Err(refusal) => sent.refusal = Some(refusal.message),
    }
    Ok(())
}

/// Looks for one of `sent` in the blocks of `tip`'s branch above `floor` that were not looked at before.
async fn find(
    chain: &Chain,
    tip: Block,
    floor: u64,
    looked_at: &mut BTreeSet<Hash>,
    sent: &BTreeSet<Hash>,
) -> Result<Option<Payment>, Error> {
    let mut block = tip;
    while block.number > floor && looked_at.insert(block.hash) {
        let at = chain.at(block.hash).await?;
        let extrinsics = chain
            .within(at.extrinsics().fetch())
            .await?
            .map_err(|error| chain.strange(error))?;
        for extrinsic in extrinsics.iter() {
            let extrinsic = extrinsic.map_err(|error| chain.strange(error))?;
            if !sent.contains(&extrinsic.hash()) {
                continue;
            }
            let events = chain
                .within(extrinsic.events())
                .await?
                .map_err(|error| chain.strange(error))?;
            let mut fee = 0;
            for event in events.iter() {
                let event = event.map_err(|error| chain.strange(error))?;
                match (event.pallet_name(), event.event_name()) {
                    ("System", "ExtrinsicFailed") => {
                        let failure = DispatchError::decode_from(event.field_bytes(), at.metadata());
                        let failure = failure.map_err(|error| chain.strange(error))?;
                        return Err(Error::TransactionFailed(explain(&failure)));
                    }
                    ("TransactionPayment", "TransactionFeePaid") => {
                        #[derive(DecodeAsType)]
                        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
                        struct FeePaid {
                            actual_fee: u128,
                        }
                        let paid = event.decode_fields_unchecked_as::<FeePaid>();
                        fee = paid.map_err(|error| chain.strange(error))?.actual_fee;
                    }
                    _ => {}
                }
            }
            return Ok(Some(Payment {
                block,
                transaction: extrinsic.hash(),
                fee,
            }));
        }
        block = chain.parent(block).await?;
    }
    Ok(None)
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

/// A failed call in the words of the pallet that refused it.
fn explain(error: &DispatchError) -> String {
    if let DispatchError::Module(error) = error
        && let Ok(details) = error.details()
    {
        let words = details.variant.docs.join(" ");
        if !words.trim().is_empty() {
            return words.trim().into();
        }
        return format!("{} says {}", details.pallet.name(), details.variant.name);
    }
    error.to_string()
}
