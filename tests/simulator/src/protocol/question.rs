//! What the network is asked, and what an answer to it is on chain.

use hydra_primitives::{
    H256, Version, domain_hash,
    poll::{self, Finding, Opening, PollId},
    proposal::Score,
};
use hydra_runtime::AccountId;

use crate::symbol::{Answer, Symbol};

const TASK: &str = "hydraai 2026 simulated task v2";
/// How well the first version does, in millionths of a nat.
const FIRST_LOSS: u32 = 4_000_000_000;

/// A question.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Question {
    /// What a task gives.
    Task(H256),
    /// What weights a recipe gives, and how they do on the validation set.
    Version {
        /// The recipe.
        recipe: H256,
        /// How they do.
        score: Score,
    },
}

impl Question {
    /// What the task with this seed gives, from these weights.
    pub fn task(seed: &H256, base: &H256) -> Self {
        Self::Task(domain_hash(TASK, &[seed.as_bytes(), base.as_bytes()]))
    }

    /// What the recipe of this version gives. With each version the loss is lower by a two-hundredth, or is what it was.
    pub fn version(version: Version, recipe: H256, learns: bool) -> Self {
        let steps = if learns { version } else { 0 };
        let loss = (0..steps).fold(FIRST_LOSS, |loss, _| loss - loss / 200);
        Self::Version {
            recipe,
            score: Score {
                correct: 324,
                total: 360,
                loss,
            },
        }
    }

    fn name(&self) -> &H256 {
        match self {
            Self::Task(task) => task,
            Self::Version { recipe, .. } => recipe,
        }
    }

    /// The hash that a result is known by: of the update, or of the weights.
    pub fn hash(&self, result: Symbol) -> H256 {
        result.hash(self.name())
    }

    /// What a hash stands for, as a result of this.
    pub fn behind(&self, hash: &H256) -> Symbol {
        Symbol::behind(hash, self.name())
    }

    /// A plain copy of an answer.
    pub fn opening(&self, answer: Answer) -> Opening {
        let hash = self.hash(answer.result);
        let finding = match self {
            Self::Task(_) => Finding::Update(hash),
            Self::Version { score, .. } => Finding::Version {
                weights: hash,
                score: *score,
            },
        };
        Opening {
            finding,
            witness: answer.witness.witness(self.name()),
        }
    }

    /// An account's hidden copy of an answer.
    pub fn digest(&self, poll: &PollId, who: &AccountId, answer: Answer) -> H256 {
        let Opening { finding, witness } = self.opening(answer);
        poll::digest(poll, &finding.result(), &witness, &super::bytes(who))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_learns_gets_better_by_more_than_a_thousandth_with_each_of_a_thousand_versions() {
        let loss = |version, learns| match Question::version(version, H256::zero(), learns) {
            Question::Version { score, .. } => score.loss,
            Question::Task(_) => unreachable!("it was asked about a version"),
        };
        for version in 0..1_000 {
            let (before, after) = (loss(version, true), loss(version + 1, true));
            assert!(
                u64::from(after) * 1_000 <= u64::from(before) * 999,
                "version {version}"
            );
        }
        assert_eq!(loss(7, false), loss(8, false));
    }
}
