//! TCP from the port that is listened on, where that can be, and knowing where it couldn't.
//!
//! One that would dial that very port leaves from another: it would connect to itself, without any listener, and talk to its own
//! echo; so it meets our listener, and we find out who that is.

use crate::strays::Strays;
use futures::{FutureExt, future::BoxFuture};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, PortUse, TransportError, TransportEvent},
    multiaddr::Protocol,
    tcp,
};
use std::{
    collections::BTreeSet,
    io,
    pin::Pin,
    task::{Context, Poll},
};

type Tcp = tcp::tokio::Transport;

/// TCP.
pub(crate) struct OwnPort {
    inner: Tcp,
    ours: BTreeSet<Multiaddr>,
    strays: Strays,
}

impl OwnPort {
    pub(crate) fn new(inner: Tcp, strays: Strays) -> Self {
        Self {
            inner,
            ours: BTreeSet::new(),
            strays,
        }
    }

    /// The ports that are listened on.
    fn ports(&self) -> BTreeSet<u16> {
        let ports = self
            .ours
            .iter()
            .filter_map(|address| match address.iter().nth(1) {
                Some(Protocol::Tcp(port)) => Some(port),
                _ => None,
            });
        ports.collect()
    }
}

impl Transport for OwnPort {
    type Output = tcp::tokio::TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = <Tcp as Transport>::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<Self::Output>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        self.inner.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.inner.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        mut options: DialOpts,
    ) -> Result<Self::Dial, TransportError<io::Error>> {
        let peerless = address.iter().filter(|part| !matches!(part, Protocol::P2p(_)));
        if self.ours.contains(&peerless.collect::<Multiaddr>()) {
            options.port_use = PortUse::New;
        }
        let dial = self.inner.dial(address, options)?;
        if options.port_use == PortUse::New {
            return Ok(dial);
        }
        let (ports, strays) = (self.ports(), self.strays.clone());
        let watched = async move {
            let stream = dial.await?;
            if let (Ok(from), Ok(to)) = (stream.0.local_addr(), stream.0.peer_addr())
                && !ports.contains(&from.port())
            {
                strays.add(to, from.port());
            }
            Ok(stream)
        };
        Ok(watched.boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
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
