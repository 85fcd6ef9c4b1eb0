//! Makes blocks without what others owe.

use super::{Desk, Strategy};
use crate::{duty::Duty, symbol::Answer};

/// Works honestly, and takes nothing of what others owe into the blocks that it makes: they are to be late, and blamed for it.
pub struct Censoring;

impl Strategy for Censoring {
    fn name(&self) -> &'static str {
        "censoring"
    }

    fn answer(&mut self, duty: &Duty, desk: &mut Desk) -> Option<Answer> {
        Some(desk.compute(duty))
    }

    fn censors(&self) -> bool {
        true
    }
}
