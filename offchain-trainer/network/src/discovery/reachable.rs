//! Which addresses of others this PC dials when somebody else names them, and which of its own it names.
//!
//! An address in a private network means another computer in each of them, and a loopback address this one: dialling those that a stranger
//! names would make this PC knock at its owner's other machines. So they count only while all peers are in such a network themselves, as
//! those are of a few PCs on one desk, or tell of themselves by multicast.

use crate::{
    chosen_names::is_certified,
    house::House,
    scope::{Scope, is_relayed},
};
use libp2p::{Multiaddr, multiaddr::Protocol};
use std::net::IpAddr;

/// What is known of this PC's surroundings.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// All peers are in private networks or on this computer, and there is one.
    pub(super) local_only: bool,
    /// Where those who are there find each other by multicast.
    pub(super) house: House,
}

impl Surroundings {
    /// Whether an address that somebody names is to be dialled.
    pub(super) fn fits(&self, address: &Multiaddr) -> bool {
        match Scope::of(address) {
            Some(Scope::Public) => !self.house.holds(address),
            Some(Scope::Name) => is_certified(address),
            Some(Scope::Private) => self.local_only,
            Some(Scope::Loopback) => self.local_only,
            None => false,
        }
    }
}

/// What shares a fate, and often an owner: 2⁸ addresses, of IPv6 2⁸⁰. `None` for what is no public address.
pub(super) fn group(address: &Multiaddr) -> Option<IpAddr> {
    if Scope::of(address) != Some(Scope::Public) {
        return None;
    }
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(IpAddr::V4((u32::from(ip) & 0xffff_ff00).into())),
        Protocol::Ip6(ip) => Some(IpAddr::V6((ip.to_bits() >> 80 << 80).into())),
        _ => None,
    }
}

/// At most `most` of these, without repetition, those that lead through no relay first.
pub(super) fn few(addresses: impl IntoIterator<Item = Multiaddr>, most: usize) -> Vec<Multiaddr> {
    let mut few: Vec<Multiaddr> = Vec::new();
    // What a hostile peer names may be many.
    for address in addresses.into_iter().take(64) {
        if !few.contains(&address) {
            few.push(address);
        }
    }
    few.sort_by_key(is_relayed);
    few.truncate(most);
    few
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_stranger_sends_nobody_into_a_private_network() {
        let mut surroundings = Surroundings::default();
        surroundings.house.is_at(&[
            address("/ip4/192.168.7.3/tcp/1"),
            address("/ip6/2001:db8:1:2::3/tcp/1"),
        ]);
        for (text, fits) in [
            ("/ip4/192.0.2.1/tcp/1", true),
            ("/dns/pc.example.org/tcp/443/wss", true),
            ("/dns/pc.example.org/tcp/443", false),
            ("/ip4/192.168.7.9/tcp/1", false),
            ("/ip6/fd00:1::9/tcp/1", false),
            ("/ip6/2001:db8:1:3::9/tcp/1", true),
            ("/ip6/2001:db8:1:2::9/tcp/1", false),
            ("/ip4/127.0.0.1/tcp/1", false),
            ("/memory/1", false),
        ] {
            assert_eq!(surroundings.fits(&address(text)), fits, "{text}");
        }
        surroundings.local_only = true;
        assert!(surroundings.fits(&address("/ip4/127.0.0.1/tcp/1")));
        assert!(surroundings.fits(&address("/ip4/10.0.0.1/tcp/1")));
    }

    #[test]
    fn few_are_direct_and_different() {
        let relayed = address("/ip4/192.0.2.1/tcp/1/p2p-circuit");
        let direct = address("/ip4/192.0.2.2/tcp/1");
        let all = [relayed.clone(), direct.clone(), relayed.clone(), direct.clone()];
        assert_eq!(few(all.clone(), 8), [direct.clone(), relayed]);
        assert_eq!(few(all, 1), [direct]);
    }
}
