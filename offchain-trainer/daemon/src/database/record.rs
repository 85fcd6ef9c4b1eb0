//! What is known of a blob.

use codec::{Decode, Encode};
use hydra_primitives::{H256, ModelId};

/// What a blob is. Ordered: of two descriptions of one blob the later one counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode)]
pub enum Kind {
    /// An update; the number is a round.
    Update,
    /// Weights; the number is a version.
    Weights,
}

/// What a blob was stored for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Tag {
    /// The chain.
    pub genesis: H256,
    /// The model.
    pub model: ModelId,
    /// What it is.
    pub kind: Kind,
    /// Round or version.
    pub number: u32,
}

/// Why a blob is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Purpose {
    /// Nobody knows any more: its file was found without a record. It goes when room is short, the least used first.
    Cached,
    /// It belongs to a data set.
    DataSet,
    /// It was stored for a round or a version.
    For(Tag),
}

impl From<Option<Tag>> for Purpose {
    /// `None` is how data sets are asked for.
    fn from(tag: Option<Tag>) -> Self {
        tag.map_or(Self::DataSet, Self::For)
    }
}

/// What is known of a blob. Times are seconds since 1970 by this PC's clock: they order what is deleted first, and decide nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Record {
    /// Why it is here.
    pub purpose: Purpose,
    /// Its file, once that is there: the record is written first.
    pub stored: Option<Stored>,
    /// When it was used last, to within an hour.
    pub used: u64,
}

/// A blob's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// When it was stored.
    pub at: u64,
}
