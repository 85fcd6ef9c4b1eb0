//! The accepted updates that a version is folded from: on disk, each a file that is read little by little.

use std::sync::Arc;

use hydra_primitives::{BlobRef, H256, duty::VersionRecipe};
use hydra_update::count_samples;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Weights, WeightsError, tag};
use crate::{
    database::{Kind, Tag},
    depot::{DepotError, peers},
    joined,
    models::Model,
    stage::{Stage, StageCell},
};

/// Updates fetched at a time.
const FETCHED: usize = 8;

impl Weights {
    /// Sees to it that the accepted updates are on our disk. What is there already isn't looked at.
    pub(super) async fn fetch_updates(
        &self,
        genesis: H256,
        model: &Model,
        recipe: &VersionRecipe,
        stage: &StageCell,
    ) -> Result<(), DepotError> {
        stage.set(Stage::Fetching, "the accepted updates");
        let tag = Tag {
            kind: Kind::Update,
            number: model.duties.round,
            ..tag(genesis, model)
        };
        // Side by side, so that it doesn't add up if many are slow.
        let (room, mut fetches) = (Arc::new(Semaphore::new(FETCHED)), JoinSet::new());
        for accepted in &recipe.updates {
            let (depot, room, blob) = (self.depot.clone(), room.clone(), accepted.update);
            let first = peers(&accepted.providers);
            let then = peers(&model.duties.confirmed.providers);
            fetches.spawn(async move {
                let _room = room.acquire().await;
                depot.fetch_soon(blob, first, then, FETCHED - 1, Some(tag)).await
            });
        }
        // All of them, whether or not one can't be had: the next try then has less to do.
        let mut all = Ok(());
        while let Some(done) = fetches.join_next().await {
            all = all.and(joined(done).unwrap_or(Err(DepotError::Stopping)));
        }
        all
    }

    /// The accepted updates with the samples of their shards, in their order.
    pub(super) async fn samples_of(
        &self,
        model: &Model,
        recipe: &VersionRecipe,
    ) -> Result<Vec<(BlobRef, u32)>, WeightsError> {
        let mut updates = Vec::with_capacity(recipe.updates.len());
        for accepted in &recipe.updates {
            updates.push((accepted.update, self.samples(model, accepted.shard).await?));
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
        count_samples(&dataset.kind, &bytes).map_err(|error| undecodable(error.to_string()))
    }
}
