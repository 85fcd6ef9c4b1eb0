//! Why the electorate refuses something.

use super::store::NodeId;
use core::fmt;

/// Why the electorate refuses something. The last three can't happen while the store keeps what it was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// Every slot is taken.
    Full,
    /// All weights together would not fit into 64 bits.
    TooHeavy,
    /// More seats or accounts are to be drawn than a draw may have.
    TooMany,
    /// The point lies beyond the total weight.
    BeyondTotal,
    /// A later session's electorate has taken the place of this one.
    EarlierSession,
    /// This node disagrees with the one above it, or its sums do not fit into 64 bits.
    Tree(NodeId),
    /// This slot has no account though it is used, or weighs something though it is not.
    Slot(u32),
    /// More slots are said to be used than there are.
    Length,
}

impl Error {
    /// The sentence.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Full => "electorate: every slot is taken; try again in the next session",
            Self::TooHeavy => "electorate: the weights together do not fit into 64 bits",
            Self::TooMany => "electorate: a draw has at most 1,024 seats or accounts",
            Self::BeyondTotal => "electorate: the point lies beyond the total weight",
            Self::EarlierSession => "electorate: a later session's has taken its place",
            Self::Tree(_) => "electorate: a node of the tree is not what the one above it says",
            Self::Slot(_) => "electorate: a slot has weight and no account, or is used and empty",
            Self::Length => "electorate: more slots are said to be used than there are",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Slot(slot) => write!(f, " (slot {slot})"),
            Self::Tree(id) => write!(f, " (level {}, node {})", id.level, id.index),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for Error {}
