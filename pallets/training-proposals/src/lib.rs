//! # Training proposals
//!
//! Models, and the rounds in which the network trains them. In each round of a model:
//!
//! * **Open**: places are drawn from the electorate. A place is a task: its shard and its seed follow from the round's seed.
//! * **Train**: who holds a place trains, and proposes the hash of the update.
//! * **Verify**: a poll is asked on each proposal: drawn seats do the whole task again. What they find alike is accepted.
//! * **Settle**: accepted updates make the next version of the model. A poll is asked on it, too, while the next round trains.
//!   What the round earned is paid once the version is confirmed. One that can't be confirmed is given up, with all that was
//!   made from it.
//!
//! All that an account owes it puts on chain with `submit`, and what it owes costs it nothing (see [`extension`]). The pallet's
//! off-chain worker hands the node's own duties to the local trainer and submits what the trainer answers.
//!
//! The chain must never see a tensor, only hashes; work per block must never depend on how many accounts there are; and nothing
//! here may depend on who runs the block.
//!
//! Start with `rounds`, the state machine; `verification`, `settlement` and `versions` are how proposals, rounds and versions end;
//! `pace` and `turn` how fast rounds follow each other; `results` what `submit` takes, `duties` what an account owes, `offchain`
//! the worker that has it done.
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

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod crypto;
mod duties;
pub mod extension;
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod invariants;
#[cfg(test)]
mod mock;
mod models;
mod offchain;
mod pace;
mod results;
mod rounds;
pub mod runtime_api;
mod settlement;
mod status;
#[cfg(test)]
mod tests;
mod trainer;
mod turn;
mod types;
mod verification;
mod versions;
pub mod weights;

pub use offchain::IN_FLIGHT_BLOCKS;
pub use pace::Pace;
pub use types::{
    Backlog, ConfirmedVersion, Dues, DuesState, FoldedUpdate, MAX_PLACES, Model, Payout, PerPlace, Place,
    Providers, RightSeats, Round, RoundRecord, Terms, VersionInfo,
};
pub use weights::WeightInfo;

