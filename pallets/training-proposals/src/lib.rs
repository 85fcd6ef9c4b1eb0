//! # Training proposals
//!
//! Models, and the rounds in which the network trains them. In each round of a model:
//!
//! * **Train**: every participant trains on the shard that the round's seed gives it and calls `propose` with hashes of
//!   what it made: the update, and the trace of its training.
//! * **Verify**: a second seed, drawn in the next block, tells each verifier which part of each trace to recompute;
//!   verifiers commit votes in `stakeVoting`.
//! * **Reveal**: the votes are revealed.
//! * **Settle**: accepted updates are paid and become the next version of the model; reputation follows. The next round
//!   opens at once, and every participant folds the updates into the weights and calls `attest` with their hash. A version
//!   is confirmed when more than half of all weight agrees; or when more than half attested and more than 2/3 of that
//!   agrees.
//!
//! A phase ends when everyone who is waited for has acted, at the latest after the number of blocks in the model's spec.
//!
//! The pallet's off-chain worker hands the node's own duties to the local trainer and submits what the trainer answers. Who
//! doesn't take part hands on the models alone, so that anyone may ask them.
//! The chain must never see a tensor, only hashes; and nothing here may depend on who runs the block.
//!
//! Start with `rounds`, the state machine; `settlement` and `confirmation` are how a round and a version end, `duties` what an
//! account owes, `offchain` the worker that has it done.
#![cfg_attr(not(feature = "std"), no_std)]
// A test that panics has done its job.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;

pub use pallet::*;

mod confirmation;
pub mod crypto;
mod duties;
#[cfg(test)]
mod mock;
mod offchain;
mod rounds;
pub mod runtime_api;
mod settlement;
mod status;
#[cfg(test)]
mod tests;
mod types;

pub use offchain::{BatchResults, IN_FLIGHT_BLOCKS};
pub use types::{Attestation, ConfirmedVersion, FoldedUpdate, Model, Round, RoundRecord, VersionInfo};

use alloc::vec::Vec;
use frame_support::{pallet_prelude::*, weights::WeightMeter};
use frame_system::offchain::{AppCrypto, CreateSignedTransaction, CreateTransactionBase};
use hydra_primitives::{
    BlockNumber, H256, ModelId, Permill, RoundNumber, Version,
    dataset::DatasetManifest,
    model::{ModelSpec, SHORTEST_PHASE, WORK_PER_BLOCK},
    proposal::{Proposal, ProposalKey, Score},
    status::{Phase, ProposalSummary},
    tally::Tally,
    traits::{self, Polls as _, Reputation as _, VotingWeight as _},
    update,
};
use sp_runtime::traits::SaturatedConversion;

type VersionInfoOf<T> = VersionInfo<<T as frame_system::Config>::AccountId, <T as Config>::MaxProposals>;
type RoundRecordOf<T> = RoundRecord<
    <T as frame_system::Config>::AccountId,
    <T as Config>::MaxProposals,
    <T as Config>::MaxAttestations,
