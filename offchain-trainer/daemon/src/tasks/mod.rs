//! Does what the board says: starts tasks, stops them, and answers sheets with what came of them.
//!
//! Must never answer anything that the sheet doesn't ask for, nor anything that was computed here before the engine passed
//! its test.

mod error;
mod inputs;
mod losses;
mod measure;
mod train;
mod verify;

pub use error::TaskError;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use hydra_primitives::{
    AccountBytes, H256, ModelId,
    duty::{Duty, DutyAnswer, DutyResult, DutySheet, MAX_RESULTS, ModelDuties, Standing},
    poll::{Opening, PollId, digest},
    proposal::PlaceKey,
};
use hydra_trainer_api::Waiting;
use tokio::{
    sync::Notify,
    task::{AbortHandle, JoinError},
    time::{sleep, timeout_at},
};

use crate::{
    board::{Board, Command, Outcome},
    changes::Changes,
    database::{Database, DatabaseError, Standing as At, Swept},
    depot::{Depot, DepotError},
    error_log::ErrorLog,
    import::Imported,
    joined, lock,
    models::{Model, Models},
    places::{Place, Places},
    plan::{Base, Task, TaskKey, Work, duty_key, hold_key},
    space::Space,
    stage::{Doing, Ended, LINGERS, StageCell, shown},
    tasks::losses::Losses,
    torch::{EngineState, MOST_WORKERS, Torch, TorchError},
    warnings::{Concern, Severity, Warnings},
    weights::{Weights, WeightsError, needed},
};

/// How long a node is kept waiting for what is being done. It waits for 1.5 s at most, and makes the next block 2 s later as a rule.
const SOON: Duration = Duration::from_millis(900);
/// What has been done for longer than this is not waited for: it isn't known to be done soon.
const NEW: Duration = Duration::from_secs(2);

#[derive(Debug)]
struct Run {
    abort: AbortHandle,
    began: Instant,
    key: TaskKey,
    stage: StageCell,
}

#[derive(Debug, Default)]
struct Runs {
    running: HashMap<u64, Run>,
    /// What was done last for each model.
    ended: HashMap<ModelId, Ended>,
    /// Nothing is started any more.
    stopping: bool,
}

/// In which order results are answered, as there may be more than an answer takes. Others may open a poll, too, and all else only this
/// account can do; so openings come last, unless the next block is the last that takes them.
fn order(sheet: &DutySheet, duty: &Duty) -> u8 {
    match duty {
        Duty::Open { opens_until, .. } if *opens_until <= sheet.block.saturating_add(1) => 0,
        Duty::Open { .. } => 2,
        _ => 1,
    }
}

/// What all parts of the trainer share.
pub struct Shared {
    pub(crate) depot: Arc<Depot>,
    pub(crate) weights: Weights,
    pub(crate) torch: Torch,
    pub(crate) errors: ErrorLog,
    pub(crate) warnings: Warnings,
    pub(crate) changes: Changes,
    /// Tasks that end.
    ends: Changes,
    space: Space,
    /// There is something to tidy up now.
    tidying: Notify,
    imported: Vec<Imported>,
    database: Arc<Database>,
    models: Models,
    board: Mutex<Board>,
    runs: Mutex<Runs>,
    arrived: Mutex<Option<(H256, Instant)>>,
    arrival: Notify,
    swept: Mutex<HashMap<ModelId, (u32, u32)>>,
    losses: Losses,
    /// Tasks that have all that they need and may ask the engine: few, because each holds a thread.
    places: Places,
}

impl Shared {
    pub(crate) fn new(
        depot: Arc<Depot>,
        torch: Torch,
        database: Arc<Database>,
        models: Models,
        space: Space,
        imported: Vec<Imported>,
        workers: usize,
    ) -> Self {
        Self {
            weights: Weights::new(depot.clone()),
            depot,
            torch,
            errors: ErrorLog::default(),
            warnings: Warnings::default(),
            changes: Changes::default(),
            ends: Changes::default(),
            space,
            tidying: Notify::new(),
            imported,
            database,
            models,
            board: Mutex::default(),
            runs: Mutex::default(),
            arrived: Mutex::default(),
            arrival: Notify::new(),
            swept: Mutex::default(),
            losses: Losses::default(),
            // One more, so that no worker waits for its next job.
            places: Places::new(workers.saturating_add(1)),
        }
    }

