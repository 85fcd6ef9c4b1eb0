//! The engine and whether it may be used.
//!
//! Until the known-answer test has passed, and after it has failed, nothing may be trained or measured: a PC that
//! computes other bits than the network would lose its stake. A test that could not be finished says nothing; it is
//! made again. A PC that contradicts itself is tested anew, and not used any more when it happens repeatedly.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use hydra_engine::{Engine, EngineError};
use tokio::sync::watch;

use crate::joined;

/// So many workers a task may cost.
pub const MOST_WORKERS: u32 = 3;
/// After so many contradictions the engine is not used any more. One may be a cosmic ray.
const TOO_MANY_CONTRADICTIONS: u32 = 3;

/// Whether the engine may be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineState {
    /// The known-answer test is running, or will be made again.
    Starting,
    /// It passed.
    Ready,
    /// It failed for this reason, which a person has to repair.
    Failed(String),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum TorchError {
    /// Not tested yet.
    #[error("the engine is still being tested: try again in a few seconds")]
    Starting,
    /// Tested, and of no use.
    #[error("the engine can't be used: {0}")]
    Failed(String),
    /// The job failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The program is ending.
    #[error("the trainer is stopping")]
    Stopping,
}

/// The engine with its state. Clones share it.
#[derive(Clone)]
pub struct Torch {
    engine: Engine,
    state: watch::Sender<EngineState>,
    contradictions: Arc<AtomicU32>,
}

/// Calls the jobs of an engine off when it is dropped, be it because they are done.
struct CallOff(Engine);

impl Drop for CallOff {
    fn drop(&mut self) {
        self.0.call_off();
    }
}

impl Torch {
    /// An engine that has yet to be tested.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            state: watch::Sender::new(EngineState::Starting),
            contradictions: Arc::default(),
        }
    }

    /// Runs the known-answer test. Unless it passes, or shows what a person has to repair, the engine stays
    /// [`EngineState::Starting`] and is to be tested again.
    ///
    /// # Errors
    /// [`TorchError::Failed`], [`TorchError::Engine`] and [`TorchError::Stopping`].
    pub async fn test(&self) -> Result<(), TorchError> {
        let engine = self.engine.clone();
        let tested = joined(tokio::task::spawn_blocking(move || engine.self_test()).await);
        match tested.unwrap_or(Err(EngineError::Stopped)) {
            Ok(()) => {
                // Unless it has contradicted itself too often meanwhile.
                self.state.send_if_modified(|state| {
                    let passes = *state == EngineState::Starting;
                    if passes {
                        *state = EngineState::Ready;
                    }
                    passes
                });
                Ok(())
            }
            Err(error) if error.needs_repair() => {
                let reason = error.to_string();
                self.state.send_replace(EngineState::Failed(reason.clone()));
                Err(TorchError::Failed(reason))
            }
            Err(error) => Err(or_stopping(error)),
        }
    }

    /// Whether it may be used.
    pub fn state(&self) -> EngineState {
        self.state.borrow().clone()
    }

    /// What it computes with, such as `avx2`, once it has been asked for anything.
    pub fn instructions(&self) -> Option<String> {
        self.engine.instructions()
    }

    /// Runs `work` where it may block. When this is dropped, as when the chain wants nothing of the task any more, the
    /// engine's jobs in it end and leave their workers to others.
    ///
    /// # Errors
    /// [`TorchError::Starting`] and [`TorchError::Failed`] without running it.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, TorchError> {
        match self.state() {
            EngineState::Starting => return Err(TorchError::Starting),
            EngineState::Failed(reason) => return Err(TorchError::Failed(reason)),
            EngineState::Ready => {}
        }
        let engine = self.engine.for_task();
        let _until_dropped = CallOff(engine.clone());
        let done = joined(tokio::task::spawn_blocking(move || work(&engine)).await);
        let done = done.unwrap_or(Err(EngineError::Stopped));
        if let Err(EngineError::Contradiction { .. } | EngineError::Damaged) = &done {
            self.doubt();
        }
        done.map_err(or_stopping)
    }

    /// This PC has contradicted itself, or its memory has: nothing that it computes counts before it has passed the test again.
    pub(crate) fn doubt(&self) {
        let so_far = self
            .contradictions
            .fetch_add(1, Ordering::SeqCst)
            .saturating_add(1);
        if so_far >= TOO_MANY_CONTRADICTIONS {
            let reason = format!(
                "this PC has computed two different results for the same task, or found its weights changed in memory, \
                 {so_far} times: its memory can't be relied on. Run a memory test, then restart the trainer"
            );
            self.state.send_replace(EngineState::Failed(reason));
            return;
        }
        self.state.send_if_modified(|state| {
            let doubted = *state == EngineState::Ready;
            if doubted {
                *state = EngineState::Starting;
            }
            doubted
        });
    }

    /// Waits until it has to be tested. `false`: it won't be used any more.
    pub(crate) async fn has_to_be_tested(&self) -> bool {
        let mut states = self.state.subscribe();
        let state = states.wait_for(|state| *state != EngineState::Ready).await;
        state.is_ok_and(|state| *state == EngineState::Starting)
    }

    /// Kills all workers, and starts none any more.
    pub fn stop(&self) {
        self.engine.stop_workers();
    }
}

fn or_stopping(error: EngineError) -> TorchError {
    match error {
        EngineError::Stopped => TorchError::Stopping,
        error => TorchError::Engine(error),
    }
}

#[cfg(test)]
#[path = "torch_tests.rs"]
mod tests;
