//! The worker processes of this PC, handed out one job at a time.
//!
//! A worker is started when a job finds none free, kept for the next job, and dropped (killed) after any error that it
//! may have caused. Must never hand one worker to two jobs or keep one that broke, nor start one once it was stopped.

use std::{
    collections::HashMap,
    ffi::OsString,
    ops::ControlFlow,
    path::PathBuf,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    EngineError,
    process::{Killer, WorkerProcess},
    protocol::{Answer, Request},
};

/// How workers are started.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// How many may run at once; at least one.
    pub workers: usize,
    /// The worker program; `None`: `hydra-torch-worker` beside the current program.
    pub worker: Option<PathBuf>,
    /// Words before the program, to run it under something else, such as an emulator. It must become the program (exec)
    /// or contain it, not start it as a child: killing it must end the worker.
    pub launcher: Vec<OsString>,
    /// The longest a job may take, and the longest a worker may take to start.
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

/// The pool. Share it by reference; every call blocks until a worker is free and the job is done.
pub struct Engine {
    config: EngineConfig,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<WorkerProcess>,
    /// Idle, busy and starting ones.
    live: usize,
    /// Busy and starting ones.
    busy: HashMap<u32, Killer>,
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
        let mut pool = self.engine.lock();
        pool.busy.remove(&self.pid);
        match self.worker.take() {
            // A panic may have left half a frame in the pipe.
            Some(worker) if !std::thread::panicking() && !pool.closed => pool.idle.push(worker),
            _ => pool.live = pool.live.saturating_sub(1),
        }
        drop(pool);
        self.engine.freed.notify_one();
    }
}

impl Engine {
    /// A pool without processes; the first jobs start them.
    pub fn new(config: EngineConfig) -> Self {
        Self {
            config,
            pool: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    /// Kills all workers, for good: jobs that are running, waiting or yet to come fail with [`EngineError::Stopped`].
    /// Whoever wants to go on, such as a trainer that starts again in the same process, makes another engine.
    pub fn stop_workers(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        let idle = std::mem::take(&mut pool.idle);
        pool.live = pool.live.saturating_sub(idle.len());
        pool.busy.values().for_each(Killer::kill);
        drop(pool);
        drop(idle);
        self.freed.notify_all();
    }

    /// Process ids of the workers that are busy with a job.
    pub fn busy_workers(&self) -> Vec<u32> {
        self.lock().busy.keys().copied().collect()
    }

    /// Process ids of all workers.
    pub fn workers(&self) -> Vec<u32> {
        let pool = self.lock();
        pool.idle
            .iter()
            .map(WorkerProcess::pid)
            .chain(pool.busy.keys().copied())
            .collect()
    }

    pub(crate) fn job<T>(
        &self,
        request: &Request,
        limit: u32,
        take: impl FnMut(Answer) -> Result<ControlFlow<T>, &'static str>,
    ) -> Result<T, EngineError> {
        let mut lease = self.lease().map_err(|error| self.unless_stopped(error))?;
        let Some(worker) = lease.worker.as_mut() else {
            return Err(EngineError::Nonsense {
                detail: "it is not there".into(),
            });
        };
        let result = worker.job(request, self.config.deadline, limit, take);
        match &result {
            // `BadJob` may come from our side before anything was sent, or from the worker after reading it all.
            Ok(_) | Err(EngineError::Torch { .. } | EngineError::BadJob { .. } | EngineError::Diverged) => {}
            Err(_) => lease.worker = None,
        }
        result.map_err(|error| self.unless_stopped(error))
    }

    /// A worker that died because all were stopped didn't fail.
    fn unless_stopped(&self, error: EngineError) -> EngineError {
        match self.lock().closed {
            true => EngineError::Stopped,
            false => error,
        }
    }

    fn lease(&self) -> Result<Lease<'_>, EngineError> {
        let mut pool = self.lock();
        loop {
            if pool.closed {
                return Err(EngineError::Stopped);
            }
            if let Some(mut worker) = pool.idle.pop() {
                if worker.is_alive() {
                    let pid = worker.pid();
                    pool.busy.insert(pid, worker.killer());
                    return Ok(Lease {
                        engine: self,
                        worker: Some(worker),
                        pid,
                    });
                }
                pool.live = pool.live.saturating_sub(1);
                continue;
            }
            if pool.live < self.config.workers.max(1) {
                break;
            }
            pool = self.freed.wait(pool).unwrap_or_else(PoisonError::into_inner);
        }
        // With the pool still locked, so that whoever stops it finds the process, or comes before it.
        let mut worker = WorkerProcess::spawn(&self.config).inspect_err(|_| {
            // There is still room: somebody else may have more luck.
            self.freed.notify_one();
        })?;
        let pid = worker.pid();
        pool.live = pool.live.saturating_add(1);
        pool.busy.insert(pid, worker.killer());
        drop(pool);
        // From here on the lease gives the place back, whatever happens.
        let mut lease = Lease {
            engine: self,
            worker: None,
            pid,
        };
        if let Err(error) = worker.greet(self.config.deadline) {
            // Gone before its place is free.
            drop(worker);
            return Err(error);
        }
        lease.worker = Some(worker);
        Ok(lease)
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
