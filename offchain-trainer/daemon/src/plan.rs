//! From a duty sheet to tasks.
//!
//! Pure: the same sheet gives the same tasks with the same names, so that a task survives from sheet to sheet, across
//! reorganisations and out of order. Must never depend on what was asked before.

use std::sync::Arc;

use hydra_primitives::{
    AccountBytes, BlockNumber, H256, ModelId, RoundNumber, Version,
    duty::{Asks, Duty, DutySheet, ModelDuties, Task as Training},
    poll::PollId,
    task::PlaceIndex,
};

use crate::models::Model;

/// A task's name. Equal names, equal results, but for what a place is trained from: see [`Base`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TaskKey {
    /// Have the confirmed version's weights.
    Hold {
        /// The model.
        model: ModelId,
        /// Its confirmed version.
        version: Version,
        /// The weights.
        weights: H256,
    },
    /// Train the task of a place.
    Train {
        /// The model.
        model: ModelId,
        /// The round.
        round: RoundNumber,
        /// The place.
        place: PlaceIndex,
        /// The seed of the order of samples: on another branch of the chain the place has another one.
        task_seed: H256,
    },
    /// Find what a poll asks. Whose digest it is for makes no difference.
    Find {
        /// The model.
        model: ModelId,
        /// The poll.
        poll: PollId,
    },
}

impl TaskKey {
    /// The model it is for.
    pub fn model(&self) -> ModelId {
        match self {
            Self::Hold { model, .. } | Self::Train { model, .. } | Self::Find { model, .. } => *model,
        }
    }

    /// Which of a model's tasks is shown to people: the one with the highest rank.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Hold { .. } => 0,
            Self::Find { .. } => 1,
            Self::Train { .. } => 2,
        }
    }

    /// Whether no sheet can ask for it any more, a reorganisation of one round or version included. What a poll asks has a
    /// deadline instead: [`Task::until`]. Training has none: a sheet asks for it for as long as the chain takes it.
    pub fn is_over(&self, now: &ModelDuties) -> bool {
        match self {
            Self::Hold { version, .. } => version.saturating_add(1) < now.confirmed.version,
            Self::Train { round, .. } => round.saturating_add(1) < now.round,
            Self::Find { .. } => false,
        }
    }

    /// Whether it needs LibTorch.
    pub fn needs_engine(&self) -> bool {
        !matches!(self, Self::Hold { .. })
    }
}

/// What a place is trained from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// These weights.
    Confirmed(H256),
    /// What the recipe with this [`hydra_primitives::duty::recipe_id`] is folded to.
    Newest(H256),
}

impl Base {
    /// Of a place's task; `None` if the sheet doesn't say.
    pub fn of(duties: &ModelDuties, task: &Training) -> Option<Self> {
        match task.base {
            Some(weights) => Some(Self::Confirmed(weights)),
            None => duties.newest.as_ref().map(|recipe| Self::Newest(recipe.id())),
        }
    }

    /// Whether training that began from this base may give what is asked for now: a version that was confirmed meanwhile may
    /// be what its recipe was folded to.
    pub fn may_be(self, now: Self) -> bool {
        match (self, now) {
            (Self::Confirmed(began), Self::Confirmed(now)) | (Self::Newest(began), Self::Newest(now)) => {
                began == now
            }
            _ => true,
        }
    }

    /// Whether training that began from this base, which had these weights, is what is asked for now.
    pub fn is(self, weights: H256, now: Self) -> bool {
        match now {
            Self::Confirmed(now) => weights == now,
            Self::Newest(_) => self.may_be(now),
        }
    }
}

/// What a task is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Have the confirmed version's weights.
    Hold,
    /// Train.
    Train {
        /// The place.
        place: PlaceIndex,
        /// What it takes.
        task: Training,
        /// What `task` starts from.
        base: Base,
    },
    /// Do somebody's task again.
    Verify {
        /// The poll.
        poll: PollId,
        /// What it takes.
        task: Training,
        /// What is claimed, where the sheet says it.
        claim: Option<H256>,
    },
    /// Fold and measure the newest version.
    Measure {
        /// The poll.
        poll: PollId,
    },
}

/// A task to be done.
#[derive(Clone, Debug)]
pub struct Task {
    /// Its name.
    pub key: TaskKey,
    /// What to do.
    pub work: Work,
    /// The model.
    pub model: Arc<Model>,
    /// The chain.
    pub genesis: H256,
    /// Who owes it.
    pub account: AccountBytes,
    /// From this block on nobody takes the result; the largest number where only the sheet knows.
    pub until: BlockNumber,
}

