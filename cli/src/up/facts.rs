//! Looks at everything that decides what `hydra up` does next: the node, the trainer, and what the chain says of the account.

use hydra_primitives::AccountBytes;

use super::step::{Account, Engine, Facts};
use crate::{
    chain::{Block, Chain},
    error::Error,
    trainer::Trainer,
};

/// Looks at it all. `peer_id` is this PC's trainer's identity, as the chain stores it.
pub async fn look(
    chain: &Chain,
    trainer: &Trainer,
    account: &AccountBytes,
    peer_id: &[u8],
) -> Result<(Facts, Block), Error> {
    let (peers, syncing) = chain.health().await?;
    let best = chain.best().await?;
    let facts = Facts {
        syncing,
        peers,
        best: best.number,
        target: chain.sync_target().await?,
        engine: engine(trainer).await,
        account: of_account(chain, account, peer_id, best).await?,
    };
    Ok((facts, best))
}

/// A trainer that doesn't answer is something to see, not to fail for.
async fn engine(trainer: &Trainer) -> Engine {
    let Ok(status) = trainer.status().await else {
        return Engine::Away;
    };
    match status.engine.state.as_str() {
        "ready" => Engine::Ready,
        "starting" => Engine::Starting,
        state => Engine::Failed(status.engine.reason.unwrap_or_else(|| state.into())),
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
    })
}
