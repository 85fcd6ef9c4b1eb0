//! The bootstrap peers, by their names: they always may stay.

use crate::bootstrap::peer_in;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};

/// As many as there are bootstrap addresses.
#[derive(Debug)]
pub(super) struct Pinned(Vec<(Multiaddr, Option<PeerId>)>);

impl Pinned {
    pub(super) fn new(bootstrap: &[Multiaddr]) -> Self {
        let split = |address: &Multiaddr| (bare(address), peer_in(address));
        Self(bootstrap.iter().map(split).collect())
    }

    /// Those whose names were given, and where they are.
    pub(super) fn named(&self) -> Vec<(PeerId, Multiaddr)> {
        let named = self.0.iter();
        named
            .filter_map(|(address, peer)| Some(((*peer)?, address.clone())))
            .collect()
    }

    /// Who answers where. Of an address that was given without a name it is whoever answered last.
    pub(super) fn is_at(&mut self, address: &Multiaddr, peer: PeerId) {
        let address = bare(address);
        for (given, known) in &mut self.0 {
            if *given == address {
                *known = Some(peer);
            }
        }
    }

    pub(super) fn contains(&self, peer: &PeerId) -> bool {
        self.0.iter().any(|(_, known)| *known == Some(*peer))
    }
}

fn bare(address: &Multiaddr) -> Multiaddr {
    let mut address = address.clone();
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bootstrap_peer_is_known_by_its_name_or_by_answering() {
        let [named, other, newer] = [(); 3].map(|()| PeerId::random());
        let with = format!("/ip4/192.0.2.1/tcp/1/p2p/{named}").parse().unwrap();
        let without: Multiaddr = "/dns/pc.example.org/tcp/1".parse().unwrap();
        let mut pinned = Pinned::new(&[with, without.clone()]);
        assert_eq!(pinned.named(), [(named, "/ip4/192.0.2.1/tcp/1".parse().unwrap())]);
        assert!(pinned.contains(&named) && !pinned.contains(&other));
        pinned.is_at(&without.clone().with(Protocol::P2p(other)), other);
        assert!(pinned.contains(&other));
        pinned.is_at(&without, newer);
        assert!(pinned.contains(&newer) && !pinned.contains(&other));
    }
}
