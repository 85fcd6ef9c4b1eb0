//! Why a task has no result.

use hydra_engine::EngineError;

use crate::{depot::DepotError, torch::TorchError, weights::WeightsError};

/// Why a task has no result.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The weights can't be had.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// The engine failed, or may not be used.
    #[error(transparent)]
    Torch(#[from] TorchError),
    /// A blob of the data set can't be had.
    #[error("{what} can't be had: {source}")]
    Data {
        /// Which.
        what: &'static str,
        /// Why.
        source: DepotError,
    },
    /// The data set has no such shard.
    #[error("the data set has no shard {shard}: node and trainer are of different releases")]
    NoShard {
        /// The shard asked for.
        shard: u32,
    },
    /// Training reached values that are not finite.
    #[error("training diverged: weights are no finite numbers any more, so there is nothing to propose")]
    Diverged,
    /// A blob can't be stored.
    #[error(transparent)]
    Store(#[from] DepotError),
}

impl TaskError {
    /// Whether trying again would fail in the same way.
    pub fn is_for_good(&self) -> bool {
        match self {
            // Once failed, it stays so until the trainer is started again.
            Self::Torch(TorchError::Failed(_)) => true,
            Self::Torch(TorchError::Engine(error)) => error.is_permanent(),
            Self::NoShard { .. } | Self::Diverged | Self::Weights(WeightsError::WrongInitial { .. }) => true,
            _ => false,
        }
    }

    /// Whether the task may be why a worker ended, so that it can't be tried for ever.
    pub fn costs_a_worker(&self) -> bool {
        matches!(self, Self::Torch(TorchError::Engine(error)) if error.costs_a_worker())
    }

    /// Whether the weights in memory have changed by themselves.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Weights(WeightsError::Damaged) | Self::Torch(TorchError::Engine(EngineError::Damaged))
        )
    }

    /// Whether a person should hear of it.
    pub fn is_worth_telling(&self) -> bool {
        !matches!(
            self,
            Self::Torch(TorchError::Stopping | TorchError::Starting)
                | Self::Store(DepotError::Stopping)
                | Self::Weights(WeightsError::NothingNewer)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flipped_bits_are_found_out_wherever_they_are_met() {
        assert!(TaskError::from(WeightsError::Damaged).is_damage());
        assert!(TaskError::from(TorchError::Engine(EngineError::Damaged)).is_damage());
        assert!(!TaskError::from(TorchError::Stopping).is_damage());
        // What is on disk is good: it is tried again.
        assert!(!TaskError::from(WeightsError::Damaged).is_for_good());
        assert!(!TaskError::from(TorchError::Engine(EngineError::Damaged)).is_for_good());
    }
}
