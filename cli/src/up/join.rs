//! The transactions with which a PC begins to take part: the registration, which proves its trainer's identity and a little work and
//! bonds the stake in the same call; more stake later; and another say of what it takes on.
//!
//! Each is for what was seen in one block, and `None` if another payment of the account came first. It must never pay twice
//! for what was seen: a `hydra up` that was killed may have sent the same a moment ago, and no block shows it yet.

use hydra_primitives::Balance;
use std::time::Duration;

use crate::{
    chain::{Block, Chain},
    error::Error,
    keys::key::Key,
    payment::{self, Call, Order, Payment, Registration},
    proof::{self, Identity},
    room::Room,
};

/// Registers the account with its trainer's identity, and bonds this. Says how long the proof took, too.
pub async fn register(
    chain: &Chain,
    key: &Key,
    identity: &Identity,
    room: Room,
    bond: Balance,
    at: Block,
) -> Result<Option<(Payment, Duration)>, Error> {
    let proof = proof::prove(chain, &key.account(), identity).await?;
    let took = proof.took;
    let call = Call::Register(Box::new(Registration { proof, room, bond }));
    let sent = payment::pay_as_of(chain, Order { key, call: &call }, at).await?;
    Ok(sent.map(|payment| (payment, took)))
}

/// Adds this to the stake.
pub async fn bond(chain: &Chain, key: &Key, amount: Balance, at: Block) -> Result<Option<Payment>, Error> {
    let call = Call::Bond(amount);
    payment::pay_as_of(chain, Order { key, call: &call }, at).await
}

/// Says that the account takes on so much.
pub async fn set_room(chain: &Chain, key: &Key, room: Room, at: Block) -> Result<Option<Payment>, Error> {
    let call = Call::SetRoom(room);
    payment::pay_as_of(chain, Order { key, call: &call }, at).await
}
