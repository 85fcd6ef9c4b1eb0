//! A state of a training task as the trace hashes it: weights, then the optimizer's buffers (see
//! [`hydra_primitives::trace`]).
//!
//! Values may be anything: a state fetched from a proposer is only ever compared or recomputed from, never used as a
//! model, so finiteness is not this file's business.

use hydra_primitives::model::ModelSpec;

use crate::Weights;

/// The weights and the optimizer's buffers between two steps.
#[derive(Clone, PartialEq, Debug)]
pub struct TrainingState {
    /// The weights.
    pub weights: Weights,
    /// SGD's momentum buffers, one value per weight; none if the task's momentum is 0.
    pub momentum: Option<Weights>,
}

fn has_momentum(spec: &ModelSpec) -> bool {
    spec.task.momentum.deconstruct() > 0
}

/// Exact size in bytes of every training state of `spec`: 4 per weight, and as many again if the task has momentum.
pub fn state_size(spec: &ModelSpec) -> u64 {
    spec.state_size()
}

impl TrainingState {
    /// The state before the first step: `base` and empty buffers.
    pub fn initial(spec: &ModelSpec, base: &Weights) -> Self {
        Self {
            weights: base.clone(),
            momentum: has_momentum(spec).then(|| Weights::zeros(base.len())),
        }
    }

    /// The bytes that a leaf is the hash of.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.weights.to_le_bytes();
        if let Some(momentum) = &self.momentum {
            momentum.write_le_bytes(&mut bytes);
        }
        bytes
    }

    /// Reads a state; `None` if its size is not [`state_size`].
    pub fn decode(spec: &ModelSpec, bytes: &[u8]) -> Option<Self> {
        if bytes.len() as u64 != state_size(spec) {
            return None;
        }
        if !has_momentum(spec) {
            return Some(Self {
                weights: Weights::from_le_bytes(bytes)?,
                momentum: None,
            });
        }
        let (weights, momentum) = bytes.split_at(bytes.len() / 2);
        Some(Self {
            weights: Weights::from_le_bytes(weights)?,
            momentum: Some(Weights::from_le_bytes(momentum)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::initial_weights;
    use hydra_primitives::{Permill, digits::digits_spec};

    #[test]
    fn states_survive_the_round_trip_and_have_the_size_the_spec_implies() {
        let mut spec = digits_spec();
        for momentum in [Permill::from_percent(90), Permill::zero()] {
            spec.task.momentum = momentum;
            let state = TrainingState::initial(&spec, &initial_weights(&spec));
            let bytes = state.encode();
            assert_eq!(bytes.len() as u64, state_size(&spec));
            assert_eq!(TrainingState::decode(&spec, &bytes), Some(state));
            assert_eq!(TrainingState::decode(&spec, &bytes[4..]), None);
        }
    }
}
