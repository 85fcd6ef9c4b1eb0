//! PCs on the same local network find each other without anybody's help.
//!
//! It is there from the start or not at all: a behaviour that comes later would take no part in connections that stand.

use crate::scope::Scope;
use libp2p::{Multiaddr, PeerId, mdns};
use std::collections::BTreeMap;

pub(crate) type Behaviour = mdns::tokio::Behaviour;

/// Peers that are taken from one look around: a home has fewer PCs.
const MOST: usize = 64;
/// Addresses of one of them.
const ADDRESSES: usize = 8;

/// If it is wanted, and this computer has what it needs.
pub(super) fn behaviour(wanted: bool, local: PeerId) -> Option<Behaviour> {
    if !wanted {
        return None;
    }
    match Behaviour::new(mdns::Config::default(), local) {
        Ok(behaviour) => Some(behaviour),
        Err(error) => {
            tracing::warn!(%error, "can't look for PCs on the local network; those elsewhere are found all the same");
            None
        }
    }
}

/// Who answered, with addresses in this network only: anybody in it can say anything.
pub(super) fn found(list: &[(PeerId, Multiaddr)]) -> BTreeMap<PeerId, Vec<Multiaddr>> {
    let mut found: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
    for (peer, address) in list {
        if Scope::of(address) != Some(Scope::Private) || (found.len() >= MOST && !found.contains_key(peer)) {
            continue;
        }
        let addresses = found.entry(*peer).or_default();
        if addresses.len() < ADDRESSES {
            addresses.push(address.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_local_network_are_taken_and_only_some() {
        let peer = PeerId::random();
        let address = |text: &str| text.parse::<Multiaddr>().unwrap();
        let mut list = vec![
            (peer, address("/ip4/192.0.2.1/tcp/1")),
            (peer, address("/ip4/127.0.0.1/tcp/1")),
            (peer, address("/ip4/192.168.1.2/tcp/1")),
        ];
        assert_eq!(
            found(&list),
            BTreeMap::from([(peer, vec![address("/ip4/192.168.1.2/tcp/1")])])
        );
        list.extend((0..100).map(|port| (peer, address(&format!("/ip4/192.168.1.2/tcp/{port}")))));
        list.extend((0..100).map(|_| (PeerId::random(), address("/ip4/192.168.1.3/tcp/1"))));
        let found = found(&list);
        assert_eq!((found.len(), found[&peer].len()), (MOST, ADDRESSES));
    }
}
