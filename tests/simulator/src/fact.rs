//! What happened in a block, as far as figures are made of it: nothing here is of one version of the protocol.

use hydra_primitives::{ModelId, task::PlaceIndex};
use hydra_runtime::{AccountId, Balance};

use crate::symbol::Symbol;

/// What became of a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Taken for right.
    Accepted,
    /// Taken for wrong.
    Rejected,
    /// Neither: nothing was found.
    Undecided,
    /// Nobody looked at it: what it was made from is gone.
    Dropped,
}

/// How a question to the network ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Decided by the first draw.
    First,
    /// Decided by the second.
    Appeal,
    /// Decided by the third.
    Last,
    /// Not decided.
    Open,
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// An account claimed a result.
    Claimed {
        /// The model.
        model: ModelId,
        /// The place that it is for.
        place: PlaceIndex,
        /// The result.
        claim: Symbol,
    },
    /// It is known what becomes of a claim.
    Decided {
        /// The model.
        model: ModelId,
        /// The place that it is for.
        place: PlaceIndex,
        /// Whose claim.
        who: AccountId,
        /// What becomes of it.
        verdict: Verdict,
    },
    /// An account has seats of a draw.
    Seated {
        /// The account.
        who: AccountId,
        /// How many.
        seats: u32,
        /// Whether it is a first draw.
        first: bool,
    },
    /// A question to the network ended.
    Answered {
        /// How.
        ending: Ending,
    },
    /// An account gave something else than what was found.
    Wrong {
        /// The account.
        who: AccountId,
    },
    /// An account gave nothing in time, though most did.
    Missed {
        /// The account.
        who: AccountId,
    },
    /// An account was paid for its work.
    Paid {
        /// The account.
        who: AccountId,
        /// What it got.
        amount: Balance,
    },
    /// An account lost a part of its stake.
    Forfeited {
        /// The account.
        who: AccountId,
        /// How much.
        amount: Balance,
    },
    /// An account got a part of what others lost.
    Received {
        /// The account.
        who: AccountId,
        /// How much.
        amount: Balance,
    },
    /// Whoever pays for a model paid for the room that its round takes.
    Burnt {
        /// The model.
        model: ModelId,
        /// How much.
        amount: Balance,
    },
    /// An account paid to have a transaction in a block.
    FeePaid {
        /// The account.
        who: AccountId,
        /// What it paid, tip included.
        fee: Balance,
    },
    /// A round is over.
    RoundEnded {
        /// The model.
        model: ModelId,
        /// Claims that were accepted in it.
        accepted: u32,
    },
    /// A round begins anew: what it began from is given up.
    RoundDropped {
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
    /// A version is given up.
    GivenUp {
        /// The model.
        model: ModelId,
    },
}
