//! The cheats: what is claimed, said and opened in place of what was computed.
//!
//! Each goes as far as it can: it follows the protocol in all but one thing. Pure functions of the honest result, which is only
//! computed where a cheat needs it.

use std::fmt;

use hydra_primitives::{
    H256,
    poll::{Finding, Opening},
};
use hydra_update::{Update, Weights};

/// A way to cheat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Cheat {
    /// Proposes an update of zeros, without any training.
    ZeroUpdate,
    /// Trains, and proposes another update: one value of it is poisoned.
    ForgedUpdate,
    /// Gives digests of made-up results.
    Lie,
    /// Computes nothing for others: gives digests of what they claim, with a made-up witness.
    Copy,
    /// Proposes nothing, and gives no digests.
    Silence,
    /// Is honest until it opens: with a false result and a false witness.
    FalseOpening,
    /// Is honest, and serves its blobs at 1 KiB a second.
    Trickle,
}

/// What a made-up hash consists of.
const MADE_UP: H256 = H256::repeat_byte(0xee);
/// Added to a value of a poisoned update.
const POISON: f32 = 0.5;

impl Cheat {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::ZeroUpdate,
        Self::ForgedUpdate,
        Self::Lie,
        Self::Copy,
        Self::Silence,
        Self::FalseOpening,
        Self::Trickle,
    ];

    /// The update to propose for a model with so many parameters, of which `train` makes the honest one; `None`: none.
    ///
    /// # Errors
    /// Of training.
    pub fn propose<E>(
        self,
        parameters: usize,
        train: impl FnOnce() -> Result<Option<Update>, E>,
    ) -> Result<Option<Update>, E> {
        Ok(match self {
            Self::Silence => None,
            Self::ZeroUpdate => difference(vec![0.0; parameters]),
            Self::ForgedUpdate => train()?.and_then(|honest| {
                let mut values = honest.values().as_slice().to_vec();
                values.first_mut().into_iter().for_each(|value| *value += POISON);
                difference(values)
            }),
            Self::Lie | Self::Copy | Self::FalseOpening | Self::Trickle => train()?,
        })
    }

    /// What to give the digest of, where this update is claimed (of a version, nothing is); `None`: nothing.
    ///
    /// # Errors
    /// Of computing.
    pub fn say<E>(
        self,
        claim: Option<H256>,
        compute: impl FnOnce() -> Result<Opening, E>,
    ) -> Result<Option<Opening>, E> {
        let made_up = |result| Opening {
            finding: Finding::Update(result),
            witness: MADE_UP,
        };
        Ok(match self {
            Self::Silence => None,
            Self::Lie => Some(made_up(MADE_UP)),
            Self::Copy => Some(made_up(claim.unwrap_or(MADE_UP))),
            Self::ZeroUpdate | Self::ForgedUpdate | Self::FalseOpening | Self::Trickle => Some(compute()?),
        })
    }

    /// What to open with, where this was said.
    pub fn open(self, said: Opening) -> Opening {
        match self {
            Self::FalseOpening => Opening {
                finding: Finding::Update(MADE_UP),
                witness: MADE_UP,
            },
            _ => said,
        }
    }
}

fn difference(values: Vec<f32>) -> Option<Update> {
    let zeros = Weights::zeros(values.len());
    Update::between(&zeros, &Weights::new(values)).ok()
}

impl fmt::Display for Cheat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ZeroUpdate => "zero-update",
            Self::ForgedUpdate => "forged-update",
            Self::Lie => "lie",
            Self::Copy => "copy",
            Self::Silence => "silence",
            Self::FalseOpening => "false-opening",
            Self::Trickle => "trickle",
        })
    }
}

#[cfg(test)]
#[path = "cheats_tests.rs"]
mod tests;
