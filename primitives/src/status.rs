//! What the chain tells about itself through its runtime API: read by the CLI, the dashboard and tests.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use crate::{
    Balance, BlockNumber, H256, ModelId, Perbill, RoundNumber, Version,
    dataset::DatasetManifest,
    electorate::SessionIndex,
    model::{ModelSpec, SizeClass},
    poll::{Draw, PollId},
    proposal::Score,
    task::PlaceIndex,
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
    /// Nothing is asked: the round opens when the phase ends, and somebody takes part.
    Pause,
    /// The holders of its places train and propose.
    Train,
    /// Drawn seats compute what was proposed, and say what they found.
    Verify,
}

/// Why a model is not trained now.
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
pub enum Waiting {
    /// Nobody takes part in this session, or too few of those who took part within the last day.
    Participants,
    /// Fewer than nine tenths of the weight have room for its tasks.
    Room,
    /// Rounds bring nothing new: the pause grows until one does.
    Progress,
    /// All duties together would take more than a quarter of the blocks: it waits its turn.
    Turn,
    /// Who pays for it has nothing left.
    Payer,
}

/// What became of a claim.
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
pub enum Outcome {
    /// The network found the same: it is folded in, and paid when the version is confirmed.
    Accepted,
    /// The network found something else: it forfeits.
    Rejected,
    /// No draw was decided: it is not folded in, and nobody is judged.
    Undecided,
    /// It was made from other weights than the confirmed ones: nobody looked at it, and its holder missed a duty.
    Dropped,
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
    /// Why it waits, if it does.
    pub waiting: Option<Waiting>,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: BlockNumber,
    /// Places of the current round, in order.
    pub places: u32,
    /// Proposals in the current round.
    pub proposals: u32,
    /// Polls of the current round that are decided.
    pub decided: u32,
    /// The newest version, confirmed or not.
    pub version: Version,
    /// The poll on the newest version, while it is not confirmed.
    pub version_poll: Option<PollId>,
    /// The newest confirmed version.
    pub confirmed_version: Version,
    /// BLAKE3 of the confirmed version's safetensors file.
    pub weights: H256,
    /// The confirmed version on the validation set; `None` for version 0.
    pub score: Option<Score>,
}

/// What became of one place of a round.
#[derive(
    Clone, PartialEq, Eq, Debug, Encode, Decode, codec::DecodeWithMemTracking, TypeInfo, codec::MaxEncodedLen,
)]
pub struct PlaceSummary<AccountId> {
    /// The place.
    pub place: PlaceIndex,
    /// Who held it.
    pub holder: AccountId,
    /// The decision; `None` if nothing was proposed.
    pub outcome: Option<Outcome>,
    /// The draw that decided.
    pub draw: Draw,
    /// What its holder was paid, once its version is confirmed.
    pub reward: Balance,
    /// What those were paid together who verified it.
    pub verifiers: Balance,
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
    /// Its places in order.
    pub places: Vec<PlaceSummary<AccountId>>,
    /// The version it made; the same as before when nothing was accepted.
    pub version: Version,
    /// BLAKE3 of that version's safetensors file, once confirmed.
    pub weights: Option<H256>,
    /// That version on the validation set, once confirmed.
    pub score: Option<Score>,
    /// Whether that version was given up.
    pub given_up: bool,
}

/// Where a poll stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum PollStage {
    /// Its seats are being drawn.
    Drawing,
    /// Seats give their digests.
    Digests,
    /// The digests are closed; it waits for an opening.
    Opening,
    /// It is decided, and its seats are being judged.
    Judging,
}

/// A poll, as a person wants to see it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct PollStatus<AccountId> {
    /// The poll.
    pub poll: PollId,
    /// Which draw is asked.
    pub draw: Draw,
    /// Where it stands.
    pub stage: PollStage,
    /// The block in which the stage ends at the latest.
    pub ends_at: BlockNumber,
    /// Seats of this draw.
    pub seats: u32,
    /// Those that gave their digest.
    pub given: u32,
    /// Accounts with seats of any draw so far: seats in all draws, and whether the digest is given. [`MAX_SHOWN`] at most.
    pub accounts: Vec<(AccountId, u32, bool)>,
}

/// The most accounts of one poll that are shown.
pub const MAX_SHOWN: usize = 64;

/// One account's part in the network.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct NodeStatus {
    /// Whether it is registered.
    pub registered: bool,
    /// Whether it takes part: a point that falls on it counts.
    pub active: bool,
    /// Whether its owner paused it.
    pub paused: bool,
    /// The session of its last heartbeat.
    pub heartbeat: SessionIndex,
    /// Its data-plane PeerId (multihash bytes), empty when not registered.
    pub peer_id: Vec<u8>,
    /// Its score.
    pub reputation: Perbill,
    /// What is bonded and not unbonding, in 10⁻¹² HYDRA.
    pub stake: Balance,
    /// What is unbonding, in 10⁻¹² HYDRA.
    pub unbonding: Balance,
    /// What it weighs in draws of the next session: stake × score, in millionths of a HYDRA.
    pub weight: u64,
    /// How many tasks it takes on at a time.
    pub room: u8,
    /// How many it has.
    pub busy: u8,
    /// How large they may be.
    pub size_class: SizeClass,
}

/// The electorate, as a person wants to see it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ElectorateStatus {
    /// The session.
    pub session: SessionIndex,
    /// Accounts drawn from in this session.
    pub accounts: u32,
    /// Their weight together, in millionths of a HYDRA.
    pub weight: u64,
    /// Accounts that will be drawn from in the next session, so far.
    pub next_accounts: u32,
    /// Registered accounts.
    pub registered: u32,
    /// The largest weight of a session within the last day.
    pub largest: u64,
}
