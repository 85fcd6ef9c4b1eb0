//! Doing somebody's task again.
//!
//! From base, shard and seed alone: nothing is fetched from whoever claims a result, so nobody can hold this up or serve some
//! and not others. What contradicts the claim is computed a second time, in a new process, before anything is said; so is what is
//! only to be opened, for which no claim is named: in a later draw, the digest may be asked for.

use hydra_engine::EngineError;
use hydra_primitives::{H256, duty::Task as Training, poll::Opening};

use crate::{
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
};

impl Shared {
    /// What the task gives, whoever claims what.
    pub(super) async fn verify(
        &self,
        task: &Task,
        training: &Training,
        claim: Option<H256>,
        stage: &StageCell,
    ) -> Result<Opening, TaskError> {
        let (inputs, _place) = self.inputs(task, training, stage).await?;
        let what = format!("a proposal of round {}", task.model.duties.round);
        let stage = stage.clone();
        let trained = self.torch.run(move |engine| {
            stage.set(Stage::Verifying, what);
            if !inputs.are_intact() {
                return Err(EngineError::Damaged);
            }
            let steps = inputs.steps();
            let on_step = |done| stage.progress(done, steps);
            engine.verify(inputs.job(), claim, || inputs.are_intact(), on_step)
        });
        let trained = trained.await?;
        if let Some(update) = &trained.update
            && let Err(error) = self.keep(task, update.encode()).await
        {
            // What was found is right all the same.
            self.errors
                .add(format!("an update that was found right can't be kept: {error}"));
        }
        Ok(trained.opening())
    }
}
