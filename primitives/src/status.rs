//! What the chain tells about itself through its runtime API: read by the CLI, the dashboard and tests.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{
    Balance, BlockNumber, H256, ModelId, Perbill, RoundNumber, Version,
    dataset::DatasetManifest,
    model::ModelSpec,
    proposal::Score,
    tally::{Outcome, Tally},
    vote::Vote,
};

/// Where a round stands.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Encode,
    Decode,
    codec::DecodeWithMemTracking,
    TypeInfo,
    codec::MaxEncodedLen,
    Serialize,
    Deserialize,
)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Phase {
    /// Trainers train on their shards and propose.
    Train,
    /// Verifiers check the proposals and commit votes.
    Verify,
    /// Verifiers reveal their votes.
    Reveal,
    /// Outcomes are applied: rewards, reputation, the next version.
    Settle,
}

/// What a committee member did in a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum BallotView {
    /// Nothing yet.
    Absent,
    /// Committed to a vote.
    Committed(H256),
    /// Revealed its vote.
    Revealed(Vote),
}

/// A model and its current round, as a person wants to see it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModelStatus {
    /// The model.
    pub model: ModelId,
    /// Its spec.
    pub spec: ModelSpec,
    /// Its data set.
    pub dataset: DatasetManifest,
    /// The current round.
    pub round: RoundNumber,
    /// The round's phase.
    pub phase: Phase,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: BlockNumber,
    /// Proposals in the current round.
    pub proposals: u32,
    /// Accounts expected to take part: registered, staked and active.
    pub participants: u32,
    /// The newest version, confirmed or not.
    pub version: Version,
    /// The newest confirmed version.
    pub confirmed_version: Version,
    /// BLAKE3 of the confirmed version's safetensors file.
    pub weights: H256,
    /// The confirmed version on the validation set.
    pub score: Option<Score>,
}

/// What became of one proposal.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, codec::DecodeWithMemTracking, TypeInfo, codec::MaxEncodedLen,
)]
pub struct ProposalSummary<AccountId> {
    /// Who proposed.
    pub proposer: AccountId,
    /// The decision.
    pub outcome: Outcome,
    /// The weights it rests on.
    pub tally: Tally,
    /// What the proposer earned.
    pub reward: Balance,
}

/// The record of a settled round.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct RoundSummary<AccountId> {
    /// The round.
    pub round: RoundNumber,
    /// The block it opened in.
    pub opened_at: BlockNumber,
    /// The block it was settled in.
    pub settled_at: BlockNumber,
    /// Its proposals in account order.
    pub proposals: Vec<ProposalSummary<AccountId>>,
    /// The version it made: the same as before when nothing was accepted.
    pub version: Version,
    /// BLAKE3 of that version's safetensors file, once confirmed.
    pub weights: Option<H256>,
    /// That version on the validation set, once confirmed.
    pub score: Option<Score>,
    /// Who attested which weights for that version.
    pub attestations: Vec<(AccountId, H256)>,
}

/// One account's part in the network.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct NodeStatus {
    /// Whether it is registered.
    pub registered: bool,
    /// Whether it counts as showing up.
    pub active: bool,
    /// Its data-plane PeerId (multihash bytes), empty when not registered.
    pub peer_id: Vec<u8>,
    /// Its reputation.
    pub reputation: Perbill,
    /// Its bond.
    pub stake: Balance,
    /// What its vote weighs.
    pub weight: u128,
}
