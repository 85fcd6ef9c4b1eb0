//! What the chain can be asked to do, and whose key asks for it.

use hydra_primitives::{AccountBytes, Balance, H256, ModelId, rewards::QUERY_PRICE};

use crate::{keys::key::Key, proof::Proof, room::Room};

/// What the chain is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// Take the price of a question to this model. The hash is BLAKE3 of the question.
    PayQuery(ModelId, H256),
    /// Send an amount to an account. The sender stays in existence.
    Send(AccountBytes, Balance),
    /// Bond an amount as stake.
    Bond(Balance),
    /// Take back an amount of the stake.
    Unbond(Balance),
    /// Make what was taken back long enough ago free again.
    Withdraw,
    /// Pay out what is owed for questions to this model.
    Claim(ModelId),
    /// Register the account for a trainer, and bond stake.
    Register(Box<Registration>),
    /// Take on so much from now on.
    SetRoom(Room),
    /// Draw the account for nothing new.
    Pause,
    /// Draw it again.
    Resume,
    /// Take these keys for making blocks.
    SetKeys(Box<SessionKeys>),
    /// Forget its keys for making blocks.
    PurgeKeys,
}

/// A trainer's registration: what `reputation.register` takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// Who it is, and what shows it.
    pub proof: Proof,
    /// What it takes on.
    pub room: Room,
    /// What is bonded in the same call.
    pub bond: Balance,
}

/// Keys for making blocks: what `session.setKeys` takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionKeys {
    /// Makes blocks.
    pub babe: [u8; 32],
    /// Makes them final.
    pub grandpa: [u8; 32],
    /// Shows that whoever registers them has their secrets.
    pub proof: Vec<u8>,
    /// What the chain holds of the account's balance while they are registered.
    pub deposit: Balance,
}

impl Call {
    /// What it takes from the account, besides the fee.
    pub(super) fn takes(&self) -> Balance {
        match self {
            Self::PayQuery(..) => QUERY_PRICE,
            Self::Send(_, amount) | Self::Bond(amount) => *amount,
            Self::Register(registration) => registration.bond,
            Self::SetKeys(keys) => keys.deposit,
            Self::Unbond(_)
            | Self::Withdraw
            | Self::Claim(_)
            | Self::SetRoom(_)
            | Self::Pause
            | Self::Resume
            | Self::PurgeKeys => 0,
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
