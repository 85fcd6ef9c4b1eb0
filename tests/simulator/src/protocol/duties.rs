//! What an account owes after a block, and what its answers become.

use hydra_primitives::{
    AccountBytes, BlobRef, H256, ModelId,
    duty::{DutyResult, MAX_RESULTS},
    electorate::{Draw, SessionIndex},
    poll::PollId,
    proposal::{Claim, PlaceKey},
    task::PlaceIndex,
    traits::{Heartbeats as _, Polls as _},
};
use hydra_runtime::{AccountId, Reputation, Runtime, StakeVoting, TrainingProposals};

use super::question::Question;
use crate::{duty::Duty, symbol::Answer};

/// What an account owes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sheet {
    /// The account.
    pub who: AccountId,
    /// What it owes, in the order in which it should be done.
    pub owed: Vec<Owed>,
}

/// A duty, and what the chain needs to know of its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    /// The duty.
    pub duty: Duty,
    /// What becomes of an answer.
    pub form: Form,
}

/// What becomes of an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Form {
    /// The account is there.
    Heartbeat(SessionIndex),
    /// A claim for a place.
    Claim {
        /// The place.
        key: PlaceKey,
        /// The seed of its task.
        seed: H256,
        /// What its task gives.
        question: Question,
        /// The weights that it begins with.
        base: H256,
        /// The size of an update.
        size: u64,
    },
    /// A hidden copy.
    Digest {
        /// The poll.
        poll: PollId,
        /// What it asks.
        question: Question,
        /// Whose claim it is about, if it is about one.
        claimant: Option<AccountBytes>,
    },
    /// A plain copy.
    Open {
        /// The poll.
        poll: PollId,
        /// Its draw.
        draw: Draw,
        /// What it asks.
        question: Question,
        /// The place that it is about, if it is about one.
        place: Option<PlaceIndex>,
    },
}

impl Owed {
    /// The poll that it is about.
    pub fn poll(&self) -> Option<PollId> {
        match self.form {
            Form::Digest { poll, .. } | Form::Open { poll, .. } => Some(poll),
            Form::Heartbeat(_) | Form::Claim { .. } => None,
        }
    }

    /// Whose claim is checked.
    pub fn claimant(&self) -> Option<AccountBytes> {
        match self.form {
            Form::Digest { claimant, .. } => claimant,
            _ => None,
        }
    }

    /// The model that it is about; none for a heartbeat.
    pub fn model(&self) -> Option<ModelId> {
        (!matches!(self.form, Form::Heartbeat(_))).then_some(self.duty.model)
    }

    /// Whether the chain would take it now. What it depends on is not followed block by block: when it is whose turn.
    pub fn is_due(&self, who: &AccountId) -> bool {
        match self.form {
            Form::Heartbeat(session) => Reputation::owed(who) == Some(session),
            Form::Open { poll, draw, .. } => {
                StakeVoting::may_open(&poll, who).is_some_and(|(open, _)| open == draw)
            }
            Form::Claim { .. } | Form::Digest { .. } => true,
        }
    }

    /// What an answer becomes on chain.
    fn result(&self, who: &AccountId, answer: Answer) -> DutyResult {
        match self.form {
            Form::Heartbeat(session) => DutyResult::Heartbeat { session },
            Form::Claim {
                key,
                seed,
                question,
                base,
                size,
            } => DutyResult::Propose {
                key,
                task_seed: seed,
                claim: Claim {
                    base,
                    update: BlobRef {
                        hash: question.hash(answer.result),
                        size,
                    },
                },
            },
            Form::Digest { poll, question, .. } => DutyResult::Digest {
                poll,
                digest: question.digest(&poll, who, answer),
            },
            Form::Open {
                poll, draw, question, ..
            } => DutyResult::Open {
                poll,
                draw,
                opening: question.opening(answer),
            },
        }
    }
}

/// What goes into one transaction of what an account gives, as the off-chain worker chooses: plain copies first, and no more than an
/// eighth of a block.
pub fn submission(who: &AccountId, mut given: Vec<(Owed, Answer)>) -> Vec<DutyResult> {
    given.sort_by_key(|(owed, _)| !matches!(owed.form, Form::Open { .. }));
    let limits: frame_system::limits::BlockWeights = <Runtime as frame_system::Config>::BlockWeights::get();
    let most = limits.max_block.saturating_div(8);
    let mut results: Vec<DutyResult> = Vec::new();
    for (owed, answer) in given.into_iter().take(MAX_RESULTS as usize) {
        results.push(owed.result(who, answer));
        if results.len() > 1 && !TrainingProposals::weight_of(&results).all_lte(most) {
            results.pop();
        }
    }
    results
}
