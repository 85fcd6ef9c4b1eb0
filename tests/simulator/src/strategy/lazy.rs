//! Does its own task, which others check, and none of the work that isn't its own.

use super::{Desk, Strategy};
use crate::{
    duty::{Duty, Kind},
    symbol::{Answer, Symbol},
};

/// Gives what the claim says, or what the names of blobs tell of a version, with a witness that it guesses.
pub struct Lazy {
    checks: bool,
}

impl Lazy {
    /// It computes nothing but its own tasks.
    pub fn everywhere() -> Self {
        Self { checks: true }
    }

    /// It checks claims, and only folds nothing.
    pub fn in_folds() -> Self {
        Self { checks: false }
    }
}

/// What somebody gives who knows the result from others and can't know the witness.
fn guess(duty: &Duty) -> Option<Answer> {
    duty.said.map(|result| Answer {
        result,
        witness: Symbol::GUESS,
    })
}

impl Strategy for Lazy {
    fn name(&self) -> &'static str {
        "lazy"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        match duty.kind {
            Kind::Fold => guess(duty),
            Kind::Check if self.checks => guess(duty),
            _ => Some(desk.compute(duty)),
        }
    }
}

/// Waits for a plain copy in the pool, and gives that.
pub struct Watching;

impl Strategy for Watching {
    fn name(&self) -> &'static str {
        "lazy-watching"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        match duty.kind {
            Kind::Check | Kind::Fold => duty.shown,
            _ => Some(desk.compute(duty)),
        }
    }
}

/// Gives the witness that a proposer tells, and guesses where none does.
pub struct Listening;

impl Strategy for Listening {
    fn name(&self) -> &'static str {
        "lazy-listening"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        match (duty.kind, duty.said, duty.told) {
            (Kind::Check, Some(result), Some(witness)) => Some(Answer { result, witness }),
            (Kind::Check | Kind::Fold, ..) => guess(duty),
            _ => Some(desk.compute(duty)),
        }
    }
}

/// Believes a proposer that tells a witness, and works where none does.
pub struct Trusting;

impl Strategy for Trusting {
    fn name(&self) -> &'static str {
        "lazy-trusting"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        match (duty.kind, duty.said, duty.told) {
            (Kind::Check, Some(result), Some(witness)) => Some(Answer { result, witness }),
            _ => Some(desk.compute(duty)),
        }
    }
}
