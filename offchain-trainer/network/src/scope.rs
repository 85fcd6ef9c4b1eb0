//! How far an address reaches: what is dialled, believed or told to others depends on it.
//!
//! Documentation and benchmarking ranges count as public: nobody owns them, and laboratories use them.

use libp2p::{Multiaddr, multiaddr::Protocol};
use std::net::IpAddr;

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// This computer alone.
    Loopback,
    /// One network: private, link-local, a provider's own (100.64.0.0/10), unique local.
    Private,
    /// A name: where it leads is known when it is looked up.
    Name,
    /// Everybody.
    Public,
}

impl Scope {
    /// By the address's first part; of a relayed address it is the relay's. `None` if that is neither an IP address nor a name,
    /// or one that nobody can be reached at.
    pub fn of(address: &Multiaddr) -> Option<Self> {
        match address.iter().next()? {
            Protocol::Ip4(ip) => Self::of_ip(ip.into()),
            Protocol::Ip6(ip) => Self::of_ip(ip.into()),
            Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_) => {
                Some(Self::Name)
            }
            _ => None,
        }
    }

    /// Of an IP address; `None` if nobody can be reached at it.
    pub fn of_ip(ip: IpAddr) -> Option<Self> {
        let ip = ip.to_canonical();
        if ip.is_unspecified() || ip.is_multicast() {
            return None;
        }
        if ip.is_loopback() {
            return Some(Self::Loopback);
        }
        let private = match ip {
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                if ip.is_broadcast() {
                    return None;
                }
                ip.is_private() || ip.is_link_local() || (a == 100 && (64..128).contains(&b))
            }
            IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
        };
        Some(if private { Self::Private } else { Self::Public })
    }
}

/// Whether the way leads through a relay.
pub(crate) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Option<Scope> {
        Scope::of(&text.parse().unwrap())
    }

    #[test]
    fn addresses_reach_as_far_as_their_ranges_say() {
        for local in ["127.0.0.1", "127.9.9.9"] {
            assert_eq!(of(&format!("/ip4/{local}/tcp/1")), Some(Scope::Loopback));
        }
        for private in [
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.1",
        ] {
            assert_eq!(
                of(&format!("/ip4/{private}/tcp/1")),
                Some(Scope::Private),
                "{private}"
            );
        }
        for public in [
            "100.128.0.1",
            "172.32.0.1",
            "192.0.2.1",
            "198.51.100.1",
            "203.0.113.1",
            "198.18.0.1",
            "8.8.8.8",
        ] {
            assert_eq!(
                of(&format!("/ip4/{public}/udp/1/quic-v1")),
                Some(Scope::Public),
                "{public}"
            );
        }
        assert_eq!(of("/ip6/::1/tcp/1"), Some(Scope::Loopback));
        assert_eq!(of("/ip6/fd77::1/tcp/1"), Some(Scope::Private));
        assert_eq!(of("/ip6/fe80::1/tcp/1"), Some(Scope::Private));
        assert_eq!(of("/ip6/2001:db8::1/tcp/1"), Some(Scope::Public));
        assert_eq!(
            of("/ip6/::ffff:10.0.0.1/tcp/1"),
            Some(Scope::Private),
            "IPv4 in IPv6's clothes"
        );
        assert_eq!(of("/dns/pc.example.org/tcp/1"), Some(Scope::Name));
        for nowhere in [
            "/ip4/0.0.0.0/tcp/1",
            "/ip6/::/tcp/1",
            "/ip4/224.0.0.1/udp/1",
            "/ip4/255.255.255.255/tcp/1",
            "/memory/1",
        ] {
            assert_eq!(of(nowhere), None, "{nowhere}");
        }
    }

    proptest! {
        #[test]
        fn any_address_has_a_scope_or_none(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(address) = Multiaddr::try_from(bytes) {
                let _ = (Scope::of(&address), is_relayed(&address));
            }
        }
    }
}
