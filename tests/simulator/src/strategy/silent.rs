//! Says nothing where others need to hear it.

use super::{Desk, Strategy};
use crate::{
    duty::{Duty, Kind},
    symbol::Answer,
};

/// Works honestly, but for one kind of duty, which it never does.
pub struct Abstaining {
    from: Kind,
}

impl Abstaining {
    /// Never does what is of this kind.
    pub fn from(kind: Kind) -> Self {
        Self { from: kind }
    }
}

impl Strategy for Abstaining {
    fn name(&self) -> &'static str {
        "abstaining"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        (duty.kind != self.from).then(|| desk.compute(duty))
    }
}

/// Says that it is there and does its own tasks, and gives nothing for the work of others.
pub struct Silent {
    every_other_time: bool,
}

impl Silent {
    /// In every round.
    pub fn always() -> Self {
        Self {
            every_other_time: false,
        }
    }

    /// In every other round; in between it works honestly.
    pub fn every_other_time() -> Self {
        Self {
            every_other_time: true,
        }
    }
}

impl Strategy for Silent {
    fn name(&self) -> &'static str {
        if self.every_other_time {
            "silent-every-other-time"
        } else {
            "silent"
        }
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        let works = self.every_other_time && duty.round.is_multiple_of(2);
        (works || matches!(duty.kind, Kind::Task | Kind::Heartbeat)).then(|| desk.compute(duty))
    }
}
