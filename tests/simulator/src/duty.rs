//! What an account is asked for, as far as a strategy has to know: nothing here is of one version of the protocol.

use hydra_primitives::{ModelId, RoundNumber};

use crate::symbol::Symbol;

/// What kind of work it is, and what a network does while it waits for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Train, and claim the result.
    Task,
    /// Say what is right where somebody else claims something.
    Check,
    /// Show what was hidden.
    Reveal,
    /// Fold accepted updates into the next version, and say what it is.
    Fold,
}

impl Kind {
    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "train",
            Self::Check => "verify",
            Self::Reveal => "reveal",
            Self::Fold => "fold, settle",
        }
    }
}

/// One thing that an account owes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duty {
    /// What kind.
    pub kind: Kind,
    /// The model.
    pub model: ModelId,
    /// The model's round.
    pub round: RoundNumber,
    /// What anybody can read that somebody else says it is: the claim that is checked, or a version that was attested.
    pub said: Option<Symbol>,
    /// What it costs to do it, in sample-parameters.
    pub work: u64,
}
