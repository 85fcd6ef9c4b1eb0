//! Signing a payment.

use hydra_primitives::Balance;
use subxt::{
    config::DefaultExtrinsicParamsBuilder,
    dynamic,
    ext::scale_encode::EncodeAsFields,
    utils::{AccountId32, MultiAddress},
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
    /// Its fee as the node estimates it; zero if it wasn't asked.
    pub fee: Balance,
}

/// Signs what was ordered, valid from the block `anchor` on. With `estimate`, the node is asked for the fee.
pub async fn sign(
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
        Call::PayQuery(model, request) => with.sign("HydraToken", "pay_query", (*model, *request)).await,
        Call::Send(to, amount) => {
            let to = MultiAddress::<AccountId32, ()>::Id(AccountId32(*to));
            with.sign("Balances", "transfer_keep_alive", (to, *amount)).await
        }
        Call::Bond(amount) => with.sign("StakeVoting", "bond", (*amount,)).await,
        Call::Claim(model) => with.sign("HydraToken", "claim", (*model,)).await,
        Call::Register(Registration {
            peer_id,
            capabilities,
            nonce,
        }) => {
            let data = (peer_id.clone(), *capabilities, *nonce);
            with.sign("Reputation", "register", data).await
        }
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
