//! TCP without dialling into oneself.
//!
//! Dials leave from the port that is listened on. One to that very port would then connect to itself, without any listener, and talk to
//! its own echo; from another port it meets our listener, and we find out who that is.

use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, PortUse, TransportError, TransportEvent},
    multiaddr::Protocol,
};
use std::{
    collections::BTreeSet,
    pin::Pin,
    task::{Context, Poll},
};

/// Dials our own addresses from other ports than theirs.
pub(crate) struct OwnPort<T> {
    inner: T,
    ours: BTreeSet<Multiaddr>,
}

impl<T> OwnPort<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self {
            inner,
            ours: BTreeSet::new(),
        }
    }
}

impl<T: Transport + Unpin> Transport for OwnPort<T> {
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

    fn dial(
        &mut self,
        address: Multiaddr,
        mut options: DialOpts,
    ) -> Result<T::Dial, TransportError<T::Error>> {
        let peerless = address.iter().filter(|part| !matches!(part, Protocol::P2p(_)));
        if self.ours.contains(&peerless.collect::<Multiaddr>()) {
            options.port_use = PortUse::New;
        }
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<T::ListenerUpgrade, T::Error>> {
        let event = Pin::new(&mut self.inner).poll(context);
        match &event {
            Poll::Ready(TransportEvent::NewAddress { listen_addr, .. }) => {
                self.ours.insert(listen_addr.clone());
            }
            Poll::Ready(TransportEvent::AddressExpired { listen_addr, .. }) => {
                self.ours.remove(listen_addr);
            }
            _ => {}
        }
        event
    }
}
