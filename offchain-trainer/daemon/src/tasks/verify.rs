//! Checking a proposal, and the vote that follows.
//!
//! A blob that can't be had is asked for again with every sheet; only when the phase is about to end does it become a
//! vote. A vote is journaled before anyone hears of it, and a proposal that was voted on is never looked at again.
//!
//! A segment of the trace shows only what is wrong in that segment: of two honest verifiers with different segments one
//! may accept and one reject a trace that is half made up, and the chain would punish one of them. So where a vote has to
//! stand by itself, a proposal that passes is done again as a whole; see [`stands_alone`]. It is done again, too, where
//! the proposer serves nothing, or only some of its blobs, or those only to some: what it claimed can still be checked,
//! and if it is right, everyone who checked it has the update.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use hydra_engine::{Blobs, Claim, Trained, Unavailable, recompute, verify};
use hydra_network::PeerId;
use hydra_primitives::{
    BlobRef,
    duty::VerifyDuty,
    model::ModelSpec,
    trace,
    vote::{Missing, Vote},
};
use hydra_update::state_size;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

use crate::{
    board::Outcome,
    depot::{Depot, DepotError, patience, peers},
    joined,
    journal::{SaltedVote, VoteKey},
    ledger::{Kind, Tag},
    lock,
    plan::Task,
    stage::{Stage, StageCell},
    tasks::{Shared, TaskError},
};

/// How long a fetch may still take once the phase is about to end.
const LAST_CHANCE: Duration = Duration::from_secs(1);
/// Part of the protocol, as it decides votes: in a model's network of at most this many participants, every verifier does
/// the whole task again. Everyone but the proposer is on every committee there (32 members).
pub const WHOLE_TASK_PARTICIPANTS: usize = 33;
/// Part of the protocol, as it decides votes: a task of at most this much work ([`ModelSpec::work`]: steps × batch size ×
/// parameters) is done again by every verifier. That is seconds of one core.
pub const WHOLE_TASK_WORK: u64 = 10_000_000_000;

/// Whether this vote has to stand by itself: because the committee is the whole network, so that its vote already is the
/// vote of the whole network that settles disputes, or because doing the whole task again costs next to nothing. Every
/// honest verifier must come to the same answer, so only what is on chain counts.
fn stands_alone(spec: &ModelSpec, participants: usize) -> bool {
    participants <= WHOLE_TASK_PARTICIPANTS || spec.work() <= WHOLE_TASK_WORK
}

impl Shared {
    pub(super) async fn verify(
        &self,
        task: &Task,
        duty: &VerifyDuty,
        key: VoteKey,
        stage: &StageCell,
        last_chance: watch::Receiver<bool>,
    ) -> Result<Outcome, TaskError> {
        self.weights.remember_task(duty);
        if let Some(vote) = self.journal.get(&key) {
            return Ok(Outcome::Voted(vote));
        }
        let _under_way = self.under_way.acquire().await.map_err(|_| TaskError::Stopping)?;
        let vote = self.judge(task, duty, stage, last_chance).await?;
        let vote = SaltedVote {
            vote,
            salt: self.salts.salt(&key.genesis, &key.account, &key.proposal),
        };
        let journal = self.journal.clone();
        let recorded = tokio::task::spawn_blocking(move || journal.record(key, vote)).await;
        Ok(Outcome::Voted(joined(recorded).ok_or(TaskError::Stopping)??))
    }

    async fn judge(
        &self,
        task: &Task,
        duty: &VerifyDuty,
        stage: &StageCell,
        last_chance: watch::Receiver<bool>,
    ) -> Result<Vote, TaskError> {
        let (model, duty) = (task.model.clone(), duty.clone());
        let (base_hash, base) = match duty.base {
            Some(hash) => (
                hash,
                self.weights.by_hash(task.genesis, &model, hash, stage).await?,
            ),
            None => {
                let held = self.weights.newest(task.genesis, &model, stage).await?;
                (held.hash, held.state)
            }
        };
        stage.set(Stage::Verifying, format!("a proposal of round {}", model.round));
        let whole = stands_alone(&model.spec, model.providers.len());
        let state_size = state_size(&model.spec);
        // What the whole task is done without is not waited for long.
        let deadline = whole.then(|| {
            let states = state_size.saturating_mul(2);
            let blobs = [
                duty.proposal.update.size,
                trace::leaves_size(&model.spec.task),
                states,
            ];
            Instant::now()
                + patience(blobs.iter().fold(0, |sum, size| sum.saturating_add(*size))).saturating_mul(2)
        });
        let permit = self.verifications.clone().acquire_owned().await;
        let blobs = Fetching {
            depot: self.depot.clone(),
            proposer: peers(std::slice::from_ref(&duty.peer_id)),
            providers: peers(&model.providers),
            data: model
                .dataset
                .shards
                .iter()
                .copied()
                .chain([model.dataset.validation])
                .collect(),
            tag: Tag {
                genesis: task.genesis,
                model: model.model,
                kind: Kind::Update,
                number: model.round,
            },
            state_size,
            stage: stage.clone(),
            last_chance: last_chance.clone(),
            runtime: Handle::current(),
            last_error: Mutex::default(),
            deadline,
            verifications: self.verifications.clone(),
            permit: Mutex::new(Some(permit.map_err(|_| TaskError::Stopping)?)),
        };
        let blobs = Arc::new(blobs);
        let source = blobs.clone();
        let checked = self.torch.run(move |engine| {
            let claim = Claim {
                spec: &model.spec,
                manifest: &model.dataset,
                base: &base,
                base_hash,
                proposal: &duty.proposal,
                shard: duty.shard,
                task_seed: duty.task_seed,
            };
            let seen = verify(engine, &claim, duty.segment, &*source)?;
            let proposers = matches!(
                seen,
                Vote::Unavailable(Missing::Update | Missing::Trace | Missing::State)
            );
            if !whole || !(proposers || seen == Vote::Accept) {
                return Ok((seen, None));
            }
            let (vote, trained) = recompute(engine, &claim, &*source)?;
            Ok((vote, trained.filter(|_| vote == Vote::Accept)))
        });
        let checked = checked.await;
        drop(lock(&blobs.permit).take());
        let (vote, trained) = checked?;
        if let Some(trained) = trained {
            self.keep(trained, blobs.tag).await;
        }
        match vote {
            Vote::Unavailable(what) if !*last_chance.borrow() => {
                let detail = lock(&blobs.last_error).take().unwrap_or_default();
                Err(TaskError::Missing { what, detail })
            }
            vote => Ok(vote),
        }
    }

