//! What an account is asked for, as far as a strategy has to know: nothing here is of one version of the protocol.

use hydra_primitives::{BlockNumber, ModelId, RoundNumber};

use crate::symbol::{Answer, Symbol};

/// What kind of thing it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Say that one is there.
    Heartbeat,
    /// Show in plain what many gave hidden.
    Open,
    /// Fold accepted updates into the next version, and say what it is.
    Fold,
    /// Say what is right where somebody else claims something.
    Check,
    /// Train, and claim the result.
    Task,
}

/// What the network waits for in a model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// Nothing: it pauses.
    Pause,
    /// Training; the version before is in question at the same time.
    Train,
    /// What the first draws find.
    First,
    /// What the second draws find, of those that were not decided.
    Appeal,
    /// What the last draws find.
    Last,
}

impl Stage {
    /// Its name in a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Train => "train, attest",
            Self::First => "verify",
            Self::Appeal => "appeal",
            Self::Last => "last draw",
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
    /// The block after which it was owed first.
    pub since: BlockNumber,
    /// What anybody can read that somebody else says it is: the claim that is checked; of a version, what the names of blobs tell.
    pub said: Option<Symbol>,
    /// The witness that whoever claims it tells everybody who asks.
    pub told: Option<Symbol>,
    /// A plain copy that was seen in the pool.
    pub shown: Option<Answer>,
    /// Seats of the draw that are asked, and those of them that accounts have which play alike. Of a task, those that will be, where they
    /// know that.
    pub seats: [u32; 2],
    /// What it costs to do it, in sample-parameters.
    pub work: u64,
}
