//! What can go wrong between a job and its result. None of it says anything about a proposal: an engine that fails
//! gives no vote.

use std::{io, path::PathBuf, time::Duration};

use hydra_primitives::H256;

/// Why a job has no result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The worker program isn't there.
    #[error(
        "the worker program {} isn't there: build it with `cargo build --release -p hydra-torch-worker`, or name it",
        path.display()
    )]
    WorkerNotFound {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The worker can't load LibTorch.
    #[error("the worker can't load LibTorch: run `scripts/setup`, then build again ({detail})")]
    LibTorchMissing {
        /// What the loader said.
        detail: String,
    },
    /// The operating system did not start the worker.
    #[error("the worker process did not start: {0}")]
    Spawn(#[source] io::Error),
    /// The worker runs with another environment than the profile's.
    #[error("the worker refuses to run: {name} is {found} where the exact profile needs {expected}")]
    WrongPin {
        /// The variable.
        name: String,
        /// Its value in the profile.
        expected: String,
        /// Its value in the worker, or "not set".
        found: String,
    },
    /// The CPU is older than the profile.
    #[error(
        "this CPU has no {missing}: exact models need an x86-64-v3 CPU (Intel since 2013, AMD since 2015). This PC \
         can't train or verify them"
    )]
    CpuTooOld {
        /// The instruction set that is missing.
        missing: String,
    },
    /// The worker belongs to another version of HydraAI.
    #[error(
        "the worker speaks version {found} of the engine's protocol, not {expected}: build both from one version"
    )]
    WrongVersion {
        /// Ours.
        expected: u16,
        /// The worker's.
        found: u16,
    },
    /// All workers were stopped.
    #[error("the engine was stopped: its workers are gone, and it takes no more jobs")]
    Stopped,
    /// The worker ended in the middle of a job, or was killed.
    #[error(
        "the worker ended during a job ({status}); the next job gets a new one. If it happens again, this PC is short \
         of memory, or LibTorch failed: {stderr}"
    )]
    WorkerDied {
        /// How it ended.
        status: String,
        /// The end of what it wrote to its standard error.
        stderr: String,
    },
    /// The job took too long.
    #[error("the job took longer than {} s and was stopped: this PC is too slow for the model, or overloaded", after.as_secs())]
    TimedOut {
        /// The deadline.
        after: Duration,
    },
    /// The worker answered what no working worker answers.
    #[error("the worker answered nonsense ({detail}) and was replaced")]
    Nonsense {
        /// What was wrong.
        detail: String,
    },
    /// LibTorch reported an error.
    #[error("LibTorch failed: {detail}")]
    Torch {
        /// Its message.
        detail: String,
    },
    /// The job itself makes no sense.
    #[error("the job can't be done: {detail}")]
    BadJob {
        /// Why.
        detail: String,
    },
    /// Training reached values that are not finite: there is nothing to propose.
    #[error("training diverged: weights are no finite numbers any more, so there is nothing to propose")]
    Diverged,
    /// The known-answer test gave another answer.
    #[error(
        "this PC computes other bits than the network ({found:?} instead of {expected:?}): another LibTorch than 2.11.0 \
         (run `scripts/setup`), or bad memory (run a memory test). It must not train or vote on exact models, it would \
         lose its stake"
    )]
    KnownAnswerDiffers {
        /// What every working PC computes.
        expected: H256,
        /// What this one computed.
        found: H256,
    },
}

impl EngineError {
    /// Whether a person has to repair something first: trying again, be it for days, would fail in the same way.
    pub fn needs_repair(&self) -> bool {
        match self {
            Self::WorkerNotFound { .. }
            | Self::LibTorchMissing { .. }
            | Self::WrongPin { .. }
            | Self::CpuTooOld { .. }
            | Self::WrongVersion { .. }
            | Self::KnownAnswerDiffers { .. } => true,
            Self::Spawn(_)
            | Self::Stopped
            | Self::WorkerDied { .. }
            | Self::TimedOut { .. }
            | Self::Nonsense { .. }
            | Self::Torch { .. }
            | Self::BadJob { .. }
            | Self::Diverged => false,
        }
    }
}