impl Task {
    /// The block by which its result is wanted: a late training is still taken, but others wait for it.
    pub fn soonest(&self) -> BlockNumber {
        match self.work {
            Work::Train { .. } => self.model.duties.phase_ends_at,
            Work::Hold | Work::Verify { .. } | Work::Measure { .. } => self.until,
        }
    }
}

/// Everything that the sheet needs done of these models, in order. Every model's weights are held, whether or not anything is
/// owed.
pub fn plan(sheet: &DutySheet, models: &[Arc<Model>]) -> Vec<Task> {
    models.iter().flat_map(|model| plan_model(sheet, model)).collect()
}

fn plan_model(sheet: &DutySheet, model: &Arc<Model>) -> Vec<Task> {
    let task = |key, work, until| Task {
        key,
        work,
        model: model.clone(),
        genesis: sheet.genesis,
        account: sheet.account,
        until,
    };
    let hold = task(hold_key(&model.duties), Work::Hold, BlockNumber::MAX);
    let owed = model.duties.duties.iter().filter_map(|duty| {
        let (work, until) = work(&model.duties, duty)?;
        Some(task(duty_key(&model.duties, duty), work, until))
    });
    std::iter::once(hold).chain(owed).collect()
}

/// The task of having a model's confirmed weights.
pub fn hold_key(duties: &ModelDuties) -> TaskKey {
    TaskKey::Hold {
        model: duties.model,
        version: duties.confirmed.version,
        weights: duties.confirmed.weights,
    }
}

/// The task behind a duty.
pub fn duty_key(duties: &ModelDuties, duty: &Duty) -> TaskKey {
    let model = duties.model;
    match duty {
        Duty::Train { place, task } => TaskKey::Train {
            model,
            round: duties.round,
            place: *place,
            task_seed: task.task_seed,
        },
        Duty::Verify { poll, .. } | Duty::Attest { poll, .. } | Duty::Open { poll, .. } => {
            TaskKey::Find { model, poll: *poll }
        }
    }
}

