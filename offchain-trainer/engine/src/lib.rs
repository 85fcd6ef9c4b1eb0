//! Training, measuring and inference for the rest of the trainer.
//!
//! LibTorch aborts, leaks and keeps global state, so it lives in worker processes (crate `hydra-torch-worker`) that are
//! spoken to over a pipe and killed at will. This crate starts them in an environment of five variables, hands them jobs and threads,
//! and doubts what comes back where it matters. It must never link LibTorch, touch the network or know a key.
//!
//! Calls block until a worker is free and the job is done: from async code, use a blocking thread.
//!
//! Start with [`Engine`] and the jobs in [`jobs`], then [`Engine::verify`], which does somebody's whole task again; [`protocol`] is
//! what goes over the pipe.

mod confirm;
pub mod deadline;
pub mod environment;
pub mod error;
pub mod jobs;
pub mod known_answer;
pub mod limits;
mod loader;
mod opinion;
mod pool;
mod process;
pub mod protocol;
mod shares;

pub use error::EngineError;
pub use jobs::{EvaluateJob, Evaluation, Inference, TrainJob, Trained};
pub use known_answer::KNOWN_ANSWER;
pub use limits::fits;
pub use loader::LoadCause;
pub use opinion::{opinion, softmax};
pub use pool::{Engine, EngineConfig};
