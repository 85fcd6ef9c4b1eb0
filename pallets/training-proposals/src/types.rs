//! What the pallet keeps about models, versions, rounds and their places.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{BoundedVec, traits::ConstU32};
use hydra_primitives::{
    Balance, BlobRef, BlockNumber, H256, ModelId, RoundNumber, Version,
    dataset::DatasetManifest,
    duty::{MAX_PROVIDERS, description_id},
    model::{MAX_ROSTER, ModelSpec, PhaseLengths, SizeClass},
    poll::{Draw, PollId},
    proposal::{Claim, Score},
    status::{Outcome, Phase, PlaceSummary, Waiting},
    task::PlaceIndex,
    traits::MAX_FIRST,
    update::{Encoding, UpdateHeader},
};
use scale_info::TypeInfo;

use crate::pace::Pace;

/// The most places of a round.
pub const MAX_PLACES: u32 = MAX_ROSTER as u32;
/// One for each place, at most.
pub type PerPlace<Item> = BoundedVec<Item, ConstU32<MAX_PLACES>>;
/// Accounts that were right in the first draw of a poll, with how many seats.
pub type RightSeats<AccountId> = BoundedVec<(AccountId, u32), ConstU32<MAX_FIRST>>;
/// Some of those who have a blob.
pub type Providers<AccountId> = BoundedVec<AccountId, ConstU32<{ MAX_PROVIDERS as u32 }>>;

/// A model with what it learns from.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Model {
    /// The model.
    pub spec: ModelSpec,
    /// Its data set.
    pub dataset: DatasetManifest,
}

/// What rounds need of a model, in every block: spec and data set themselves are large.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Terms {
    /// Names spec and data set.
    pub description: H256,
    /// Work of a task, in sample-parameters.
    pub work: u64,
    /// How large a task is.
    pub size: SizeClass,
    /// The most places of a round.
    pub roster: u16,
    /// Seats of a poll's first draw.
    pub first_seats: u8,
    /// Longest phases of a round.
    pub phases: PhaseLengths,
    /// Shards of the data set.
    pub shards: u32,
    /// Exact size of an update, in bytes.
    pub update_size: u64,
}

impl Terms {
    /// Those of a model.
    pub fn of(model: ModelId, info: &Model) -> Self {
        let header = UpdateHeader {
            encoding: Encoding::Dense,
            parameters: info.spec.architecture.parameters(),
        };
        Self {
            description: description_id(model, &info.spec, &info.dataset),
            work: info.spec.work(),
            size: info.spec.size_class(&info.dataset),
            roster: info.spec.roster,
            first_seats: info.spec.first_seats,
            phases: info.spec.phases,
            shards: info.dataset.shard_count(),
            update_size: header.blob_size(),
        }
    }
}

/// A model's current round, and where the model stands between rounds.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Round {
    /// Its number.
    pub number: RoundNumber,
    /// How many times it began anew: what it was to train from was given up, or nobody could be drawn.
    pub extension: u32,
    /// Where it stands.
    pub phase: Phase,
    /// The block it opened in.
    pub opened_at: BlockNumber,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: BlockNumber,
    /// Decides which shard each place trains on, in which order. Made when the round opened.
    pub seed: H256,
    /// How many places it has.
    pub places: PlaceIndex,
    /// Places whose holder proposed.
    pub proposed: PlaceIndex,
    /// Places that take nothing more: their polls are asked, where there is something to ask.
    pub closed: PlaceIndex,
    /// Polls asked.
    pub asked: PlaceIndex,
    /// Polls that are over.
    pub decided: PlaceIndex,
    /// Places whose update is accepted.
    pub accepted: PlaceIndex,
    /// Why it waits, if it does.
    pub waiting: Option<Waiting>,
    /// How long rounds pause.
    pub pace: Pace,
    /// The number of the model's last version, given up or not.
    pub made: Version,
    /// The poll on the newest version, while it is not confirmed.
    pub question: Option<PollId>,
    /// What the round of the newest version earned, while that is not paid or dropped.
    pub dues: Option<Dues>,
}

