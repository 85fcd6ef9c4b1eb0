//! Why a job has no result.

use hydra_arithmetic::cpu::CpuError;
use hydra_engine::protocol::FrameError;
use hydra_torch_worker::operators::OperatorError;

#[derive(Debug, thiserror::Error)]
pub enum JobError {
    #[error("the parent is gone: {0}")]
    Pipe(#[from] FrameError),
    #[error("{0}")]
    Torch(#[from] tch::TchError),
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error(transparent)]
    Processor(#[from] CpuError),
    #[error("{0}")]
    BadJob(String),
}

impl JobError {
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::BadJob(detail.into())
    }
}
