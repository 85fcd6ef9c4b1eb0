//! Decides which tasks run: the wanted ones, in the order of their rank, each once.
//!
//! A task is wanted while one of its account's last two sheets asks for it: two, because sheets of two forks or of two
//! blocks may arrive out of order. A task that failed is tried again with the next sheet, so the chain is the clock and
//! nothing here needs timers. Pure bookkeeping: it says what to start and stop, and must never do either.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use hydra_primitives::{
    AccountBytes, H256, ModelId,
    duty::{DutySheet, ModelDuties},
    proposal::{Proposal, Score},
};
use hydra_trainer_api::Waiting;

use crate::{
    journal::SaltedVote,
    plan::{Task, TaskKey, plan},
};

/// The most accounts that one trainer works for; the one not heard of for longest makes room.
const MAX_ACCOUNTS: usize = 8;

/// What came of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// These weights are held.
    Held(H256),
    /// The version, measured.
    Measured {
        /// BLAKE3 of its file.
        weights: H256,
        /// It on the validation set.
        score: Score,
    },
    /// The claim; its blobs are in the store.
    Trained(Proposal),
    /// The vote; it is on disk.
    Voted(SaltedVote),
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
    /// Tell a run that its phase is about to end.
    LastChance {
        /// Which.
        run: u64,
    },
}

#[derive(Debug)]
enum Slot {
    Running(u64),
    /// Try again with the next sheet, unless it would fail in the same way.
    Failed {
        for_good: bool,
    },
    Done(Outcome),
}

#[derive(Debug)]
struct Seat {
    sheet: Arc<DutySheet>,
    tasks: Vec<Task>,
    /// What the sheet before asked for.
    before: HashSet<TaskKey>,
    /// When it arrived, in sheets.
    arrived: u64,
}

/// The tasks of all accounts.
#[derive(Debug, Default)]
pub struct Board {
    genesis: Option<H256>,
    seats: BTreeMap<AccountBytes, Seat>,
    slots: HashMap<TaskKey, Slot>,
    next_run: u64,
    sheets: u64,
    engine_ready: bool,
    /// Nothing more can be stored.
    full: bool,
}

