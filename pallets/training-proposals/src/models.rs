//! How a model begins, in a genesis or by a referendum, and what follows from its round for each of its places.

use frame_support::BoundedVec;
use frame_system::pallet_prelude::BlockNumberFor;
use hydra_primitives::{
    AccountBytes, H256, ModelId,
    dataset::DatasetManifest,
    model::{ModelSpec, SHORTEST_TRAINING, SHORTEST_VERIFICATION, WORK_PER_BLOCK},
    poll::PollId,
    proposal::{Claim, PlaceKey, proposal_poll},
    status::Phase,
    task::{self, PlaceIndex},
};
use sp_runtime::traits::Zero;

use crate::{
    Config, Confirmed, ConfirmedVersion, IN_FLIGHT_BLOCKS, Model, ModelTerms, Models, Pace, Pallet, Round,
    Rounds, Terms,
};

// What got lost is sent again within the same phase.
const _: () = assert!(IN_FLIGHT_BLOCKS < SHORTEST_TRAINING && SHORTEST_TRAINING <= SHORTEST_VERIFICATION);

impl<T: Config> Pallet<T> {
    /// Starts a model from its initial weights. Its first round opens at the end of this block, if somebody takes part.
    pub(crate) fn start_model(model: ModelId, spec: ModelSpec, dataset: DatasetManifest, weights: H256) {
        let info = Model { spec, dataset };
        ModelTerms::<T>::insert(model, Terms::of(model, &info));
        Models::<T>::insert(model, info);
        Confirmed::<T>::insert(
            model,
            ConfirmedVersion {
                version: 0,
                weights,
                score: None,
                providers: BoundedVec::new(),
            },
        );
        let now = Self::now();
        Rounds::<T>::insert(
            model,
            Round {
                number: 0,
                extension: 0,
                phase: Phase::Pause,
                opened_at: now,
                phase_ends_at: now,
                seed: H256::zero(),
                places: 0,
                proposed: 0,
                closed: 0,
                asked: 0,
                decided: 0,
                accepted: 0,
                waiting: None,
                pace: Pace::default(),
                made: 0,
                question: None,
                dues: None,
            },
        );
    }

    /// Whether a PC that does its part can act in every phase. Whoever doesn't loses weight in all models: one that nobody can keep
    /// up with would put the others out of action.
    pub(crate) fn leaves_time(spec: &ModelSpec) -> bool {
        let task = spec.work().checked_div(WORK_PER_BLOCK).unwrap_or(0);
        // Who verifies does the whole task again.
        let leaves = |phase: u32, shortest: u32| u64::from(phase) >= u64::from(shortest).saturating_add(task);
        leaves(spec.phases.train, SHORTEST_TRAINING) && leaves(spec.phases.verify, SHORTEST_VERIFICATION)
    }

    /// The chain's name: the hash of its first block.
    pub(crate) fn genesis() -> H256 {
        let hash = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
        let bytes: &[u8] = hash.as_ref();
        bytes
            .first_chunk::<32>()
            .map_or_else(H256::zero, |bytes| H256(*bytes))
    }

    /// The seed of the order in which a place sees its shard's samples.
    pub(crate) fn task_seed_of(model: ModelId, round: &Round, place: PlaceIndex) -> H256 {
        task::task_seed(&round.seed, model, round.number, place)
    }

    /// The shard that a place trains on.
    pub(crate) fn shard_of(model: ModelId, terms: &Terms, round: &Round, place: PlaceIndex) -> u32 {
        task::shard_of(&round.seed, model, round.number, place, terms.shards)
    }

    /// A place's name.
    pub(crate) fn key_of(model: ModelId, round: &Round, place: PlaceIndex) -> PlaceKey {
        PlaceKey {
            model,
            round: round.number,
            place,
        }
    }

    /// The name of the poll on a claim.
    pub(crate) fn poll_of(
        model: ModelId,
        round: &Round,
        place: PlaceIndex,
        holder: &T::AccountId,
        claim: &Claim,
    ) -> PollId {
        let holder: AccountBytes = holder.clone().into();
        proposal_poll(
            &Self::genesis(),
            &Self::key_of(model, round, place),
            &holder,
            &Self::task_seed_of(model, round, place),
            claim,
        )
    }
}
