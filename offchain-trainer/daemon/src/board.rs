//! Decides which tasks run: the wanted ones, each once, in the order in which they are owed.
//!
//! A task is wanted while one of its account's last two sheets asks for it: two, because sheets of two forks or of two
//! blocks may arrive out of order (but which version is held, only the last one says); and no longer than its deadline. A
//! task that failed is tried again with the next sheet, so the chain is the clock and nothing here needs timers. Pure
//! bookkeeping: it says what to start and stop, and must never do either.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use hydra_primitives::{AccountBytes, BlockNumber, H256, ModelId, duty::DutySheet, proposal::Claim};
use hydra_trainer_api::Waiting;

use crate::{
    models::Model,
    plan::{Base, Task, TaskKey, Work, plan},
};

/// The most accounts that one trainer works for; the one not heard of for longest makes room.
const MAX_ACCOUNTS: usize = 8;

/// What came of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The weights are held.
    Held,
    /// The claim; its update is in the store.
    Trained(Claim),
    /// What the poll asks is in the journal.
    Found,
}

/// What is to be done because of what the board was told.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "a few commands per block, each moved once"
)]
pub enum Command {
    /// Start a task.
    Start {
        /// Names this run; to be given back in [`Board::finished`].
        run: u64,
        /// What to do.
        task: Task,
    },
    /// Stop a run: its result is of no use.
    Stop {
        /// Which.
        run: u64,
    },
}

#[derive(Debug)]
enum State {
    Running(u64),
    /// Try again with the next sheet, unless it would fail in the same way.
    Failed {
        for_good: bool,
    },
    Done(Outcome),
}

#[derive(Debug)]
struct Slot {
    state: State,
    /// What it trains from, if it trains.
    base: Option<Base>,
}

#[derive(Debug)]
struct Seat {
    sheet: Arc<DutySheet>,
    models: Vec<Arc<Model>>,
    tasks: Vec<Task>,
    /// What the sheet before asked for, and until when.
    before: HashMap<TaskKey, BlockNumber>,
    /// When it arrived, in sheets.
    arrived: u64,
}

/// The tasks of all accounts.
#[derive(Debug, Default)]
pub struct Board {
    genesis: Option<H256>,
    /// Of the sheet that arrived last.
    block: BlockNumber,
    seats: BTreeMap<AccountBytes, Seat>,
    slots: HashMap<TaskKey, Slot>,
    next_run: u64,
    sheets: u64,
    engine_ready: bool,
    /// Nothing more can be stored.
    full: bool,
}

