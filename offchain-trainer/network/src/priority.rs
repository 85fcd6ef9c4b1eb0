//! What comes first.

/// How soon a blob is needed. What is needed sooner is asked for first, and large transfers that can wait leave room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// For a round that is going on: updates, the base weights of a task, its data.
    Round,
    /// For what comes soon: a version that was just confirmed.
    #[default]
    Version,
    /// For some time: old versions, data sets in advance.
    Background,
}

impl Priority {
    /// For each class, how many places it leaves free for those above.
    pub(crate) const SPARE: [usize; 3] = [0, 0, 1];

    /// Its place in [`SPARE`](Self::SPARE).
    pub(crate) fn class(self) -> usize {
        match self {
            Self::Round => 0,
            Self::Version => 1,
            Self::Background => 2,
        }
    }
}
