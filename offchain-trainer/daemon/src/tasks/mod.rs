//! Does what the board says: starts tasks, stops them, and answers sheets with what came of them.
//!
//! Must never answer anything that the sheet doesn't ask for, nor anything that was computed here before the engine passed
//! its test.

mod error;
mod losses;
mod measure;
mod train;
mod verify;

pub use error::TaskError;
pub use verify::{WHOLE_TASK_PARTICIPANTS, WHOLE_TASK_WORK};

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use hydra_primitives::{
    H256, ModelId,
    duty::{Duty, DutyResult, DutySheet, ModelDuties, VerifyDuty},
};
use hydra_trainer_api::Waiting;
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::{AbortHandle, JoinError},
};

use crate::{
    board::{Board, Command, Outcome},
    changes::Changes,
    depot::Depot,
    error_log::ErrorLog,
    import::Imported,
    journal::{Journal, SaltedVote},
    lock,
    plan::{Task, TaskKey, Work, duty_key},
    space::Space,
    stage::{Doing, Stage, StageCell},
    tasks::losses::Losses,
    torch::{EngineState, MOST_WORKERS, Torch, TorchError},
    votes::{Salts, commit, vote_key},
    warnings::{Concern, Severity, Warnings},
    weights::{Weights, WeightsError, needed},
};

/// Proposals that are computed on at a time. One that waits for blobs is not among them.
const VERIFICATIONS: usize = 16;
/// Proposals checked at a time, those that wait for blobs included: each has a thread.
const UNDER_WAY: usize = 256;

#[derive(Debug)]
struct Run {
    abort: AbortHandle,
    key: TaskKey,
    stage: StageCell,
    last_chance: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Runs {
    running: HashMap<u64, Run>,
    /// Nothing is started any more.
    stopping: bool,
}

/// What all parts of the trainer share.
pub struct Shared {
    pub(crate) depot: Arc<Depot>,
    pub(crate) weights: Weights,
    pub(crate) torch: Torch,
    pub(crate) errors: ErrorLog,
    pub(crate) warnings: Warnings,
    pub(crate) changes: Changes,
    space: Space,
    imported: Vec<Imported>,
    journal: Arc<Journal>,
    salts: Salts,
    board: Mutex<Board>,
    runs: Mutex<Runs>,
    arrived: Mutex<Option<(H256, Instant)>>,
    arrival: Notify,
    swept: Mutex<HashMap<ModelId, (u32, u32)>>,
    losses: Losses,
    verifications: Arc<Semaphore>,
    under_way: Semaphore,
}

impl Shared {
    pub(crate) fn new(
        depot: Arc<Depot>,
        torch: Torch,
        journal: Journal,
        salts: Salts,
        space: Space,
        imported: Vec<Imported>,
    ) -> Self {
        Self {
            weights: Weights::with_engine(depot.clone(), torch.clone()),
            depot,
            torch,
            errors: ErrorLog::default(),
            warnings: Warnings::default(),
            changes: Changes::default(),
            space,
            imported,
            journal: Arc::new(journal),
            salts,
            board: Mutex::default(),
            runs: Mutex::default(),
            arrived: Mutex::default(),
            arrival: Notify::new(),
            swept: Mutex::default(),
            losses: Losses::default(),
            verifications: Arc::new(Semaphore::new(VERIFICATIONS)),
            under_way: Semaphore::new(UNDER_WAY),
        }
    }

