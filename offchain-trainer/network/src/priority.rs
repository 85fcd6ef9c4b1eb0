//! What comes first.

/// How soon a blob is needed. What is needed sooner is asked for first, and large transfers that can wait leave room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Priority {
    /// For a round that is going on: the accepted updates, the data of a task.
    Round,
    /// For what comes next: a version that was confirmed.
    #[default]
    Version,
}

impl Priority {
    /// For each class, how many places it leaves free for those above.
    pub(crate) const SPARE: [usize; 2] = [0, 1];

    /// Its place in [`SPARE`](Self::SPARE).
    pub(crate) fn class(self) -> usize {
        match self {
            Self::Round => 0,
            Self::Version => 1,
        }
    }
}
