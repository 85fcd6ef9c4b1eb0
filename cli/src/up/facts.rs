//! Looks at everything that decides what `hydra up` does next: the node, the trainer, and what the chain says of the account.

use hydra_primitives::AccountBytes;

use super::step::{Account, Engine, Facts};
use crate::{
    chain::{Block, Chain},
    error::Error,
    report::{clock, presence::Presence},
    room::Room,
    trainer::{Status, Trainer},
};

/// What there is to see.
pub struct Look {
    /// What decides.
    pub facts: Facts,
    /// The block that the chain was looked at in.
    pub at: Block,
    /// How far this PC's clock is ahead, in milliseconds, where anybody knows.
    pub clock_ms: Option<i64>,
    /// What the trainer says, if it answers.
    pub trainer: Option<Status>,
}

/// Looks at it all. `peer_id` is this PC's trainer's identity, as the chain stores it.
pub async fn look(
    chain: &Chain,
    trainer: &Trainer,
    account: &AccountBytes,
    peer_id: &[u8],
) -> Result<Look, Error> {
    let (peers, syncing) = chain.health().await?;
    let best = chain.best().await?;
    // A trainer that doesn't answer is something to see, not to fail for.
    let status = trainer.status().await.ok();
    let node_clock = chain.clock().await?;
    let facts = Facts {
        syncing,
        peers,
        best: best.number,
        target: chain.sync_target().await?,
        engine: engine(status.as_ref()),
        account: of_account(chain, account, peer_id, best).await?,
    };
    Ok(Look {
        facts,
        at: best,
        clock_ms: clock::offset_ms(node_clock.as_ref(), status.as_ref()),
        trainer: status,
    })
}

fn engine(status: Option<&Status>) -> Engine {
    let Some(engine) = status.map(|status| &status.engine) else {
        return Engine::Away;
    };
    match engine.state.as_str() {
        "ready" => Engine::Ready,
        "starting" => Engine::Starting,
        state => Engine::Failed(engine.reason.clone().unwrap_or_else(|| state.into())),
    }
}

async fn of_account(
    chain: &Chain,
    account: &AccountBytes,
    peer_id: &[u8],
    at: Block,
) -> Result<Account, Error> {
    let status = chain.node_status(account, at.hash).await?;
    Ok(Account {
        spendable: chain.funds(account, at.hash).await?.spendable,
        registered: status.registered,
        elsewhere: status.registered && status.peer_id != peer_id,
        stake: status.stake,
        presence: Presence::read(chain, account, &status, at.hash).await?,
        room: status.registered.then_some(Room {
            size_class: status.size_class,
            tasks: status.room,
        }),
    })
}
