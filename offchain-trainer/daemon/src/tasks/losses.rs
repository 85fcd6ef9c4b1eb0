//! Tasks that end their workers.
//!
//! A worker that dies, hangs or talks nonsense may have had bad luck, and its task is tried again with the next block. A
//! task that does it time after time is at fault itself, for this PC at least, and would take its cores from the node in
//! every block until its round is over. Must never count what isn't the task's fault, such as a blob nobody serves.

use std::{collections::HashMap, sync::Mutex};

use crate::{lock, plan::TaskKey, torch::MOST_WORKERS};

/// Tasks remembered. More than a trainer has at a time: at worst a count starts again.
const REMEMBERED: usize = 1024;

/// How many workers tasks have cost.
#[derive(Debug, Default)]
pub struct Losses(Mutex<HashMap<TaskKey, u32>>);

impl Losses {
    /// The task has cost one more worker. Returns whether it is not to be tried again.
    pub fn add(&self, key: TaskKey) -> bool {
        let mut counts = lock(&self.0);
        if counts.len() >= REMEMBERED {
            counts.clear();
        }
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
        *count >= MOST_WORKERS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_primitives::H256;

    #[test]
    fn a_task_that_costs_three_workers_is_given_up_and_others_are_not() {
        let losses = Losses::default();
        let [task, other] = [1, 2].map(|n| TaskKey::Find {
            model: 0,
            poll: H256::repeat_byte(n),
        });
        assert_eq!([(); 4].map(|()| losses.add(task)), [false, false, true, true]);
        assert!(!losses.add(other));
    }
}
