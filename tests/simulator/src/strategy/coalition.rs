//! The patient ones: they know each other's seats, work honestly while a lie would be found out, try to have more seats than their
//! weight, and lie together in draws of which they hold more than half.

use super::{Desk, Extra, Strategy};
use crate::{
    duty::{Duty, Kind, Stage},
    symbol::{Answer, Symbol},
};
use hydra_primitives::HYDRA;
use hydra_runtime::BlockNumber;

/// A grinding account does something to the electorate every so many blocks, each at another time.
const EVERY: BlockNumber = 40;

/// How they try to have more seats.
enum Means {
    /// They leave slots empty in which their block would draw others.
    Withholding,
    /// They hold their claims back until one of them makes a block after which they are drawn themselves, and leave out of their blocks
    /// what contradicts them.
    HoldingBack,
    /// They pause, resume and bond while seats are drawn.
    Grinding {
        turn: BlockNumber,
        paused: bool,
        bonds: u8,
    },
}

/// A member of it.
pub struct Coalition(Means);

impl Coalition {
    /// They make blocks, and leave slots empty.
    pub fn withholding() -> Self {
        Self(Means::Withholding)
    }

    /// They make blocks, and say what they claim only in one that draws well.
    pub fn holding_back() -> Self {
        Self(Means::HoldingBack)
    }

    /// They change what they weigh.
    pub fn grinding(index: usize) -> Self {
        Self(Means::Grinding {
            turn: BlockNumber::try_from(index % EVERY as usize).unwrap_or_default(),
            paused: false,
            bonds: 0,
        })
    }

    fn lies(&self, duty: &Duty) -> bool {
        let [seats, ours] = duty.seats;
        let lies = match (&self.0, duty.kind) {
            // They choose the draws of their own claims, and of nothing else.
            (Means::HoldingBack, Kind::Task) => true,
            (Means::HoldingBack, Kind::Check | Kind::Open) => duty.said == Some(Symbol::CONSPIRACY),
            (Means::HoldingBack, Kind::Fold) | (_, Kind::Heartbeat | Kind::Task) => false,
            (_, Kind::Check | Kind::Fold | Kind::Open) => true,
        };
        lies && ours * 2 > seats
    }
}

impl Strategy for Coalition {
    fn name(&self) -> &'static str {
        match self.0 {
            Means::Withholding => "withholding",
            Means::HoldingBack => "holding-back",
            Means::Grinding { .. } => "grinding",
        }
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        if self.lies(duty) {
            return Some(Answer::all(Symbol::CONSPIRACY));
        }
        Some(desk.compute(duty))
    }

    // What they hold back must not wait for what is in flight.
    fn waits(&self) -> bool {
        !self.holds_back()
    }

    fn withholds(&self) -> bool {
        matches!(self.0, Means::Withholding)
    }

    fn holds_back(&self) -> bool {
        matches!(self.0, Means::HoldingBack)
    }

    fn conspires(&self) -> bool {
        true
    }

    fn sends_extras(&self) -> bool {
        matches!(self.0, Means::Grinding { .. })
    }

    fn extras(&mut self, desk: &Desk) -> Vec<Extra> {
        let Means::Grinding { turn, paused, bonds } = &mut self.0 else {
            return Vec::new();
        };
        let drawing = matches!(desk.stage, Stage::First | Stage::Appeal);
        if desk.under_way > 0 || !(*paused || drawing && desk.block % EVERY == *turn) {
            return Vec::new();
        }
        // Every third time it bonds a little more instead, a few times in all.
        if !*paused && (desk.block / EVERY).is_multiple_of(3) && *bonds < 5 {
            *bonds += 1;
            return vec![Extra::Bond(HYDRA / 10)];
        }
        let extra = if *paused { Extra::Resume } else { Extra::Pause };
        *paused = !*paused;
        vec![extra]
    }
}
