//! Our own house: the networks of IPv6 in which this computer has an address of the internet.
//!
//! A home has 2⁶⁴ such addresses, and each thing in it has one that looks like any other of the internet. Its router lets in nobody from
//! outside, but whoever is inside gets everywhere: a stranger who names such an address would have this PC knock where he can't. So
//! addresses in there count for strangers as private ones do; who is at home tells of itself by multicast, and a person may name whom he
//! likes. Must never hold what merely leads through a relay: that is the relay's house.

use crate::scope::{Scope, host, is_relayed};
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

/// Its networks, each by the upper half of its addresses. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct House(Arc<RwLock<BTreeSet<u64>>>);

impl House {
    /// These are all the addresses at which this computer listens now.
    pub(crate) fn is_at<'a>(&self, listening: impl IntoIterator<Item = &'a Multiaddr>) {
        let own = listening.into_iter().filter(|address| !is_relayed(address));
        let networks = own.filter_map(ip_of).filter_map(network).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = networks;
    }

    /// Whether an address leads there, be it only to a relay.
    pub(crate) fn holds(&self, address: &Multiaddr) -> bool {
        ip_of(address).is_some_and(|ip| self.holds_ip(ip))
    }

    pub(crate) fn holds_ip(&self, ip: IpAddr) -> bool {
        let networks = || self.0.read().unwrap_or_else(PoisonError::into_inner);
        network(ip).is_some_and(|network| networks().contains(&network))
    }
}

fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match host(address)? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// Of a public address of IPv6. Of IPv4 a home has one, which is its router's.
fn network(ip: IpAddr) -> Option<u64> {
    match ip.to_canonical() {
        IpAddr::V6(v6) if Scope::of_ip(ip) == Some(Scope::Public) => Some((v6.to_bits() >> 64) as u64),
        _ => None,
    }
}

/// What lies outside: the internet without our own house. Where a stranger may send us, and whose word counts for how we are reached from
/// there.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    /// From where on an address counts as one of the internet.
    internet: Scope,
    house: House,
}

impl Outside {
    pub(crate) fn new(internet: Scope, house: House) -> Self {
        Self { internet, house }
    }

    /// Whether an address leads there; a name may, as far as can be said before it is looked up.
    pub(crate) fn has(&self, address: &Multiaddr) -> bool {
        let far = |scope| scope == Scope::Name || scope >= self.internet;
        Scope::of(address).is_some_and(far) && !self.house.holds(address)
    }

    /// Whether a computer is there.
    pub(crate) fn has_ip(&self, ip: IpAddr) -> bool {
        Scope::of_ip(ip).is_some_and(|scope| scope >= self.internet) && !self.house.holds_ip(ip)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    const RELAY: &str = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN/p2p-circuit";

    fn house() -> House {
        let house = House::default();
        house.is_at(&[
            address("/ip4/192.0.2.7/tcp/30400"),
            address("/ip6/::1/tcp/30400"),
            address("/ip6/fe80::3/tcp/30400"),
            address("/ip6/fd77:1::3/tcp/30400"),
            address("/ip6/2001:db8:1:2::3/tcp/30400"),
            address("/ip6/2001:db8:1:2::3/udp/30400/quic-v1"),
            address(&format!("/ip6/2001:db8:5:5::5/tcp/1{RELAY}")),
        ]);
        house
    }

    #[test]
    fn a_house_is_the_public_ipv6_networks_that_this_computer_is_in() {
        let house = house();
        for (text, inside) in [
            ("/ip6/2001:db8:1:2::3/tcp/1", true),
            ("/ip6/2001:db8:1:2:ffff::9/udp/1/quic-v1", true),
            ("/ip6/2001:db8:1:3::3/tcp/1", false),
            // A relay's house isn't ours, and a relay in ours is.
            ("/ip6/2001:db8:5:5::9/tcp/1", false),
            (&format!("/ip6/2001:db8:1:2::9/tcp/1{RELAY}"), true),
            // These have ranges of their own.
            ("/ip6/fd77:1::9/tcp/1", false),
            ("/ip6/fe80::9/tcp/1", false),
            ("/ip6/::1/tcp/1", false),
            // Of IPv4 nobody knows who else is in a network.
            ("/ip4/192.0.2.7/tcp/1", false),
            ("/ip6/::ffff:192.0.2.7/tcp/1", false),
            ("/dns6/pc.example.org/tcp/1", false),
        ] {
            assert_eq!(house.holds(&address(text)), inside, "{text}");
        }
    }

    #[test]
    fn a_computer_that_moves_has_another_house() {
        let (house, clone) = (house(), House::default());
        assert!(
            !clone.holds(&address("/ip6/2001:db8:1:2::9/tcp/1")),
            "nobody has said"
        );
        let clone = house.clone();
        house.is_at(&[address("/ip6/2001:db8:9:9::3/tcp/30400")]);
        assert!(!clone.holds(&address("/ip6/2001:db8:1:2::9/tcp/1")));
        assert!(clone.holds(&address("/ip6/2001:db8:9:9::9/tcp/1")));
    }

    #[test]
    fn outside_is_the_internet_without_our_own_house() {
        let outside = Outside::new(Scope::Public, house());
        for (text, there) in [
            ("/ip4/192.0.2.1/tcp/1", true),
            ("/ip6/2001:db8:1:3::9/tcp/1", true),
            ("/dns/pc.example.org/tcp/1", true),
            ("/ip6/2001:db8:1:2::9/tcp/1", false),
            ("/ip6/fd00::1/tcp/1", false),
            ("/ip4/192.168.1.1/tcp/1", false),
            ("/memory/1", false),
        ] {
            assert_eq!(outside.has(&address(text)), there, "{text}");
        }
        assert!(outside.has_ip([192, 0, 2, 1].into()));
        assert!(!outside.has_ip("2001:db8:1:2::9".parse().unwrap()));
        assert!(!outside.has_ip([127, 0, 0, 1].into()));
        // Closed networks and tests.
        assert!(Outside::new(Scope::Loopback, house()).has_ip([127, 0, 0, 1].into()));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_an_address_inside_or_outside(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(address) = Multiaddr::try_from(bytes) {
                let house = House::default();
                house.is_at([&address]);
                let outside = Outside::new(Scope::Public, house.clone());
                prop_assert!(!(house.holds(&address) && outside.has(&address)));
            }
        }
    }
}
