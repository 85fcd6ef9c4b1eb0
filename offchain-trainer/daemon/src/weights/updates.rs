//! The accepted updates that a version is folded from: fetched, or made again.

use std::{collections::HashMap, sync::Arc};

use hydra_engine::TrainJob;
use hydra_primitives::{
    BlobRef, H256,
    dataset::DatasetManifest,
    duty::{AcceptedUpdate, ModelDuties},
};
use hydra_update::{GlobalState, Update, decode_shard, decode_update};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{Weights, WeightsError, tag};
use crate::{
    depot::{DepotError, peers},
    joined,
    ledger::{Kind, Tag},
    lock,
    stage::{Stage, StageCell},
    torch::TorchError,
};

/// Updates fetched at a time.
const FETCHED: usize = 8;

impl Weights {
    /// The accepted updates with the samples of their shards, in their order.
    pub(super) async fn updates(
        &self,
        genesis: H256,
        duties: &ModelDuties,
        base: &Arc<GlobalState>,
        stage: &StageCell,
    ) -> Result<Vec<(Update, u32)>, WeightsError> {
        stage.set(Stage::Fetching, "the accepted updates");
        let tag = Tag {
            kind: Kind::Update,
            number: duties.round,
            ..tag(genesis, duties)
        };
        // Side by side, so that it doesn't add up if many are slow.
        let (room, mut fetches) = (Arc::new(Semaphore::new(FETCHED)), JoinSet::new());
        for (index, accepted) in duties.version.updates.iter().enumerate() {
            let (depot, room, blob) = (self.depot.clone(), room.clone(), accepted.update);
            let first = peers(std::slice::from_ref(&accepted.peer_id));
            let then = peers(&duties.providers);
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
        let mut updates = Vec::with_capacity(duties.version.updates.len());
        for (index, accepted) in duties.version.updates.iter().enumerate() {
            let bytes = match fetched.remove(&index).unwrap_or(Err(DepotError::Stopping)) {
                Ok(bytes) => bytes,
                Err(source) => match self.made_again(duties, accepted, base, tag, stage).await {
                    Some(bytes) => bytes,
                    None => return Err(WeightsError::Blob { what, source }),
                },
            };
            let update = decode_update(&duties.spec, &bytes).map_err(|error| WeightsError::Undecodable {
                what,
                detail: error.to_string(),
            })?;
            updates.push((
                update,
                self.samples(&duties.dataset, accepted.shard, &duties.providers)
                    .await?,
            ));
        }
        Ok(updates)
    }

    /// An accepted update that nobody serves, from public inputs. `None` if this PC was not asked to verify it and so
    /// doesn't know its task, or can't train now.
    async fn made_again(
        &self,
        duties: &ModelDuties,
        accepted: &AcceptedUpdate,
        base: &Arc<GlobalState>,
        tag: Tag,
        stage: &StageCell,
    ) -> Option<Vec<u8>> {
        let torch = self.torch.as_ref()?;
        let id = (duties.model, accepted.proposer, accepted.update.hash);
        let task = lock(&self.tasks).get(&id).cloned()?;
        if task.proposal.base != duties.version.base || task.shard != accepted.shard {
            return None;
        }
        let providers = peers(&duties.providers);
        let shard = duties.dataset.shard(task.shard)?;
        let shard = self.depot.get(shard, providers.clone(), None).await.ok()?;
        let validation = duties.dataset.validation;
        let validation = self.depot.get(validation, providers, None).await.ok()?;
        stage.set(Stage::Training, "an accepted update again that nobody serves");
        let (spec, kind, base) = (duties.spec.clone(), duties.dataset.kind.clone(), base.clone());
        let trained = torch.run(move |engine| {
            let job = TrainJob {
                spec: &spec,
                kind: &kind,
                base: &base.weights,
                shard: &shard,
                validation: &validation,
                task_seed: task.task_seed,
            };
            Ok(engine.train(job, |_, _| ())?.update.encode())
        });
        let bytes = match trained.await {
            Ok(bytes) if BlobRef::of(&bytes) == accepted.update => bytes,
            // Or a worker would end, or a whole task be done in vain, in every block.
            Ok(_) => {
                lock(&self.tasks).remove(&id);
                return None;
            }
            Err(error) => {
                if matches!(&error, TorchError::Engine(error) if error.costs_a_worker()) {
                    tracing::warn!("an accepted update is not made again here: {error}");
                    lock(&self.tasks).remove(&id);
                }
                return None;
            }
        };
        let blob = bytes.clone();
        let stored = self.depot.blocking(move |depot| depot.put_blocking(&blob, tag));
        // Served to others if there is room; used here in any case.
        drop(stored.await);
        Some(bytes)
    }

    async fn samples(
        &self,
        dataset: &DatasetManifest,
        shard: u32,
        providers: &[Vec<u8>],
    ) -> Result<u32, WeightsError> {
        let what = "a shard of the data set";
        let missing = || WeightsError::Undecodable {
            what,
            detail: format!("there is no shard {shard}"),
        };
        let blob = dataset.shard(shard).ok_or_else(missing)?;
        let bytes = self.depot.get(blob, peers(providers), None).await;
        let bytes = bytes.map_err(|source| WeightsError::Blob { what, source })?;
        let decoded = decode_shard(&dataset.kind, &bytes);
        Ok(decoded
            .map_err(|error| WeightsError::Undecodable {
                what,
                detail: error.to_string(),
            })?
            .samples())
    }
}
