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
    // 129_998 ns at the shortest.
    fn bond() -> Weight {
        Weight::from_parts(136_565_000, 0).saturating_add(db().reads_writes(4, 1))
    }
    // 66_085 ns at the shortest.
    fn unbond() -> Weight {
        Weight::from_parts(70_120_000, 0).saturating_add(db().reads_writes(6, 2))
    }
    // 104_201 ns at the shortest.
    fn withdraw() -> Weight {
        Weight::from_parts(109_875_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 144_277 ns at the shortest.
    fn look_at_poll() -> Weight {
        Weight::from_parts(148_757_000, 0).saturating_add(db().reads_writes(18, 3))
    }
    // 81_573 ns at the shortest.
    fn look_at_point() -> Weight {
        Weight::from_parts(85_453_000, 0).saturating_add(db().reads_writes(10, 0))
    }
    // 22_377 ns at the shortest.
    fn take_seat() -> Weight {
        Weight::from_parts(24_359_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 146_995 ns at the shortest.
    fn judge() -> Weight {
        Weight::from_parts(151_615_000, 0).saturating_add(db().reads_writes(7, 5))
    }
    // 2_826_657 ns at the shortest.
    fn share() -> Weight {
        Weight::from_parts(2_987_002_000, 0).saturating_add(db().reads_writes(65, 65))
    }
}