    /// Takes a sheet: sees to it that what it asks for gets done, and returns what is done already. Must be called in a
    /// tokio runtime.
    pub(crate) fn read(self: &Arc<Self>, sheet: DutySheet) -> Vec<DutyResult> {
        let sheet = Arc::new(sheet);
        let before = lock(&self.arrived).replace((sheet.genesis, Instant::now()));
        if before.is_some_and(|(genesis, _)| genesis != sheet.genesis) {
            self.weights.forget();
            lock(&self.swept).clear();
            self.errors
                .add("the node is on another chain than before: starting over for that chain");
        }
        self.keep_datasets(&sheet);
        self.compare_datasets(&sheet);
        let has_room = self.look_around();
        let mut board = lock(&self.board);
        board.set_room(has_room);
        let commands = board.read(sheet.clone());
        // With the board still locked, so that nothing is stopped before it was started.
        self.execute(commands);
        let results = self.answer(&board, &sheet);
        drop(board);
        sheet
            .models
            .iter()
            .for_each(|duties| self.sweep(sheet.genesis, duties));
        self.arrival.notify_waiters();
        self.changes.note();
        results
    }

    /// Before any claim of the sheet is looked at: it may name a shard as its update.
    fn keep_datasets(&self, sheet: &DutySheet) {
        let datasets = sheet.models.iter().map(|model| &model.dataset);
        let blobs = datasets.flat_map(|dataset| dataset.shards.iter().chain([&dataset.validation]));
        if let Err(error) = self.depot.keep(blobs.map(|blob| blob.hash)) {
            self.errors.add(error.to_string());
        }
    }

    /// Warns of data sets that were imported and are others than the network's.
    fn compare_datasets(&self, sheet: &DutySheet) {
        let founded = || sheet.models.iter().map(|model| &model.dataset);
        let complaint = |one: &Imported| one.complaint(founded(), |hash| self.depot.has(hash));
        let complaints: Vec<String> = self.imported.iter().filter_map(complaint).collect();
        let warning = (!complaints.is_empty()).then(|| (Severity::Warns, complaints.join("; ")));
        self.warnings.set(Concern::Data, warning);
    }

    /// Compares what this PC needs with what it has, and warns. Returns whether the disk has room for new work. Called with
    /// every sheet, as the chain is the clock, and whenever somebody wants to know.
    pub(crate) fn look_around(&self) -> bool {
        self.warnings.look_at_clock(self.depot.network().clock_offset());
        self.space.look(&self.warnings)
    }

    /// Waits for the next sheet.
    pub(crate) async fn next_sheet(&self) {
        self.arrival.notified().await;
    }

    /// The engine passed its test.
    pub(crate) fn engine_is_ready(self: &Arc<Self>) {
        let mut board = lock(&self.board);
        let commands = board.engine_is_ready();
        self.execute(commands);
        self.changes.note();
    }

    /// Stops all tasks, and starts none any more.
    pub(crate) fn stop(&self) {
        let mut runs = lock(&self.runs);
        runs.stopping = true;
        runs.running.values().for_each(|run| run.abort.abort());
        self.changes.end();
    }

    /// Tells a person of a panic.
    pub(crate) fn report(&self, what: &str, panic: &JoinError) {
        self.errors.add(format!(
            "{what} ended in a programming error, please report it: {panic}"
        ));
    }

    /// The newest sheet, and when it arrived.
    pub(crate) fn newest_sheet(&self) -> Option<(Arc<DutySheet>, Instant)> {
        let sheet = lock(&self.board).newest_sheet().cloned()?;
        let (_, arrived) = (*lock(&self.arrived))?;
        Some((sheet, arrived))
    }

    /// A model as the chain last described it.
    pub(crate) fn model(&self, model: ModelId) -> Option<ModelDuties> {
        lock(&self.board).model(model).cloned()
    }

    /// What is being done for a model: the most advanced of its tasks.
    pub(crate) fn doing(&self, model: ModelId) -> Option<Doing> {
        let runs = lock(&self.runs);
        let of_model = runs.running.values().filter(|run| run.key.model() == model);
        of_model
            .max_by_key(|run| run.key.rank())
            .map(|run| run.stage.get())
    }

    /// What is owed for a model and not done yet.
    pub(crate) fn waiting(&self, model: ModelId) -> Waiting {
        lock(&self.board).waiting(model)
    }

