//! Training on the shard that the round gave this account.
//!
//! Everything that the proposal names is in the store, and so served to verifiers, before the proposal is answered.

use std::sync::mpsc;

use hydra_engine::{EngineError, TrainJob};
use hydra_primitives::H256;

use crate::{
    board::Outcome,
    depot::{DepotError, peers},
    joined,
    ledger::{Kind, Tag},
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
};

/// States that may wait for the disk before training waits, too.
const STATES_IN_FLIGHT: usize = 4;

impl Shared {
    pub(super) async fn train(
        &self,
        task: &Task,
        shard: u32,
        task_seed: H256,
        stage: &StageCell,
    ) -> Result<Outcome, TaskError> {
        let model = task.model.clone();
        let held = self.weights.newest(task.genesis, &model, stage).await?;
        let providers = peers(&model.providers);
        let blob = model.dataset.shard(shard).ok_or(TaskError::NoShard { shard })?;
        stage.set(Stage::Fetching, format!("shard {shard}"));
        let data = self.depot.get(blob, providers.clone(), None).await;
        let data = data.map_err(|source| TaskError::Data {
            what: "the shard",
            source,
        })?;
        let validation = self.depot.get(model.dataset.validation, providers, None).await;
        let validation = validation.map_err(|source| TaskError::Data {
            what: "the validation set",
            source,
        })?;

        stage.set(Stage::Training, format!("round {} on shard {shard}", model.round));
        let tag = |kind| Tag {
            genesis: task.genesis,
            model: model.model,
            kind,
            number: model.round,
        };
        let (state_tag, blob_tag) = (tag(Kind::State), tag(Kind::Update));
        // States go to disk while training goes on.
        let (states, to_disk) = mpsc::sync_channel::<Vec<u8>>(STATES_IN_FLIGHT);
        let depot = self.depot.clone();
        let writer = tokio::task::spawn_blocking(move || {
            to_disk
                .iter()
                .try_for_each(|state| depot.put_blocking(&state, state_tag).map(drop))
        });
        let (base, progress) = (held.hash, stage.clone());
        let trained = self.torch.run(move |engine| {
            // A bit that flipped since would make an honest proposal a false one.
            if held.state.hash(&model.spec) != held.hash {
                return Err(EngineError::Damaged);
            }
            let job = TrainJob {
                spec: &model.spec,
                kind: &model.dataset.kind,
                base: &held.state.weights,
                shard: &data,
                validation: &validation,
                task_seed,
            };
            let steps = &model.spec.task;
            engine.train(job, |leaf, state| {
                let done = leaf.saturating_mul(steps.checkpoint_every).min(steps.steps);
                progress.progress(done, steps.steps);
                // Fails only if the disk did; the writer says so.
                drop(states.send(state));
            })
        });
        let trained = trained.await;
        joined(writer.await).unwrap_or(Err(DepotError::Stopping))?;
        let trained = trained?;
        let (update, trace, proposal) = (trained.update.encode(), trained.trace(), trained.proposal(base));
        let stored = self.depot.blocking(move |depot| {
            depot.put_blocking(&update, blob_tag)?;
            depot.put_blocking(&trace, blob_tag)
        });
        stored.await?;
        Ok(Outcome::Trained(proposal))
    }
}
