//! The boundary between the node's off-chain worker and its local trainer.
//!
//! In every block the off-chain worker posts a [`DutySheet`] per local account that is registered: all that the account owes
//! at this block. On a PC without such an account it posts one sheet without duties, so that its trainer knows the models and
//! can answer questions to them. The trainer answers at once with the [`DutyResult`]s it already has and carries on with the
//! rest. The sheet is the whole truth: neither side has to remember anything for the other. Bodies are SCALE; each carries a keyed
//! BLAKE3 tag made with a token that only the two of them know, so that neither a page in a browser nor another local
//! user can speak for either side.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

use crate::{
    AccountBytes, BlobRef, BlockNumber, H256, ModelId, RoundNumber, Version,
    dataset::DatasetManifest,
    domain_hash,
    model::ModelSpec,
    proposal::{Proposal, ProposalKey, Score},
    status::Phase,
    vote::Vote,
};

const RECIPE: &str = "hydraai 2026 version recipe v1";

/// Path of the duty endpoint on the trainer's loopback server.
pub const DUTIES_PATH: &str = "/v1/duties";
/// Header with the hexadecimal tag of a request or an answer.
pub const TAG_HEADER: &str = "x-hydra-tag";
/// The largest duty sheet and the largest answer, in bytes.
pub const MAX_BODY: usize = 1 << 20;
/// The version of this boundary; the trainer refuses sheets of another.
pub const DUTY_PROTOCOL: u16 = 1;
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
    /// Every model with what is owed to it.
    pub models: Vec<ModelDuties>,
}

/// Whether an account may take part.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Standing {
    /// Not registered: call `reputation.register`.
    Unregistered,
    /// Registered, but without the minimum stake: call `stakeVoting.bond`.
    Unstaked,
    /// Takes part.
    Ready,
}

/// A model's state at one block, and what the account owes to it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ModelDuties {
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
    /// The newest version and how to get it.
    pub version: VersionRecipe,
    /// Data-plane PeerIds (multihash bytes) of active nodes: who may have the blobs.
    pub providers: Vec<Vec<u8>>,
    /// What the account owes, in the order it should be done.
    pub duties: Vec<Duty>,
}

/// How to get a version's weights: fold the updates into the base, or fetch them by hash once they are confirmed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct VersionRecipe {
    /// The version.
    pub version: Version,
    /// The weights it was folded from; for version 0 its own weights.
    pub base: H256,
    /// Accepted updates in account order; empty for version 0.
    pub updates: Vec<AcceptedUpdate>,
    /// Its weights, once confirmed (version 0: always).
    pub weights: Option<H256>,
}

impl VersionRecipe {
    /// [`recipe_id`] of this recipe.
    pub fn id(&self) -> H256 {
        let updates = self.updates.iter();
        recipe_id(
            self.version,
            &self.base,
            updates.map(|folded| (folded.proposer, folded.update, folded.shard)),
        )
    }
}

/// Names what a version is folded from: its number, the weights below it, and proposer, update and shard of each accepted
/// update in account order. Whether it is confirmed doesn't change it.
pub fn recipe_id(
    version: Version,
    base: &H256,
    updates: impl Iterator<Item = (AccountBytes, BlobRef, u32)>,
) -> H256 {
    let updates: Vec<_> = updates.collect();
    (version, base, updates).using_encoded(|bytes| domain_hash(RECIPE, &[bytes]))
}

/// An accepted update, to be folded in.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AcceptedUpdate {
    /// Who proposed it.
    pub proposer: AccountBytes,
    /// The proposer's data-plane PeerId (multihash bytes); empty when unknown.
    pub peer_id: Vec<u8>,
    /// The update.
    pub update: BlobRef,
    /// The shard it was trained on: its samples are the update's weight in the mean.
    pub shard: u32,
}

/// One thing an account owes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Duty {
    /// Get the newest version's weights and attest their hash and score.
    Attest,
    /// Train on a shard and propose the update.
    Train {
        /// Index of the shard.
        shard: u32,
        /// Seed of the order of its samples.
        task_seed: H256,
    },
    /// Check a proposal and commit a vote.
    Verify(VerifyDuty),
    /// Reveal the vote behind the commitment.
    Reveal {
        /// The proposal to check again, should the vote not be remembered.
        verify: VerifyDuty,
        /// What was committed.
        commitment: H256,
    },
}

/// A proposal to check: everything about it that is public.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct VerifyDuty {
    /// The proposal's name.
    pub key: ProposalKey<AccountBytes>,
    /// What it claims.
    pub proposal: Proposal,
    /// The proposer's data-plane PeerId (multihash bytes).
    pub peer_id: Vec<u8>,
    /// The weights it should have been trained from, if they are confirmed.
    pub base: Option<H256>,
    /// The shard it should have been trained on.
    pub shard: u32,
    /// The seed of the order of samples it should have used.
    pub task_seed: H256,
    /// The segment of the trace to recompute.
    pub segment: u32,
}

/// Something done, to be put on chain.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum DutyResult {
    /// The weights of a version.
    Attest {
        /// The model.
        model: ModelId,
        /// The version.
        version: Version,
        /// [`recipe_id`] of what it was folded from: another branch of the chain may have accepted other updates.
        recipe: H256,
        /// BLAKE3 of its safetensors file.
        weights: H256,
        /// How they do on the validation set.
        score: Score,
    },
    /// A trained update.
    Propose {
        /// The model.
        model: ModelId,
        /// The round it was trained for.
        round: RoundNumber,
        /// The seed it was trained with: on another branch of the chain the same round has another one.
        task_seed: H256,
        /// The claim.
        proposal: Proposal,
    },
    /// A committed vote.
    CommitVote {
        /// The proposal.
        key: ProposalKey<AccountBytes>,
        /// Hides the vote.
        commitment: H256,
    },
    /// A revealed vote.
    RevealVote {
        /// The proposal.
        key: ProposalKey<AccountBytes>,
        /// The vote.
        vote: Vote,
        /// What hid it.
        salt: H256,
    },
}

/// What the trainer answers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct DutyAnswer {
    /// What is done so far of what the sheet asks for.
    pub results: Vec<DutyResult>,
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
