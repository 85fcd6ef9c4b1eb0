//! What happened in a block, as far as figures are made of it: nothing here is of one version of the protocol.

use hydra_primitives::ModelId;
use hydra_runtime::{AccountId, Balance};

use crate::symbol::Symbol;

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Taken for right, and paid.
    Accepted,
    /// Taken for wrong.
    Rejected,
    /// Neither.
    Undecided,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// An account claimed a result.
    Claimed {
        /// The model.
        model: ModelId,
        /// The account.
        who: AccountId,
        /// The result.
        claim: Symbol,
    },
    /// A claim was decided.
    Decided {
        /// The model.
        model: ModelId,
        /// Whose claim.
        who: AccountId,
        /// How.
        verdict: Verdict,
        /// What it earned.
        pay: Balance,
    },
    /// An account was blamed for something.
    Blamed {
        /// The account.
        who: AccountId,
    },
    /// A round is over.
    RoundEnded {
        /// The model.
        model: ModelId,
        /// Claims that were accepted in it.
        accepted: u32,
    },
    /// A round got more time, since it could not go on.
    RoundExtended {
        /// The model.
        model: ModelId,
    },
    /// A version is the network's now.
    Confirmed {
        /// The model.
        model: ModelId,
        /// What it is, measured by what should have come out.
        version: Symbol,
    },
    /// An account paid to have a transaction in a block.
    FeePaid {
        /// The account.
        who: AccountId,
        /// What it paid, tip included.
        fee: Balance,
    },
}