>;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    #[pallet::pallet]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: Into<[u8; 32]> + From<[u8; 32]>>
        + CreateSignedTransaction<Call<Self>>
    {
        /// The key with which the off-chain worker signs.
        type AuthorityId: AppCrypto<Self::Public, Self::Signature>;
        /// Who is registered, and how well they did.
        type Reputation: traits::Reputation<Self::AccountId>;
        /// What votes weigh.
        type VotingWeight: traits::VotingWeight<Self::AccountId>;
        /// The polls on proposals.
        type Polls: traits::Polls<Self::AccountId>;
        /// Payment for accepted work.
        type Rewards: traits::Rewards<Self::AccountId>;
        /// Randomness that nobody could predict before this block.
        type Randomness: Get<H256>;
        /// How the off-chain worker's results are made into one call.
        type BatchResults: BatchResults<<Self as CreateTransactionBase<Call<Self>>>::RuntimeCall>;
        /// Who may add models that are paid from emission.
        type ModelOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The most models there may be: every block looks at each of them.
        #[pallet::constant]
        type MaxModels: Get<u32>;
        /// The most proposals in a round.
        #[pallet::constant]
        type MaxProposals: Get<u32>;
        /// The most attestations of a version.
        #[pallet::constant]
        type MaxAttestations: Get<u32>;
        /// How many settled rounds stay on record per model.
        #[pallet::constant]
        type HistoryDepth: Get<u32>;
    }

    /// The models and their data sets.
    #[pallet::storage]
    pub type Models<T: Config> = CountedStorageMap<_, Twox64Concat, ModelId, Model>;

    /// Each model's current round.
    #[pallet::storage]
    pub type Rounds<T: Config> = StorageMap<_, Twox64Concat, ModelId, Round>;

    /// The proposals of each model's current round, by proposer. During settlement: those not settled yet.
    #[pallet::storage]
    pub type Proposals<T: Config> = StorageMap<
        _,
        Twox64Concat,
        ModelId,
        BoundedBTreeMap<T::AccountId, Proposal, T::MaxProposals>,
        ValueQuery,
    >;

    /// What settlement of the current round has found so far.
    #[pallet::storage]
    pub type Settled<T: Config> = StorageMap<
        _,
        Twox64Concat,
        ModelId,
        BoundedVec<(ProposalSummary<T::AccountId>, Proposal), T::MaxProposals>,
        ValueQuery,
    >;

    /// Each model's newest version, confirmed or not.
    #[pallet::storage]
    pub type Versions<T: Config> = StorageMap<_, Twox64Concat, ModelId, VersionInfoOf<T>>;

    /// Each model's newest confirmed version.
    #[pallet::storage]
    pub type Confirmed<T: Config> = StorageMap<_, Twox64Concat, ModelId, ConfirmedVersion>;

    /// What nodes say each model's newest version is.
    #[pallet::storage]
    pub type Attestations<T: Config> = StorageMap<
        _,
        Twox64Concat,
        ModelId,
        BoundedBTreeMap<T::AccountId, Attestation, T::MaxAttestations>,
        ValueQuery,
    >;

    /// The last settled rounds of each model.
    #[pallet::storage]
    pub type History<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, RoundNumber, RoundRecordOf<T>>;

    /// Models that are trained from the first block on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Spec, data set and hash of the initial weights of each model.
        pub models: Vec<(ModelSpec, DatasetManifest, H256)>,
        #[serde(skip)]
        /// Nothing to set.
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                u32::try_from(self.models.len()).is_ok_and(|models| models <= T::MaxModels::get()),
                "genesis names more models than there may be (MaxModels)"
            );
            for (model, (spec, dataset, weights)) in (0..).zip(&self.models) {
                spec.validate(dataset).expect("genesis models have valid specs");
                Models::<T>::insert(
                    model,
                    Model {
                        spec: spec.clone(),
                        dataset: dataset.clone(),
                    },
                );
                Pallet::<T>::start_model(model, *weights);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A round opened: participants train on their shards and propose.
        RoundOpened {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// The version its trainers start from.
            version: Version,
        },
        /// A trainer proposed an update.
        Proposed {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// The trainer.
            proposer: T::AccountId,
            /// The shard it had to train on.
            shard: u32,
            /// Its claim.
            proposal: Proposal,
        },
        /// A round entered another phase.
        PhaseChanged {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// The phase it is in now.
            phase: Phase,
            /// The block in which that phase ends at the latest.
            ends_at: BlockNumber,
        },
        /// The time to train is over, but the round can't go on: there is no proposal, or the version to train from
        /// is not confirmed. It waits once more for as long.
        RoundExtended {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// The block in which it ends now.
            ends_at: BlockNumber,
        },
        /// A proposal was accepted: it is paid and folded in.
        ProposalAccepted {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// What the proposer earned, in 10⁻¹² HYDRA.
            reward: hydra_primitives::Balance,
            /// The weights of the votes.
            tally: Tally,
        },
        /// A proposal was rejected: the network found that the work was not done as claimed.
        ProposalRejected {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// The weights of the votes.
            tally: Tally,
        },
        /// A proposal stays undecided: it is not folded in, and nobody is paid or blamed for it.
        ProposalUndecided {
            /// The proposal.
            proposal: ProposalKey<T::AccountId>,
            /// The weights of the votes.
            tally: Tally,
        },
        /// A round is settled.
        RoundSettled {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// Accepted proposals.
            accepted: u32,
            /// Rejected proposals.
            rejected: u32,
            /// Undecided proposals.
            undecided: u32,
            /// The model's version from now on.
            version: Version,
        },
        /// A node attested the weights of a version.
        Attested {
            /// The model.
            model: ModelId,
            /// The version.
            version: Version,
            /// The node.
            who: T::AccountId,
            /// BLAKE3 of the weights it computed.
            weights: H256,
            /// How they do on the validation set.
            score: Score,
        },
        /// A version is confirmed: enough nodes computed the same weights.
        VersionConfirmed {
            /// The model.
            model: ModelId,
            /// The version.
            version: Version,
            /// BLAKE3 of its safetensors file.
            weights: H256,
            /// How they do on the validation set.
            score: Score,
            /// Share of validation samples classified right, in millionths.
            accuracy: Permill,
        },
        /// A model was added; its first round opens in the same block.
        ModelAdded {
            /// The model.
            model: ModelId,
            /// BLAKE3 of the weights it starts from.
            weights: H256,
        },
    }

    #[pallet::error]
    pub enum Error<T> {
        /// There is no model with this number. The chain state `trainingProposals.models` has those there are.
        UnknownModel,
        /// The account is not registered or has not bonded the minimum stake. Call `reputation.register` and
        /// `stakeVoting.bond` first.
        NotAParticipant,
        /// This is not the model's current round. Take the round from a new duty sheet (runtime call
        /// `trainingApi.dutySheet`).
        WrongRound,
        /// Proposals are taken in the Train phase only. Wait for the next round.
        NotInTrainPhase,
        /// The account proposed in this round already. A proposal can't be changed; wait for the next round.
        AlreadyProposed,
        /// The update is not of the size that the model's spec implies. Propose with a trainer of the runtime's release.
        WrongUpdateSize,
        /// The update was not trained from the model's newest version. Train again from the weights in a new duty sheet.
        WrongBase,
        /// The round has taken as many proposals as it can (constant `MaxProposals`). Wait for the next round.
        TooManyProposals,
        /// The update was trained with another seed than this round's: for another account, or on a branch of the chain that
        /// a reorganisation replaced. Train again with the seed in a new duty sheet.
        WrongSeed,
        /// The version was folded from other updates than this chain accepted: on a branch that a reorganisation replaced.
        /// Fold again by the recipe in a new duty sheet.
        WrongRecipe,
        /// This is not the model's newest version. Take the version from a new duty sheet.
        WrongVersion,
        /// The initial version is known from the spec: there is nothing to attest.
        NothingToAttest,
        /// The account attested this version already. An attestation can't be changed; wait for the next version.
        AlreadyAttested,
        /// The version has as many attestations as it can take.
        TooManyAttestations,
        /// The score is out of more samples than possible: more right answers than samples, or no samples.
        BadScore,
        /// The model's spec asks for more than a PC can do, or does not fit its data set. `docs/protocol.md` has the bounds.
        BadSpec,
        /// There are as many models as there can be (constant `MaxModels`).
        TooManyModels,
        /// The phases of the model's rounds are too short to act in: each needs 5 blocks, *train* and *verify* one more for
        /// each 10¹⁰ of the task's work (steps × batch size × parameters). Propose the model with longer ones.
        PhasesTooShort,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            let nodes = T::Reputation::max_nodes();
            assert!(
                T::MaxProposals::get() >= nodes && T::MaxAttestations::get() >= nodes,
                "every node must find a place for its proposal and its attestation"
            );
            assert!(
                T::Polls::max_committee() >= nodes.saturating_sub(1),
                "the acceptance rule is that of a network in which everyone verifies every proposal"
            );
            let fallback = Self::fallback_weight();
            let steps = [
                Self::look_weight()
                    .saturating_add(Self::confirm_weight())
                    .saturating_add(Self::move_weight()),
                Self::settle_weight(),
                Self::finish_weight(),
            ];
            assert!(
                steps.iter().all(|step| step.all_lte(fallback)),
                "in blocks that are always full rounds would stand still: {steps:?} against {fallback:?}"
            );
            assert!(
                T::HistoryDepth::get() > 0,
                "the newest round must be on record for its attestations"
            );
        }

        /// Rounds move on here, in what the block has left: so a phase ends in the very block of its last action.
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(remaining);
            Self::advance_all(&mut meter);
            meter.consumed()
        }

        /// Full blocks must not stop the rounds: what is overdue moves on before anything else, within a tenth of the
        /// block.
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            let now: BlockNumber = now.saturated_into();
            let mut meter = WeightMeter::with_limit(Self::fallback_weight());
            Self::advance_overdue(now, &mut meter);
            meter.consumed()
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            Self::run_duties(now.saturated_into());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state().map_err(Into::into)
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Proposes the update that the signer trained in this `round` of this `model`, with `taskSeed` for the order of
        /// samples. `proposal` names the base weights, the update, the trace of training states and what came of it. The
        /// trainer makes it; there is no need to call this by hand. A proposal that the network accepts earns 1 HYDRA per
        /// standard unit of work, one that it rejects costs reputation.
        #[pallet::call_index(0)]
        #[pallet::weight(
            Weight::from_parts(60_000_000, 40_000).saturating_add(T::DbWeight::get().reads_writes(8, 2))
        )]
        pub fn propose(
            origin: OriginFor<T>,
            model: ModelId,
            round: RoundNumber,
            task_seed: H256,
            proposal: Proposal,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let current = Rounds::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
            let info = Models::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
            ensure!(Self::may_take_part(&who), Error::<T>::NotAParticipant);
            ensure!(current.number == round, Error::<T>::WrongRound);
            ensure!(current.phase == Phase::Train, Error::<T>::NotInTrainPhase);
            ensure!(
                task_seed == Self::task_seed_of(model, &current, &who),
                Error::<T>::WrongSeed
            );
            let expected = update::UpdateHeader {
                encoding: update::Encoding::Dense,
                parameters: info.spec.architecture.parameters(),
            };
            ensure!(
                proposal.update.size == expected.blob_size(),
                Error::<T>::WrongUpdateSize
            );
            let newest = Versions::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
            ensure!(
                newest.weights.is_none_or(|weights| weights == proposal.base),
                Error::<T>::WrongBase
            );
            Proposals::<T>::try_mutate(model, |proposals| -> DispatchResult {
                ensure!(!proposals.contains_key(&who), Error::<T>::AlreadyProposed);
                proposals
                    .try_insert(who.clone(), proposal.clone())
                    .map_err(|_| Error::<T>::TooManyProposals)?;
                Ok(())
            })?;
            T::Reputation::showed_up(&who);
            let shard = Self::shard_of(model, &info, &current, &who);
            Self::deposit_event(Event::Proposed {
                model,
                round,
                proposer: who,
                shard,
                proposal,
            });
            Ok(())
        }

        /// Attests the weights of a model's newest version: the BLAKE3 of the safetensors file that the signer's node
        /// computed by folding in the accepted updates, which `recipe` names, and how they do on the validation set.
        /// Whether enough nodes agree is looked at in the end of the block. The trainer makes it; there is no need to call
        /// this by hand.
        #[pallet::call_index(1)]
        #[pallet::weight(Weight::from_parts(90_000_000, 80_000).saturating_add(T::DbWeight::get().reads_writes(7, 4)))]
        pub fn attest(
            origin: OriginFor<T>,
            model: ModelId,
            version: Version,
            recipe: H256,
            weights: H256,
            score: Score,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            let newest = Versions::<T>::get(model).ok_or(Error::<T>::UnknownModel)?;
            ensure!(Self::may_take_part(&who), Error::<T>::NotAParticipant);
            ensure!(newest.version == version, Error::<T>::WrongVersion);
            ensure!(version > 0, Error::<T>::NothingToAttest);
            ensure!(recipe == Self::recipe_of(&newest), Error::<T>::WrongRecipe);
            ensure!(
                score.total > 0 && score.correct <= score.total,
                Error::<T>::BadScore
            );
            Attestations::<T>::try_mutate(model, |attestations| -> DispatchResult {
                ensure!(!attestations.contains_key(&who), Error::<T>::AlreadyAttested);
                attestations
                    .try_insert(who.clone(), Attestation { weights, score })
                    .map_err(|_| Error::<T>::TooManyAttestations)?;
                Ok(())
            })?;
            History::<T>::mutate(model, newest.round, |record| {
                if let Some(record) = record {
                    // As many as there are attestations, whose number was just checked.
                    let _ = record.attestations.try_push((who.clone(), weights));
                }
            });
            T::Reputation::showed_up(&who);
            Self::deposit_event(Event::Attested {
                model,
                version,
                who,
                weights,
                score,
            });
            Ok(())
        }

        /// Adds a model, which the network trains from this block on and pays for from emission. `spec` and `dataset` are as in
        /// a genesis, `weights` is the BLAKE3 of the weights that the spec's seed stands for. Whoever proposes this serves the
        /// data set until others have it. The phases must leave time to act in: at least 5 blocks each, *train* and *verify* one more
        /// for each 10¹⁰ of the task's work. Nothing in this version changes or ends a model. Only a referendum can call it, on the
        /// track *models* or *root*.
        #[pallet::call_index(2)]
        #[pallet::weight(Weight::from_parts(150_000_000, 80_000).saturating_add(T::DbWeight::get().reads_writes(6, 6)))]
        pub fn add_model(
            origin: OriginFor<T>,
            spec: ModelSpec,
            dataset: DatasetManifest,
            weights: H256,
        ) -> DispatchResult {
            T::ModelOrigin::ensure_origin(origin)?;
            let model = Models::<T>::count();
            ensure!(model < T::MaxModels::get(), Error::<T>::TooManyModels);
            spec.validate(&dataset).map_err(|_| Error::<T>::BadSpec)?;
            ensure!(Self::leaves_time(&spec), Error::<T>::PhasesTooShort);
            Models::<T>::insert(model, Model { spec, dataset });
            Self::deposit_event(Event::ModelAdded { model, weights });
            Self::start_model(model, weights);
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The newest confirmed version of a model, with the BLAKE3 of its safetensors file and its score.
        pub fn confirmed(model: ModelId) -> Option<ConfirmedVersion> {
            Confirmed::<T>::get(model)
        }

        /// The current round of a model.
        pub fn current_round(model: ModelId) -> Option<Round> {
            Rounds::<T>::get(model)
        }
    }
}

