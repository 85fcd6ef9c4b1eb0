//! Where a running task stands, for whoever wants to know.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

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

impl Doing {
    /// Whether it computes, and doesn't just get something or wait.
    fn computes(&self) -> bool {
        matches!(self.stage, Stage::Training | Stage::Verifying | Stage::Folding)
    }
}

/// For how long a task that is over is shown still: many take milliseconds, which nobody can read.
pub(crate) const LINGERS: Duration = Duration::from_secs(1);

/// The last task that computed something.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    rank: u8,
    doing: Doing,
    at: Instant,
}

impl Ended {
    /// What is shown of a task that is over, after another one that was.
    pub(crate) fn after(before: Option<Self>, rank: u8, doing: Doing, at: Instant) -> Option<Self> {
        let before = before.filter(|before| before.lingers(at));
        match before {
            Some(before) if !doing.computes() || before.rank > rank => Some(before),
            _ => doing.computes().then_some(Self { rank, doing, at }),
        }
    }

    fn lingers(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.at) < LINGERS
    }
}

/// What is shown to people: of the tasks that compute the one with the highest rank; else what ended just now; else of those that wait the
/// one with the highest rank.
pub(crate) fn shown(running: &[(u8, Doing)], ended: Option<&Ended>, now: Instant) -> Option<Doing> {
    let first = |computes| {
        let of = running.iter().filter(|(_, doing)| doing.computes() == computes);
        of.max_by_key(|(rank, _)| *rank).map(|(_, doing)| doing.clone())
    };
    let ended = ended.filter(|ended| ended.lingers(now));
    first(true)
        .or_else(|| ended.map(|ended| ended.doing.clone()))
        .or_else(|| first(false))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn doing(stage: Stage) -> Doing {
        Doing {
            stage,
            ..Doing::default()
        }
    }

    fn stage(running: &[(u8, Stage)], ended: Option<&Ended>, now: Instant) -> Option<Stage> {
        let running: Vec<_> = running
            .iter()
            .map(|(rank, stage)| (*rank, doing(*stage)))
            .collect();
        shown(&running, ended, now).map(|doing| doing.stage)
    }

    #[test]
    fn what_computes_is_shown_before_what_waits_and_what_ended_just_now_between_them() {
        let now = Instant::now();
        let (get, check, fold) = ((2, Stage::Fetching), (1, Stage::Verifying), (0, Stage::Folding));
        assert_eq!(stage(&[], None, now), None);
        assert_eq!(stage(&[get, check, fold], None, now), Some(Stage::Verifying));
        let ended = Ended::after(None, 2, doing(Stage::Training), now);
        let ended = ended.as_ref();
        assert_eq!(stage(&[get, check], ended, now), Some(Stage::Verifying));
        assert_eq!(stage(&[get], ended, now), Some(Stage::Training));
        assert_eq!(stage(&[], ended, now), Some(Stage::Training));
        assert_eq!(stage(&[get], ended, now + LINGERS), Some(Stage::Fetching));
        assert_eq!(stage(&[], ended, now + LINGERS), None);
    }

    #[test]
    fn a_task_of_milliseconds_hides_none_of_a_higher_rank() {
        let now = Instant::now();
        let trained = Ended::after(None, 2, doing(Stage::Training), now);
        let then = |rank, stage, at| Ended::after(trained.clone(), rank, doing(stage), at);
        let of = |ended: Option<Ended>| ended.map(|ended| ended.doing.stage);
        assert_eq!(of(then(1, Stage::Verifying, now)), Some(Stage::Training));
        assert_eq!(
            of(then(1, Stage::Verifying, now + LINGERS)),
            Some(Stage::Verifying)
        );
        assert_eq!(of(then(2, Stage::Fetching, now)), Some(Stage::Training));
        assert_eq!(of(then(2, Stage::Fetching, now + LINGERS)), None);
    }
}
