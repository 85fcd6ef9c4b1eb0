//! What a node saw of the chain beside its best branch: at which heights it had several blocks, and where the rules changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use hydra_cli::chain::{Chain, Hash, Header};
use subxt::{
    PolkadotConfig,
    config::RpcConfigFor,
    rpcs::{RpcClient, client::RpcSubscription, methods::legacy::LegacyRpcMethods},
};

type Methods = LegacyRpcMethods<RpcConfigFor<PolkadotConfig>>;
/// The blocks of each height, by what tells those of one height apart.
type Heights = BTreeMap<u64, BTreeSet<[Hash; 3]>>;

/// Looks at every block that a node takes in, as long as that node runs.
pub struct Branches {
    methods: Methods,
    heights: Arc<Mutex<Heights>>,
}

impl Branches {
    /// Looks from now on, at the node at `url`.
    pub async fn watch(url: &str) -> Self {
        let rpc = RpcClient::from_insecure_url(url).await.expect("the node answers");
        let methods = Methods::new(rpc);
        let heads = methods.chain_subscribe_all_heads().await;
        let heights = Arc::default();
        tokio::spawn(note(
            heads.expect("the node tells of its blocks"),
            Arc::clone(&heights),
        ));
        Self { methods, heights }
    }

    /// The heights at which there were several blocks so far.
    pub fn forks(&self) -> BTreeSet<u64> {
        let heights = self.heights.lock().unwrap_or_else(PoisonError::into_inner);
        let several = heights.iter().filter(|(_, blocks)| blocks.len() > 1);
        several.map(|(height, _)| *height).collect()
    }

    /// The first block of the best branch behind which other rules hold than at the beginning, `None` if all have the same.
    pub async fn upgraded_in(&self, chain: &Chain) -> Option<u64> {
        let newest = chain.best().await.expect("the node answers").number;
        let mut rules = None;
        for height in 0..=newest {
            let block = chain.block_at(height).await.expect("the node has it");
            let version = self.methods.state_get_runtime_version(Some(block.hash)).await;
            let version = version.expect("the node has its state").spec_version;
            if *rules.get_or_insert(version) != version {
                return Some(height);
            }
        }
        None
    }
}

async fn note(mut heads: RpcSubscription<Header>, heights: Arc<Mutex<Heights>>) {
    while let Some(Ok(head)) = heads.next().await {
        let mut heights = heights.lock().unwrap_or_else(PoisonError::into_inner);
        heights.entry(head.number).or_default().insert([
            head.parent_hash,
            head.state_root,
            head.extrinsics_root,
        ]);
    }
}
