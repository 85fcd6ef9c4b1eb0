//! Fills blocks, so that others' duties find no room.

use super::{Desk, Strategy};
use crate::{
    duty::{Duty, Kind},
    symbol::Symbol,
};
use hydra_runtime::Balance;

/// A transaction that is there to take room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Filler {
    /// How many transfers, to oneself, are in it.
    pub transfers: u32,
    /// What is paid for being first, in 10⁻¹² HYDRA.
    pub tip: Balance,
}

/// Large pieces, which go first, and enough of them for a block.
const LARGE: (Filler, usize) = (
    Filler {
        transfers: 40,
        tip: 10_000,
    },
    130,
);
/// Small pieces for what the large ones leave.
const SMALL: (Filler, usize) = (
    Filler {
        transfers: 1,
        tip: 100,
    },
    40,
);

/// Works honestly, but fills blocks with tipped transfers while the network waits for one kind of thing.
pub struct Spamming {
    during: Kind,
}

impl Spamming {
    /// While the network waits for this.
    pub fn during(kind: Kind) -> Self {
        Self { during: kind }
    }
}

impl Strategy for Spamming {
    fn name(&self) -> &'static str {
        "spamming"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol> {
        Some(desk.compute(duty))
    }

    fn fills(&self) -> bool {
        true
    }

    fn filler(&mut self, desk: &Desk) -> Vec<Filler> {
        // What the last block had no room for is still under way.
        if desk.stage != self.during || desk.under_way > LARGE.1 {
            return Vec::new();
        }
        let pieces = |(piece, count)| std::iter::repeat_n(piece, count);
        pieces(LARGE).chain(pieces(SMALL)).collect()
    }
}
