//! Whether a chain is in a condition to take a payment: it knows the newest blocks, goes on making them, and, for whoever
//! wants it, makes them final. Asked before anything is paid, since whoever waits afterwards has paid already.

use std::time::{Duration, SystemTime};
use subxt::rpcs::client::RpcSubscription;
use tokio::time::timeout;

use crate::{
    chain::{Block, Chain, Header},
    error::Error,
    output,
};

/// An older newest block is a reason to wait for the next one: so many slots.
const OLD_SLOTS: u32 = 5;
/// So far may the newest final block be behind while all is well.
const LAG: u64 = 8;
/// How long another block is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Refuses if a payment could not be included now or, with `finalized`, not become final.
pub async fn check(chain: &Chain, finalized: bool) -> Result<(), Error> {
    let best = chain.best().await?;
    if chain.health().await?.1 {
        return Err(Error::Syncing {
            url: chain.url().into(),
            block: best.number,
        });
    }
    // A clock that goes ahead makes every block look old, so an old block only is a reason to look again.
    let age = age(SystemTime::now(), chain.time(best.hash).await?);
    let is_old = age > chain.slot(best.hash).await?.saturating_mul(OLD_SLOTS);
    if is_old {
        output::note("no block came for a while: waiting for the next one before anything is paid …");
    }
    if is_old && !advances(chain.new_heads().await?, best.number).await {
        return Err(Error::Stalled {
            block: best.number,
            seconds: age.as_secs(),
        });
    }
    if !finalized {
        return Ok(());
    }
    let finalised = chain.finalised().await?;
    if keeps_up(best, finalised) || advances(chain.finalised_heads().await?, finalised.number).await {
        return Ok(());
    }
    Err(Error::NoFinality {
        best: best.number,
        finalised: finalised.number,
        seconds: PATIENCE.as_secs(),
    })
}

/// Whether finality is so close behind that nothing needs to be waited for. A chain that just began proves nothing yet.
fn keeps_up(best: Block, finalised: Block) -> bool {
    finalised.number > 0 && best.number.saturating_sub(finalised.number) <= LAG
}

/// How long ago that was; nothing for what lies ahead.
fn age(now: SystemTime, then: SystemTime) -> Duration {
    now.duration_since(then).unwrap_or_default()
}

/// Whether a head above `number` comes in time.
async fn advances(mut heads: RpcSubscription<Header>, number: u64) -> bool {
    let higher = async {
        while let Some(Ok(head)) = heads.next().await {
            if head.number > number {
                return true;
            }
        }
        false
    };
    timeout(PATIENCE, higher).await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(number: u64) -> Block {
        Block {
            number,
            hash: Default::default(),
        }
    }

    #[test]
    fn finality_keeps_up_if_it_is_a_few_blocks_behind() {
        assert!(keeps_up(block(100), block(97)));
        assert!(keeps_up(block(9), block(1)));
        assert!(!keeps_up(block(100), block(91)));
        // Two of four PCs: genesis is all that ever is final.
        assert!(!keeps_up(block(5), block(0)));
    }

    #[test]
    fn a_block_that_lies_ahead_is_not_old() {
        let now = SystemTime::now();
        assert_eq!(age(now, now + PATIENCE), Duration::ZERO);
        assert_eq!(age(now + PATIENCE, now), PATIENCE);
    }
}
