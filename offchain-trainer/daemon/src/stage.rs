//! Where a running task stands, for whoever wants to know.

use std::sync::{Arc, Mutex};

pub use hydra_trainer_api::Stage;

use crate::lock;

/// Where a running task stands. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StageCell(Arc<Mutex<(Stage, String)>>);

impl StageCell {
    /// The task is now doing this.
    pub fn set(&self, stage: Stage, task: impl Into<String>) {
        *lock(&self.0) = (stage, task.into());
    }

    /// What it is doing.
    pub fn get(&self) -> (Stage, String) {
        lock(&self.0).clone()
    }
}