    fn execute(self: &Arc<Self>, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Start { run, task } => self.start(run, task),
                Command::Stop { run } => {
                    if let Some(run) = lock(&self.runs).running.remove(&run) {
                        run.abort.abort();
                    }
                }
                Command::LastChance { run } => {
                    if let Some(run) = lock(&self.runs).running.get(&run) {
                        run.last_chance.send_replace(true);
                    }
                }
            }
        }
    }

    /// Memory that can't be relied on: what is in it is forgotten, and the engine tested, which does so itself where it
    /// was the one to find out.
    async fn heal(&self, error: &TaskError) {
        if error.is_damage() {
            self.weights.forget_damaged();
        }
        if matches!(error, TaskError::Weights(WeightsError::Damaged)) {
            self.torch.doubt().await;
        }
    }

    fn start(self: &Arc<Self>, run: u64, task: Task) {
        let (key, stage) = (task.key, StageCell::noting(self.changes.clone()));
        let (last_chance, hears) = watch::channel(task.last_chance);
        // Locked until the run is registered: it may be over before that otherwise.
        let mut runs = lock(&self.runs);
        if runs.stopping {
            return;
        }
        let (shared, cell) = (self.clone(), stage.clone());
        let work = tokio::spawn(async move {
            let what = describe(&task);
            let result = shared.work(&task, &cell, hears).await;
            if let Err(error) = &result {
                shared.heal(error).await;
            }
            result.map_err(|error| {
                let given_up = error.costs_a_worker() && shared.losses.add(task.key);
                if given_up {
                    let times = MOST_WORKERS;
                    shared.errors.add(format!(
                        "{what} failed, and is not tried again after {times} times: {error}"
                    ));
                } else if error.is_worth_telling() {
                    shared.errors.add(format!("{what} failed: {error}"));
                }
                given_up || error.is_for_good()
            })
        });
        let abort = work.abort_handle();
        let shared = self.clone();
        tokio::spawn(async move {
            let result = match work.await {
                Ok(result) => result,
                Err(error) if error.is_panic() => {
                    shared.report("a task", &error);
                    Err(true)
                }
                // Stopped: nobody waits for it.
                Err(_) => return,
            };
            lock(&shared.runs).running.remove(&run);
            let mut board = lock(&shared.board);
            let commands = board.finished(run, key, result);
            shared.execute(commands);
            shared.changes.note();
        });
        runs.running.insert(
            run,
            Run {
                abort,
                key,
                stage,
                last_chance,
            },
        );
    }

    async fn work(
        &self,
        task: &Task,
        stage: &StageCell,
        last_chance: watch::Receiver<bool>,
    ) -> Result<Outcome, TaskError> {
        // Before anything is fetched, folded or even reserved for a model that can't be worked with.
        hydra_engine::fits(&task.model.spec, &task.model.dataset).map_err(TorchError::Engine)?;
        match &task.work {
            Work::Hold => {
                stage.set(Stage::Fetching, "weights");
                let held = self.weights.newest(task.genesis, &task.model, stage).await?;
                Ok(Outcome::Held(held.hash))
            }
            Work::Attest => self.measure(task, stage).await,
            Work::Train { shard, task_seed } => self.train(task, *shard, *task_seed, stage).await,
            Work::Verify { duty, vote } => self.verify(task, duty, *vote, stage, last_chance).await,
        }
    }

    fn answer(&self, board: &Board, sheet: &DutySheet) -> Vec<DutyResult> {
        // What a vote was is no longer computed: it is in the journal, and withholding it costs reputation.
        let ready = self.torch.state() == EngineState::Ready;
        let owed = sheet
            .models
            .iter()
            .flat_map(|model| model.duties.iter().map(move |duty| (model, duty)));
        owed.filter(|(_, duty)| ready || matches!(duty, Duty::Reveal { .. }))
            .filter_map(|(model, duty)| self.result(board, sheet, model, duty))
            .collect()
    }

    fn result(
        &self,
        board: &Board,
        sheet: &DutySheet,
        duties: &ModelDuties,
        duty: &Duty,
    ) -> Option<DutyResult> {
        if let Duty::Reveal { verify, commitment } = duty {
            return self.reveal(sheet, verify, *commitment);
        }
        let outcome = board.outcome(&duty_key(sheet.genesis, sheet.account, duties, duty)?)?;
        let model = duties.model;
        match (duty, outcome) {
            (Duty::Attest, Outcome::Measured { weights, score }) => Some(DutyResult::Attest {
                model,
                version: duties.version.version,
                recipe: duties.version.id(),
                weights: *weights,
                score: *score,
            }),
            (Duty::Train { task_seed, .. }, Outcome::Trained(proposal)) => Some(DutyResult::Propose {
                model,
                round: duties.round,
                task_seed: *task_seed,
                proposal: proposal.clone(),
            }),
            (Duty::Verify(verify), Outcome::Voted(vote)) => {
                let key = vote_key(sheet.genesis, sheet.account, verify);
                Some(DutyResult::CommitVote {
                    key: verify.key.clone(),
                    commitment: commit(&key, vote),
                })
            }
            _ => None,
        }
    }

    /// The vote behind a commitment: from the journal, or by trying every vote there is. Whatever is revealed must be
    /// what was committed.
    fn reveal(&self, sheet: &DutySheet, duty: &VerifyDuty, commitment: H256) -> Option<DutyResult> {
        let key = vote_key(sheet.genesis, sheet.account, duty);
        let journaled = self
            .journal
            .get(&key)
            .filter(|vote| commit(&key, vote) == commitment);
        match journaled.or_else(|| self.salts.find(&key, &commitment)) {
            Some(SaltedVote { vote, salt }) => Some(DutyResult::RevealVote {
                key: duty.key.clone(),
                vote,
                salt,
            }),
            None => {
                self.errors.add(format!(
                    "a vote on a proposal of round {} of model {} can't be revealed, it was not made by this trainer: \
                     give it the token file and base path that it had when it voted, and run one trainer per account",
                    duty.key.round, duty.key.model
                ));
                None
            }
        }
    }

    /// Deletes old blobs once per round and version.
    fn sweep(self: &Arc<Self>, genesis: H256, duties: &ModelDuties) {
        let at = (duties.round, duties.version.version);
        if lock(&self.swept).insert(duties.model, at) == Some(at) {
            return;
        }
        let held = [
            self.weights.newest_held(duties.model),
            self.weights.confirmed_held(duties.model),
        ];
        let needed = needed(duties)
            .into_iter()
            .chain(held.into_iter().flatten().map(|held| held.hash))
            .collect();
        let (shared, depot, model) = (self.clone(), self.depot.clone(), duties.model);
        let swept = tokio::spawn(async move { depot.sweep((genesis, model, at.0, at.1), needed).await });
        tokio::spawn(async move {
            match swept.await {
                Ok(Ok(0)) => {}
                Ok(Ok(count)) => tracing::debug!("deleted {count} blobs of old rounds of model {model}"),
                Ok(Err(error)) => shared.errors.add(format!("deleting old blobs failed: {error}")),
                Err(error) if error.is_panic() => shared.report("deleting old blobs", &error),
                // The program is ending.
                Err(_) => {}
            }
        });
    }
}

fn describe(task: &Task) -> String {
    let (model, round) = (task.model.model, task.model.round);
    match &task.work {
        Work::Hold => format!("getting version {} of model {model}", task.model.version.version),
        Work::Attest => format!(
            "measuring version {} of model {model}",
            task.model.version.version
        ),
        Work::Train { .. } => format!("training for round {round} of model {model}"),
        Work::Verify { duty, .. } => format!(
            "verifying the proposal of 0x{}… in round {round} of model {model}",
            hex::encode(duty.key.proposer.get(..4).unwrap_or_default())
        ),
    }
}