impl Board {
    /// Takes a new sheet: it replaces the account's last one.
    pub fn read(&mut self, sheet: Arc<DutySheet>) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.genesis != Some(sheet.genesis) {
            // Another chain: nothing of what was done means anything there.
            self.seats.clear();
            commands.extend(self.stop(|_| true));
            self.slots.clear();
            self.genesis = Some(sheet.genesis);
        }
        self.sheets = self.sheets.saturating_add(1);
        let tasks = plan(&sheet);
        let before = self.seats.remove(&sheet.account).map(|seat| seat.tasks);
        let before = before.into_iter().flatten().map(|task| task.key).collect();
        self.drop_what_changed(&sheet);
        for task in &tasks {
            match self.slots.get(&task.key) {
                Some(Slot::Failed { for_good: false }) => {
                    self.slots.remove(&task.key);
                }
                Some(Slot::Running(run)) if task.last_chance => {
                    commands.push(Command::LastChance { run: *run });
                }
                _ => {}
            }
        }
        let seat = Seat {
            sheet: sheet.clone(),
            tasks,
            before,
            arrived: self.sheets,
        };
        self.seats.insert(sheet.account, seat);
        self.make_room();
        let wanted = self.wanted();
        commands.extend(self.stop(|key| !wanted.contains(key)));
        self.slots.retain(|key, slot| match slot {
            Slot::Done(_) => !sheet
                .models
                .iter()
                .any(|m| m.model == key.model() && key.is_over(m)),
            Slot::Failed { .. } => wanted.contains(key),
            Slot::Running(_) => true,
        });
        commands.extend(self.start());
        commands
    }

    /// A run has ended. `Err(true)`: it would fail again in the same way. Results of runs that were stopped are ignored.
    pub fn finished(&mut self, run: u64, key: TaskKey, result: Result<Outcome, bool>) -> Vec<Command> {
        if !matches!(self.slots.get(&key), Some(Slot::Running(current)) if *current == run) {
            return Vec::new();
        }
        let slot = match result {
            Ok(outcome) => Slot::Done(outcome),
            Err(for_good) => Slot::Failed { for_good },
        };
        self.slots.insert(key, slot);
        self.start()
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
    pub fn outcome(&self, key: &TaskKey) -> Option<&Outcome> {
        match self.slots.get(key) {
            Some(Slot::Done(outcome)) => Some(outcome),
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

    /// A model as the newest sheet that knows it describes it.
    pub fn model(&self, model: ModelId) -> Option<&ModelDuties> {
        let seats = self
            .seats
            .values()
            .filter_map(|seat| Some((seat.arrived, seat.sheet.models.iter().find(|m| m.model == model)?)));
        seats
            .max_by_key(|(arrived, _)| *arrived)
            .map(|(_, duties)| duties)
    }

    /// What the newest sheets ask for of a model, and is not done yet.
    pub fn waiting(&self, model: ModelId) -> Waiting {
        let asked = self.seats.values().flat_map(|seat| &seat.tasks);
        let open: HashSet<TaskKey> = asked
            .map(|task| task.key)
            .filter(|key| key.model() == model && self.outcome(key).is_none())
            .collect();
        let mut waiting = Waiting::default();
        for key in open {
            let count = match key {
                TaskKey::Hold { .. } => continue,
                TaskKey::Attest { .. } => &mut waiting.measure,
                TaskKey::Train { .. } => &mut waiting.train,
                TaskKey::Verify { .. } => &mut waiting.verify,
            };
            *count = count.saturating_add(1);
        }
        waiting
    }

    /// The task of a running run.
    pub fn is_running(&self, run: u64) -> bool {
        self.slots
            .values()
            .any(|slot| matches!(slot, Slot::Running(current) if *current == run))
    }

    /// The network may have confirmed other weights than those that a result was made with; then it is made anew.
    fn drop_what_changed(&mut self, sheet: &DutySheet) {
        for duties in &sheet.models {
            let Some(confirmed) = duties.version.weights else {
                continue;
            };
            let recipe = duties.version.id();
            self.slots.retain(|key, slot| match (key, slot) {
                (TaskKey::Attest { recipe: of, .. }, Slot::Done(Outcome::Measured { weights, .. })) => {
                    *of != recipe || *weights == confirmed
                }
                (TaskKey::Train { recipe: of, .. }, Slot::Done(Outcome::Trained(proposal))) => {
                    *of != recipe || proposal.base == confirmed
                }
                _ => true,
            });
        }
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
            .flat_map(|seat| seat.tasks.iter().map(|task| task.key));
        let before = self.seats.values().flat_map(|seat| seat.before.iter().copied());
        now.chain(before).collect()
    }

    fn stop(&mut self, unwanted: impl Fn(&TaskKey) -> bool) -> Vec<Command> {
        let mut commands = Vec::new();
        self.slots.retain(|key, slot| match slot {
            Slot::Running(run) if unwanted(key) => {
                commands.push(Command::Stop { run: *run });
                false
            }
            _ => true,
        });
        commands
    }

    /// Starts what may start: nothing of a model while something of a lower rank runs. What failed holds nothing up. What is
    /// over is the last wish of an account for which no sheets come any more.
    fn start(&mut self) -> Vec<Command> {
        if self.full {
            return Vec::new();
        }
        let is_over = |task: &Task| {
            let model = self.model(task.key.model());
            model.is_some_and(|now| task.key.is_over(now))
        };
        let all = self.seats.values().flat_map(|seat| seat.tasks.iter());
        let mut tasks: Vec<Task> = all.filter(|task| !is_over(task)).cloned().collect();
        tasks.sort_by_key(|task| task.key.rank());
        let mut lowest: HashMap<ModelId, u8> = HashMap::new();
        for (key, slot) in &self.slots {
            if matches!(slot, Slot::Running(_)) {
                let rank = lowest.entry(key.model()).or_insert(u8::MAX);
                *rank = key.rank().min(*rank);
            }
        }
        let mut commands = Vec::new();
        for task in tasks {
            let allowed = self.engine_ready || !task.key.needs_engine();
            let rank = lowest.entry(task.key.model()).or_insert(u8::MAX);
            if self.slots.contains_key(&task.key) || !allowed || *rank < task.key.rank() {
                continue;
            }
            *rank = task.key.rank();
            let run = self.next_run;
            self.next_run = self.next_run.saturating_add(1);
            self.slots.insert(task.key, Slot::Running(run));
            commands.push(Command::Start { run, task });
        }
        commands
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
