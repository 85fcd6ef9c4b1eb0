//! What is this network's own in governance: the origin that a referendum on the *models* track speaks with, and how long
//! the phases of a referendum last.
//!
//! Votes, deposits and delays are the standard pallets' (`config::governance`). There must never be a call here: rules
//! change by referenda, and a call that changes the rules of referenda would be a second way in. Lengths are genesis values,
//! so that the same Wasm serves a developer who waits for every block; only a root referendum can write them later.
//!
//! It is in the runtime, not a pallet of its own: pallets ask for an `EnsureOrigin` and needn't know who answers, so that
//! dependencies go on pointing from the runtime to the pallets.

pub use pallet::*;
pub use tracks::{MODELS, ROOT, Tracks};

mod tracks;

use crate::BlockNumber;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::traits::{EitherOf, Get};
use frame_system::EnsureRoot;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Minutes, hours and days of real networks, in blocks of 10 s.
const MINUTES: BlockNumber = 6;
const HOURS: BlockNumber = 60 * MINUTES;
const DAYS: BlockNumber = 24 * HOURS;

/// How long the phases of a referendum last, in blocks.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Periods {
    /// From submission to the first block in which it can be decided: time to read it.
    pub prepare: BlockNumber,
    /// How long it may be voted on before it is rejected.
    pub decision: BlockNumber,
    /// How long it must pass without a break to be approved.
    pub confirm: BlockNumber,
    /// The least time from approval to the call: time to prepare, or to leave.
    pub enactment: BlockNumber,
}

/// Everything that referenda wait for, in blocks. The defaults are for real networks.
#[derive(
    Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schedule {
    /// Referenda that may do anything: runtime upgrades, parameters.
    pub root: Periods,
    /// Referenda on models and data sets that are paid from emission.
    pub models: Periods,
    /// What a vote of conviction 1 on the winning side stays locked for, from the decision on; doubled for each further step.
    /// No shorter than the longest enactment.
    pub vote_locking: BlockNumber,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            // Two weeks: most people look at their PC's dashboard once in that time. Three days before it happens, so
            // that a weekend is enough to build the new release, or to stop.
            root: Periods {
                prepare: 2 * HOURS,
                decision: 14 * DAYS,
                confirm: DAYS,
                enactment: 3 * DAYS,
            },
            // It changes no rules, but it stays: in this version nothing ends a model, and every PC works on it.
            models: Periods {
                prepare: 2 * HOURS,
                decision: 7 * DAYS,
                confirm: 12 * HOURS,
                enactment: 2 * HOURS,
            },
            // Whoever votes for an upgrade with conviction has to live with it.
            vote_locking: 7 * DAYS,
        }
    }
}

/// Who may create models that are paid from emission: a referendum on either track.
pub type EnsureModelsOrRoot = EitherOf<EnsureRoot<crate::AccountId>, EnsureModels>;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// How long referenda take, and what they speak as.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// This pallet needs nothing from the runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    /// What a referendum speaks as, beside root. Only the scheduler is meant to make one, for a referendum that was approved on
    /// the track.
    #[pallet::origin]
    #[derive(
        Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
    )]
    pub enum Origin {
        /// An approved referendum of the *models* track: may create models and data sets that are paid from emission.
        Models,
    }

    /// How long the phases of referenda last and votes stay locked, in blocks. Set at genesis; a root referendum can
    /// change it with `system.setStorage`, or with the runtime.
    #[pallet::storage]
    pub type Lengths<T> = StorageValue<_, Schedule, ValueQuery>;

    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// How long the phases of referenda last and votes stay locked, in blocks.
        pub schedule: Schedule,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (name, periods) in [("root", &self.schedule.root), ("models", &self.schedule.models)] {
                // A decision of no blocks can't be measured in parts of itself, and what can't be confirmed in time
                // could never pass.
                assert!(
                    periods.prepare > 0
                        && periods.confirm > 0
                        && periods.enactment > 0
                        && periods.confirm <= periods.decision,
                    "governance.schedule.{name} in the chain spec: each period must be at least one block, and confirm no \
                     longer than decision"
                );
            }
            assert!(
                self.schedule.vote_locking
                    >= self.schedule.root.enactment.max(self.schedule.models.enactment),
                "governance.schedule.voteLocking in the chain spec: it must be no shorter than the longest enactment, so that \
                 who decides with conviction still has its HYDRA locked when it happens"
            );
            Lengths::<T>::put(self.schedule);
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// How long the phases of referenda last and votes stay locked, in blocks.
        pub fn schedule() -> Schedule {
            Lengths::<T>::get()
        }
    }
}

/// Passes the *models* origin only.
pub struct EnsureModels;

impl<O: From<Origin> + Into<Result<Origin, O>>> frame_support::traits::EnsureOrigin<O> for EnsureModels {
    type Success = ();

    fn try_origin(origin: O) -> Result<(), O> {
        origin.into().map(|Origin::Models| ())
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<O, ()> {
        Ok(Origin::Models.into())
    }
}

/// How long a vote of conviction 1 stays locked, as a `Get`.
pub struct VoteLocking<T>(core::marker::PhantomData<T>);

impl<T: Config> Get<BlockNumber> for VoteLocking<T> {
    fn get() -> BlockNumber {
        Lengths::<T>::get().vote_locking
    }
}
