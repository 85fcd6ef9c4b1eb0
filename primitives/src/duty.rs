//! The boundary between the node's off-chain worker and its local trainer.
//!
//! In every block the off-chain worker posts a [`DutySheet`] per local account that is registered: all that the account owes
//! at this block. On a PC without such an account it posts one sheet without duties, so that its trainer knows the models and
//! can answer questions to them. The trainer answers at once with the [`DutyResult`]s it already has and carries on with the
//! rest; it names the models that it doesn't know, and gets the sheet once more with their descriptions. The sheet is the whole truth: neither side has to remember anything for the other. Bodies are SCALE; each carries a keyed
//! BLAKE3 tag made with a token that only the two of them know, so that neither a page in a browser nor another local
//! user can speak for either side.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{
    AccountBytes, BlobRef, BlockNumber, H256, ModelId, RoundNumber, Version,
    dataset::DatasetManifest,
    domain_hash,
    electorate::SessionIndex,
    model::ModelSpec,
    poll::{Draw, Opening, PollId},
    proposal::{Claim, PlaceKey},
    status::Phase,
    task::PlaceIndex,
};

const RECIPE: &str = "hydraai 2026 version recipe v2";
const DESCRIPTION: &str = "hydraai 2026 model description v2";

/// Path of the duty endpoint on the trainer's loopback server.
pub const DUTIES_PATH: &str = "/v1/duties";
/// Header with the hexadecimal tag of a request or an answer.
pub const TAG_HEADER: &str = "x-hydra-tag";
/// The largest duty sheet and the largest answer, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The version of this boundary; the trainer refuses sheets of another.
pub const DUTY_PROTOCOL: u16 = 2;
/// The most results that `trainingProposals.submit` takes at a time.
pub const MAX_RESULTS: u32 = 32;
/// The most providers that a sheet names for one blob.
pub const MAX_PROVIDERS: usize = 8;
/// Key in the node's persistent off-chain storage under which it leaves a SCALE-encoded [`TrainerLink`].
pub const TRAINER_LINK_KEY: &[u8] = b"hydra/trainer-link";

/// The account of a sheet for a PC that has none. Nobody has a key to it, and the chain takes no transaction from it.
pub const NO_ACCOUNT: AccountBytes = [0; 32];

/// Where the local trainer listens, and the secret shared with it.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct TrainerLink {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// The shared token.
    pub token: [u8; 32],
    /// When the node started, in milliseconds since 1970. What an earlier run of it had under way died with that run's
    /// transaction pool.
    pub started: u64,
}

/// Everything one account owes at one block.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DutySheet {
    /// [`DUTY_PROTOCOL`].
    pub protocol: u16,
    /// The chain.
    pub genesis: H256,
    /// The block this was read at.
    pub block: BlockNumber,
    /// Whose duties these are; [`NO_ACCOUNT`] if the PC has no account.
    pub account: AccountBytes,
    /// Whether the account may take part.
    pub standing: Standing,
    /// The session whose heartbeat the account owes now, if it owes one.
    pub heartbeat: Option<SessionIndex>,
    /// Every model with what is owed to it.
    pub models: Vec<ModelDuties>,
    /// The models that the trainer said it doesn't know, in full: see [`DutyAnswer::unknown`].
    pub described: Vec<ModelDescription>,
}

/// Whether an account may take part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Standing {
    /// Not registered: call `reputation.register`.
    Unregistered,
    /// Its bond is below the minimum stake: call `stakeVoting.bond`.
    Unstaked,
    /// Paused by its owner, until `reputation.resume`. What it was drawn for already it still owes.
    Paused,
    /// Takes part from the next session on: it registered or came back in this one.
    Joining,
    /// Takes part.
    Ready,
}

/// What never changes about a model. Large, so it is only sent to a trainer that asked for it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModelDescription {
    /// The model.
    pub model: ModelId,
    /// Its spec.
    pub spec: ModelSpec,
    /// Its data set.
    pub dataset: DatasetManifest,
}

impl ModelDescription {
    /// Names it: what [`ModelDuties::description`] says.
    pub fn id(&self) -> H256 {
        description_id(self.model, &self.spec, &self.dataset)
    }
}

/// Names a model's spec and data set.
pub fn description_id(model: ModelId, spec: &ModelSpec, dataset: &DatasetManifest) -> H256 {
    (model, spec, dataset).using_encoded(|bytes| domain_hash(DESCRIPTION, &[bytes]))
}

/// A model's state at one block, and what the account owes to it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModelDuties {
    /// The model.
    pub model: ModelId,
    /// [`description_id`] of it.
    pub description: H256,
    /// The current round.
    pub round: RoundNumber,
    /// The round's phase.
    pub phase: Phase,
    /// The block in which the phase ends at the latest.
    pub phase_ends_at: BlockNumber,
    /// The newest confirmed version: what people are answered with.
    pub confirmed: ConfirmedWeights,
    /// The newest version and how to get it, if it isn't confirmed. No node may name its weights to others before its poll is
    /// opened.
    pub newest: Option<VersionRecipe>,
    /// What the account owes, in the order it should be done.
    pub duties: Vec<Duty>,
}

/// A confirmed version's weights.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ConfirmedWeights {
    /// The version.
    pub version: Version,
    /// BLAKE3 of its safetensors file.
    pub weights: H256,
    /// Some of those who have them: PeerIds (multihash bytes) of accounts that found the same weights, [`MAX_PROVIDERS`] at most.
    pub providers: Vec<Vec<u8>>,
}