use alloc::vec::Vec;
use frame_support::{pallet_prelude::*, storage::with_storage_layer, traits::Contains, weights::WeightMeter};
use frame_system::offchain::{AppCrypto, CreateSignedTransaction};
use hydra_primitives::{
    Balance, BlockNumber, H256, ModelId, Permill, RoundNumber, Version,
    dataset::DatasetManifest,
    duty::{DutyResult, MAX_RESULTS},
    model::ModelSpec,
    poll::{Decision, Draw},
    proposal::{Claim, PlaceKey, Score},
    status::{Outcome, Phase, Waiting},
    task::PlaceIndex,
    traits::{self, Polls as _, Stakes as _},
};
use sp_runtime::traits::{Convert, SaturatedConversion};

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_system::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId: Into<[u8; 32]> + From<[u8; 32]>>
        + CreateSignedTransaction<Call<Self>>
    {
        /// The key with which the off-chain worker signs.
        type AuthorityId: AppCrypto<Self::Public, Self::Signature>;
        /// Who is registered, is there, and how well they did.
        type Nodes: traits::Nodes<Self::AccountId>;
        /// What accounts say to take part in the next session.
        type Heartbeats: traits::Heartbeats<Self::AccountId, Error: Into<DispatchError>>;
        /// What accounts have to lose.
        type Stakes: traits::Stakes<Self::AccountId>;
        /// What draws are made from.
        type Electorate: traits::Electorate<Self::AccountId>;
        /// How the network finds out what is true.
        type Polls: traits::Polls<Self::AccountId, Error: Into<DispatchError>>;
        /// Payment for accepted work, and where forfeits go.
        type Rewards: traits::Rewards<Self::AccountId>;
        /// The sessions that the electorate lives by.
        type Sessions: traits::Sessions;
        /// Randomness that is fixed for a session: no author steers it from block to block.
        type EpochRandomness: Get<H256>;
        /// What a transaction of results takes beside them: its base, and the checks of what it carries, but for whether they are owed.
        type SubmitBase: Get<Weight>;
        /// What block space costs.
        type DutyFee: Convert<Weight, Balance>;
        /// Which calls beside `submit` may use the space that blocks keep for operational transactions.
        type Reserved: Contains<<Self as frame_system::Config>::RuntimeCall>;
        /// Who may add models that are paid from the bucket.
        type ModelOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// What calls and hooks may take.
        type WeightInfo: WeightInfo;
        /// How many blocks an hour has.
        type BlocksPerHour: Get<BlockNumber>;
        /// The most models there may be: every block looks at each of them.
        #[pallet::constant]
        type MaxModels: Get<u32>;
        /// How many settled rounds stay on record per model.
        #[pallet::constant]
        type HistoryDepth: Get<u32>;
    }

    /// The models and their data sets.
    #[pallet::storage]
    pub type Models<T: Config> = CountedStorageMap<_, Twox64Concat, ModelId, Model>;

    /// What rounds need of each model.
    #[pallet::storage]
    pub type ModelTerms<T: Config> = StorageMap<_, Twox64Concat, ModelId, Terms>;

    /// Each model's current round.
    #[pallet::storage]
    pub type Rounds<T: Config> = StorageMap<_, Twox64Concat, ModelId, Round>;

    /// The places of each model's current round, from 0.
    #[pallet::storage]
    pub type Places<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, PlaceIndex, Place<T::AccountId>>;

    /// What accepted places earn once the version they went into is confirmed.
    #[pallet::storage]
    pub type Payouts<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, PlaceIndex, Payout<T::AccountId>>;

    /// Each model's newest version, while it is not confirmed.
    #[pallet::storage]
    pub type Versions<T: Config> = StorageMap<_, Twox64Concat, ModelId, VersionInfo<T::AccountId>>;

    /// Each model's newest confirmed version.
    #[pallet::storage]
    pub type Confirmed<T: Config> = StorageMap<_, Twox64Concat, ModelId, ConfirmedVersion<T::AccountId>>;

    /// The last settled rounds of each model.
    #[pallet::storage]
    pub type History<T: Config> =
        StorageDoubleMap<_, Twox64Concat, ModelId, Twox64Concat, RoundNumber, RoundRecord<T::AccountId>>;

    /// What duties took of the blocks and is not yet made up for.
    #[pallet::storage]
    pub type DutyBacklog<T: Config> = StorageValue<_, Backlog, ValueQuery>;

    /// Models that wait for their turn, the first one first.
    #[pallet::storage]
    pub type Queue<T: Config> = StorageValue<_, BoundedVec<ModelId, T::MaxModels>, ValueQuery>;

    /// The last block whose end had room for all that was to be moved on.
    #[pallet::storage]
    pub type MovedOn<T: Config> = StorageValue<_, BlockNumber, ValueQuery>;

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
                assert!(
                    Pallet::<T>::leaves_time(spec),
                    "a genesis model's phases are too short to act in: they need 5 blocks to train and 10 to verify at least, and one more \
                     each for each 10^10 of the task's work"
                );
                assert!(
                    spec.phases.settled() <= T::Stakes::unbonding_delay(),
                    "a genesis model's round may last longer than unbonding: raise stakeVoting.unbondingDelay"
                );
                Pallet::<T>::start_model(model, spec.clone(), dataset.clone(), *weights);
            }
        }
    }

    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A round opened: the holders of its places train and propose.
        RoundOpened {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// How many times it began anew before.
            extension: u32,
            /// How many places it has.
            places: PlaceIndex,
            /// The block in which training ends at the latest.
            ends_at: BlockNumber,
        },
        /// A round can't go on now.
        RoundWaits {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// Why.
            reason: Waiting,
        },
        /// The holder of a place proposed an update.
        Proposed {
            /// The place.
            place: PlaceKey,
            /// Its holder.
            who: T::AccountId,
            /// The claim.
            claim: Claim,
        },
        /// A round entered another phase.
        PhaseChanged {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// The phase it is in now.
            phase: Phase,
            /// The block in which that phase ends, unless a poll needs another draw.
            ends_at: BlockNumber,
        },
        /// Verification takes longer: a poll needs another draw, or waits for one.
        RoundExtended {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// About the block in which it ends now, unless a poll needs yet another draw.
            ends_at: BlockNumber,
        },
        /// It is known what becomes of a proposal.
        PlaceSettled {
            /// The place.
            place: PlaceKey,
            /// Its holder.
            holder: T::AccountId,
            /// What becomes of it.
            outcome: Outcome,
            /// The draw that decided.
            draw: Draw,
            /// What the holder forfeited, in 10⁻¹² HYDRA.
            forfeited: Balance,
        },
        /// A round is settled.
        RoundSettled {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// Places whose update is folded into the next version.
            accepted: PlaceIndex,
            /// How many places there were.
            places: PlaceIndex,
            /// The version it made, if anything was accepted.
            version: Option<Version>,
        },
        /// What a round trained from was given up: its proposals are dropped, and it begins anew.
        RoundDropped {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// How many times it began anew now.
            extension: u32,
        },
        /// A version is confirmed: the network found the same weights.
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
        /// A version is given up: the model goes back to the confirmed one, and nothing is paid for it.
        VersionGivenUp {
            /// The model.
            model: ModelId,
            /// The version.
            version: Version,
            /// What its poll came to.
            decision: Decision,
        },
        /// All that a round earned is paid.
        RoundPaid {
            /// The model.
            model: ModelId,
            /// The round.
            round: RoundNumber,
            /// What that was, in 10⁻¹² HYDRA.
            paid: Balance,
        },
        /// One result of a submission was refused; the others count.
        ResultRefused {
            /// Who submitted it.
            who: T::AccountId,
            /// Which of its results, from 0.
            index: u32,
            /// Why.
            reason: DispatchError,
        },
        /// A model was added; its first round opens in the same block, if somebody takes part.
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
        /// This is not the model's current round. Take the round from a new duty sheet (runtime call
        /// `trainingApi.dutySheet`).
        WrongRound,
        /// Proposals are taken in the Train phase only. Wait for the next round.
        NotInTrainPhase,
        /// The account does not hold this place in this round. A duty sheet names the places it holds.
        NotItsPlace,
        /// Something was proposed for this place already, and can't be changed.
        AlreadyProposed,
        /// The update is not of the size that the model's spec implies. Propose with a trainer of the runtime's release.
        WrongUpdateSize,
        /// The update was not trained from the model's confirmed version. Train again from the weights in a new duty sheet.
        WrongBase,
        /// The update was trained with another seed than this place's: on a branch of the chain that a reorganisation
        /// replaced. Train again with the seed in a new duty sheet.
        WrongSeed,
        /// The account has nothing left to forfeit, so nothing vouches for its proposal.
        NothingAtStake,
        /// The spec is not valid, or does not fit its data set.
        BadSpec,
        /// A phase of the spec leaves too little time to act in: 5 blocks to train and 10 to verify, and one more each for each 10¹⁰ of the
        /// task's work.
        PhasesTooShort,
        /// A round of the spec could last longer than unbonding (`stakeVoting.unbondingDelay`): whoever lied in it could be gone before it
        /// is found out. It has shorter phases.
        PhasesTooLong,
        /// There are as many models as there may be (constant `MaxModels`).
        TooManyModels,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            assert!(
                T::MaxModels::get() > 0 && T::HistoryDepth::get() > 0,
                "there is room for models and records"
            );
            let part = T::BlockWeights::get()
                .max_block
                .saturating_mul(2)
                .saturating_div(5);
            assert!(
                Self::fallback_weight().all_lte(part),
                "the dearest step of a round of the most places takes two fifths of a block at the most"
            );
        }

        /// Rounds move on here, in what the block has left: so a phase ends in the very block of its last action.
        fn on_idle(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let now: BlockNumber = now.saturated_into();
            let mut meter = WeightMeter::with_limit(remaining);
            if meter.try_consume(T::WeightInfo::hook()).is_ok()
                && Self::advance_all(now, &mut meter)
                && meter.can_consume(Self::slack())
            {
                MovedOn::<T>::put(now);
            }
            meter.consumed()
        }

        /// Full blocks must not stop the rounds: what the end of the last block had no room for moves on before anything else,
        /// within a tenth of the block, or what the dearest step of the largest round takes. Whoever could still act in the last block is not
        /// late.
        fn on_initialize(now: BlockNumberFor<T>) -> Weight {
            let now: BlockNumber = now.saturated_into();
            let last = now.saturating_sub(1);
            if MovedOn::<T>::get() >= last {
                return T::WeightInfo::hook();
            }
            let mut meter = WeightMeter::with_limit(Self::fallback_weight());
            if meter.try_consume(T::WeightInfo::hook()).is_ok() {
                Self::advance_all(last, &mut meter);
            }
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
        /// Puts results of the signer's duties on chain: heartbeats, proposals, digests and openings. The trainer makes them and the
        /// node submits them; there is no need to call this by hand. It costs nothing, and is taken only if every result is
        /// owed now. What is refused all the same, in a batch say, is named by an event and does not stop the others.
        #[pallet::call_index(0)]
        #[pallet::weight((Pallet::<T>::weight_of(results), DispatchClass::Operational))]
        pub fn submit(
            origin: OriginFor<T>,
            results: BoundedVec<DutyResult, ConstU32<MAX_RESULTS>>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            for (index, result) in (0..).zip(results) {
                let taken = with_storage_layer(|| Self::take(&who, result));
                if let Err(reason) = taken {
                    Self::deposit_event(Event::ResultRefused {
                        who: who.clone(),
                        index,
                        reason,
                    });
                }
            }
            Ok(())
        }

        /// Adds a model, which the network trains from this block on and pays for from the bucket. `spec` and `dataset` are as in
        /// a genesis, `weights` is the BLAKE3 of the weights that the spec's seed stands for. Whoever proposes this serves the
        /// data set until others have it. The phases must leave time to act in: at least 5 blocks to train and 10 to verify,
        /// and one more each for each 10¹⁰ of the task's work; and a round must be over, with all draws of its polls, before stake that is unbonding is free. Nothing in this version changes or ends a model. Only a referendum can call it, on the track
        /// *models* or *root*.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::add_model())]
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
            ensure!(
                spec.phases.settled() <= T::Stakes::unbonding_delay(),
                Error::<T>::PhasesTooLong
            );
            Self::start_model(model, spec, dataset, weights);
            Self::deposit_event(Event::ModelAdded { model, weights });
            Ok(())
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The newest confirmed version of a model, with the BLAKE3 of its safetensors file and its score.
        pub fn confirmed(model: ModelId) -> Option<ConfirmedVersion<T::AccountId>> {
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

    /// Polls take what they are given. Only where so much is left none of them was cut short.
    fn slack() -> Weight {
        T::WeightInfo::end_version(MAX_PLACES).saturating_add(T::WeightInfo::settle_place(traits::MAX_FIRST))
    }

    /// What `on_initialize` may use of a block: a tenth, or what the dearest step takes that can't be taken in parts, with all that comes before
    /// it in its model. In less, a round of many places would never open while blocks are full, and as it is its turn, no other would.
    pub(crate) fn fallback_weight() -> Weight {
        // The version before may be in question, or begin to be paid.
        let before = T::WeightInfo::hook()
            .saturating_add(T::WeightInfo::look())
            .saturating_add(T::Polls::weight(0, 1))
            .saturating_add(T::WeightInfo::begin_paying());
        let dearest = T::WeightInfo::open_round(MAX_PLACES)
            .max(T::WeightInfo::finish_round(MAX_PLACES))
            .max(T::WeightInfo::end_version(MAX_PLACES));
        let tenth = T::BlockWeights::get().max_block.saturating_div(10);
        tenth.max(before.saturating_add(dearest))
    }
}
