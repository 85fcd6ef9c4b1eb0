//! From a duty sheet to tasks.
//!
//! Pure: the same sheet gives the same tasks with the same names, so that a task survives from sheet to sheet, across
//! reorganisations and out of order. Must never depend on what was asked before.

use std::sync::Arc;

use hydra_primitives::{
    AccountBytes, H256, ModelId, RoundNumber, Version,
    duty::{Duty, DutySheet, ModelDuties, VerifyDuty},
};

use crate::{journal::VoteKey, votes::vote_key};

/// A task's name. Equal names, equal results.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TaskKey {
    /// Have the newest version's weights.
    Hold {
        /// The model.
        model: ModelId,
        /// Its newest version.
        version: Version,
        /// [`hydra_primitives::duty::recipe_id`].
        recipe: H256,
        /// The confirmed weights, if they are.
        confirmed: Option<H256>,
    },
    /// Measure the newest version.
    Attest {
        /// The model.
        model: ModelId,
        /// The version.
        version: Version,
        /// [`hydra_primitives::duty::recipe_id`].
        recipe: H256,
    },
    /// Train on a shard.
    Train {
        /// The model.
        model: ModelId,
        /// The round.
        round: RoundNumber,
        /// [`hydra_primitives::duty::recipe_id`] of the version to start from.
        recipe: H256,
        /// The shard.
        shard: u32,
        /// The seed of the order of samples.
        task_seed: H256,
    },
    /// Check a proposal.
    Verify {
        /// The model.
        model: ModelId,
        /// The round.
        round: RoundNumber,
        /// Whose vote on what.
        vote: VoteKey,
    },
}

impl TaskKey {
    /// The model it is for.
    pub fn model(&self) -> ModelId {
        match self {
            Self::Hold { model, .. }
            | Self::Attest { model, .. }
            | Self::Train { model, .. }
            | Self::Verify { model, .. } => *model,
        }
    }

    /// Tasks of a model are done in this order; equal ones side by side.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Hold { .. } => 0,
            Self::Attest { .. } => 1,
            Self::Train { .. } => 2,
            Self::Verify { .. } => 3,
        }
    }

    /// Whether no sheet can ask for it any more, a reorganisation of one round or version included.
    pub fn is_over(&self, now: &ModelDuties) -> bool {
        match self {
            Self::Hold { version, .. } | Self::Attest { version, .. } => {
                version.saturating_add(1) < now.version.version
            }
            Self::Train { round, .. } | Self::Verify { round, .. } => round.saturating_add(1) < now.round,
        }
    }

    /// Whether it needs LibTorch.
    pub fn needs_engine(&self) -> bool {
        !matches!(self, Self::Hold { .. })
    }
}

/// What a task is to do.
#[derive(Clone, Debug)]
pub enum Work {
    /// Have the newest version's weights.
    Hold,
    /// Measure the newest version.
    Attest,
    /// Train on a shard.
    Train {
        /// The shard.
        shard: u32,
        /// The seed of the order of samples.
        task_seed: H256,
    },
    /// Check a proposal.
    Verify {
        /// The proposal and what it must agree with.
        duty: Box<VerifyDuty>,
        /// Whose vote on what.
        vote: VoteKey,
    },
}

/// A task to be done.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub key: TaskKey,
    /// What to do.
    pub work: Work,
    /// The model with its newest version and who may have blobs.
    pub model: Arc<ModelDuties>,
    /// The chain.
    pub genesis: H256,
    /// The phase is about to end: what can't be had by now won't be in time.
    pub last_chance: bool,
}

/// Blocks left in a phase when a verifier stops waiting for blobs.
const LAST_CHANCE_BLOCKS: u32 = 2;

/// Everything that the sheet needs done, in order. Every model's weights are held, whether or not anything is owed.
pub fn plan(sheet: &DutySheet) -> Vec<Task> {
    sheet
        .models
        .iter()
        .flat_map(|model| plan_model(sheet, model))
        .collect()
}

