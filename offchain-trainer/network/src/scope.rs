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
    /// Of a relayed address it is the relay's. `None` if it begins neither with an IP address nor with a name, names several, or one that
    /// nobody can be reached at.
    pub fn of(address: &Multiaddr) -> Option<Self> {
        match host(address)? {
            Protocol::Ip4(ip) => Self::of_ip(ip.into()),
            Protocol::Ip6(ip) => Self::of_ip(ip.into()),
            _ => Some(Self::Name),
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

/// The one computer that an address names, with a port unless it is a `/dnsaddr`. `None` for any other: transports look for an IP address
/// where they like, and the last of several may be where a dial leads.
pub(crate) fn host(address: &Multiaddr) -> Option<Protocol<'_>> {
    let mut parts = address.iter();
    let host = parts.next()?;
    let whole = match host {
        Protocol::Dnsaddr(_) => true,
        Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => {
            matches!(parts.next(), Some(Protocol::Tcp(_) | Protocol::Udp(_)))
        }
        _ => false,
    };
    let another = parts.any(|part| {
        !matches!(
            part,
            Protocol::P2p(_)
                | Protocol::P2pCircuit
                | Protocol::QuicV1
                | Protocol::Quic
                | Protocol::Tls
                | Protocol::Ws(_)
                | Protocol::Wss(_)
                | Protocol::Sni(_)
        )
    });
    (whole && !another).then_some(host)
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

    #[test]
    fn an_address_that_names_a_second_computer_has_no_scope() {
        for text in [
            "/ip4/8.8.8.8/ip4/127.0.0.1/tcp/9944",
            "/ip4/8.8.8.8/tcp/1/ip4/192.168.1.1/tcp/80",
            "/ip4/8.8.8.8/ip4/192.168.1.1/tcp/80/x-parity-ws/%2fpath",
            "/ip4/8.8.8.8/tcp/1/dns4/localhost/tcp/80",
            "/dnsaddr/example.org/ip4/127.0.0.1/tcp/1",
            "/ip4/8.8.8.8",
            "/tcp/1",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        let peer = libp2p::PeerId::random();
        for text in [
            format!("/ip4/8.8.8.8/tcp/1/p2p/{peer}/p2p-circuit/p2p/{peer}"),
            "/ip6/2001:db8::1/udp/1/quic-v1".into(),
            format!("/ip4/8.8.8.8/tcp/443/tls/ws/p2p/{peer}"),
        ] {
            assert_eq!(of(&text), Some(Scope::Public), "{text}");
        }
        assert_eq!(of("/dnsaddr/example.org"), Some(Scope::Name));
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
