//! Names that a person chose: of bootstrap peers, and whatever else was asked to be dialled.
//!
//! They may lead anywhere. A name that a stranger says is his may lead to this computer, or into its owner's network, so it is dialled
//! only where it leads to the internet, and believed only with a certificate. Must never take a name from a peer.

use libp2p::{Multiaddr, multiaddr::Protocol};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// So many, the first.
const MOST: usize = 1024;

/// The names. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ChosenNames(Arc<Mutex<BTreeSet<String>>>);

impl ChosenNames {
    pub(crate) fn of(addresses: &[Multiaddr]) -> Self {
        let names = Self::default();
        for address in addresses {
            names.add(address);
        }
        names
    }

    /// The name in this address, if it has one.
    pub(crate) fn add(&self, address: &Multiaddr) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(name) = name(address).filter(|_| names.len() < MOST) {
            names.insert(name);
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.contains(name)
    }
}

fn name(address: &Multiaddr) -> Option<String> {
    match address.iter().next()? {
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) | Protocol::Dnsaddr(name) => {
            Some(name.into_owned())
        }
        _ => None,
    }
}

/// Whether who is dialled there has to show a certificate for the name.
pub(crate) fn is_certified(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    let by_name = matches!(
        parts.next(),
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_))
    );
    by_name && parts.any(|part| matches!(part, Protocol::Tls | Protocol::Wss(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_somebody_chose_is_known_and_few_are() {
        let all = [
            "/dns4/a.example/tcp/1",
            "/ip4/192.0.2.1/tcp/1",
            "/dnsaddr/b.example",
        ];
        let names = ChosenNames::of(&all.map(|text| text.parse().unwrap()));
        assert!(names.has("a.example") && names.has("b.example") && !names.has("localhost"));
        for n in 0..2 * MOST {
            names.add(&format!("/dns/{n}.example/tcp/1").parse().unwrap());
        }
        assert_eq!(names.0.lock().unwrap().len(), MOST);
    }

    #[test]
    fn a_certificate_is_shown_by_websocket_over_tls_alone() {
        for (text, certified) in [
            ("/dns4/a.example/tcp/443/tls/ws", true),
            ("/dns/a.example/tcp/443/wss", true),
            ("/dns4/a.example/tcp/443", false),
            ("/dns4/a.example/tcp/80/ws", false),
            ("/ip4/192.0.2.1/tcp/443/tls/ws", false),
            ("/dnsaddr/a.example/tls/ws", false),
        ] {
            assert_eq!(is_certified(&text.parse().unwrap()), certified, "{text}");
        }
    }
}
