//! What all parts of the network share.

use crate::{
    book::Book, chosen_names::ChosenNames, house::House, members::Members, reports::Reports, strays::Strays,
};
use libp2p::PeerId;

/// Cheap to clone; clones share everything in it.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    /// Who we are.
    pub(crate) local: PeerId,
    /// Where peers were found.
    pub(crate) book: Book,
    /// Who is registered on the chain.
    pub(crate) members: Members,
    /// What peers did.
    pub(crate) reports: Reports,
    /// Dials that left from other ports than they were to.
    pub(crate) strays: Strays,
    /// Names that may lead anywhere.
    pub(crate) names: ChosenNames,
    /// Where strangers send us to nobody.
    pub(crate) house: House,
    /// What all randomness is drawn from, each part with a stream of its own.
    pub(crate) seed: u64,
}
