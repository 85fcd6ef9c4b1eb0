//! Signing a payment.

use hydra_primitives::Balance;
use subxt::{
    config::DefaultExtrinsicParamsBuilder,
    dynamic,
    ext::scale_encode::{EncodeAsFields, EncodeAsType},
    utils::{AccountId32, MultiAddress, MultiSignature},
};

use super::order::{Call, Order, Registration};
use crate::{
    chain::{Block, Chain, Config, Hash},
    error::Error,
    keys::key::Key,
};

/// How long a payment stays valid, in blocks: long enough to be included, short enough not to surprise anyone later.
const MORTAL_BLOCKS: u64 = 64;

/// A signed transaction.
pub struct Signed {
    /// Its hash.
    pub hash: Hash,
    /// The transaction.
    pub bytes: Vec<u8>,
}

/// What a transaction is made for.
enum Purpose<'a> {
    /// To be sent.
    Send(&'a Key),
    /// To ask what it would cost: nobody's signature, so that who is asked can do nothing else with it.
    Price(AccountId32),
}

enum Made {
    Signed(Signed),
    Fee(Balance),
}

/// Signs what was ordered, valid from the block `anchor` on.
pub async fn sign(chain: &Chain, order: Order<'_>, nonce: u64, anchor: Block) -> Result<Signed, Error> {
    match make(chain, order.call, Purpose::Send(order.key), nonce, anchor).await? {
        Made::Signed(signed) => Ok(signed),
        Made::Fee(_) => Err(chain.strange("a transaction was not signed")),
    }
}

/// What it would cost, as the node estimates it.
pub async fn fee(chain: &Chain, order: Order<'_>, nonce: u64, anchor: Block) -> Result<Balance, Error> {
    let purpose = Purpose::Price(AccountId32(order.key.account()));
    match make(chain, order.call, purpose, nonce, anchor).await? {
        Made::Fee(fee) => Ok(fee),
        Made::Signed(_) => Err(chain.strange("no fee was asked for")),
    }
}

async fn make(
    chain: &Chain,
    call: &Call,
    purpose: Purpose<'_>,
    nonce: u64,
    anchor: Block,
) -> Result<Made, Error> {
    let with = With {
        chain,
        purpose,
        nonce,
        anchor,
    };
    match call {
        Call::PayQuery(model, request) => with.make("HydraToken", "pay_query", (*model, *request)).await,
        Call::Send(to, amount) => {
            let to = MultiAddress::<AccountId32, ()>::Id(AccountId32(*to));
            with.make("Balances", "transfer_keep_alive", (to, *amount)).await
        }
        Call::Bond(amount) => with.make("StakeVoting", "bond", (*amount,)).await,
        Call::Unbond(amount) => with.make("StakeVoting", "unbond", (*amount,)).await,
        Call::Withdraw => with.make("StakeVoting", "withdraw", ()).await,
        Call::Claim(model) => with.make("HydraToken", "claim", (*model,)).await,
        Call::Register(registration) => {
            let Registration { proof, room, bond } = &**registration;
            let (peer_id, signature) = (proof.peer_id.clone(), proof.signature);
            let (size_class, tasks) = (room.size_class, room.tasks);
            let data = (
                peer_id,
                size_class,
                tasks,
                proof.anchor,
                signature,
                proof.nonce,
                *bond,
            );
            with.make("Reputation", "register", data).await
        }
        Call::SetRoom(room) => {
            let data = (room.size_class, room.tasks);
            with.make("Reputation", "set_room", data).await
        }
        Call::Pause => with.make("Reputation", "pause", ()).await,
        Call::Resume => with.make("Reputation", "resume", ()).await,
        Call::SetKeys(keys) => {
            let pair = Keys {
                babe: keys.babe,
                grandpa: keys.grandpa,
            };
            with.make("Session", "set_keys", (pair, keys.proof.clone())).await
        }
        Call::PurgeKeys => with.make("Session", "purge_keys", ()).await,
    }
}

/// The runtime's `SessionKeys`.
#[derive(EncodeAsType)]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
struct Keys {
    babe: [u8; 32],
    grandpa: [u8; 32],
}

/// What a transaction is made with, whatever it does.
struct With<'a> {
    chain: &'a Chain,
    purpose: Purpose<'a>,
    nonce: u64,
    anchor: Block,
}

impl With<'_> {
    async fn make(&self, pallet: &str, call: &str, data: impl EncodeAsFields) -> Result<Made, Error> {
        let chain = self.chain;
        let call = dynamic::tx(pallet, call, data);
        let params = DefaultExtrinsicParamsBuilder::<Config>::new()
            .mortal(MORTAL_BLOCKS)
            .nonce(self.nonce)
            .build();
        let at = chain.at(self.anchor.hash).await?;
        let account = match &self.purpose {
            Purpose::Send(key) => AccountId32(key.account()),
            Purpose::Price(account) => *account,
        };
        let mut signable = chain
            .within(at.transactions().create_signable(&call, &account, params))
            .await?
            .map_err(|error| chain.strange(error))?;
        match &self.purpose {
            Purpose::Send(key) => {
                let signed = signable.sign(*key).map_err(|error| chain.strange(error))?;
                Ok(Made::Signed(Signed {
                    hash: signed.hash(),
                    bytes: signed.encoded().to_vec(),
                }))
            }
            Purpose::Price(account) => {
                let nobodys = MultiSignature::Sr25519([1; 64]);
                let unpayable = signable
                    .sign_with_account_and_signature(account, &nobodys)
                    .map_err(|error| chain.strange(error))?;
                let fee = chain
                    .within(unpayable.partial_fee_estimate())
                    .await?
                    .map_err(|error| chain.strange(error))?;
                Ok(Made::Fee(fee))
            }
        }
    }
}