    /// Takes a sheet: sees to it that what it asks for gets done, and returns what is done. What was begun just now is waited for, but no
    /// longer than [`SOON`]: its result may then be in the next block.
    pub(crate) async fn read(self: &Arc<Self>, sheet: DutySheet) -> DutyAnswer {
        let sheet = Arc::new(sheet);
        self.depot.news().standing(sheet.standing == Standing::Paused);
        let mut ends = self.ends.listen();
        let end = Instant::now() + SOON;
        let (mut answer, able) = self.take(&sheet);
        // With unknown models the node asks once more, and has only so long for both.
        while answer.unknown.is_empty() && self.does_new_work(&sheet.account) {
            match timeout_at(end.into(), ends.changed()).await {
                Ok(true) => answer.results = self.answer(&lock(&self.board), &sheet, able),
                Ok(false) | Err(_) => break,
            }
        }
        answer
    }

    /// Whether something that an account owes was begun just now.
    fn does_new_work(&self, account: &AccountBytes) -> bool {
        let of_account: Vec<u64> = lock(&self.board).runs_for(account).collect();
        let runs = lock(&self.runs);
        let mut began = of_account.iter().filter_map(|run| runs.running.get(run));
        began.any(|run| run.began.elapsed() < NEW)
    }

    /// Takes a sheet, and returns what is done already, and whether this PC is able to take part.
    fn take(self: &Arc<Self>, sheet: &Arc<DutySheet>) -> (DutyAnswer, bool) {
        let before = lock(&self.arrived).replace((sheet.genesis, Instant::now()));
        if before.is_some_and(|(genesis, _)| genesis != sheet.genesis) {
            self.weights.forget();
            lock(&self.swept).clear();
            self.errors
                .add("the node is on another chain than before: starting over for that chain");
        }
        let (models, unknown) = self.models.describe(sheet);
        if self.models.is_unwritten() {
            let shared = self.clone();
            // The node doesn't wait for it: should the power go first, it is asked again.
            drop(tokio::task::spawn_blocking(move || shared.models.write()));
        }
        if self
            .depot
            .sheet(sheet.genesis, sheet.models.iter().map(|model| model.model))
        {
            self.tidying.notify_one();
        }
        self.keep_datasets(&models);
        self.compare_datasets(&models);
        let has_room = self.look_around();
        let mut board = lock(&self.board);
        // Before the board tries again what failed.
        let able = has_room && unknown.is_empty() && self.is_able(&board, &models);
        board.set_room(has_room);
        let commands = board.read(sheet.clone(), models.clone());
        // With the board still locked, so that nothing is stopped before it was started.
        self.execute(commands);
        let results = self.answer(&board, sheet, able);
        drop(board);
        models.iter().for_each(|model| self.sweep(sheet.genesis, model));
        self.arrival.notify_waiters();
        self.changes.note();
        (DutyAnswer { results, unknown }, able)
    }

    /// Before any claim of the sheet is looked at: it may name a shard as its update.
    fn keep_datasets(self: &Arc<Self>, models: &[Arc<Model>]) {
        let datasets = models.iter().map(|model| model.dataset());
        let blobs = datasets.flat_map(|dataset| dataset.shards.iter().chain([&dataset.validation]));
        if !self.depot.keep(blobs.map(|blob| blob.hash)) {
            return;
        }
        // The node doesn't wait for the disk: should the power go first, the next sheet says it again.
        let shared = self.clone();
        tokio::spawn(async move {
            match shared.depot.write().await {
                Ok(()) | Err(DepotError::Stopping | DepotError::Database(DatabaseError::Closed)) => {}
                Err(error) => shared.errors.add(error.to_string()),
            }
        });
    }

    /// Warns of data sets that were imported and are others than the network's, as far as its models are known.
    fn compare_datasets(&self, models: &[Arc<Model>]) {
        let founded = || models.iter().map(|model| model.dataset());
        let complaint = |one: &Imported| one.complaint(founded(), |hash| self.depot.has(hash));
        let complaints: Vec<String> = self.imported.iter().filter_map(complaint).collect();
        let warning = (!complaints.is_empty()).then(|| (Severity::Warns, complaints.join("; ")));
        self.warnings.set(Concern::Data, warning);
    }

    /// Whether this PC can say that it is there, and mean it: it will be drawn for duties, and missing them takes it out again.
    ///
    /// So the engine has passed its test, and the disk has room for new work; every model of the sheet is known; of none are
    /// the weights still on their way, and at least one model's are here. A model whose weights can't be had, or that is too
    /// big for this version, must not take the PC from all others.
    fn is_able(&self, board: &Board, models: &[Arc<Model>]) -> bool {
        let is_held = |model: &Arc<Model>| self.weights.held(model.duties.model).is_some();
        let has_failed = |model: &Arc<Model>| board.has_failed(&hold_key(&model.duties));
        self.torch.state() == EngineState::Ready
            && models.iter().all(|model| is_held(model) || has_failed(model))
            && (models.is_empty() || models.iter().any(is_held))
    }

