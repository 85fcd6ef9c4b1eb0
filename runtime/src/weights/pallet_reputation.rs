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
    // 415_187 ns at the shortest.
    fn register() -> Weight {
        Weight::from_parts(564_138_000, 0).saturating_add(db().reads_writes(19, 11))
    }
    // 24_157 ns at the shortest.
    fn pause() -> Weight {
        Weight::from_parts(24_870_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 23_639 ns at the shortest.
    fn resume() -> Weight {
        Weight::from_parts(25_098_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 23_440 ns at the shortest.
    fn set_room() -> Weight {
        Weight::from_parts(25_018_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 53_714 ns at the shortest.
    fn deregister() -> Weight {
        Weight::from_parts(56_493_000, 0).saturating_add(db().reads_writes(5, 3))
    }
    // 68_342 ns at the shortest.
    fn remove_abandoned() -> Weight {
        Weight::from_parts(69_971_000, 0).saturating_add(db().reads_writes(7, 3))
    }
}
