//! Where a relay says that we are reached through it: a few addresses, and such as make sense.
//!
//! Whatever listens is told to the whole swarm, and by it to every peer. A relay names as many addresses as fit into its answer, and others
//! with each answer: it would fill tables, and what we say of ourselves would be too long for anybody to read.

use crate::scope::{Scope, is_relayed};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
};
use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    task::{Context, Poll},
};

/// So many of the addresses of one relay are told to others.
pub(crate) const PER_RELAY: usize = 4;
/// The longest address, in bytes.
const LONGEST: usize = 256;

/// Relayed connections.
pub(crate) struct FewAddresses<T> {
    inner: T,
    told: HashMap<ListenerId, HashSet<Multiaddr>>,
}

impl<T> FewAddresses<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            told: HashMap::new(),
        }
    }

    /// Whether the swarm is told.
    fn is_new(&mut self, listener: ListenerId, address: &Multiaddr) -> bool {
        let makes_sense = address.len() <= LONGEST
            && is_relayed(address)
            && Scope::of(address).is_some_and(|scope| scope != Scope::Name);
        let told = self.told.entry(listener).or_default();
        makes_sense && told.len() < PER_RELAY && told.insert(address.clone())
    }
}

impl<T: Transport + Unpin> Transport for FewAddresses<T> {
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = T::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<T::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<T::Dial, TransportError<T::Error>> {
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<T::ListenerUpgrade, T::Error>> {
        loop {
            let event = Pin::new(&mut self.inner).poll(context);
            let tell = match &event {
                Poll::Ready(TransportEvent::NewAddress {
                    listener_id,
                    listen_addr,
                }) => self.is_new(*listener_id, listen_addr),
                Poll::Ready(TransportEvent::AddressExpired {
                    listener_id,
                    listen_addr,
                }) => {
                    let told = self.told.get_mut(listener_id);
                    told.is_some_and(|told| told.remove(listen_addr))
                }
                Poll::Ready(TransportEvent::ListenerClosed { listener_id, .. }) => {
                    self.told.remove(listener_id);
                    true
                }
                _ => true,
            };
            if tell {
                return event;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_that_names_a_thousand_addresses_is_believed_a_few() {
        let mut few = FewAddresses::new(libp2p::core::transport::dummy::DummyTransport::<()>::new());
        let listener = ListenerId::next();
        let relayed = |n: u32| -> Multiaddr {
            let ip = std::net::Ipv4Addr::from_bits(0xc633_6400 + n);
            format!("/ip4/{ip}/tcp/1/p2p-circuit").parse().unwrap()
        };
        let told = (1..1000).filter(|n| few.is_new(listener, &relayed(*n)));
        assert_eq!(told.count(), PER_RELAY);
        assert!(!few.is_new(listener, &relayed(1)), "it is told once");
        for text in [
            "/ip4/192.0.2.1/tcp/1",
            "/dns/localhost/tcp/1/p2p-circuit",
            "/ip4/192.0.2.1/ip4/127.0.0.1/tcp/1/p2p-circuit",
        ] {
            assert!(!few.is_new(ListenerId::next(), &text.parse().unwrap()), "{text}");
        }
    }
}
