//! The engine and whether it may be used.
//!
//! Until the known-answer test has passed, and after it has failed, nothing may be trained, measured or voted on: a PC
//! that computes other bits than the network would lose its reputation. A test that could not be finished says nothing; it is
//! made again.

use std::sync::Arc;

use hydra_engine::{Engine, EngineError};
use tokio::sync::watch;

use crate::joined;

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
    engine: Arc<Engine>,
    state: watch::Sender<EngineState>,
}

impl Torch {
    /// An engine that has yet to be tested.
    pub fn new(engine: Engine) -> Self {
        Self {
            engine: Arc::new(engine),
            state: watch::Sender::new(EngineState::Starting),
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
                self.state.send_replace(EngineState::Ready);
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

    /// Runs `work` where it may block.
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
        let engine = self.engine.clone();
        let done = joined(tokio::task::spawn_blocking(move || work(&engine)).await);
        done.unwrap_or(Err(EngineError::Stopped)).map_err(or_stopping)
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