/// What a duty asks for, and until when. `None` if the sheet doesn't say what to start from.
fn work(duties: &ModelDuties, duty: &Duty) -> Option<(Work, BlockNumber)> {
    let verify = |poll: &PollId, task: &Training, claim| Work::Verify {
        poll: *poll,
        task: task.clone(),
        claim,
    };
    Some(match duty {
        Duty::Train { place, task } => {
            let work = Work::Train {
                place: *place,
                task: task.clone(),
                base: Base::of(duties, task)?,
            };
            // The chain takes late ones, too, until it closes the round; then no sheet asks any more.
            (work, BlockNumber::MAX)
        }
        Duty::Verify {
            poll,
            task,
            claim,
            closes_at,
        } => (verify(poll, task, Some(*claim)), *closes_at),
        Duty::Attest { poll, closes_at } => (Work::Measure { poll: *poll }, *closes_at),
        Duty::Open {
            poll,
            asks,
            opens_until,
            ..
        } => {
            let work = match asks {
                Asks::Task(task) => verify(poll, task, None),
                Asks::Version => Work::Measure { poll: *poll },
            };
            (work, *opens_until)
        }
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use hydra_primitives::{
        digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
        duty::{ConfirmedWeights, DUTY_PROTOCOL, ModelDescription, Standing, VersionRecipe},
        poll::Draw,
        status::Phase,
    };

    pub(crate) fn description() -> ModelDescription {
        ModelDescription {
            model: 0,
            spec: digits_spec(),
            dataset: digits_manifest(),
        }
    }

    /// A sheet of the digits' model in round 3 with these duties.
    pub(crate) fn sheet(duties: Vec<Duty>) -> DutySheet {
        DutySheet {
            protocol: DUTY_PROTOCOL,
            genesis: H256::repeat_byte(7),
            block: 10,
            account: [1; 32],
            standing: Standing::Ready,
            heartbeat: None,
            models: vec![ModelDuties {
                model: 0,
                description: description().id(),
                round: 3,
                phase: Phase::Train,
                phase_ends_at: 20,
                confirmed: ConfirmedWeights {
                    version: 0,
                    weights: DIGITS_INITIAL_WEIGHTS,
                    providers: vec![],
                },
                newest: None,
                duties,
            }],
            described: vec![],
        }
    }

    /// The sheet's models, all of them the digits'.
    pub(crate) fn models(sheet: &DutySheet) -> Vec<Arc<Model>> {
        let description = Arc::new(description());
        let models = sheet.models.iter().cloned();
        models
            .map(|duties| Arc::new(Model::new(duties, description.clone())))
            .collect()
    }

    pub(crate) fn training(base: Option<H256>) -> Training {
        Training {
            base,
            shard: 4,
            task_seed: H256::repeat_byte(5),
        }
    }

    pub(crate) fn train() -> Duty {
        Duty::Train {
            place: 2,
            task: training(Some(DIGITS_INITIAL_WEIGHTS)),
        }
    }

    /// The poll with this number on somebody's task.
    pub(crate) fn verify(poll: u8, closes_at: BlockNumber) -> Duty {
        Duty::Verify {
            poll: H256::repeat_byte(poll),
            task: training(Some(DIGITS_INITIAL_WEIGHTS)),
            claim: H256::zero(),
            closes_at,
        }
    }

    pub(crate) fn recipe(version: Version) -> VersionRecipe {
        VersionRecipe {
            version,
            base: DIGITS_INITIAL_WEIGHTS,
            updates: vec![],
        }
    }

    fn tasks(sheet: &DutySheet) -> Vec<Task> {
        plan(sheet, &models(sheet))
    }

    #[test]
    fn weights_are_held_even_when_nothing_is_owed() {
        let tasks = tasks(&sheet(vec![]));
        assert!(matches!(tasks.as_slice(), [Task { work: Work::Hold, .. }]));
    }

    #[test]
    fn models_that_are_not_known_have_no_tasks() {
        assert!(plan(&sheet(vec![train()]), &[]).is_empty());
    }

    #[test]
    fn a_confirmation_changes_no_name_but_that_of_holding() {
        let mut before = sheet(vec![train()]);
        before.models[0].newest = Some(recipe(1));
        let Duty::Train { task, .. } = &mut before.models[0].duties[0] else {
            panic!("training")
        };
        task.base = None;
        let mut after = sheet(vec![train()]);
        after.models[0].confirmed.version = 1;
        let keys = |sheet: &DutySheet| tasks(sheet).iter().map(|t| t.key).collect::<Vec<_>>();
        let (before, after) = (keys(&before), keys(&after));
        assert_ne!(before[0], after[0]);
        assert_eq!(before[1], after[1]);
    }

    #[test]
    fn training_goes_on_after_the_phase_s_time_while_a_sheet_asks_for_it() {
        let mut late = sheet(vec![train()]);
        late.block = 25;
        assert!(late.models[0].phase_ends_at < late.block);
        let training = &tasks(&late)[1];
        assert_eq!(training.until, BlockNumber::MAX);
        // But others wait for it from then on.
        assert_eq!(training.soonest(), late.models[0].phase_ends_at);
    }

    #[test]
    fn an_opening_is_the_task_of_its_digest_with_another_deadline() {
        let poll = H256::repeat_byte(9);
        let open = Duty::Open {
            poll,
            draw: Draw::First,
            asks: Asks::Task(training(None)),
            opens_until: 30,
        };
        let both = tasks(&sheet(vec![verify(9, 15), open]));
        let [_, verify, open] = &both[..] else {
            panic!("three tasks")
        };
        assert_eq!(verify.key, open.key);
        assert_eq!((verify.until, open.until), (15, 30));
        assert_eq!((verify.soonest(), open.soonest()), (15, 30));
        let attest = Duty::Attest { poll, closes_at: 16 };
        assert_eq!(tasks(&sheet(vec![attest]))[1].work, Work::Measure { poll });
    }

    #[test]
    fn training_stays_what_it_was_only_while_it_starts_from_the_same() {
        let [one, two] = [1, 2].map(H256::repeat_byte);
        let (confirmed, newest) = (Base::Confirmed(one), Base::Newest(one));
        assert!(newest.may_be(Base::Confirmed(two)) && confirmed.may_be(newest));
        assert!(!confirmed.may_be(Base::Confirmed(two)) && !newest.may_be(Base::Newest(two)));
        assert!(newest.is(two, Base::Confirmed(two)) && !newest.is(two, Base::Confirmed(one)));
        assert!(newest.is(two, newest) && !newest.is(two, Base::Newest(two)));
    }
}
