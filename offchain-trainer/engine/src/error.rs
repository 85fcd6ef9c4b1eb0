//! What can go wrong between a job and its result. None of it says anything about a claim: who can't compute gives no
//! digest.

use std::{io, path::PathBuf, time::Duration};

use hydra_primitives::{H256, poll::Finding};

use crate::LoadCause;

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
    /// The worker can't load LibTorch, or a library that it needs.
    #[error("the worker can't load {library}: {problem}. {}", cause.advice())]
    CantLoad {
        /// The library: its path where the loader names it.
        library: String,
        /// What the loader said.
        problem: String,
        /// What kind of fault that is.
        cause: LoadCause,
    },
    /// The operating system did not start the worker.
    #[error("the worker process did not start: {0}")]
    Spawn(#[source] io::Error),
    /// The worker's processor is set to take small numbers for 0, or to round otherwise.
    #[error(
        "the worker refuses to run: something that it loads tells the processor to take numbers below 2⁻¹²⁶ for 0, or to round \
         otherwise, which changes results. Only LibTorch and the system's own libraries may be in it: see /etc/ld.so.preload"
    )]
    LosesSmallNumbers,
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
    /// Nobody wants the result any more.
    #[error("the job was called off: its result is of no use any more")]
    CalledOff,
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
    #[error(
        "the job took longer than {} s, which a job of its size never should, and was stopped: LibTorch hangs, or this PC \
         is overloaded",
        after.as_secs()
    )]
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
    /// The model or its data are larger than this version can work with.
    #[error(
        "the model is too big for this version: {what} takes {bytes} bytes, where {most} are the most. This PC takes no \
         part in it"
    )]
    TooBig {
        /// What is too big.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The largest size that there may be.
        most: u64,
    },
    /// The job itself makes no sense.
    #[error("the job can't be done: {detail}")]
    BadJob {
        /// Why.
        detail: String,
    },
    /// The same task came to two results, or to one with two witnesses.
    #[error(
        "this PC computed two different results for the same task ({first:?} and then {second:?}): check its memory (run \
         a memory test). It says nothing of what it is not sure of"
    )]
    Contradiction {
        /// The first time.
        first: Finding,
        /// The second time.
        second: Finding,
    },
    /// The weights that this PC holds in memory don't have their hash any more.
    #[error(
        "the weights in this PC's memory are not what was put there, so they are read from disk again: check its memory (run \
         a memory test)"
    )]
    Damaged,
    /// The known-answer test gave another answer.
    #[error(
        "this PC computes other bits than the network ({found:?} instead of {expected:?}): programs of another release (build \
         all of them from one), or bad memory (run a memory test). It must not train or verify, it would lose its stake"
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
            | Self::CantLoad {
                cause: LoadCause::Missing | LoadCause::Wrong,
                ..
            }
            | Self::LosesSmallNumbers
            | Self::WrongVersion { .. }
            | Self::KnownAnswerDiffers { .. } => true,
            Self::Spawn(_)
            | Self::CantLoad {
                cause: LoadCause::NoRoom,
                ..
            }
            | Self::Stopped
            | Self::CalledOff
            | Self::WorkerDied { .. }
            | Self::TimedOut { .. }
            | Self::Nonsense { .. }
            | Self::Torch { .. }
            | Self::TooBig { .. }
            | Self::BadJob { .. }
            | Self::Contradiction { .. }
            | Self::Damaged => false,
        }
    }

    /// Whether the same job would fail in the same way whenever it is tried: by this version, on this PC or any other.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::TooBig { .. } | Self::BadJob { .. })
    }

    /// Whether the job may have cost a worker its life, by its size or by what it does.
    pub fn costs_a_worker(&self) -> bool {
        matches!(
            self,
            Self::WorkerDied { .. } | Self::TimedOut { .. } | Self::Nonsense { .. }
        )
    }
}
