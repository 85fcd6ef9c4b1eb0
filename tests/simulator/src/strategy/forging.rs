//! Gives what is not so.

use super::{Desk, Strategy};
use crate::{
    duty::{Duty, Kind},
    symbol::{Answer, Symbol},
};

/// Forges its own task in every round, and does the rest honestly: its score rests on that.
pub struct Forging {
    name: &'static str,
    result: Symbol,
}

impl Forging {
    /// Makes up the whole result: no work is done for it.
    pub fn all() -> Self {
        Self {
            name: "forging",
            result: Symbol::ALONE,
        }
    }

    /// Does the task, but for one step. Whoever does the whole task again finds another result; whoever looked at parts of it would
    /// rarely look at that one.
    pub fn one_step() -> Self {
        Self {
            name: "forging-one-step",
            result: Symbol::ONE_STEP,
        }
    }
}

impl Strategy for Forging {
    fn name(&self) -> &'static str {
        self.name
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        if duty.kind != Kind::Task {
            return Some(desk.compute(duty));
        }
        if self.result == Symbol::ONE_STEP {
            desk.compute(duty);
        }
        Some(Answer::all(self.result))
    }
}

/// One of those who conspire: claims, finds and shows what they have agreed on.
pub struct Lying;

impl Strategy for Lying {
    fn name(&self) -> &'static str {
        "lying"
    }

    fn answer(&mut self, _: &Duty, _: &mut Desk) -> Option<Answer> {
        Some(Answer::all(Symbol::CONSPIRACY))
    }
}

/// Works honestly, and says of each version that it is another one than it is.
pub struct Misfolding;

impl Strategy for Misfolding {
    fn name(&self) -> &'static str {
        "misfolding"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        match duty.kind {
            Kind::Fold => Some(Answer::all(Symbol::CONSPIRACY)),
            _ => Some(desk.compute(duty)),
        }
    }
}

/// Works honestly, and sends a false plain copy in every block in which it could open a poll, whether it decides or not.
pub struct OpeningFalsely;

impl Strategy for OpeningFalsely {
    fn name(&self) -> &'static str {
        "opening-falsely"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        match duty.kind {
            Kind::Open => Some(Answer::all(Symbol::CONSPIRACY)),
            _ => Some(desk.compute(duty)),
        }
    }

    fn waits(&self) -> bool {
        false
    }

    fn looks(&self) -> bool {
        false
    }
}

/// Claims what is right until the chain is reorganised, and something else on the other branch. Runs a program of its own,
/// which waits for nothing.
pub struct Equivocating;

impl Strategy for Equivocating {
    fn name(&self) -> &'static str {
        "equivocating"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        let right = desk.compute(duty);
        // Every other branch: in between it does what all do.
        if duty.kind == Kind::Task && !desk.branch.is_multiple_of(2) {
            return Some(Answer::all(Symbol::ALONE));
        }
        Some(right)
    }

    fn waits(&self) -> bool {
        false
    }
}
