//! Does everything, and tells what came of it.

use super::{Desk, Strategy};
use crate::{
    duty::Duty,
    symbol::{Answer, Symbol},
};

/// Does all it owes.
pub struct Honest {
    name: &'static str,
}

impl Honest {
    /// An honest one that is counted under this name.
    pub fn named(name: &'static str) -> Self {
        Self { name }
    }
}

impl Strategy for Honest {
    fn name(&self) -> &'static str {
        self.name
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        Some(desk.compute(duty))
    }
}

/// Does all it owes, and tells everybody a witness of what it claims.
pub struct Telling {
    name: &'static str,
    witness: Symbol,
}

impl Telling {
    /// It tells the right one, so that others may save their work.
    pub fn truly() -> Self {
        Self {
            name: "telling",
            witness: Symbol::Right,
        }
    }

    /// It tells another one: whoever believes it is wrong, and it gets a part of what they lose.
    pub fn falsely() -> Self {
        Self {
            name: "telling-falsely",
            witness: Symbol::GUESS,
        }
    }
}

impl Strategy for Telling {
    fn name(&self) -> &'static str {
        self.name
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        Some(desk.compute(duty))
    }

    fn tells(&self) -> Option<Symbol> {
        Some(self.witness)
    }
}
