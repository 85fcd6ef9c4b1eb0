//! What the pallet keeps about models, versions and rounds.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, CloneNoBound, DebugNoBound, PartialEqNoBound, traits::Get};
use hydra_primitives::{
    BlobRef, BlockNumber, H256, RoundNumber, Version,
    dataset::DatasetManifest,
    model::ModelSpec,
    proposal::Score,
    status::{Phase, ProposalSummary},
};
use scale_info::TypeInfo;

/// A model with what it learns from.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Model {
    /// The model.
    pub spec: ModelSpec,
    /// Its data set.
    pub dataset: DatasetManifest,
}

/// A model's current round.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Round {
    /// Its number.
    pub number: RoundNumber,
    /// Where it stands.
    pub phase: Phase,
    /// The block it opened in.
    pub opened_at: BlockNumber,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: BlockNumber,
    /// Decides who trains on which shard, in which order. Drawn when the round opened.
    pub train_seed: H256,
    /// The block in which the proposals were fixed.
    pub fixed_at: Option<BlockNumber>,
    /// Decides which part of each trace each verifier recomputes. Drawn in the block after the proposals were fixed, from
    /// randomness that was not public while anyone could still propose.
    pub verify_seed: Option<H256>,
}

/// An update that made it into a version.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct FoldedUpdate<AccountId> {
    /// Who proposed it.
    pub proposer: AccountId,
    /// The update.
    pub update: BlobRef,
    /// The shard it was trained on.
    pub shard: u32,
}

/// A version of a model's weights, and how it came about.
#[derive(CloneNoBound, PartialEqNoBound, DebugNoBound, Encode, Decode, TypeInfo, MaxEncodedLen)]
#[scale_info(skip_type_params(MaxProposals))]
pub struct VersionInfo<AccountId: Clone + PartialEq + core::fmt::Debug, MaxProposals: Get<u32>> {
    /// The version.
    pub version: Version,
    /// The round that made it.
    pub round: RoundNumber,
    /// The weights it was folded from; for version 0 its own weights.
    pub base: H256,
    /// The updates folded in, in account order.
    pub updates: BoundedVec<FoldedUpdate<AccountId>, MaxProposals>,
    /// Its weights, once confirmed by attestations.
    pub weights: Option<H256>,
    /// It on the validation set, once confirmed. `None` for version 0, which nobody attests.
    pub score: Option<Score>,
}

/// The newest confirmed version: what people are answered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct ConfirmedVersion {
    /// The version.
    pub version: Version,
    /// BLAKE3 of its safetensors file.
    pub weights: H256,
    /// It on the validation set; `None` for version 0.
    pub score: Option<Score>,
}

/// What a node says the newest version is.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Attestation {
    /// BLAKE3 of the weights it computed.
    pub weights: H256,
    /// They on the validation set.
    pub score: Score,
}

/// The record of a settled round.
#[derive(CloneNoBound, PartialEqNoBound, DebugNoBound, Encode, Decode, TypeInfo, MaxEncodedLen)]
#[scale_info(skip_type_params(MaxProposals, MaxAttestations))]
pub struct RoundRecord<
    AccountId: Clone + PartialEq + core::fmt::Debug,
    MaxProposals: Get<u32>,
    MaxAttestations: Get<u32>,
> {
    /// The block it opened in.
    pub opened_at: BlockNumber,
    /// The block it was settled in.
    pub settled_at: BlockNumber,
    /// What became of its proposals, in account order.
    pub proposals: BoundedVec<ProposalSummary<AccountId>, MaxProposals>,
    /// The version the model had after it.
    pub version: Version,
    /// That version's weights, once confirmed.
    pub weights: Option<H256>,
    /// That version on the validation set, once confirmed.
    pub score: Option<Score>,
    /// Who attested which weights for the version this round made; empty when it made none.
    pub attestations: BoundedVec<(AccountId, H256), MaxAttestations>,
}
