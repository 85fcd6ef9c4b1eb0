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

impl pallet_training_proposals::WeightInfo for WeightInfo {
    // 97_369 ns at the shortest.
    fn heartbeat() -> Weight {
        Weight::from_parts(107_273_000, 0).saturating_add(db().reads_writes(17, 8))
    }
    // 54_590 ns at the shortest.
    fn propose() -> Weight {
        Weight::from_parts(102_334_000, 0).saturating_add(db().reads_writes(6, 2))
    }
    // 24_626 ns at the shortest.
    fn digest() -> Weight {
        Weight::from_parts(26_540_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 102_412 ns at the shortest.
    // s from 8 to 1024.
    fn open(s: u32) -> Weight {
        Weight::from_parts(104_464_000, 0)
            .saturating_add(db().reads_writes(3, 1))
            .saturating_add(Weight::from_parts(9_063_338, 0).saturating_mul(s.into()))
            .saturating_add(
                db().reads_writes(1_313, 0)
                    .saturating_mul(s.into())
                    .saturating_div(1_000),
            )
    }
    // 87_658 ns at the shortest.
    // s from 8 to 1024.
    fn owed(s: u32) -> Weight {
        Weight::from_parts(89_430_000, 0)
            .saturating_add(db().reads_writes(3, 0))
            .saturating_add(Weight::from_parts(9_041_027, 0).saturating_mul(s.into()))
            .saturating_add(
                db().reads_writes(1_313, 0)
                    .saturating_mul(s.into())
                    .saturating_div(1_000),
            )
    }
    // 558_732 ns at the shortest.
    fn add_model() -> Weight {
        Weight::from_parts(565_991_000, 0).saturating_add(db().reads_writes(3, 5))
    }
    // 4_136 ns at the shortest.
    fn hook() -> Weight {
        Weight::from_parts(4_510_000, 0).saturating_add(db().reads_writes(2, 1))
    }
    // 53_815 ns at the shortest.
    fn look() -> Weight {
        Weight::from_parts(58_977_000, 0).saturating_add(db().reads_writes(13, 2))
    }
    // 6_341 ns at the shortest.
    fn look_at_place() -> Weight {
        Weight::from_parts(7_115_000, 0).saturating_add(db().reads_writes(1, 0))
    }
    // 275_720 ns at the shortest.
    // p from 1 to 204.
    fn open_round(p: u32) -> Weight {
        Weight::from_parts(287_860_000, 0)
            .saturating_add(db().reads_writes(73, 2))
            .saturating_add(Weight::from_parts(222_908_375, 0).saturating_mul(p.into()))
            .saturating_add(
                db().reads_writes(25_291, 6_000)
                    .saturating_mul(p.into())
                    .saturating_div(1_000),
            )
    }
    // 380_305 ns at the shortest.
    fn close_place() -> Weight {
        Weight::from_parts(385_879_000, 0).saturating_add(db().reads_writes(9, 2))
    }
    // 76_232 ns at the shortest.
    // r from 0 to 64.
    fn settle_place(r: u32) -> Weight {
        Weight::from_parts(82_004_750, 0)
            .saturating_add(db().reads_writes(5, 4))
            .saturating_add(Weight::from_parts(25_440_877, 0).saturating_mul(r.into()))
            .saturating_add(
                db().reads_writes(1_000, 1_000)
                    .saturating_mul(r.into())
                    .saturating_div(1_000),
            )
    }
    // 71_547 ns at the shortest.
    // p from 1 to 256.
    fn finish_round(p: u32) -> Weight {
        Weight::from_parts(50_615_869, 0)
            .saturating_add(db().reads_writes(9, 4))
            .saturating_add(Weight::from_parts(13_275_493, 0).saturating_mul(p.into()))
            .saturating_add(
                db().reads_writes(2_000, 1_000)
                    .saturating_mul(p.into())
                    .saturating_div(1_000),
            )
    }
    // 170_674 ns at the shortest.
    // p from 1 to 256.
    fn end_version(p: u32) -> Weight {
        Weight::from_parts(157_852_425, 0)
            .saturating_add(db().reads_writes(6, 2))
            .saturating_add(Weight::from_parts(12_594_138, 0).saturating_mul(p.into()))
            .saturating_add(
                db().reads_writes(2_000, 2_000)
                    .saturating_mul(p.into())
                    .saturating_div(1_000),
            )
    }
    // 24_212 ns at the shortest.
    fn begin_paying() -> Weight {
        Weight::from_parts(25_952_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 108_353 ns at the shortest.
    // r from 0 to 64.
    fn pay_place(r: u32) -> Weight {
        Weight::from_parts(112_324_250, 0)
            .saturating_add(db().reads_writes(9, 7))
            .saturating_add(Weight::from_parts(75_718_495, 0).saturating_mul(r.into()))
            .saturating_add(
                db().reads_writes(2_000, 2_000)
                    .saturating_mul(r.into())
                    .saturating_div(1_000),
            )
    }
}
