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
    // 68_554 ns at the shortest.
    fn pay_query() -> Weight {
        Weight::from_parts(110_600_000, 0).saturating_add(db().reads_writes(3, 2))
    }
    // 74_180 ns at the shortest.
    fn claim() -> Weight {
        Weight::from_parts(80_910_000, 0).saturating_add(db().reads_writes(3, 3))
    }
    // 68_718 ns at the shortest.
    fn set_sponsor() -> Weight {
        Weight::from_parts(74_561_000, 0).saturating_add(db().reads_writes(4, 3))
    }
    // 65_934 ns at the shortest.
    fn sponsor() -> Weight {
        Weight::from_parts(72_118_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 55_779 ns at the shortest.
    fn withdraw_sponsorship() -> Weight {
        Weight::from_parts(58_265_000, 0).saturating_add(db().reads_writes(2, 2))
    }
}
