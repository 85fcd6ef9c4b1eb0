//! A trainer's claim: what it trained, on what, and what came of it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{BlobRef, H256, ModelId, RoundNumber, domain_hash};

/// Names one proposal: an account has at most one per model and round.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct ProposalKey<AccountId> {
    /// The model.
    pub model: ModelId,
    /// The round.
    pub round: RoundNumber,
    /// Who proposed.
    pub proposer: AccountId,
}

impl<AccountId: Encode> ProposalKey<AccountId> {
    /// The proposal's name as a hash: what sortition and vote commitments are bound to.
    pub fn id(&self) -> H256 {
        self.using_encoded(|bytes| domain_hash("hydraai 2026 proposal id v1", &[bytes]))
    }
}

/// How many of a number of samples were classified right.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Score {
    /// Samples classified right.
    pub correct: u32,
    /// Samples in all.
    pub total: u32,
}

impl Score {
    /// Whether the share of right answers is at least `permill` (of 1,000,000).
    pub fn at_least(&self, share: crate::Permill) -> bool {
        u64::from(self.correct).saturating_mul(1_000_000)
            >= u64::from(self.total).saturating_mul(u64::from(share.deconstruct()))
    }
}

/// What a trainer says of its work. Verifiers recompute all of it but the time.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct Report {
    /// Mean cross-entropy of the base weights on the whole assigned shard, in millionths of a nat.
    pub loss_before: u32,
    /// The same after training.
    pub loss_after: u32,
    /// The trained model on the validation set.
    pub validation: Score,
    /// Optimizer steps done.
    pub steps: u32,
    /// Time it took, in milliseconds. Information only: nobody can check it exactly.
    pub milliseconds: u32,
}

/// An update as proposed on chain.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    MaxEncodedLen,
    Serialize,
    Deserialize,
)]
pub struct Proposal {
    /// The weights it was trained from: BLAKE3 of the model's safetensors file.
    pub base: H256,
    /// The update blob.
    pub update: BlobRef,
    /// Root of the trace of training states.
    pub trace_root: H256,
    /// What the trainer says of its work.
    pub report: Report,
}
