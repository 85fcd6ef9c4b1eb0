//! A blob that a process of ours gives away: where, what, how large. Shared by the examples.

use hydra_blobs::H256;
use hydra_network::{Multiaddr, PeerId};
use libp2p::multiaddr::Protocol;
use std::{error::Error, fmt, str::FromStr};

/// Printed as `ADDRESS,HASH,SIZE`, where the address ends with the PeerId.
#[derive(Clone)]
pub struct Offer {
    pub address: Multiaddr,
    pub peer: PeerId,
    pub blob: H256,
    /// Bytes.
    pub size: u64,
}

impl Offer {
    /// `None` if the address has no PeerId.
    pub fn new(address: Multiaddr, blob: H256, size: u64) -> Option<Self> {
        let Some(Protocol::P2p(peer)) = address.iter().last() else {
            return None;
        };
        Some(Self {
            address,
            peer,
            blob,
            size,
        })
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{:?},{}", self.address, self.blob, self.size)
    }
}

impl FromStr for Offer {
    type Err = Box<dyn Error + Send + Sync>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let [address, blob, size] = text.split(',').collect::<Vec<_>>()[..] else {
            return Err("an offer has three parts".into());
        };
        let offer = Self::new(address.parse()?, blob.parse()?, size.parse()?);
        Ok(offer.ok_or("the address has no PeerId")?)
    }
}
