//! The two transactions with which a PC begins to take part: registration, with its proof of work, and the bond.
//!
//! Each is for what was seen in one block, and `None` if another payment of the account came first. It must never pay twice
//! for what was seen: a `hydra up` that was killed may have sent the same a moment ago, and no block shows it yet.

use hydra_primitives::{Balance, node::find_nonce};
use std::time::{Duration, Instant};

use super::machine::Machine;
use crate::{
    chain::{Block, Chain},
    error::Error,
    keys::{key::Key, terminal::apart},
    payment::{self, Call, Capabilities, Order, Payment, Registration},
};

/// Registers the account with its trainer's identity. Says how long the proof of work took, too.
pub async fn register(
    chain: &Chain,
    key: &Key,
    peer_id: &[u8],
    machine: Machine,
    at: Block,
) -> Result<Option<(Payment, Duration)>, Error> {
    let difficulty = chain.work_difficulty(chain.best().await?.hash).await?;
    let (account, peer_id) = (key.account(), peer_id.to_vec());
    // Found while everything else goes on.
    let (peer_id, nonce, work) = apart(move || {
        let begun = Instant::now();
        let nonce = find_nonce(&account, &peer_id, difficulty);
        (peer_id, nonce, begun.elapsed())
    })
    .await;
    let call = Call::Register(Registration {
        peer_id,
        capabilities: Capabilities {
            cpu_threads: u16::try_from(machine.cores).unwrap_or(u16::MAX),
            memory_mib: u32::try_from(machine.memory_mib).unwrap_or(u32::MAX),
        },
        nonce,
    });
    let sent = payment::pay_as_of(chain, Order { key, call: &call }, at).await?;
    Ok(sent.map(|payment| (payment, work)))
}

/// Adds this to the stake.
pub async fn bond(chain: &Chain, key: &Key, amount: Balance, at: Block) -> Result<Option<Payment>, Error> {
    let call = Call::Bond(amount);
    payment::pay_as_of(chain, Order { key, call: &call }, at).await
}
