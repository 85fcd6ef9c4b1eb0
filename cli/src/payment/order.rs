//! What the chain can be asked to do, and whose key asks for it.

use hydra_primitives::{AccountBytes, Balance, H256, ModelId, rewards::QUERY_PRICE};
use schemars::JsonSchema;
use serde::Serialize;
use subxt::ext::scale_encode::EncodeAsType;

use crate::keys::key::Key;

/// What the chain is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// Take the price of a question to this model. The hash is BLAKE3 of the question.
    PayQuery(ModelId, H256),
    /// Send an amount to an account. The sender stays in existence.
    Send(AccountBytes, Balance),
    /// Bond an amount as stake.
    Bond(Balance),
    /// Pay out what is owed for questions to this model.
    Claim(ModelId),
    /// Register the account for a trainer.
    Register(Registration),
}

/// A trainer's registration: what `reputation.register` takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The trainer's PeerId as multihash bytes.
    pub peer_id: Vec<u8>,
    /// What its machine lends.
    pub capabilities: Capabilities,
    /// The proof of work.
    pub nonce: u64,
}

/// What a machine lends: information for others, nothing is decided by it. In the names that JavaScript clients give the
/// fields, where it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema, EncodeAsType)]
#[serde(rename_all = "camelCase")]
#[encode_as_type(crate_path = "subxt::ext::scale_encode")]
pub struct Capabilities {
    /// CPU threads.
    pub cpu_threads: u16,
    /// Memory, in MiB.
    pub memory_mib: u32,
}

impl Call {
    /// What it takes from the account, besides the fee.
    pub(super) fn takes(&self) -> Balance {
        match self {
            Self::PayQuery(..) => QUERY_PRICE,
            Self::Send(_, amount) | Self::Bond(amount) => *amount,
            Self::Claim(_) | Self::Register(_) => 0,
        }
    }
}

/// Who has the chain do what.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// Who signs and pays.
    pub key: &'a Key,
    /// What is to be done.
    pub call: &'a Call,
}
