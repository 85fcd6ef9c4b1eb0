//! The worker processes of this PC, handed out one job at a time.
//!
//! A worker is started when a job finds none free, kept for the next job, and dropped (killed) after any error that it
//! may have caused. Must never hand one worker to two jobs or keep one that broke, nor start one once it was stopped.
//! Jobs wait here for a worker, for as long as it takes; only then does their time begin.

use std::{
    collections::HashMap,
    ffi::OsString,
    ops::ControlFlow,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    EngineError,
    deadline::{JobSize, deadline},
    process::{Killer, WorkerProcess},
    protocol::{Answer, Job, Order, Request},
    shares::Shares,
};

/// How workers are started.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many may run at once; at least one. All that have a job share as many threads, one for each core that they may take: a
    /// worker alone computes with all of them, and gives some up when another begins.
    pub workers: usize,
    /// The worker program; `None`: `hydra-torch-worker` beside the current program.
    pub worker: Option<PathBuf>,
    /// Words before the program, to run it under something else, such as an emulator. It must become the program (exec)
    /// or contain it, not start it as a child: killing it must end the worker.
    pub launcher: Vec<OsString>,
    /// The longest a worker may take to start, and the least that any job may take: large ones may take longer (see
    /// [`crate::deadline`]).
    pub deadline: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: 1,
            worker: None,
            launcher: Vec::new(),
            deadline: Duration::from_secs(600),
        }
    }
}

impl EngineConfig {
    /// Where the worker program is expected.
    pub fn worker_path(&self) -> PathBuf {
        self.worker.clone().unwrap_or_else(|| {
            let folder = std::env::current_exe()
                .ok()
                .and_then(|exe| Some(exe.parent()?.to_path_buf()));
            let folder = folder.unwrap_or_default();
            // Tests and examples live one folder below the programs.
            let below = folder.ends_with("deps") || folder.ends_with("examples");
            let folder = if below { folder.join("..") } else { folder };
            folder.join("hydra-torch-worker")
        })
    }
}

/// The pool. Clones share it; every call blocks until a worker is free and the job is done.
#[derive(Clone)]
pub struct Engine {
    workers: Arc<Workers>,
    /// Only workers that at least so many were started before may do its jobs.
    after: u64,
    /// Nobody wants what its jobs come to.
    called_off: Arc<AtomicBool>,
}

struct Workers {
    config: EngineConfig,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<WorkerProcess>,
    /// Idle, busy and starting ones.
    live: usize,
    /// Busy and starting ones, and whose jobs they do.
    busy: HashMap<u32, (Killer, Arc<AtomicBool>)>,
    /// The threads of those that have a job.
    shares: Shares,
    /// All that ever were.
    started: u64,
    /// What the newest computes with.
    instructions: Option<String>,
    /// Nothing is started any more.
    closed: bool,
}

/// A worker that is out on a job; it goes back when this is dropped, unless it was taken out.
struct Lease<'a> {
    engine: &'a Engine,
    worker: Option<WorkerProcess>,
    pid: u32,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut pool = self.engine.workers.lock();
        pool.busy.remove(&self.pid);
        match self.worker.take() {
            // A panic may have left half a frame in the pipe.
            Some(worker) if !std::thread::panicking() && !pool.closed => pool.idle.push(worker),
            _ => pool.live = pool.live.saturating_sub(1),
        }
        drop(pool);
        self.engine.workers.freed.notify_one();
    }
}

/// The cores of a job that runs. The others get them when this is dropped.
struct Running<'a> {
    workers: &'a Workers,
    number: u64,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.workers.lock().shares.end(self.number);
    }
}

impl Workers {
    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// A pool without processes; the first jobs start them.
    pub fn new(config: EngineConfig) -> Self {
        let pool = Pool {
            shares: Shares::of(config.workers),
            ..Pool::default()
        };
        Self {
            workers: Arc::new(Workers {
                config,
                pool: Mutex::new(pool),
                freed: Condvar::new(),
            }),
            after: 0,
            called_off: Arc::default(),
        }
    }

    /// The same workers, for jobs that can be called off without anyone else's.
    pub fn for_task(&self) -> Self {
        Self {
            called_off: Arc::default(),
            ..self.clone()
        }
    }

    /// The same, but each of its jobs is done by a process that is yet to be started.
    pub(crate) fn afresh(&self) -> Self {
        Self {
            after: self.workers.lock().started,
            ..self.clone()
        }
    }

    /// Ends the jobs of this engine and its clones, made by [`for_task`](Self::for_task) or not: those that are running
    /// lose their workers, those that are waiting or yet to come fail with [`EngineError::CalledOff`].
    pub fn call_off(&self) {
        let pool = self.workers.lock();
        self.called_off.store(true, Ordering::SeqCst);
        let ours = |(_, whose): &&(Killer, Arc<AtomicBool>)| Arc::ptr_eq(whose, &self.called_off);
        pool.busy
            .values()
            .filter(ours)
            .for_each(|(killer, _)| killer.kill());
        drop(pool);
        self.workers.freed.notify_all();
    }

