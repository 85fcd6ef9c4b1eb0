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

impl pallet_stake_voting::WeightInfo for WeightInfo {
    // 75_841 ns at the shortest.
    fn bond() -> Weight {
        Weight::from_parts(78_447_000, 0).saturating_add(db().reads_writes(4, 1))
    }
    // 39_475 ns at the shortest.
    fn unbond() -> Weight {
        Weight::from_parts(43_160_000, 0).saturating_add(db().reads_writes(6, 2))
    }
    // 59_020 ns at the shortest.
    fn withdraw() -> Weight {
        Weight::from_parts(62_059_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 79_552 ns at the shortest.
    fn look_at_poll() -> Weight {
        Weight::from_parts(85_168_000, 0).saturating_add(db().reads_writes(18, 3))
    }
    // 49_204 ns at the shortest.
    fn look_at_point() -> Weight {
        Weight::from_parts(51_312_000, 0).saturating_add(db().reads_writes(10, 0))
    }
    // 13_601 ns at the shortest.
    fn take_seat() -> Weight {
        Weight::from_parts(14_454_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 85_278 ns at the shortest.
    fn judge() -> Weight {
        Weight::from_parts(88_524_000, 0).saturating_add(db().reads_writes(7, 5))
    }
    // 1_520_507 ns at the shortest.
    fn share() -> Weight {
        Weight::from_parts(1_615_504_000, 0).saturating_add(db().reads_writes(65, 65))
    }
}
