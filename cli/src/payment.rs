//! Having the chain do something that costs: exactly once, or with an error that says whether money may be gone.
//!
//! Whether a payment went through is read from the blocks of the chain alone. What a transaction pool says of one is a
//! guess about the branch it happens to look at: short forks are everyday life here, and a payment that was dropped from
//! one branch may be in the other. Must never send a second payment while the first could still be included.

use hydra_primitives::{AccountBytes, Balance, H256, ModelId, rewards::QUERY_PRICE};
use std::{collections::BTreeSet, time::Duration};
use subxt::{
    config::DefaultExtrinsicParamsBuilder,
    dynamic,
    error::DispatchError,
    ext::{scale_decode::DecodeAsType, scale_encode::EncodeAsFields},
    utils::{AccountId32, MultiAddress},
};
use tokio::time::timeout;

use crate::{
    accounts, amount,
    chain::{Block, Chain, Config, Hash},
    error::Error,
    keys::key::Key,
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

/// What the chain is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Call {
    /// Take the price of a question to this model. The hash is BLAKE3 of the question.
    PayQuery(ModelId, H256),
    /// Send an amount to an account. The sender stays in existence.
    Send(AccountBytes, Balance),
    /// Bond an amount as stake.
    Bond(Balance),
    /// Pay out what is owed for questions to this model.
    Claim(ModelId),
}

impl Call {
    /// What it takes from the account, besides the fee.
    fn takes(&self) -> Balance {
        match self {
            Self::PayQuery(..) => QUERY_PRICE,
            Self::Send(_, amount) | Self::Bond(amount) => *amount,
            Self::Claim(_) => 0,
        }
    }
}

/// Who has the chain do what.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Who signs and pays.
    pub key: &'a Key,
    /// What is to be done.
    pub call: Call,
}

/// What was done and paid.
#[derive(Clone, Debug)]
pub struct Payment {
    /// The block it is in.
    pub block: Block,
    /// Hash of the transaction.
    pub transaction: Hash,
    /// What the transaction itself cost.
    pub fee: Balance,
    /// What the account received for answered questions.
    pub received: Balance,
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

/// What the fee will be, if the account can afford it all. Nothing is sent.
pub async fn quote(chain: &Chain, order: Order<'_>) -> Result<Balance, Error> {
    let nonce = chain.next_nonce(&order.key.account()).await?;
    let signed = sign(chain, order, nonce, anchor(chain).await?, true).await?;
    affordable(chain, order, signed.fee).await?;
    Ok(signed.fee)
}

/// Has it done, if the account can afford it, and waits until a block includes the payment (with `finalised`, until that block
/// can't be undone). `note` hears what is happening.
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
    let account = order.key.account();
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

/// A signed transaction.
struct Signed {
    hash: Hash,
    bytes: Vec<u8>,
    /// As the node estimates it; zero if it wasn't asked.
    fee: Balance,
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
    let signed = sign(chain, order, nonce, anchor, note.is_some()).await?;
    if let Some(note) = note {
        affordable(chain, order, signed.fee).await?;
        note(&match order.call.takes() {
            0 => format!("paying a fee of {} HYDRA …", amount::exact(signed.fee)),
            takes => format!(
                "paying {} HYDRA and a fee of {} …",
                amount::exact(takes),
                amount::exact(signed.fee)
            ),
        });
    }
    // Noted before it is sent: an answer that gets lost does not mean that the transaction did.
    sent.hashes.insert(signed.hash);
    match chain.submit(&signed.bytes).await? {
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

async fn sign(
    chain: &Chain,
    order: Order<'_>,
    nonce: u64,
    anchor: Block,
    estimate: bool,
) -> Result<Signed, Error> {
    let with = With {
        chain,
        key: order.key,
        nonce,
        anchor,
        estimate,
    };
    match order.call {
        Call::PayQuery(model, request) => with.sign("HydraToken", "pay_query", (model, request)).await,
        Call::Send(to, amount) => {
            let to = MultiAddress::<AccountId32, ()>::Id(AccountId32(to));
            with.sign("Balances", "transfer_keep_alive", (to, amount)).await
        }
        Call::Bond(amount) => with.sign("StakeVoting", "bond", (amount,)).await,
        Call::Claim(model) => with.sign("HydraToken", "claim", (model,)).await,
    }
}

/// What is signed with, whatever is signed.
struct With<'a> {
    chain: &'a Chain,
    key: &'a Key,
    nonce: u64,
    anchor: Block,
    estimate: bool,
}

impl With<'_> {
    async fn sign(&self, pallet: &str, call: &str, data: impl EncodeAsFields) -> Result<Signed, Error> {
        let chain = self.chain;
        let call = dynamic::tx(pallet, call, data);
        let params = DefaultExtrinsicParamsBuilder::<Config>::new()
            .mortal(MORTAL_BLOCKS)
            .nonce(self.nonce)
            .build();
        let at = chain.at(self.anchor.hash).await?;
        let account = AccountId32(self.key.account());
        let mut signable = chain
            .within(at.transactions().create_signable(&call, &account, params))
            .await?
            .map_err(|error| chain.strange(error))?;
        let signed = signable.sign(self.key).map_err(|error| chain.strange(error))?;
        let fee = match self.estimate {
            true => chain
                .within(signed.partial_fee_estimate())
                .await?
                .map_err(|error| chain.strange(error))?,
            false => 0,
        };
        Ok(Signed {
            hash: signed.hash(),
            bytes: signed.encoded().to_vec(),
            fee,
        })
    }
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
            let (mut fee, mut received) = (0, 0);
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
                    ("HydraToken", "QueryShareClaimed") => {
                        #[derive(DecodeAsType)]
                        #[decode_as_type(crate_path = "subxt::ext::scale_decode")]
                        struct Claimed {
                            amount: u128,
                        }
                        let claimed = event.decode_fields_unchecked_as::<Claimed>();
                        received = claimed.map_err(|error| chain.strange(error))?.amount;
                    }
                    _ => {}
                }
            }
            return Ok(Some(Payment {
                block,
                transaction: extrinsic.hash(),
                fee,
                received,
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
