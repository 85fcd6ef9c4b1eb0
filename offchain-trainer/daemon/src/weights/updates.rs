//! The accepted updates that a version is folded from: fetched, or made again.

use std::{collections::HashMap, sync::Arc};

use hydra_engine::{EngineError, TrainJob};
use hydra_primitives::{
    BlobRef, H256,
    dataset::DatasetManifest,
    duty::{AcceptedUpdate, ModelDuties},
};
use hydra_update::{GlobalState, Update, decode_shard, decode_update};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{TaskId, Weights, WeightsError, tag};
use crate::{
    depot::{DepotError, peers},
    joined,
    ledger::{Kind, Tag},
    lock,
    stage::{Stage, StageCell},
    torch::{MOST_WORKERS, TorchError},
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
                Err(source) => match self.made_again(duties, accepted, base, tag, stage).await? {
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
    ///
    /// # Errors
    /// [`WeightsError::Damaged`] only.
    async fn made_again(
        &self,
        duties: &ModelDuties,
        accepted: &AcceptedUpdate,
        base: &Arc<GlobalState>,
        tag: Tag,
        stage: &StageCell,
    ) -> Result<Option<Vec<u8>>, WeightsError> {
        let id = (duties.model, accepted.proposer, accepted.update.hash);
        let task = lock(&self.tasks).get(&id).map(|known| known.duty.clone());
        let (Some(torch), Some(task)) = (self.torch.as_ref(), task) else {
            return Ok(None);
        };
        if task.proposal.base != duties.version.base || task.shard != accepted.shard {
            return Ok(None);
        }
        let providers = peers(&duties.providers);
        let Some(shard) = duties.dataset.shard(task.shard) else {
            return Ok(None);
        };
        let shard = self.depot.get(shard, providers.clone(), None).await;
        let validation = self.depot.get(duties.dataset.validation, providers, None).await;
        let (Ok(shard), Ok(validation)) = (shard, validation) else {
            return Ok(None);
        };
        stage.set(Stage::Training, "an accepted update again that nobody serves");
        let (spec, kind, base) = (duties.spec.clone(), duties.dataset.kind.clone(), base.clone());
        let named = duties.version.base;
        let trained = torch.run(move |engine| {
            if base.hash(&spec) != named {
                return Err(EngineError::Damaged);
            }
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
            Err(TorchError::Engine(EngineError::Damaged)) => return Err(WeightsError::Damaged),
            // Or a whole task would be done in vain in every block,
            Ok(_) => {
                lock(&self.tasks).remove(&id);
                return Ok(None);
            }
            // or a worker would end.
            Err(error) => {
                if matches!(&error, TorchError::Engine(error) if error.costs_a_worker()) {
                    tracing::warn!("an accepted update can't be made again: {error}");
                    self.lost(&id);
                }
                return Ok(None);
            }
        };
        let blob = bytes.clone();
        let stored = self.depot.blocking(move |depot| depot.put_blocking(&blob, tag));
        // Served to others if there is room; used here in any case.
        drop(stored.await);
        Ok(Some(bytes))
    }

    /// Making an update again has cost a worker: after as many as a task may cost, it is not tried any more.
    fn lost(&self, id: &TaskId) {
        let mut tasks = lock(&self.tasks);
        if let Some(known) = tasks.get_mut(id) {
            known.lost = known.lost.saturating_add(1);
            if known.lost >= MOST_WORKERS {
                tasks.remove(id);
            }
        }
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
