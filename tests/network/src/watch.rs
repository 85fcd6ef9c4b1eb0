//! A running network as one of its nodes shows it: what every kind of network under test is watched through.

use std::time::Duration;

use hydra_cli::chain::{Block, Chain, News};
use hydra_primitives::{
    AccountBytes,
    status::{ModelStatus, NodeStatus, RoundSummary},
};

/// How often a node is tried that is about to answer: there is no event for "a program begins to listen".
const TRY_EVERY: Duration = Duration::from_millis(100);

/// The network, seen through one node.
pub struct Watch {
    /// That node.
    pub chain: Chain,
}

impl Watch {
    /// Waits until the node at `url` answers.
    pub async fn connect(url: &str, limit: Duration) -> Self {
        let tries = async {
            loop {
                if let Ok(chain) = Chain::connect(url).await {
                    return chain;
                }
                tokio::time::sleep(TRY_EVERY).await;
            }
        };
        match tokio::time::timeout(limit, tries).await {
            Ok(chain) => Self { chain },
            Err(_) => panic!("{url} does not answer within {limit:?}"),
        }
    }

    /// The newest block.
    pub async fn best(&self) -> Block {
        self.chain.best().await.expect("the node answers")
    }

    /// Model 0 now.
    pub async fn model(&self) -> ModelStatus {
        let best = self.best().await;
        self.chain
            .existing_model(0, best.hash)
            .await
            .expect("the network has a model")
    }

    /// The settled rounds of model 0 so far.
    pub async fn rounds(&self) -> Vec<RoundSummary<AccountBytes>> {
        let best = self.best().await;
        self.chain.rounds(0, best.hash).await.expect("the node answers")
    }

    /// An account now.
    pub async fn node(&self, account: &AccountBytes) -> NodeStatus {
        let best = self.best().await;
        let status = self.chain.node_status(account, best.hash).await;
        status.expect("the node answers")
    }

    /// Looks at every new block until `found` finds what it looks for.
    pub async fn wait<T>(&self, what: &str, limit: Duration, mut found: impl AsyncFnMut() -> Option<T>) -> T {
        let search = async {
            let mut heads = self.chain.new_heads().await.expect("the node answers");
            loop {
                if let Some(found) = found().await {
                    return found;
                }
                heads
                    .next()
                    .await
                    .expect("blocks go on")
                    .expect("the node answers");
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(found) => found,
            Err(_) => panic!("{what}: not within {limit:?}; model: {:?}", self.model().await),
        }
    }

    /// Waits until the model's version `version` is confirmed.
    pub async fn wait_for_version(&self, version: u32, limit: Duration) {
        self.wait(&format!("version {version}"), limit, async || {
            (self.model().await.confirmed_version >= version).then_some(())
        })
        .await;
    }
}

/// What happened, block by block, in blocks that stay.
pub struct Chronicle {
    next: u64,
}

impl Chronicle {
    /// What happens from the block after the newest final one on.
    pub async fn begin(watch: &Watch) -> Self {
        let last = watch.chain.finalised().await.expect("the node answers");
        Self {
            next: last.number + 1,
        }
    }

    /// What happened in the blocks that became final since the last time.
    pub async fn read(&mut self, watch: &Watch) -> Vec<News> {
        let last = watch.chain.finalised().await.expect("the node answers");
        let mut news = vec![];
        while self.next <= last.number {
            let block = watch.chain.block_at(self.next).await.expect("the node has it");
            news.push(watch.chain.news(block).await.expect("the node has its state"));
            self.next += 1;
        }
        news
    }
}