fn plan_model(sheet: &DutySheet, duties: &ModelDuties) -> Vec<Task> {
    let model = Arc::new(duties.clone());
    let last_chance = duties.phase_ends_at.saturating_sub(sheet.block) <= LAST_CHANCE_BLOCKS;
    let task = |key: TaskKey, work| Task {
        key,
        work,
        model: model.clone(),
        genesis: sheet.genesis,
        last_chance,
    };
    let hold = task(hold_key(duties), Work::Hold);
    let owed = duties.duties.iter().filter_map(|duty| {
        let key = duty_key(sheet.genesis, sheet.account, duties, duty)?;
        let work = match (duty, key) {
            (Duty::Attest, _) => Work::Attest,
            (Duty::Train { shard, task_seed }, _) => Work::Train {
                shard: *shard,
                task_seed: *task_seed,
            },
            (Duty::Verify(duty), TaskKey::Verify { vote, .. }) => Work::Verify {
                duty: Box::new(duty.clone()),
                vote,
            },
            _ => return None,
        };
        Some(task(key, work))
    });
    let mut tasks: Vec<Task> = std::iter::once(hold).chain(owed).collect();
    tasks.sort_by_key(|task| task.key.rank());
    tasks
}

fn hold_key(duties: &ModelDuties) -> TaskKey {
    TaskKey::Hold {
        model: duties.model,
        version: duties.version.version,
        recipe: duties.version.id(),
        confirmed: duties.version.weights,
    }
}

/// The task behind a duty; `None` for a reveal, which needs no work.
pub fn duty_key(genesis: H256, account: AccountBytes, duties: &ModelDuties, duty: &Duty) -> Option<TaskKey> {
    let (model, round) = (duties.model, duties.round);
    let recipe = duties.version.id();
    match duty {
        Duty::Attest => Some(TaskKey::Attest {
            model,
            version: duties.version.version,
            recipe,
        }),
        Duty::Train { shard, task_seed } => Some(TaskKey::Train {
            model,
            round,
            recipe,
            shard: *shard,
            task_seed: *task_seed,
        }),
        Duty::Verify(duty) => Some(TaskKey::Verify {
            model,
            round,
            vote: vote_key(genesis, account, duty),
        }),
        Duty::Reveal { .. } => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hydra_primitives::{
        digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
        duty::{DUTY_PROTOCOL, Standing, VersionRecipe},
        status::Phase,
    };

    /// A sheet of the digits' model in round 3 with these duties.
    pub(crate) fn sheet(duties: Vec<Duty>) -> DutySheet {
        DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: H256::repeat_byte(7),
            block: 10,
            account: [1; 32],
            standing: Standing::Ready,
            models: vec![ModelDuties {
                model: 0,
                spec: digits_spec(),
                dataset: digits_manifest(),
                round: 3,
                phase: Phase::Train,
                phase_ends_at: 20,
                version: VersionRecipe {
                    version: 0,
                    base: DIGITS_INITIAL_WEIGHTS,
                    updates: vec![],
                    weights: Some(DIGITS_INITIAL_WEIGHTS),
                },
                providers: vec![],
                duties,
            }],
        }
    }

    pub(crate) fn train() -> Duty {
        Duty::Train {
            shard: 4,
            task_seed: H256::repeat_byte(5),
        }
    }

    #[test]
    fn weights_are_held_even_when_nothing_is_owed() {
        let tasks = plan(&sheet(vec![]));
        assert!(matches!(tasks.as_slice(), [Task { work: Work::Hold, .. }]));
    }

    #[test]
    fn attesting_comes_before_training() {
        let ranks: Vec<u8> = plan(&sheet(vec![train(), Duty::Attest]))
            .iter()
            .map(|t| t.key.rank())
            .collect();
        assert_eq!(ranks, [0, 1, 2]);
    }

    #[test]
    fn a_confirmation_changes_no_name_but_that_of_holding() {
        let mut before = sheet(vec![train()]);
        before.models[0].version.weights = None;
        let keys = |sheet: &DutySheet| plan(sheet).iter().map(|t| t.key).collect::<Vec<_>>();
        let (before, after) = (keys(&before), keys(&sheet(vec![train()])));
        assert_ne!(before[0], after[0]);
        assert_eq!(before[1], after[1]);
    }

    #[test]
    fn the_last_two_blocks_of_a_phase_are_the_last_chance() {
        let at = |block| {
            let mut sheet = sheet(vec![]);
            sheet.block = block;
            plan(&sheet)[0].last_chance
        };
        assert_eq!([at(17), at(18), at(25)], [false, true, true]);
    }
}
