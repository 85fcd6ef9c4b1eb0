//! Which addresses make sense, and which of them are believed.
//!
//! An address of a local network means another PC in each of them. So one that is merely said to be somebody's is believed only
//! if there is a connection into that very network, and not of a peer that has a public address.

use super::Source;
use crate::{
    chosen_names::is_certified,
    scope::{Scope, is_relayed},
};
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::{collections::BTreeMap, net::IpAddr};

/// The longest address, in bytes.
const LONGEST: usize = 256;

/// The local networks that connections lead into.
#[derive(Debug, Default)]
pub(super) struct Nearby(BTreeMap<Network, usize>);

/// A local network, as far as an address tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Network {
    Loopback,
    /// 16 bits: few networks at home or at work are larger.
    V4([u8; 2]),
    /// 48 bits, as those are that an organisation chooses for itself.
    V6([u16; 3]),
}

impl Network {
    fn of(address: &Multiaddr) -> Option<Self> {
        let ip: IpAddr = match address.iter().next()? {
            Protocol::Ip4(ip) => ip.into(),
            Protocol::Ip6(ip) => ip.into(),
            _ => return None,
        };
        match (Scope::of_ip(ip)?, ip.to_canonical()) {
            (Scope::Loopback, _) => Some(Self::Loopback),
            (Scope::Private, IpAddr::V4(ip)) => {
                let [a, b, ..] = ip.octets();
                Some(Self::V4([a, b]))
            }
            (Scope::Private, IpAddr::V6(ip)) => {
                let [a, b, c, ..] = ip.segments();
                Some(Self::V6([a, b, c]))
            }
            _ => None,
        }
    }
}

impl Nearby {
    /// A connection with this address stands, or is gone.
    pub(super) fn note(&mut self, address: &Multiaddr, stands: bool) {
        let Some(network) = Network::of(address).filter(|_| !is_relayed(address)) else {
            return;
        };
        let count = self.0.entry(network).or_default();
        *count = if stands {
            count.saturating_add(1)
        } else {
            count.saturating_sub(1)
        };
        if *count == 0 {
            self.0.remove(&network);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn holds(&self, address: &Multiaddr) -> bool {
        Network::of(address).is_some_and(|network| self.0.contains_key(&network))
    }
}

/// Those of a peer's addresses that make sense and are believed, without the peer at their end.
pub(super) fn trusted(
    peer: &PeerId,
    addresses: impl Iterator<Item = Multiaddr>,
    source: Source,
    nearby: &Nearby,
) -> impl Iterator<Item = Multiaddr> {
    let addresses: Vec<(Multiaddr, Scope)> = addresses
        .filter(|address| address.len() <= LONGEST)
        .filter_map(|address| without_peer(peer, address))
        .filter_map(|address| Scope::of(&address).map(|scope| (address, scope)))
        .collect();
    let is_public = addresses.iter().any(|(_, scope)| *scope == Scope::Public);
    let believed: Vec<Multiaddr> = addresses
        .into_iter()
        .filter(|(address, scope)| match (source, scope) {
            (_, Scope::Public) | (Source::Bootstrap | Source::Connected | Source::Memory, Scope::Name) => {
                true
            }
            (_, Scope::Name) => is_certified(address),
            (Source::Record, Scope::Private | Scope::Loopback) => !is_public && nearby.holds(address),
            // Whoever reports what a peer said over a connection has looked where the connection leads.
            (_, Scope::Private | Scope::Loopback) => true,
        })
        .map(|(address, _)| address)
        .collect();
    believed.into_iter()
}

/// Without the peer at its end; `None` if somebody else is there, or it says nothing more.
pub(super) fn without_peer(peer: &PeerId, mut address: Multiaddr) -> Option<Multiaddr> {
    if let Some(Protocol::P2p(at_end)) = address.iter().last() {
        // Behind a relay the peer is named after it.
        if at_end != *peer {
            return None;
        }
        address.pop();
    }
    (!address.is_empty()).then_some(address)
}
