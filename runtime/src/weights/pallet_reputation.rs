//! Measured, and written by `scripts/weights`: change nothing here.
//!
//! Machine: Intel(R) Xeon(R) Processor. 20 values of each parameter, 20 runs each. Times are of Wasm, without what the database takes.

use crate::Runtime;
use frame_support::weights::{RuntimeDbWeight, Weight};

/// What the pallet's calls and hooks weigh.
pub struct WeightInfo;

fn db() -> RuntimeDbWeight {
    <Runtime as frame_system::Config>::DbWeight::get()
}

impl pallet_reputation::WeightInfo for WeightInfo {
    // 251_954 ns at the shortest.
    fn register() -> Weight {
        Weight::from_parts(336_694_000, 0).saturating_add(db().reads_writes(19, 11))
    }
    // 13_776 ns at the shortest.
    fn pause() -> Weight {
        Weight::from_parts(15_595_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 13_849 ns at the shortest.
    fn resume() -> Weight {
        Weight::from_parts(14_744_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 13_566 ns at the shortest.
    fn set_room() -> Weight {
        Weight::from_parts(14_696_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 31_805 ns at the shortest.
    fn deregister() -> Weight {
        Weight::from_parts(33_463_000, 0).saturating_add(db().reads_writes(5, 3))
    }
    // 38_948 ns at the shortest.
    fn remove_abandoned() -> Weight {
        Weight::from_parts(41_368_000, 0).saturating_add(db().reads_writes(7, 3))
    }
}
