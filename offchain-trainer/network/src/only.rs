//! A transport for some addresses only: it leaves all others to the next one, without having looked at what else is in them.

use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// `T` for addresses that it takes.
pub(crate) struct Only<T> {
    inner: T,
    takes: fn(&Multiaddr) -> bool,
}

impl<T> Only<T> {
    pub(crate) fn new(inner: T, takes: fn(&Multiaddr) -> bool) -> Self {
        Self { inner, takes }
    }

    fn check<E>(&self, address: &Multiaddr) -> Result<(), TransportError<E>> {
        match (self.takes)(address) {
            true => Ok(()),
            false => Err(TransportError::MultiaddrNotSupported(address.clone())),
        }
    }
}

impl<T: Transport + Unpin> Transport for Only<T> {
    type Output = T::Output;
    type Error = T::Error;
    type ListenerUpgrade = T::ListenerUpgrade;
    type Dial = T::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        self.check(&address)?;
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        self.check(&address)?;
        self.inner.dial(address, options)
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(context)
    }
}