    /// Keeps the blobs of a task that was done again, so that everyone can fold it even if its proposer is gone. The states
    /// are not kept: whoever would need them follows the same rule and does the task again.
    async fn keep(&self, trained: Trained, tag: Tag) {
        let stored = self.depot.blocking(move |depot| {
            depot.put_blocking(&trained.update.encode(), tag)?;
            depot.put_blocking(&trained.trace(), tag)
        });
        if let Err(error) = stored.await {
            // The vote is right all the same.
            self.errors
                .add(format!("an accepted update can't be kept: {error}"));
        }
    }
}

/// Fetches what the verification asks for; it runs on a thread that may block.
struct Fetching {
    depot: Arc<Depot>,
    proposer: Vec<PeerId>,
    providers: Vec<PeerId>,
    data: Vec<BlobRef>,
    tag: Tag,
    state_size: u64,
    stage: StageCell,
    last_chance: watch::Receiver<bool>,
    runtime: Handle,
    last_error: Mutex<Option<String>>,
    /// When the proposer's blobs are given up.
    deadline: Option<Instant>,
    verifications: Arc<Semaphore>,
    /// Given back while waiting for others, so that nobody's silence holds up other verifications.
    permit: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Blobs for Fetching {
    fn get(&self, blob: BlobRef) -> Result<Vec<u8>, Unavailable> {
        if let Ok(Some(bytes)) = self.depot.local_blocking(blob) {
            return Ok(bytes);
        }
        let before = self.stage.get();
        let what = match blob {
            _ if self.data.contains(&blob) => "a part of the data set",
            _ if blob.size == self.state_size => "a state",
            _ => "an update or its trace",
        };
        self.stage.set(Stage::Fetching, what);
        drop(lock(&self.permit).take());
        let (fetched, permit) = self.runtime.block_on(async {
            let fetched = tokio::select! {
                fetched = self.fetch(blob) => fetched.map_err(|error| error.to_string()),
                () = too_late(self.last_chance.clone()) => Err("the phase is about to end".to_owned()),
            };
            (fetched, self.verifications.clone().acquire_owned().await)
        });
        *lock(&self.permit) = permit.ok();
        self.stage.set(before.stage, before.task);
        fetched.map_err(|error| {
            *lock(&self.last_error) = Some(error);
            Unavailable
        })
    }
}

impl Fetching {
    async fn fetch(&self, blob: BlobRef) -> Result<Vec<u8>, DepotError> {
        if self.data.contains(&blob) {
            // Nothing can be checked without; the last chance ends this.
            return self.depot.get(blob, self.providers.clone(), None).await;
        }
        let kind = match blob.size == self.state_size {
            true => Kind::State,
            false => Kind::Update,
        };
        let tag = Some(Tag { kind, ..self.tag });
        let (first, then) = (self.proposer.clone(), self.providers.clone());
        let fetched = self.depot.get_soon(blob, first, then, tag);
        match self.deadline {
            None => fetched.await,
            Some(deadline) => {
                tokio::time::timeout_at(deadline, fetched)
                    .await
                    .unwrap_or(Err(DepotError::TooSlow {
                        hash: blob.hash,
                        waited: patience(blob.size),
                    }))
            }
        }
    }
}

async fn too_late(mut last_chance: watch::Receiver<bool>) {
    if last_chance.wait_for(|last| *last).await.is_err() {
        // The task was stopped: nobody waits for the fetch.
        return;
    }
    tokio::time::sleep(LAST_CHANCE).await;
}
