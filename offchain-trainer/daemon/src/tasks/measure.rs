//! The newest version, folded and measured: what a poll on a version asks.
//!
//! The weights stay in memory: nobody is given them before the network has confirmed them.

use hydra_engine::{EngineError, EvaluateJob};
use hydra_primitives::{BlobRef, poll::Opening};

use crate::{
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
};

impl Shared {
    pub(super) async fn measure(&self, task: &Task, stage: &StageCell) -> Result<Opening, TaskError> {
        let model = task.model.clone();
        let version = self.weights.newest(task.genesis, &model, stage).await?;
        stage.set(Stage::Fetching, "the validation set");
        let blob = model.dataset().validation;
        let data = self.data("the validation set", task, blob).await?;
        let _place = self.place(task).await;
        let stage = stage.clone();
        let measured = self.torch.run(move |engine| {
            stage.set(Stage::Folding, "measuring the new version");
            if !version.is_intact(model.spec()) || BlobRef::of(&data) != blob {
                return Err(EngineError::Damaged);
            }
            let job = EvaluateJob {
                architecture: &model.spec().architecture,
                kind: &model.dataset().kind,
                weights: &version.state.weights,
                data: &data,
            };
            Ok(engine.evaluate(job)?.opening(version.hash))
        });
        Ok(measured.await?)
    }
}