/// What a round earned, on its way to those who earned it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Dues {
    /// The round.
    pub round: RoundNumber,
    /// How many places it had.
    pub places: PlaceIndex,
    /// The next place to be paid or dropped.
    pub next: PlaceIndex,
    /// Whether it is to be paid.
    pub state: DuesState,
    /// What was paid so far.
    pub paid: Balance,
}

/// Whether what a round earned is to be paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub enum DuesState {
    /// Not yet: its version is in question.
    Waiting,
    /// Yes: its version is confirmed.
    Paying,
    /// No: its version is given up.
    Dropped,
}

/// A place of the current round.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Place<AccountId> {
    /// Who holds it.
    pub holder: AccountId,
    /// What the holder proposed.
    pub claim: Option<Claim>,
    /// The poll on that.
    pub poll: Option<PollId>,
    /// What became of it.
    pub outcome: Option<Outcome>,
    /// The draw that decided.
    pub draw: Draw,
    /// What it earns if it is accepted and its version confirmed; fixed when the poll was asked.
    pub quoted: Balance,
    /// What its holder forfeits if it is rejected, and its seats for a wrong digest each; fixed then, too.
    pub forfeit: Balance,
}

impl<AccountId> Place<AccountId> {
    /// A place that was just drawn.
    pub fn of(holder: AccountId) -> Self {
        Self {
            holder,
            claim: None,
            poll: None,
            outcome: None,
            draw: Draw::First,
            quoted: 0,
            forfeit: 0,
        }
    }
}

/// What an accepted place earns once its version is confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Payout<AccountId> {
    /// Who held the place.
    pub holder: AccountId,
    /// The update.
    pub update: BlobRef,
    /// What it is worth, the verifiers' part included.
    pub reward: Balance,
    /// Who was right in the first draw.
    pub right: RightSeats<AccountId>,
}

/// An update that made it into a version.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct FoldedUpdate<AccountId> {
    /// Its place.
    pub place: PlaceIndex,
    /// The update.
    pub update: BlobRef,
    /// The shard it was trained on.
    pub shard: u32,
    /// Who has it: the place's holder first, then some who computed the same.
    pub providers: Providers<AccountId>,
}

/// A version that is not confirmed yet, and what it is made of.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct VersionInfo<AccountId> {
    /// The version.
    pub version: Version,
    /// The round that made it.
    pub round: RoundNumber,
    /// The confirmed weights it is folded from.
    pub base: H256,
    /// The updates folded in, in the order of their places.
    pub updates: PerPlace<FoldedUpdate<AccountId>>,
}

/// The newest confirmed version: what people are answered with.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct ConfirmedVersion<AccountId> {
    /// The version.
    pub version: Version,
    /// BLAKE3 of its safetensors file.
    pub weights: H256,
    /// It on the validation set; `None` for version 0, which nobody measured.
    pub score: Option<Score>,
    /// Some of those who have it: they found the same weights. Nobody for version 0, which everyone makes from the spec's seed.
    pub providers: Providers<AccountId>,
}

/// The record of a settled round.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct RoundRecord<AccountId> {
    /// The block it opened in.
    pub opened_at: BlockNumber,
    /// The block it was settled in.
    pub settled_at: BlockNumber,
    /// What became of its places, in order.
    pub places: PerPlace<PlaceSummary<AccountId>>,
    /// The version it made; the confirmed one when nothing was accepted.
    pub version: Version,
    /// That version's weights, once confirmed.
    pub weights: Option<H256>,
    /// That version on the validation set, once confirmed.
    pub score: Option<Score>,
    /// Whether that version was given up.
    pub given_up: bool,
}

/// What duties took of the blocks and is not yet made up for.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Backlog {
    /// Weight, in picoseconds.
    pub weight: u64,
    /// As of this block.
    pub at: BlockNumber,
}
