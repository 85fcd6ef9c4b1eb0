//! Why the electorate refuses something.

use super::node::NodeId;
use core::fmt;

/// Why the electorate refuses something. The last five can't happen while the store keeps what it was given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The account is in already.
    AlreadyIn,
    /// The account is not in.
    NotIn,
    /// Every slot is taken, or was given back in this session.
    Full,
    /// All weights together would not fit into 64 bits.
    TooHeavy,
    /// More seats or accounts are to be drawn than a draw may have.
    TooMany,
    /// The point lies beyond the total weight.
    BeyondTotal,
    /// The store was written in a later session already.
    EarlierSession,
    /// There is no such slot.
    NoSuchSlot(u32),
    /// This node disagrees with the one above it, or its sums do not fit into 64 bits.
    Tree(NodeId),
    /// This slot has no owner, or another than it should, or weighs something though it is free.
    Slot(u32),
    /// The counts of slots contradict each other.
    Book,
}

impl Error {
    /// The sentence.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::AlreadyIn => "electorate: the account is in already; change its weight instead",
            Self::NotIn => "electorate: the account is not in; let it enter first",
            Self::Full => "electorate: every slot is taken; try again in the next session",
            Self::TooHeavy => "electorate: the weights together do not fit into 64 bits",
            Self::TooMany => "electorate: a draw has at most 1,024 seats or accounts",
            Self::BeyondTotal => "electorate: the point lies beyond the total weight",
            Self::EarlierSession => "electorate: it was written in a later session already",
            Self::NoSuchSlot(_) => "electorate: an account has a slot that the tree has not",
            Self::Tree(_) => "electorate: a node of the tree is not what the one above it says",
            Self::Slot(_) => "electorate: a slot and its owner disagree",
            Self::Book => "electorate: the counts of slots contradict each other",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::NoSuchSlot(slot) | Self::Slot(slot) => write!(f, " (slot {slot})"),
            Self::Tree(id) => write!(f, " (level {}, node {})", id.level, id.index),
            _ => Ok(()),
        }
    }
}

impl core::error::Error for Error {}
