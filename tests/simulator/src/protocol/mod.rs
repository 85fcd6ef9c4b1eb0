//! Protocol 1: what a duty is, what an answer becomes on chain, and what the chain's events mean. The only part of the simulator
//! that knows the pallets; another protocol is another folder like this.
//!
//! Everything here reads the state and must be called within the chain's externalities.

mod duties;
mod facts;

pub use duties::{Owed, Sheet, result, sheets};
pub use facts::facts;

use frame_support::traits::Get;
use hydra_primitives::{
    AccountBytes, BlockNumber, H256, ModelId,
    duty::{DutyResult, recipe_id},
    proposal::{Proposal, Score},
    sortition,
    status::Phase,
    traits::{Reputation as _, VotingWeight as _},
};
use hydra_runtime::{
    AccountId, Balance, ForceBatch, Reputation, Runtime, RuntimeCall, StakeVoting, TrainingProposals,
};
use pallet_training_proposals::{BatchResults as _, Models, Round, Rounds};

use crate::{duty::Kind, strategy::Filler, symbol::Symbol};

/// A version of a model as the pallet keeps it.
pub type VersionInfo = pallet_training_proposals::VersionInfo<
    AccountId,
    <Runtime as pallet_training_proposals::Config>::MaxProposals,
>;

/// For how many blocks an account sends nothing else while something of it is in flight.
pub const IN_FLIGHT: BlockNumber = pallet_training_proposals::IN_FLIGHT_BLOCKS;

/// How every version does on the validation set: in a simulation nothing is learnt.
const SCORE: Score = Score {
    correct: 324,
    total: 360,
};

/// The account as the types that cross boundaries have it.
fn bytes(who: &AccountId) -> AccountBytes {
    who.clone().into()
}

/// One transaction for all that an account gives.
pub fn batch(results: Vec<DutyResult>) -> RuntimeCall {
    ForceBatch::batch(results)
}

/// A transaction that does nothing but take room.
pub fn filler(who: &AccountId, filler: Filler) -> RuntimeCall {
    let transfer = || {
        RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
            dest: who.clone().into(),
            value: 1,
        })
    };
    let calls = std::iter::repeat_with(transfer).take(filler.transfers as usize);
    RuntimeCall::Utility(pallet_utility::Call::force_batch {
        calls: calls.collect(),
    })
}

/// What the network waits for in the first model.
pub fn stage() -> Kind {
    match Rounds::<Runtime>::get(0).map(|round| round.phase) {
        None | Some(Phase::Train) => Kind::Task,
        Some(Phase::Verify) => Kind::Check,
        Some(Phase::Reveal) => Kind::Reveal,
        // Nobody owes anything: what was decided is carried out.
        Some(Phase::Settle) => Kind::Fold,
    }
}

/// What the account's voice weighs.
pub fn weight(who: &AccountId) -> u128 {
    StakeVoting::weight(who)
}

/// How well the account did, from 0 to 1.
pub fn score(who: &AccountId) -> f64 {
    f64::from(Reputation::score(who).deconstruct()) / 1e9
}

/// How many nodes there may be.
pub fn max_nodes() -> u32 {
    <Runtime as pallet_reputation::Config>::MaxNodes::get()
}

/// The work of a model's task, in sample-parameters.
pub fn task_work(model: ModelId) -> u64 {
    Models::<Runtime>::get(model).map_or(0, |model| model.spec.work())
}

/// What may ever be minted, in 10⁻¹² HYDRA.
pub fn emission_cap() -> Balance {
    <Runtime as pallet_hydra_token::Config>::EmissionCap::get()
}

/// Names what a version is folded from.
fn recipe(version: &VersionInfo) -> H256 {
    recipe_id(
        version.version,
        &version.base,
        version
            .updates
            .iter()
            .map(|folded| (bytes(&folded.proposer), folded.update, folded.shard)),
    )
}

/// The weights that an honest node trains from: the confirmed ones, or what it folds itself.
fn base(version: &VersionInfo) -> H256 {
    match version.weights {
        Some(weights) => weights,
        None => Symbol::Right.hash(&recipe(version)),
    }
}

/// Names the task of an account in a round, from given weights.
fn question(model: ModelId, round: &Round, who: &AccountId, base: &H256) -> (H256, H256) {
    let seed = sortition::task_seed(&round.train_seed, model, round.number, &bytes(who));
    let question = hydra_primitives::domain_hash(
        "hydraai 2026 simulated task v1",
        &[seed.as_bytes(), base.as_bytes()],
    );
    (seed, question)
}

/// What an account claims in a round.
fn claim(
    model: ModelId,
    round: &Round,
    version: &VersionInfo,
    who: &AccountId,
    proposal: &Proposal,
) -> Symbol {
    let base = base(version);
    if proposal.base != base {
        return Symbol::OTHER;
    }
    let (_, question) = question(model, round, who, &base);
    Symbol::behind(&proposal.update.hash, &question)
}

/// Whether the account may take part.
fn is_ready(who: &AccountId) -> bool {
    StakeVoting::is_staked(who)
}

/// Every account that may take part, in order.
fn ready() -> Vec<AccountId> {
    let registered = TrainingProposals::registered().into_iter();
    registered.filter(is_ready).collect()
}
