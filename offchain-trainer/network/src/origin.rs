//! Which peers share an address: identities cost nothing, addresses cost something.
//!
//! An IPv6 customer has a network of 2⁶⁴ addresses at least, so all of such a network count as one.

use crate::scope::host;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::net::{IpAddr, Ipv4Addr};

/// What counts as one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    V4(Ipv4Addr),
    /// The upper half.
    V6(u64),
}

impl Origin {
    /// `None` for a name, and for what no [`Scope`](crate::scope::Scope) is of.
    pub(crate) fn of(address: &Multiaddr) -> Option<Self> {
        let ip = match host(address)? {
            Protocol::Ip4(ip) => IpAddr::V4(ip),
            Protocol::Ip6(ip) => IpAddr::V6(ip),
            _ => return None,
        };
        Some(match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip),
            IpAddr::V6(ip) => Self::V6((ip.to_bits() >> 64) as u64),
        })
    }
}

/// Who counts as one where places are given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holder {
    /// Everybody at an address.
    At(Origin),
    /// Somebody whose address is a name: it is one that we chose.
    Peer(PeerId),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Option<Origin> {
        Origin::of(&text.parse().unwrap())
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address() {
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8::ffff:1/tcp/2"));
        assert_ne!(of("/ip6/2001:db8::1/tcp/1"), of("/ip6/2001:db8:0:1::1/tcp/1"));
        assert_ne!(of("/ip4/192.0.2.1/tcp/1"), of("/ip4/192.0.2.2/tcp/1"));
        // IPv4 in IPv6's clothes.
        assert_eq!(of("/ip4/192.0.2.1/tcp/1"), of("/ip6/::ffff:192.0.2.1/tcp/1"));
        assert_eq!(of("/dns4/pc.example.org/tcp/1"), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_address_or_none(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(address) = Multiaddr::try_from(bytes.clone()) {
                let _ = Origin::of(&address);
                prop_assert_eq!(address.to_vec(), bytes);
            }
        }
    }
}
