//! The accepted updates that a version is folded from.

use std::{collections::HashMap, sync::Arc};

use hydra_primitives::{H256, duty::VersionRecipe};
use hydra_update::{Update, decode_shard, decode_update};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Weights, WeightsError, tag};
use crate::{
    depot::{DepotError, peers},
    joined,
    ledger::{Kind, Tag},
    models::Model,
    stage::{Stage, StageCell},
};

/// Updates fetched at a time.
const FETCHED: usize = 8;

impl Weights {
    /// The accepted updates with the samples of their shards, in their order.
    pub(super) async fn updates(
        &self,
        genesis: H256,
        model: &Model,
        recipe: &VersionRecipe,
        stage: &StageCell,
    ) -> Result<Vec<(Update, u32)>, WeightsError> {
        stage.set(Stage::Fetching, "the accepted updates");
        let tag = Tag {
            kind: Kind::Update,
            number: model.duties.round,
            ..tag(genesis, model)
        };
        // Side by side, so that it doesn't add up if many are slow.
        let (room, mut fetches) = (Arc::new(Semaphore::new(FETCHED)), JoinSet::new());
        for (index, accepted) in recipe.updates.iter().enumerate() {
            let (depot, room, blob) = (self.depot.clone(), room.clone(), accepted.update);
            let first = peers(&accepted.providers);
            let then = peers(&model.duties.confirmed.providers);
            fetches.spawn(async move {
                let _room = room.acquire().await;
                (index, depot.get_soon(blob, first, then, Some(tag)).await)
            });
        }
        let mut fetched = HashMap::new();
        while let Some(done) = fetches.join_next().await {
            if let Some((index, bytes)) = joined(done) {
                fetched.insert(index, bytes);
            }
        }
        let what = "an accepted update";
        let mut updates = Vec::with_capacity(recipe.updates.len());
        for (index, accepted) in recipe.updates.iter().enumerate() {
            let bytes = fetched.remove(&index).unwrap_or(Err(DepotError::Stopping));
            let bytes = bytes.map_err(|source| WeightsError::Blob { what, source })?;
            let update = decode_update(model.spec(), &bytes).map_err(|error| WeightsError::Undecodable {
                what,
                detail: error.to_string(),
            })?;
            updates.push((update, self.samples(model, accepted.shard).await?));
        }
        Ok(updates)
    }

    async fn samples(&self, model: &Model, shard: u32) -> Result<u32, WeightsError> {
        let what = "a shard of the data set";
        let undecodable = |detail: String| WeightsError::Undecodable { what, detail };
        let dataset = model.dataset();
        let blob = dataset
            .shard(shard)
            .ok_or_else(|| undecodable(format!("there is no shard {shard}")))?;
        let providers = peers(&model.duties.confirmed.providers);
        let bytes = self.depot.get(blob, providers, None).await;
        let bytes = bytes.map_err(|source| WeightsError::Blob { what, source })?;
        let decoded = decode_shard(&dataset.kind, &bytes).map_err(|error| undecodable(error.to_string()))?;
        Ok(decoded.samples())
    }
}
