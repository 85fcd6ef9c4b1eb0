//! The two tracks of referenda: what each may do, what it takes to pass, and what it costs to ask.
//!
//! How long each phase lasts is in the state (`governance.lengths`). Nothing here may read the state but `tracks`: the
//! integrity tests ask for the rest where there is none.

use super::{Config, Lengths, Origin, Periods};
use crate::{Balance, BlockNumber, OriginCaller, config::money::HYDRA};
use alloc::borrow::Cow;
use frame_system::RawOrigin;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use sp_runtime::{Perbill, str_array};

/// The track that may do anything.
pub const ROOT: u16 = 0;
/// The track that creates models and data sets which are paid from emission.
pub const MODELS: u16 = 1;

/// Just above two thirds: exactly two thirds is not enough, as for a vote on a proposal.
const MORE_THAN_TWO_THIRDS: Perbill = Perbill::from_parts(666_666_667);
/// Just above a half.
const MORE_THAN_HALF: Perbill = Perbill::from_parts(500_000_001);

/// The tracks, as `pallet-referenda` asks for them.
pub struct Tracks<T>(core::marker::PhantomData<T>);

impl<T: Config> TracksInfo<Balance, BlockNumber> for Tracks<T> {
    type Id = u16;
    type RuntimeOrigin = OriginCaller;

    fn tracks() -> impl Iterator<Item = Cow<'static, Track<u16, Balance, BlockNumber>>> {
        let lengths = Lengths::<T>::get();
        [root(lengths.root), models(lengths.models)]
            .into_iter()
            .map(Cow::Owned)
    }

    fn track_for(origin: &OriginCaller) -> Result<u16, ()> {
        match origin {
            OriginCaller::system(RawOrigin::Root) => Ok(ROOT),
            OriginCaller::Governance(Origin::Models) => Ok(MODELS),
            // An account can send its own transactions.
            _ => Err(()),
        }
    }

    fn track_ids() -> impl Iterator<Item = u16> {
        [ROOT, MODELS].into_iter()
    }

    /// Run by integrity tests, which have no state. The tests of the runtime look at `tracks` itself.
    fn check_integrity() -> Result<(), &'static str> {
        Self::track_ids()
            .is_sorted_by(|a, b| a < b)
            .then_some(())
            .ok_or("tracks are in the order of their ids")
    }
}

fn root(periods: Periods) -> Track<u16, Balance, BlockNumber> {
    Track {
        id: ROOT,
        info: TrackInfo {
            name: str_array("root"),
            // Deposits come back, so whoever places one for each of these keeps every other change waiting for two weeks: it
            // takes 1,000 HYDRA. A referendum that waits is then the first of all if it has the most ayes.
            max_deciding: 10,
            // What a hundred accepted proposals earn.
            decision_deposit: 100 * HYDRA,
            prepare_period: periods.prepare,
            decision_period: periods.decision,
            confirm_period: periods.confirm,
            min_enactment_period: periods.enactment,
            // Of votes, which conviction multiplies.
            min_approval: always(MORE_THAN_TWO_THIRDS),
            // At once if half of all HYDRA says yes or abstains, at last if a tenth does. HYDRA count once here, with conviction
            // or without.
            min_support: falling(Perbill::from_percent(50), Perbill::from_percent(10)),
        },
    }
}

fn models(periods: Periods) -> Track<u16, Balance, BlockNumber> {
    Track {
        id: MODELS,
        info: TrackInfo {
            name: str_array("models"),
            max_deciding: 10,
            decision_deposit: 10 * HYDRA,
            prepare_period: periods.prepare,
            decision_period: periods.decision,
            confirm_period: periods.confirm,
            min_enactment_period: periods.enactment,
            min_approval: always(MORE_THAN_HALF),
            min_support: falling(Perbill::from_percent(25), Perbill::from_percent(2)),
        },
    }
}

/// The same from the first block to the last.
const fn always(threshold: Perbill) -> Curve {
    falling(threshold, threshold)
}

/// Falls evenly over the whole decision period.
const fn falling(from: Perbill, to: Perbill) -> Curve {
    Curve::LinearDecreasing {
        length: Perbill::one(),
        floor: to,
        ceil: from,
    }
}