    /// Compares what this PC needs with what it has, and warns. Returns whether the disk has room for new work. Called with
    /// every sheet, as the chain is the clock, and whenever somebody wants to know.
    pub(crate) fn look_around(&self) -> bool {
        self.warnings.look_at_clock(self.depot.network().clock_offset());
        let held = self.depot.held();
        if self.space.wanted(held) > 0 {
            self.tidying.notify_one();
        }
        self.space.look(held, &self.warnings)
    }

    /// Waits until there is something to tidy up now.
    pub(crate) async fn untidy(&self) {
        self.tidying.notified().await;
    }

    /// Looks after the store; see [`Depot::tidy_blocking`].
    pub(crate) async fn tidy(self: &Arc<Self>) {
        let shared = self.clone();
        let tidied = self
            .depot
            .blocking(move |depot| depot.tidy_blocking(&shared.space))
            .await;
        match tidied {
            Ok(swept) if swept.blobs > 0 => {
                tracing::debug!(
                    "deleted {} blobs that nothing needs, {} bytes",
                    swept.blobs,
                    swept.bytes
                );
            }
            Ok(_) | Err(DepotError::Stopping | DepotError::Database(DatabaseError::Closed)) => {}
            Err(error) => self
                .errors
                .add(format!("looking after the store failed: {error}")),
        }
    }

    /// Everything that is known comes to disk, and the file is free for others.
    pub(crate) async fn close_database(&self) {
        self.database.used(self.depot.take_used());
        let database = self.database.clone();
        let closed = tokio::task::spawn_blocking(move || database.close());
        if let Some(Err(error)) = joined(closed.await) {
            tracing::warn!("{error}");
        }
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
        self.ends.end();
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

    /// A model as the newest sheet that knows it has it.
    pub(crate) fn model(&self, model: ModelId) -> Option<Arc<Model>> {
        lock(&self.board).model(model).cloned()
    }

    /// A place at the engine; to be taken when everything else is there.
    async fn place(&self, task: &Task) -> Place<'_> {
        self.places.take(task.soonest()).await
    }

    /// Remembers what a poll's right result is, as far as this PC can tell. Nobody is told before it is on disk, or the disk has refused it.
    async fn remember(&self, poll: PollId, opening: Opening) {
        let database = self.database.clone();
        let recorded = tokio::task::spawn_blocking(move || database.found(poll, opening));
        if let Some(Err(error)) = joined(recorded.await) {
            self.errors.add(format!(
                "what was found of a poll can't be written, and would be computed again after a restart: {error}"
            ));
        }
    }

    /// What is being done for a model, or was until just now.
    pub(crate) fn doing(&self, model: ModelId) -> Option<Doing> {
        let runs = lock(&self.runs);
        let of_model = runs.running.values().filter(|run| run.key.model() == model);
        let running: Vec<_> = of_model.map(|run| (run.key.rank(), run.stage.get())).collect();
        shown(&running, runs.ended.get(&model), Instant::now())
    }

