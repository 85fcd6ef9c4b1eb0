//! Training the task of a place that this account holds.
//!
//! The update that is claimed is in the store, and so served to whoever folds it, before the claim is answered.

use hydra_engine::EngineError;
use hydra_primitives::{
    BlobRef,
    duty::Task as Training,
    proposal::{Claim, PlaceKey, proposal_poll},
    task::PlaceIndex,
};

use crate::{
    board::Outcome,
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
};

impl Shared {
    pub(super) async fn train(
        &self,
        task: &Task,
        place: PlaceIndex,
        training: &Training,
        stage: &StageCell,
    ) -> Result<Outcome, TaskError> {
        let duties = &task.model.duties;
        let (inputs, _place) = self.inputs(task, training, stage).await?;
        let base = inputs.base();
        let what = format!("round {} on shard {}", duties.round, training.shard);
        let stage = stage.clone();
        let trained = self.torch.run(move |engine| {
            stage.set(Stage::Training, what);
            // A bit that flipped since would make an honest claim a false one.
            if !inputs.are_intact() {
                return Err(EngineError::Damaged);
            }
            let steps = inputs.steps();
            engine.train(inputs.job(), |done| stage.progress(done, steps))
        });
        let trained = trained.await?;
        let update = trained.update.as_ref().ok_or(TaskError::Diverged)?.encode();
        let claim = Claim {
            base,
            update: BlobRef::of(&update),
        };
        self.keep(task, update).await?;
        let key = PlaceKey {
            model: duties.model,
            round: duties.round,
            place,
        };
        // It may open the poll on its own claim.
        let poll = proposal_poll(&task.genesis, &key, &task.account, &training.task_seed, &claim);
        self.remember(poll, trained.opening()).await;
        Ok(Outcome::Trained(claim))
    }
}