/// How to get a version's weights: fold the updates into the base.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct VersionRecipe {
    /// The version.
    pub version: Version,
    /// The confirmed weights it is folded from.
    pub base: H256,
    /// Accepted updates in the order of their places.
    pub updates: Vec<AcceptedUpdate>,
}

impl VersionRecipe {
    /// [`recipe_id`] of this recipe.
    pub fn id(&self) -> H256 {
        let updates = self.updates.iter();
        recipe_id(
            self.version,
            &self.base,
            updates.map(|folded| (folded.place, folded.update, folded.shard)),
        )
    }
}

/// Names what a version is folded from: its number, the weights below it, and place, update and shard of each accepted
/// update in the order of places.
pub fn recipe_id(
    version: Version,
    base: &H256,
    updates: impl Iterator<Item = (PlaceIndex, BlobRef, u32)>,
) -> H256 {
    let updates: Vec<_> = updates.collect();
    (version, base, updates).using_encoded(|bytes| domain_hash(RECIPE, &[bytes]))
}

/// An accepted update, to be folded in.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AcceptedUpdate {
    /// Its place.
    pub place: PlaceIndex,
    /// The update.
    pub update: BlobRef,
    /// The shard it was trained on: its samples are the update's weight in the mean.
    pub shard: u32,
    /// Some of those who have it: the proposer, and verifiers who computed the same, [`MAX_PROVIDERS`] at most.
    pub providers: Vec<Vec<u8>>,
}

/// One thing an account owes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Duty {
    /// Train the task of one's place and propose the update.
    Train {
        /// The place.
        place: PlaceIndex,
        /// What to compute.
        task: Task,
    },
    /// Compute what somebody else claims of its place, and give its digest.
    Verify {
        /// The poll.
        poll: PollId,
        /// What to compute.
        task: Task,
        /// What is claimed. A result that contradicts it is computed once more in a new process before it is given.
        claim: H256,
        /// The block in which the digests are closed at the latest.
        closes_at: BlockNumber,
    },
    /// Compute the newest version's weights and validation score, and give their digest.
    Attest {
        /// The poll.
        poll: PollId,
        /// The block in which the digests are closed at the latest.
        closes_at: BlockNumber,
    },
    /// The digests are closed: open the poll, if what one found decides it.
    Open {
        /// The poll.
        poll: PollId,
        /// Which of its draws is to be decided.
        draw: Draw,
        /// What it asks, should the trainer have forgotten what it found.
        asks: Asks,
        /// The block in which the next draw is made otherwise.
        opens_until: BlockNumber,
    },
}

/// What a poll asks.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Asks {
    /// What this task gives.
    Task(Task),
    /// What the newest version's recipe gives.
    Version,
}

/// A training task: all that it takes, and all of it public.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Task {
    /// The weights to train from, if they are confirmed; otherwise those of [`ModelDuties::newest`].
    pub base: Option<H256>,
    /// The shard to train on.
    pub shard: u32,
    /// Decides the order of its samples.
    pub task_seed: H256,
}

/// Something done, to be put on chain with `trainingProposals.submit`.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum DutyResult {
    /// The account is there, and takes part in the next session.
    Heartbeat {
        /// The session that it is said in.
        session: SessionIndex,
    },
    /// A trained update.
    Propose {
        /// The place.
        key: PlaceKey,
        /// The seed it was trained with: on another branch of the chain the same place has another one.
        task_seed: H256,
        /// The claim.
        claim: Claim,
    },
    /// A digest of what was found.
    Digest {
        /// The poll.
        poll: PollId,
        /// It.
        digest: H256,
    },
    /// A plain copy of what was found.
    Open {
        /// The poll.
        poll: PollId,
        /// The draw that it decides.
        draw: Draw,
        /// It.
        opening: Opening,
    },
}

/// What the trainer answers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DutyAnswer {
    /// What is done so far of what the sheet asks for, [`MAX_RESULTS`] at most.
    pub results: Vec<DutyResult>,
    /// Models whose description the trainer doesn't have. The node then sends the sheet once more, with them.
    pub unknown: Vec<ModelId>,
}

/// The tag of a request body.
pub fn request_tag(token: &[u8; 32], body: &[u8]) -> [u8; 32] {
    tag(token, b"request", &[0; 32], body)
}

/// The tag of the answer to the request with `request_tag`: an answer can't be replayed for another request.
pub fn answer_tag(token: &[u8; 32], request_tag: &[u8; 32], body: &[u8]) -> [u8; 32] {
    tag(token, b"answer_", request_tag, body)
}

fn tag(token: &[u8; 32], direction: &[u8; 7], context: &[u8; 32], body: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new_keyed(token);
    hasher.update(direction).update(context).update(body);
    *hasher.finalize().as_bytes()
}

/// Compares two tags without revealing where they differ.
pub fn tags_equal(a: &[u8; 32], b: &[u8; 32]) -> bool {
    blake3::Hash::from(*a) == blake3::Hash::from(*b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_depend_on_token_direction_request_and_body() {
        let tag = request_tag(&[1; 32], b"body");
        assert!(tags_equal(&tag, &request_tag(&[1; 32], b"body")));
        assert!(!tags_equal(&tag, &request_tag(&[2; 32], b"body")));
        assert!(!tags_equal(&tag, &request_tag(&[1; 32], b"bodY")));
        assert!(!tags_equal(&tag, &answer_tag(&[1; 32], &[0; 32], b"body")));
        assert!(!tags_equal(
            &answer_tag(&[1; 32], &tag, b"x"),
            &answer_tag(&[1; 32], &[0; 32], b"x")
        ));
    }
}