impl<T: Config> traits::Models for Pallet<T> {
    fn confirmed_version(model: ModelId) -> Option<Version> {
        Confirmed::<T>::get(model).map(|confirmed| confirmed.version)
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn now() -> BlockNumber {
        frame_system::Pallet::<T>::block_number().saturated_into()
    }

    /// Whether a PC that does its part can act in every phase. Whoever doesn't is absent in a round, and being absent counts
    /// against an account in all models: one that nobody can keep up with would put the others out of action.
    fn leaves_time(spec: &ModelSpec) -> bool {
        let task = spec.work().checked_div(WORK_PER_BLOCK).unwrap_or(0);
        let enough = |phase: BlockNumber, work: u64| {
            u64::from(phase) >= u64::from(SHORTEST_PHASE).saturating_add(work)
        };
        enough(spec.phases.train, task) && enough(spec.phases.verify, task) && enough(spec.phases.reveal, 0)
    }

    /// What `on_initialize` may use of a block.
    fn fallback_weight() -> Weight {
        T::BlockWeights::get().max_block.saturating_div(10)
    }

    /// Whether the account may propose, vote and attest.
    pub(crate) fn may_take_part(who: &T::AccountId) -> bool {
        T::Reputation::is_registered(who) && T::VotingWeight::is_staked(who)
    }

    /// The accounts that are expected to take part, sorted: registered, staked and active.
    pub(crate) fn participants() -> Vec<T::AccountId> {
        T::Reputation::active()
            .into_iter()
            .filter(T::VotingWeight::is_staked)
            .collect()
    }

    /// Names what a version is folded from.
    pub(crate) fn recipe_of(version: &VersionInfoOf<T>) -> H256 {
        let updates = version.updates.iter();
        hydra_primitives::duty::recipe_id(
            version.version,
            &version.base,
            updates.map(|folded| (folded.proposer.clone().into(), folded.update, folded.shard)),
        )
    }

    /// The seed of the order in which `who` sees its samples in this round.
    pub(crate) fn task_seed_of(model: ModelId, round: &Round, who: &T::AccountId) -> H256 {
        let account: [u8; 32] = who.clone().into();
        hydra_primitives::sortition::task_seed(&round.train_seed, model, round.number, &account)
    }

    pub(crate) fn shard_of(model: ModelId, info: &Model, round: &Round, who: &T::AccountId) -> u32 {
        let account: [u8; 32] = who.clone().into();
        hydra_primitives::sortition::shard_of(
            &round.train_seed,
            model,
            round.number,
            &account,
            info.dataset.shard_count(),
        )
    }
}
