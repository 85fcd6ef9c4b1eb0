//! Fills blocks, so that others' duties find no room.

use super::{Desk, Extra, Strategy};
use crate::{
    duty::{Duty, Stage},
    symbol::Answer,
};

/// Large pieces, which go first, and enough of them for a block.
const LARGE: (Extra, usize) = (
    Extra::Transfers {
        count: 40,
        tip: 10_000,
    },
    130,
);
/// Small pieces for what the large ones leave.
const SMALL: (Extra, usize) = (Extra::Transfers { count: 1, tip: 100 }, 40);
/// Duties that nobody owes.
const JUNK: (Extra, usize) = (Extra::Junk, 4);

/// Works honestly, but fills blocks with tipped transfers, and sends duties that aren't owed, while the network waits for one kind of
/// thing.
pub struct Spamming {
    during: Stage,
}

impl Spamming {
    /// While the network waits for this.
    pub fn during(stage: Stage) -> Self {
        Self { during: stage }
    }
}

impl Strategy for Spamming {
    fn name(&self) -> &'static str {
        "spamming"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        Some(desk.compute(duty))
    }

    fn sends_extras(&self) -> bool {
        true
    }

    fn extras(&mut self, desk: &Desk) -> Vec<Extra> {
        // What the last block had no room for is still under way.
        if desk.stage != self.during || desk.under_way > LARGE.1 {
            return Vec::new();
        }
        let pieces = |(piece, count)| std::iter::repeat_n(piece, count);
        pieces(LARGE).chain(pieces(SMALL)).chain(pieces(JUNK)).collect()
    }
}
