//! The trainer: the process beside the node that trains, does others' tasks again, and folds.
//!
//! The node's off-chain worker posts a duty sheet in every block ([`hydra_primitives::duty`]); the trainer answers at
//! once with what is done, and does the rest in the background: [`plan`] turns a sheet into tasks, [`board`] decides
//! which of them run, `tasks` does them with the engine and the network. It also serves its blobs to other trainers,
//! answers questions to the model, and says how it is.
//!
//! It must never know a key of the chain, listen for anyone but this PC's own programs on HTTP, or give anybody weights that
//! the network has not confirmed.
//!
//! Start with [`plan`] and [`board`], which need no network to be understood; then `tasks`, one file per kind of work,
//! [`weights`] (which version is held), [`depot`] (blobs, wherever they are), [`database`] (what is remembered, and until when),
//! and `server`. `docs/architecture.md` says who talks to whom.

pub mod ask;
pub mod board;
mod changes;
pub mod database;
pub mod depot;
mod error_log;
pub mod import;
mod intact;
mod members;
pub mod models;
mod news;
mod node;
mod options;
mod places;
pub mod plan;
mod reach;
mod replace;
pub mod secret;
mod server;
mod space;
pub mod stage;
mod status;
mod tasks;
mod torch;
mod trainer;
mod tunnels;
mod warnings;
pub mod weights;

pub use options::Options;
pub use reach::{ReachOptions, Unreadable};
pub use trainer::{StartError, Trainer};

use std::{
    panic::resume_unwind,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::task::JoinError;

/// Locks, whether or not a thread panicked with the lock held: all that is kept under locks here is consistent after
/// every statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What work on another thread came to; `None` if the program is ending. A panic goes on in whoever waited for it, so that
/// it is reported as the programming error that it is.
pub(crate) fn joined<T>(done: Result<T, JoinError>) -> Option<T> {
    match done.map_err(JoinError::try_into_panic) {
        Ok(value) => Some(value),
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_on_another_thread_is_not_taken_for_the_end_of_the_program() {
        let waits = tokio::spawn(async {
            let work = tokio::task::spawn_blocking(|| panic!("a mistake"));
            joined::<()>(work.await)
        });
        assert!(waits.await.unwrap_err().is_panic());
        let stopped = tokio::spawn(std::future::pending::<()>());
        stopped.abort();
        assert_eq!(joined(stopped.await), None);
        assert_eq!(joined(tokio::spawn(async { 7 }).await), Some(7));
    }
}