    /// Kills the workers that have nothing to do.
    pub(crate) fn dismiss_idle(&self) {
        let mut pool = self.workers.lock();
        let idle = std::mem::take(&mut pool.idle);
        pool.live = pool.live.saturating_sub(idle.len());
        drop(pool);
        drop(idle);
        self.workers.freed.notify_all();
    }

    /// Kills all workers, for good: jobs that are running, waiting or yet to come fail with [`EngineError::Stopped`].
    /// Whoever wants to go on, such as a trainer that starts again in the same process, makes another engine.
    pub fn stop_workers(&self) {
        let mut pool = self.workers.lock();
        pool.closed = true;
        let idle = std::mem::take(&mut pool.idle);
        pool.live = pool.live.saturating_sub(idle.len());
        pool.busy.values().for_each(|(killer, _)| killer.kill());
        drop(pool);
        drop(idle);
        self.workers.freed.notify_all();
    }

    /// Process ids of the workers that are busy with a job.
    pub fn busy_workers(&self) -> Vec<u32> {
        self.workers.lock().busy.keys().copied().collect()
    }

    /// Process ids of all workers.
    pub fn workers(&self) -> Vec<u32> {
        let pool = self.workers.lock();
        pool.idle
            .iter()
            .map(WorkerProcess::pid)
            .chain(pool.busy.keys().copied())
            .collect()
    }

    /// What workers compute with, such as `avx2`, once one has said so.
    pub fn instructions(&self) -> Option<String> {
        self.workers.lock().instructions.clone()
    }

    /// Does one job of this size; the answers have at most `limit` bytes each.
    pub(crate) fn job<T>(
        &self,
        request: Request,
        size: &JobSize,
        limit: u32,
        take: impl FnMut(Answer) -> Result<ControlFlow<T>, &'static str>,
    ) -> Result<T, EngineError> {
        let mut lease = self.lease().map_err(|error| self.unless_ended(error))?;
        let Some(worker) = lease.worker.as_mut() else {
            return Err(EngineError::Nonsense {
                detail: "it is not there".into(),
            });
        };
        let begun = self.workers.lock().shares.begin();
        let running = Running {
            workers: &self.workers,
            number: begun.number,
        };
        let threads = begun.threads;
        let job = Order::Job(Box::new(Job { threads, request }));
        let deadline = deadline(self.workers.config.deadline, size);
        let result = worker.job(&job, running, begun.changes, deadline, limit, take);
        match &result {
            // Told by the worker after it read all of the job, or found by us before anything was sent.
            Ok(_)
            | Err(EngineError::Torch { .. } | EngineError::BadJob { .. } | EngineError::TooBig { .. }) => {}
            Err(_) => lease.worker = None,
        }
        result.map_err(|error| self.unless_ended(error))
    }

    /// A worker that died because we killed it didn't fail.
    fn unless_ended(&self, error: EngineError) -> EngineError {
        if self.workers.lock().closed {
            EngineError::Stopped
        } else if self.called_off.load(Ordering::SeqCst) {
            EngineError::CalledOff
        } else {
            error
        }
    }

    fn lease(&self) -> Result<Lease<'_>, EngineError> {
        let mut pool = self.workers.lock();
        loop {
            if pool.closed {
                return Err(EngineError::Stopped);
            }
            if self.called_off.load(Ordering::SeqCst) {
                return Err(EngineError::CalledOff);
            }
            if let Some(at) = pool.idle.iter().rposition(|worker| worker.number() >= self.after) {
                let mut worker = pool.idle.swap_remove(at);
                if worker.is_alive() {
                    let pid = worker.pid();
                    pool.busy.insert(pid, (worker.killer(), self.called_off.clone()));
                    return Ok(Lease {
                        engine: self,
                        worker: Some(worker),
                        pid,
                    });
                }
                pool.live = pool.live.saturating_sub(1);
                continue;
            }
            if pool.live < self.workers.config.workers.max(1) {
                break;
            }
            // All idle ones are too old for this job: one of them makes room.
            if let Some(old) = pool.idle.pop() {
                drop(old);
                pool.live = pool.live.saturating_sub(1);
                break;
            }
            pool = self
                .workers
                .freed
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
        // With the pool still locked, so that whoever stops it finds the process, or comes before it.
        let mut worker = WorkerProcess::spawn(&self.workers.config, pool.started).inspect_err(|_| {
            // There is still room: somebody else may have more luck.
            self.workers.freed.notify_one();
        })?;
        let pid = worker.pid();
        pool.started = pool.started.saturating_add(1);
        pool.live = pool.live.saturating_add(1);
        pool.busy.insert(pid, (worker.killer(), self.called_off.clone()));
        drop(pool);
        // From here on the lease gives the place back, whatever happens.
        let mut lease = Lease {
            engine: self,
            worker: None,
            pid,
        };
        match worker.greet(self.workers.config.deadline) {
            Ok(instructions) => self.workers.lock().instructions = Some(instructions),
            Err(error) => {
                // Gone before its place is free.
                drop(worker);
                return Err(error);
            }
        }
        lease.worker = Some(worker);
        Ok(lease)
    }
}
