//! Where a peer is, as far as that costs an attacker something: one address holds few slots, one network a part of them.

use crate::{
    chosen_names::is_certified,
    origin::Origin,
    scope::{Scope, is_relayed},
};
use libp2p::{Multiaddr, core::ConnectedPoint, multiaddr::Protocol};
use std::net::IpAddr;

/// What peers are counted by. Those on the local network, and those that were dialled by a name that somebody here chose, have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// A public address.
    Direct(Origin),
    /// A relay at this public address: where its peers are isn't known, and it may have made them up.
    Relayed(Origin),
    /// A name that it said is its own: all of them may lead to one address.
    Named,
}

impl Place {
    /// Where a connection leads.
    pub(super) fn of(endpoint: &ConnectedPoint) -> Option<Self> {
        let (address, relayed) = leads_to(endpoint);
        Self::at(address, relayed)
    }

    /// Where dialling this address leads.
    pub(super) fn dialled(address: &Multiaddr) -> Option<Self> {
        Self::at(address, is_relayed(address))
    }

    fn at(address: &Multiaddr, relayed: bool) -> Option<Self> {
        // A stranger's name is believed only with a certificate.
        if is_certified(address) {
            return Some(Self::Named);
        }
        if Scope::of(address) != Some(Scope::Public) {
            return None;
        }
        let origin = Origin::of(address)?;
        Some(match relayed {
            true => Self::Relayed(origin),
            false => Self::Direct(origin),
        })
    }
}

/// The address that says where a connection leads, and whether that is only a relay.
pub(super) fn leads_to(endpoint: &ConnectedPoint) -> (&Multiaddr, bool) {
    match endpoint {
        ConnectedPoint::Dialer { address, .. } => (address, is_relayed(address)),
        // Of a peer that comes through a relay only its name is told, and our own address there.
        ConnectedPoint::Listener { local_addr, .. } if is_relayed(local_addr) => (local_addr, true),
        ConnectedPoint::Listener { send_back_addr, .. } => (send_back_addr, false),
    }
}

/// The network that an address is part of, as providers are given them: peers in one are likely to fail, or to be owned, together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Prefix {
    /// IPv4: 16 bits.
    V4([u8; 2]),
    /// IPv6: 32 bits.
    V6(u32),
}

impl Prefix {
    /// `None` on this computer, and for names.
    pub(super) fn of(address: &Multiaddr) -> Option<Self> {
        let ip: IpAddr = match address.iter().next()? {
            Protocol::Ip4(ip) => ip.into(),
            Protocol::Ip6(ip) => ip.into(),
            _ => return None,
        };
        match (Scope::of_ip(ip)?, ip.to_canonical()) {
            (Scope::Loopback, _) => None,
            (_, IpAddr::V4(ip)) => {
                let [a, b, ..] = ip.octets();
                Some(Self::V4([a, b]))
            }
            (_, IpAddr::V6(ip)) => {
                let [a, b, ..] = ip.segments();
                Some(Self::V6(u32::from(a) << 16 | u32::from(b)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::{Endpoint, transport::PortUse};

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn dialled(text: &str) -> Option<Place> {
        Place::of(&ConnectedPoint::Dialer {
            address: address(text),
            role_override: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        })
    }

    fn came(local: &str, from: &str) -> Option<Place> {
        Place::of(&ConnectedPoint::Listener {
            local_addr: address(local),
            send_back_addr: address(from),
        })
    }

    #[test]
    fn only_public_addresses_are_counted_and_relays_apart_from_who_is_there_itself() {
        let relay = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit";
        let direct = dialled("/ip4/192.0.2.1/tcp/1");
        assert!(matches!(direct, Some(Place::Direct(_))));
        assert_eq!(came("/ip4/10.0.0.2/tcp/1", "/ip4/192.0.2.1/tcp/9"), direct);
        let relayed = dialled(&format!("/ip4/192.0.2.1/tcp/1{relay}"));
        assert!(matches!(relayed, Some(Place::Relayed(_))));
        // The relay's is the only address that is known.
        let by = came(
            &format!("/ip4/192.0.2.1/tcp/1{relay}"),
            "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN",
        );
        assert_eq!(by, relayed);
        assert_eq!(
            dialled("/dns/pc.example.org/tcp/443/tls/ws"),
            Some(Place::Named),
            "it may be any stranger's"
        );
        for exempt in [
            "/ip4/127.0.0.1/tcp/1",
            "/ip4/192.168.1.2/tcp/1",
            "/dns/pc.example.org/tcp/1",
        ] {
            assert_eq!(dialled(exempt), None, "{exempt}");
        }
    }

    #[test]
    fn networks_are_told_apart_by_16_or_32_bits() {
        let of = |text: &str| Prefix::of(&address(text));
        assert_eq!(of("/ip4/192.0.2.1/tcp/1"), of("/ip4/192.0.77.1/tcp/2"));
        assert_ne!(of("/ip4/192.0.2.1/tcp/1"), of("/ip4/192.1.2.1/tcp/1"));
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8:9::1/tcp/1"));
        assert_ne!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db9::1/tcp/1"));
        assert_eq!(of("/ip4/192.0.2.1/tcp/1"), of("/ip6/::ffff:192.0.2.1/tcp/1"));
        assert!(of("/ip4/10.0.0.1/tcp/1").is_some());
        assert_eq!(of("/ip4/127.0.0.1/tcp/1"), None);
    }
}
