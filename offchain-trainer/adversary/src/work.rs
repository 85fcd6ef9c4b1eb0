//! The honest part of the work: what a cheat leaves out, or starts from.

use std::sync::Arc;

use hydra_engine::{Engine, EngineError, EvaluateJob, TrainJob, Trained};
use hydra_primitives::{BlobRef, H256, duty::Task, poll::Opening};
use hydra_trainer::{
    depot::{Depot, peers},
    models::Model,
    stage::StageCell,
    weights::{Named, Weights},
};

use crate::error::RunError;

/// A model with what its tasks take.
pub(crate) struct Workshop<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) depot: &'a Arc<Depot>,
    pub(crate) weights: &'a Weights,
    pub(crate) genesis: H256,
    pub(crate) model: &'a Arc<Model>,
}

/// A task with all that it takes.
pub(crate) struct Prepared {
    engine: Engine,
    model: Arc<Model>,
    pub(crate) base: Named,
    shard: Vec<u8>,
    task_seed: H256,
}

impl Prepared {
    /// Does it; blocks.
    pub(crate) fn train(&self) -> Result<Trained, EngineError> {
        let job = TrainJob {
            spec: self.model.spec(),
            kind: &self.model.dataset().kind,
            base: &self.base.state.weights,
            shard: &self.shard,
            task_seed: self.task_seed,
        };
        self.engine.train(job, |_| ())
    }

    /// Parameters of the model.
    pub(crate) fn parameters(&self) -> usize {
        self.base.state.weights.len()
    }
}

impl Workshop<'_> {
    /// Gets together what a task takes.
    pub(crate) async fn prepare(&self, task: &Task) -> Result<Prepared, RunError> {
        let stage = StageCell::default();
        let base = self.weights.base(self.genesis, self.model, task.base, &stage);
        let base = base.await?;
        let blob = self.model.dataset().shard(task.shard);
        let shard = self.data(blob.ok_or(RunError::NoShard(task.shard))?).await?;
        Ok(Prepared {
            engine: self.engine.clone(),
            model: self.model.clone(),
            base,
            shard,
            task_seed: task.task_seed,
        })
    }

    /// Folds and measures the newest version.
    pub(crate) async fn measure(&self) -> Result<Opening, RunError> {
        let stage = StageCell::default();
        let newest = self.weights.newest(self.genesis, self.model, &stage).await?;
        let data = self.data(self.model.dataset().validation).await?;
        let (engine, model) = (self.engine.clone(), self.model.clone());
        let measured = tokio::task::spawn_blocking(move || {
            let job = EvaluateJob {
                architecture: &model.spec().architecture,
                kind: &model.dataset().kind,
                weights: &newest.state.weights,
                data: &data,
            };
            Ok::<_, RunError>(engine.evaluate(job)?.opening(newest.hash))
        });
        measured.await.map_err(|_| RunError::Stopped)?
    }

    async fn data(&self, blob: BlobRef) -> Result<Vec<u8>, RunError> {
        let providers = peers(&self.model.duties.confirmed.providers);
        Ok(self.depot.get(blob, providers, None).await?)
    }
}