impl Board {
    /// Takes a new sheet, with its models as far as they are known: it replaces the account's last one.
    pub fn read(&mut self, sheet: Arc<DutySheet>, models: Vec<Arc<Model>>) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.genesis != Some(sheet.genesis) {
            // Another chain: nothing of what was done means anything there.
            self.seats.clear();
            commands.extend(self.stop(|_| true));
            self.slots.clear();
            self.genesis = Some(sheet.genesis);
        }
        self.sheets = self.sheets.saturating_add(1);
        self.block = sheet.block;
        let tasks = plan(&sheet, &models);
        let before = self.seats.remove(&sheet.account).map(|seat| seat.tasks);
        // Not what was to be held: an older version that comes late would take the place of the newest.
        let before = before
            .into_iter()
            .flatten()
            .filter(|task| task.work != Work::Hold)
            .map(|task| (task.key, task.until))
            .collect();
        for task in &tasks {
            commands.extend(self.renew(task));
        }
        let seat = Seat {
            sheet: sheet.clone(),
            models,
            tasks,
            before,
            arrived: self.sheets,
        };
        self.seats.insert(sheet.account, seat);
        self.make_room();
        let wanted = self.wanted();
        commands.extend(self.stop(|key| !wanted.contains(key)));
        self.slots.retain(|key, slot| match slot.state {
            State::Running(_) => true,
            // A reorganisation may ask for it again. What a poll asks is in the journal, and weights are in the store.
            State::Done(Outcome::Trained(_)) => {
                let now = sheet.models.iter().find(|duties| duties.model == key.model());
                now.is_none_or(|now| !key.is_over(now))
            }
            State::Done(_) | State::Failed { .. } => wanted.contains(key),
        });
        commands.extend(self.start());
        commands
    }

    /// A run has ended. `Err(true)`: it would fail again in the same way. Results of runs that were stopped are ignored.
    pub fn finished(&mut self, run: u64, key: TaskKey, result: Result<Outcome, bool>) {
        if let Some(slot) = self.slots.get_mut(&key)
            && matches!(slot.state, State::Running(current) if current == run)
        {
            slot.state = match result {
                Ok(outcome) => State::Done(outcome),
                Err(for_good) => State::Failed { for_good },
            };
        }
    }

    /// The engine passed its test: what needs LibTorch may start.
    pub fn engine_is_ready(&mut self) -> Vec<Command> {
        self.engine_ready = true;
        self.start()
    }

    /// Whether the disk has room for what tasks store. Without, what runs goes on, and nothing is started; what is done
    /// is answered as ever.
    pub fn set_room(&mut self, has_room: bool) {
        self.full = !has_room;
    }

    /// What came of a task.
    pub fn outcome(&self, key: &TaskKey) -> Option<Outcome> {
        match self.slots.get(key)?.state {
            State::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether a task was tried, and failed.
    pub fn has_failed(&self, key: &TaskKey) -> bool {
        let slot = self.slots.get(key);
        slot.is_some_and(|slot| matches!(slot.state, State::Failed { .. }))
    }

    /// The runs of what the account's newest sheet asks for, weights to be held aside.
    pub fn runs_for(&self, account: &AccountBytes) -> impl Iterator<Item = u64> {
        let tasks = self.seats.get(account).into_iter().flat_map(|seat| &seat.tasks);
        tasks
            .filter(|task| task.work != Work::Hold)
            .filter_map(|task| self.slots.get(&task.key))
            .filter_map(|slot| match slot.state {
                State::Running(run) => Some(run),
                _ => None,
            })
    }

    /// What was trained for a place, if that was from this base.
    pub fn claim(&self, key: &TaskKey, base: Base) -> Option<Claim> {
        let slot = self.slots.get(key)?;
        match slot.state {
            State::Done(Outcome::Trained(claim)) => slot
                .base
                .is_some_and(|began| began.is(claim.base, base))
                .then_some(claim),
            _ => None,
        }
    }

    /// The newest sheet of any account.
    pub fn newest_sheet(&self) -> Option<&Arc<DutySheet>> {
        self.seats
            .values()
            .max_by_key(|seat| seat.arrived)
            .map(|seat| &seat.sheet)
    }

    /// A model as the newest sheet that knows it has it.
    pub fn model(&self, model: ModelId) -> Option<&Arc<Model>> {
        let named = |seat: &&Seat| seat.models.iter().any(|m| m.duties.model == model);
        let seat = self
            .seats
            .values()
            .filter(named)
            .max_by_key(|seat| seat.arrived)?;
        seat.models.iter().find(|m| m.duties.model == model)
    }

    /// What the newest sheets ask for of a model, and is not done yet.
    pub fn waiting(&self, model: ModelId) -> Waiting {
        let (mut waiting, mut seen) = (Waiting::default(), HashSet::new());
        for task in self.seats.values().flat_map(|seat| &seat.tasks) {
            let count = match task.work {
                Work::Hold => continue,
                Work::Train { .. } => &mut waiting.train,
                Work::Verify { .. } => &mut waiting.verify,
                Work::Measure { .. } => &mut waiting.measure,
            };
            let open = task.key.model() == model && self.is_in_time(task.until);
            if open && self.outcome(&task.key).is_none() && seen.insert(task.key) {
                *count = count.saturating_add(1);
            }
        }
        waiting
    }

    fn is_in_time(&self, until: BlockNumber) -> bool {
        self.block < until
    }

    /// A sheet asks for this task: what failed may be tried again, and what was trained from something else is made anew.
    fn renew(&mut self, task: &Task) -> Option<Command> {
        let slot = self.slots.get(&task.key)?;
        let now = match task.work {
            Work::Train { base, .. } => Some(base),
            _ => None,
        };
        let began = slot.base.zip(now);
        let is_other = began.is_some_and(|(began, now)| !began.may_be(now));
        let (stale, command) = match slot.state {
            // What diverged from one base needn't from another.
            State::Failed { for_good } => (!for_good || is_other, None),
            State::Running(run) => (is_other, is_other.then_some(Command::Stop { run })),
            State::Done(Outcome::Trained(claim)) => {
                (began.is_some_and(|(began, now)| !began.is(claim.base, now)), None)
            }
            State::Done(_) => (false, None),
        };
        if stale {
            self.slots.remove(&task.key);
        }
        command
    }

    fn make_room(&mut self) {
        while self.seats.len() > MAX_ACCOUNTS {
            let Some(oldest) = self
                .seats
                .iter()
                .min_by_key(|(_, seat)| seat.arrived)
                .map(|(who, _)| *who)
            else {
                return;
            };
            self.seats.remove(&oldest);
        }
    }

    fn wanted(&self) -> HashSet<TaskKey> {
        let now = self
            .seats
            .values()
            .flat_map(|seat| seat.tasks.iter().map(|task| (task.key, task.until)));
        let before = self
            .seats
            .values()
            .flat_map(|seat| seat.before.iter().map(|(key, until)| (*key, *until)));
        now.chain(before)
            .filter(|(_, until)| self.is_in_time(*until))
            .map(|(key, _)| key)
            .collect()
    }

    fn stop(&mut self, unwanted: impl Fn(&TaskKey) -> bool) -> Vec<Command> {
        let mut commands = Vec::new();
        self.slots.retain(|key, slot| match slot.state {
            State::Running(run) if unwanted(key) => {
                commands.push(Command::Stop { run });
                false
            }
            _ => true,
        });
        commands
    }

    /// Starts what may start. What is over is the last wish of an account for which no sheets come any more.
    fn start(&mut self) -> Vec<Command> {
        if self.full {
            return Vec::new();
        }
        let may_start = |task: &&Task| {
            let model = self.model(task.key.model());
            let over = model.is_some_and(|now| task.key.is_over(&now.duties));
            let allowed = self.engine_ready || !task.key.needs_engine();
            allowed && !over && self.is_in_time(task.until) && !self.slots.contains_key(&task.key)
        };
        let all = self.seats.values().flat_map(|seat| &seat.tasks);
        let tasks: Vec<Task> = all.filter(may_start).cloned().collect();
        let mut commands = Vec::new();
        for task in tasks {
            // Two accounts, or a digest and an opening, may ask for the same.
            if self.slots.contains_key(&task.key) {
                continue;
            }
            let run = self.next_run;
            self.next_run = self.next_run.saturating_add(1);
            let base = match task.work {
                Work::Train { base, .. } => Some(base),
                _ => None,
            };
            let slot = Slot {
                state: State::Running(run),
                base,
            };
            self.slots.insert(task.key, slot);
            commands.push(Command::Start { run, task });
        }
        commands
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
