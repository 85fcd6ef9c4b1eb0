//! Measuring a version: what an attestation says.

use hydra_engine::{EngineError, EvaluateJob};

use crate::{
    board::Outcome,
    depot::peers,
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
};

impl Shared {
    pub(super) async fn measure(&self, task: &Task, stage: &StageCell) -> Result<Outcome, TaskError> {
        let model = task.model.clone();
        let held = self.weights.newest(task.genesis, &model, stage).await?;
        stage.set(Stage::Fetching, "the validation set");
        let data = self
            .depot
            .get(model.dataset.validation, peers(&model.providers), None)
            .await;
        let data = data.map_err(|source| TaskError::Data {
            what: "the validation set",
            source,
        })?;
        stage.set(Stage::Folding, format!("measuring version {}", held.version));
        let (weights, state) = (held.hash, held.state);
        let evaluation = self.torch.run(move |engine| {
            if state.hash(&model.spec) != weights {
                return Err(EngineError::Damaged);
            }
            engine.evaluate(EvaluateJob {
                architecture: &model.spec.architecture,
                kind: &model.dataset.kind,
                weights: &state.weights,
                data: &data,
            })
        });
        Ok(Outcome::Measured {
            weights,
            score: evaluation.await?.score,
        })
    }
}
