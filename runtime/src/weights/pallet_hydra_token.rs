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

impl pallet_hydra_token::WeightInfo for WeightInfo {
    // 69_231 ns at the shortest.
    fn pay_query() -> Weight {
        Weight::from_parts(71_673_000, 0).saturating_add(db().reads_writes(3, 2))
    }
    // 73_402 ns at the shortest.
    fn claim() -> Weight {
        Weight::from_parts(76_202_000, 0).saturating_add(db().reads_writes(3, 3))
    }
    // 68_480 ns at the shortest.
    fn set_sponsor() -> Weight {
        Weight::from_parts(71_773_000, 0).saturating_add(db().reads_writes(4, 3))
    }
    // 65_697 ns at the shortest.
    fn sponsor() -> Weight {
        Weight::from_parts(68_429_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 56_267 ns at the shortest.
    fn withdraw_sponsorship() -> Weight {
        Weight::from_parts(57_831_000, 0).saturating_add(db().reads_writes(2, 2))
    }
}
