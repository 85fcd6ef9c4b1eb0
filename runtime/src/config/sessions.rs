//! The sessions that the electorate lives by: BABE's epochs.

use crate::{
    Babe, Session,
    network::{EpochDuration, SlotDuration},
};
use frame_support::traits::Get;
use hydra_primitives::{BlockNumber, electorate::SessionIndex, traits};

const HOUR_MILLIS: u64 = 3_600_000;

/// See [`traits::Sessions`].
pub struct Sessions;

impl Sessions {
    /// Slots since the session began, and how many of its slots take heartbeats: all but an eighth at its end.
    fn elapsed() -> (u64, u64) {
        let now = pallet_babe::CurrentSlot::<crate::Runtime>::get();
        let elapsed = (*now).saturating_sub(*Babe::current_epoch_start());
        let slots = EpochDuration::<crate::Runtime>::get();
        (elapsed, slots.saturating_sub(slots.div_ceil(8)).max(1))
    }
}

impl traits::Sessions for Sessions {
    fn current() -> SessionIndex {
        Session::current_index()
    }

    fn takes_heartbeats() -> bool {
        let (elapsed, takes) = Self::elapsed();
        elapsed < takes
    }

    fn heartbeat_progress() -> u16 {
        let (elapsed, takes) = Self::elapsed();
        // The last of them is past every account's time, so that nobody's is missed by rounding.
        let slot = elapsed.saturating_add(1).min(takes);
        u16::try_from(slot.saturating_mul(u64::from(u16::MAX)) / takes).unwrap_or(u16::MAX)
    }

    fn per_day() -> u32 {
        let session =
            SlotDuration::<crate::Runtime>::get().saturating_mul(EpochDuration::<crate::Runtime>::get());
        u32::try_from((24 * HOUR_MILLIS).div_ceil(session.max(1)))
            .unwrap_or(u32::MAX)
            .max(1)
    }

    fn blocks() -> BlockNumber {
        u32::try_from(EpochDuration::<crate::Runtime>::get()).unwrap_or(u32::MAX)
    }
}

/// How many blocks an hour has.
pub struct BlocksPerHour;

impl Get<u32> for BlocksPerHour {
    fn get() -> u32 {
        let slot = SlotDuration::<crate::Runtime>::get().max(1);
        u32::try_from(HOUR_MILLIS / slot).unwrap_or(u32::MAX).max(1)
    }
}
