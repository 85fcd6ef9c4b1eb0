//! Gives what is not so.

use super::{Desk, Strategy};
use crate::{
    duty::{Duty, Kind},
    symbol::Symbol,
};

/// Forges its own task in every round, and does the rest honestly: its votes are what its score rests on.
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

    /// Does the task, but for one step. Where verifiers do the whole task again it is another result like any other; where they
    /// look at parts of it, most of them would not see it.
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

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol> {
        if duty.kind != Kind::Task {
            return Some(desk.compute(duty));
        }
        if self.result == Symbol::ONE_STEP {
            desk.compute(duty);
        }
        Some(self.result)
    }
}

/// One of those who conspire: forges its task as the others do, takes their claims for right and all others for wrong, and
/// attests their version.
pub struct Lying;

impl Strategy for Lying {
    fn name(&self) -> &'static str {
        "lying"
    }

    fn answer(&mut self, _: &Duty, _: &mut Desk) -> Option<Symbol> {
        Some(Symbol::CONSPIRACY)
    }
}

/// Works honestly, and attests another version than the one that comes out.
pub struct Misfolding;

impl Strategy for Misfolding {
    fn name(&self) -> &'static str {
        "misfolding"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol> {
        match duty.kind {
            Kind::Fold => Some(Symbol::CONSPIRACY),
            _ => Some(desk.compute(duty)),
        }
    }
}

/// Claims what is right until the chain is reorganised, and something else on the other branch. Runs a program of its own,
/// which waits for nothing.
pub struct Equivocating;

impl Strategy for Equivocating {
    fn name(&self) -> &'static str {
        "equivocating"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Symbol> {
        let right = desk.compute(duty);
        // Every other branch: in between it does what all do.
        if duty.kind == Kind::Task && !desk.branch.is_multiple_of(2) {
            return Some(Symbol::ALONE);
        }
        Some(right)
    }

    fn waits(&self) -> bool {
        false
    }
}