    /// A run is over.
    fn ended(&self, run: u64) {
        let mut runs = lock(&self.runs);
        let Some(run) = runs.running.remove(&run) else {
            return;
        };
        let model = run.key.model();
        let (before, now) = (runs.ended.remove(&model), Instant::now());
        if let Some(ended) = Ended::after(before, run.key.rank(), run.stage.get(), now) {
            runs.ended.insert(model, ended);
        }
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
            }
        }
    }

    /// Memory that can't be relied on: what is in it is forgotten, and the engine tested, which does so itself where it
    /// was the one to find out.
    async fn heal(&self, error: &TaskError) {
        if error.is_damage() {
            self.weights.forget();
        }
        if matches!(error, TaskError::Weights(WeightsError::Damaged)) {
            self.torch.doubt();
        }
    }

    fn start(self: &Arc<Self>, run: u64, task: Task) {
        let (key, stage) = (task.key, StageCell::noting(self.changes.clone()));
        // Locked until the run is registered: it may be over before that otherwise.
        let mut runs = lock(&self.runs);
        if runs.stopping {
            return;
        }
        let (shared, cell) = (self.clone(), stage.clone());
        let work = tokio::spawn(async move {
            let what = describe(&task);
            let result = shared.work(&task, &cell).await;
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
            shared.ended(run);
            lock(&shared.board).finished(run, key, result);
            shared.changes.note();
            shared.ends.note();
            sleep(LINGERS).await;
            shared.changes.note();
        });
        let run_of = Run {
            abort,
            began: Instant::now(),
            key,
            stage,
        };
        runs.running.insert(run, run_of);
    }

    async fn work(&self, task: &Task, stage: &StageCell) -> Result<Outcome, TaskError> {
        let model = &task.model;
        // Before anything is fetched, folded or even reserved for a model that can't be worked with.
        hydra_engine::fits(model.spec(), model.dataset()).map_err(TorchError::Engine)?;
        match &task.work {
            Work::Hold => {
                self.weights.hold(task.genesis, model, stage).await?;
                Ok(Outcome::Held)
            }
            Work::Train {
                place,
                task: training,
                ..
            } => self.train(task, *place, training, stage).await,
            Work::Verify {
                poll,
                task: training,
                claim,
            } => {
                if self.database.finding(poll).is_none() {
                    let opening = self.verify(task, training, *claim, stage).await?;
                    self.remember(*poll, opening).await;
                }
                Ok(Outcome::Found)
            }
            Work::Measure { poll } => {
                if self.database.finding(poll).is_none() {
                    let opening = self.measure(task, stage).await?;
                    self.remember(*poll, opening).await;
                }
                Ok(Outcome::Found)
            }
        }
    }

    /// What is done of what the sheet asks for; the heartbeat if this PC is able to work.
    fn answer(&self, board: &Board, sheet: &DutySheet, able: bool) -> Vec<DutyResult> {
        let heartbeat = sheet.heartbeat.filter(|_| able);
        let heartbeat = heartbeat.map(|session| DutyResult::Heartbeat { session });
        // What is to be opened is no longer computed: it was found when the engine could be used.
        let ready = self.torch.state() == EngineState::Ready;
        let owed = sheet
            .models
            .iter()
            .flat_map(|model| model.duties.iter().map(move |duty| (model, duty)));
        let done = owed
            .filter(|(_, duty)| ready || matches!(duty, Duty::Open { .. }))
            .filter_map(|(model, duty)| Some((order(sheet, duty), self.result(board, sheet, model, duty)?)));
        let mut done: Vec<_> = done.collect();
        done.sort_by_key(|(order, _)| *order);
        let results = heartbeat
            .into_iter()
            .chain(done.into_iter().map(|(_, result)| result));
        results.take(MAX_RESULTS as usize).collect()
    }

    fn result(
        &self,
        board: &Board,
        sheet: &DutySheet,
        duties: &ModelDuties,
        duty: &Duty,
    ) -> Option<DutyResult> {
        match duty {
            // A newer sheet, of another branch, may have had the place trained from something else meanwhile.
            Duty::Train { place, task } => Some(DutyResult::Propose {
                key: PlaceKey {
                    model: duties.model,
                    round: duties.round,
                    place: *place,
                },
                task_seed: task.task_seed,
                claim: board.claim(&duty_key(duties, duty), Base::of(duties, task)?)?,
            }),
            Duty::Verify { poll, .. } | Duty::Attest { poll, .. } => {
                let Opening { finding, witness } = self.database.finding(poll)?;
                Some(DutyResult::Digest {
                    poll: *poll,
                    digest: digest(poll, &finding.result(), &witness, &sheet.account),
                })
            }
            Duty::Open { poll, draw, .. } => Some(DutyResult::Open {
                poll: *poll,
                draw: *draw,
                opening: self.database.finding(poll)?,
            }),
        }
    }

    /// Deletes old blobs once per round and version.
    fn sweep(self: &Arc<Self>, genesis: H256, model: &Model) {
        let duties = &model.duties;
        let at = (duties.round, duties.confirmed.version);
        if lock(&self.swept).insert(duties.model, at) == Some(at) {
            return;
        }
        let held = self.weights.held(duties.model).map(|held| held.weights.hash);
        let needed = needed(duties).into_iter().chain(held).collect();
        let (shared, depot, model) = (self.clone(), self.depot.clone(), duties.model);
        let at = At {
            genesis,
            model,
            round: at.0,
            version: at.1,
        };
        let swept = tokio::spawn(async move { depot.sweep(at, needed).await });
        tokio::spawn(async move {
            match swept.await {
                Ok(Ok(Swept { blobs: 0, .. }) | Err(DepotError::Stopping)) => {}
                Ok(Ok(swept)) => {
                    tracing::debug!("deleted {} blobs of old rounds of model {model}", swept.blobs);
                }
                Ok(Err(error)) => shared.errors.add(format!("deleting old blobs failed: {error}")),
                Err(error) if error.is_panic() => shared.report("deleting old blobs", &error),
                // The program is ending.
                Err(_) => {}
            }
        });
    }
}

fn describe(task: &Task) -> String {
    let duties = &task.model.duties;
    let (model, round) = (duties.model, duties.round);
    match &task.work {
        Work::Hold => format!("getting version {} of model {model}", duties.confirmed.version),
        Work::Train { place, .. } => format!("training place {place} of round {round} of model {model}"),
        Work::Verify { poll, .. } => {
            format!("doing the task of poll {poll} of model {model} again in round {round}")
        }
        Work::Measure { .. } => format!("measuring the newest version of model {model} in round {round}"),
    }
}
