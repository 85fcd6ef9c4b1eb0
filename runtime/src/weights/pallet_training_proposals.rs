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
    // 98_418 ns at the shortest.
    fn heartbeat() -> Weight {
        Weight::from_parts(101_399_000, 0).saturating_add(db().reads_writes(17, 8))
    }
    // 48_903 ns at the shortest.
    fn propose() -> Weight {
        Weight::from_parts(52_668_000, 0).saturating_add(db().reads_writes(6, 2))
    }
    // 25_212 ns at the shortest.
    fn digest() -> Weight {
        Weight::from_parts(26_538_000, 0).saturating_add(db().reads_writes(2, 2))
    }
    // 100_116 ns at the shortest.
    // s from 8 to 1024.
    fn open(s: u32) -> Weight {
        Weight::from_parts(103_698_000, 0)
            .saturating_add(db().reads_writes(3, 1))
            .saturating_add(Weight::from_parts(8_891_826, 0).saturating_mul(s.into()))
            .saturating_add(
                db().reads_writes(1_313, 0)
                    .saturating_mul(s.into())
                    .saturating_div(1_000),
            )
    }
    // 88_854 ns at the shortest.
    // s from 8 to 1024.
    fn owed(s: u32) -> Weight {
        Weight::from_parts(90_236_000, 0)
            .saturating_add(db().reads_writes(3, 0))
            .saturating_add(Weight::from_parts(8_854_679, 0).saturating_mul(s.into()))
            .saturating_add(
                db().reads_writes(1_313, 0)
                    .saturating_mul(s.into())
                    .saturating_div(1_000),
            )
    }
    // 561_353 ns at the shortest.
    fn add_model() -> Weight {
        Weight::from_parts(567_383_000, 0).saturating_add(db().reads_writes(3, 5))
    }
    // 4_271 ns at the shortest.
    fn hook() -> Weight {
        Weight::from_parts(4_594_000, 0).saturating_add(db().reads_writes(2, 1))
    }
    // 54_206 ns at the shortest.
    fn look() -> Weight {
        Weight::from_parts(57_325_000, 0).saturating_add(db().reads_writes(13, 2))
    }
    // 6_114 ns at the shortest.
    fn look_at_place() -> Weight {
        Weight::from_parts(6_667_000, 0).saturating_add(db().reads_writes(1, 0))
    }
    // 280_729 ns at the shortest.
    // p from 1 to 204.
    fn open_round(p: u32) -> Weight {
        Weight::from_parts(283_155_000, 0)
            .saturating_add(db().reads_writes(73, 2))
            .saturating_add(Weight::from_parts(221_854_811, 0).saturating_mul(p.into()))
            .saturating_add(
                db().reads_writes(25_291, 6_000)
                    .saturating_mul(p.into())
                    .saturating_div(1_000),
            )
    }
    // 380_436 ns at the shortest.
    fn close_place() -> Weight {
        Weight::from_parts(391_554_000, 0).saturating_add(db().reads_writes(9, 2))
    }
    // 76_938 ns at the shortest.
    // r from 0 to 64.
    fn settle_place(r: u32) -> Weight {
        Weight::from_parts(81_864_200, 0)
            .saturating_add(db().reads_writes(5, 4))
            .saturating_add(Weight::from_parts(26_042_252, 0).saturating_mul(r.into()))
            .saturating_add(
                db().reads_writes(1_000, 1_000)
                    .saturating_mul(r.into())
                    .saturating_div(1_000),
            )
    }
    // 73_116 ns at the shortest.
    // p from 1 to 256.
    fn finish_round(p: u32) -> Weight {
        Weight::from_parts(66_942_953, 0)
            .saturating_add(db().reads_writes(9, 4))
            .saturating_add(Weight::from_parts(13_547_006, 0).saturating_mul(p.into()))
            .saturating_add(
                db().reads_writes(2_000, 1_000)
                    .saturating_mul(p.into())
                    .saturating_div(1_000),
            )
    }
    // 172_921 ns at the shortest.
    // p from 1 to 256.
    fn end_version(p: u32) -> Weight {
        Weight::from_parts(164_181_294, 0)
            .saturating_add(db().reads_writes(6, 2))
            .saturating_add(Weight::from_parts(12_114_238, 0).saturating_mul(p.into()))
            .saturating_add(
                db().reads_writes(2_000, 2_000)
                    .saturating_mul(p.into())
                    .saturating_div(1_000),
            )
    }
    // 24_743 ns at the shortest.
    fn begin_paying() -> Weight {
        Weight::from_parts(25_932_000, 0).saturating_add(db().reads_writes(1, 1))
    }
    // 110_768 ns at the shortest.
    // r from 0 to 64.
    fn pay_place(r: u32) -> Weight {
        Weight::from_parts(109_669_176, 0)
            .saturating_add(db().reads_writes(9, 7))
            .saturating_add(Weight::from_parts(79_094_970, 0).saturating_mul(r.into()))
            .saturating_add(
                db().reads_writes(2_000, 2_000)
                    .saturating_mul(r.into())
                    .saturating_div(1_000),
            )
    }
}
