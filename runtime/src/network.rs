//! The two numbers in which HydraAI networks differ though they run the same Wasm: how long a slot lasts, and how
//! many slots make an epoch (a session of the block-making committee).
//!
//! They are genesis values. There must never be a call or a hook here that changes them: BABE derives every slot's
//! number from them, so a change would make the whole history invalid.

pub use pallet::*;

use frame_support::traits::Get;

/// Slots of real networks.
pub const DEFAULT_SLOT_MILLIS: u64 = 10_000;
/// Four hours of 10-second slots: each change of the committee costs every warp sync a proof.
pub const DEFAULT_EPOCH_SLOTS: u64 = 1_440;

/// A slot must leave time to make a block and bring it to the others.
const MIN_SLOT_MILLIS: u64 = 1_000;
/// An epoch must outlast the finality of the block that announced the next one.
const MIN_EPOCH_SLOTS: u64 = 10;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The network's slot and epoch length, fixed at genesis.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// This pallet needs nothing from the runtime.
    #[pallet::config]
    pub trait Config: frame_system::Config {}

    #[pallet::type_value]
    pub fn DefaultSlotMillis() -> u64 {
        DEFAULT_SLOT_MILLIS
    }

    #[pallet::type_value]
    pub fn DefaultEpochSlots() -> u64 {
        DEFAULT_EPOCH_SLOTS
    }

    /// How long a slot lasts, in milliseconds. Each slot has one block, so this is also the time between blocks.
    /// Fixed at genesis.
    #[pallet::storage]
    pub type SlotMillis<T> = StorageValue<_, u64, ValueQuery, DefaultSlotMillis>;

    /// How many slots an epoch lasts. The committee that makes blocks can change once per epoch. Fixed at genesis.
    #[pallet::storage]
    pub type EpochSlots<T> = StorageValue<_, u64, ValueQuery, DefaultEpochSlots>;

    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// How long a slot lasts, in milliseconds: even and at least 1,000.
        pub slot_millis: u64,
        /// How many slots an epoch lasts: at least 10.
        pub epoch_slots: u64,
        #[serde(skip)]
        #[allow(missing_docs)]
        pub _config: core::marker::PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                slot_millis: DEFAULT_SLOT_MILLIS,
                epoch_slots: DEFAULT_EPOCH_SLOTS,
                _config: Default::default(),
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            // The timestamp's minimum period is half a slot and BABE doubles it again.
            assert!(
                self.slot_millis >= MIN_SLOT_MILLIS && self.slot_millis.is_multiple_of(2),
                "network.slotMillis in the chain spec must be an even number of at least 1000"
            );
            assert!(
                self.epoch_slots >= MIN_EPOCH_SLOTS,
                "network.epochSlots in the chain spec must be at least 10"
            );
            SlotMillis::<T>::put(self.slot_millis);
            EpochSlots::<T>::put(self.epoch_slots);
        }
    }

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// How long a slot lasts, in milliseconds.
        pub fn slot_millis() -> u64 {
            SlotMillis::<T>::get()
        }

        /// How many slots an epoch lasts.
        pub fn epoch_slots() -> u64 {
            EpochSlots::<T>::get()
        }
    }
}

/// The slot length in milliseconds, as a `Get`.
pub struct SlotDuration<T>(core::marker::PhantomData<T>);

impl<T: Config> Get<u64> for SlotDuration<T> {
    fn get() -> u64 {
        SlotMillis::<T>::get()
    }
}

/// Half a slot, as a `Get`: the least time that must pass between two blocks.
pub struct HalfSlot<T>(core::marker::PhantomData<T>);

impl<T: Config> Get<u64> for HalfSlot<T> {
    fn get() -> u64 {
        SlotMillis::<T>::get() / 2
    }
}

/// The epoch length in slots, as a `Get`.
pub struct EpochDuration<T>(core::marker::PhantomData<T>);

impl<T: Config> Get<u64> for EpochDuration<T> {
    fn get() -> u64 {
        EpochSlots::<T>::get()
    }
}
