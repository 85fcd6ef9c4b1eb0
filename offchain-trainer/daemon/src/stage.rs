//! Where a running task stands, for whoever wants to know.

use std::sync::{Arc, Mutex};

pub use hydra_trainer_api::{Progress, Stage};

use crate::{changes::Changes, lock};

/// What a task is doing.
#[derive(Clone, Default, Debug)]
pub struct Doing {
    /// In a word.
    pub stage: Stage,
    /// In several.
    pub task: String,
    /// How far it is, where that is known.
    pub progress: Option<Progress>,
}

/// Where a running task stands. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct StageCell {
    now: Arc<Mutex<Doing>>,
    changes: Changes,
}

impl StageCell {
    /// One that notes there when it changes.
    pub(crate) fn noting(changes: Changes) -> Self {
        Self {
            now: Arc::default(),
            changes,
        }
    }

    /// The task is now doing this.
    pub fn set(&self, stage: Stage, task: impl Into<String>) {
        *lock(&self.now) = Doing {
            stage,
            task: task.into(),
            progress: None,
        };
        self.changes.note();
    }

    /// It is this far with it.
    pub fn progress(&self, done: u32, total: u32) {
        lock(&self.now).progress = Some(Progress { done, total });
        self.changes.note();
    }

    /// What it is doing.
    pub fn get(&self) -> Doing {
        lock(&self.now).clone()
    }
}
