//! What a training task takes: weights and a shard, both public. Nothing of a claim, and nothing from whoever claims.

use std::sync::Arc;

use hydra_engine::TrainJob;
use hydra_network::{PeerId, Priority};
use hydra_primitives::{BlobRef, H256, duty::Task as Training};

use crate::{
    database::{Kind, Tag},
    depot::peers,
    models::Model,
    places::Place,
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
    weights::Named,
};

/// Everything that a task takes, in memory.
pub(super) struct Inputs {
    model: Arc<Model>,
    base: Named,
    shard: Vec<u8>,
    blob: BlobRef,
    task_seed: H256,
}

impl Inputs {
    /// The name of the weights that it starts from.
    pub(super) fn base(&self) -> H256 {
        self.base.hash
    }

    pub(super) fn steps(&self) -> u32 {
        self.model.spec().task.steps
    }

    pub(super) fn job(&self) -> TrainJob<'_> {
        TrainJob {
            spec: self.model.spec(),
            kind: &self.model.dataset().kind,
            base: &self.base.state.weights,
            shard: &self.shard,
            task_seed: self.task_seed,
        }
    }

    /// Whether weights and shard are still what their names say.
    pub(super) fn are_intact(&self) -> bool {
        BlobRef::of(&self.shard) == self.blob && self.base.is_intact(self.model.spec())
    }
}

impl Shared {
    /// Gets together what a task takes, and a place at the engine. Many tasks may be owed at a time, each with a shard of its own:
    /// until it has its place, the shard stays on disk.
    pub(super) async fn inputs(
        &self,
        task: &Task,
        training: &Training,
        stage: &StageCell,
    ) -> Result<(Inputs, Place<'_>), TaskError> {
        let model = task.model.clone();
        let base = self.weights.base(task.genesis, &model, training.base, stage);
        let base = base.await?;
        let shard = training.shard;
        let blob = model.dataset().shard(shard).ok_or(TaskError::NoShard { shard })?;
        let what = "the shard";
        stage.set(Stage::Fetching, format!("shard {shard}"));
        let fetched = self
            .depot
            .fetch(blob, providers(task), None, Priority::Round)
            .await;
        fetched.map_err(|source| TaskError::Data { what, source })?;
        let place = self.place(task).await;
        let shard = self.data(what, task, blob).await?;
        let inputs = Inputs {
            model,
            base,
            shard,
            blob,
            task_seed: training.task_seed,
        };
        Ok((inputs, place))
    }

    /// A blob of the data set.
    pub(super) async fn data(
        &self,
        what: &'static str,
        task: &Task,
        blob: BlobRef,
    ) -> Result<Vec<u8>, TaskError> {
        let data = self.depot.get(blob, providers(task), None).await;
        data.map_err(|source| TaskError::Data { what, source })
    }

    /// Stores an update that was computed here: if it is accepted, everyone can fold it, even if its proposer is gone.
    pub(super) async fn keep(&self, task: &Task, update: Vec<u8>) -> Result<(), TaskError> {
        let tag = Tag {
            genesis: task.genesis,
            model: task.model.duties.model,
            kind: Kind::Update,
            number: task.model.duties.round,
        };
        let stored = self
            .depot
            .blocking(move |depot| depot.put_blocking(&update, tag))
            .await;
        Ok(stored.map(drop)?)
    }
}

/// Those who have the data set of the task's model.
fn providers(task: &Task) -> Vec<PeerId> {
    peers(&task.model.duties.confirmed.providers)
}
