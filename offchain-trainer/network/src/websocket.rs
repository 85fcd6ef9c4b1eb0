//! WebSocket, over TLS or not, for who gets out of its network on port 443 only.
//!
//! TLS leads through firewalls, no more: who a peer is, Noise says inside of it. Must never panic over a file that a person named.

use crate::{
    error::NetworkError,
    names::Names,
    reach::config::{Config, Wss},
};
use libp2p::{
    Multiaddr, Transport,
    core::transport::{DialOpts, ListenerId, TransportError, TransportEvent},
    multiaddr::Protocol,
    tcp, websocket,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{
    pin::Pin,
    task::{Context, Poll},
};

type Inner = websocket::Config<Names<tcp::tokio::Transport>>;

/// Dials and listens on addresses that end with `/ws`, `/tls/ws` or `/wss`, and no others: the library's refuses names that it doesn't
/// like before it looks whose they are.
pub(crate) struct WebSocket(Inner);

impl WebSocket {
    /// The certificate is of a name, so this is told names, and looks them up itself.
    ///
    /// # Errors
    /// [`NetworkError::Certificate`].
    pub(crate) fn new(names: Names<tcp::tokio::Transport>, reach: &Config) -> Result<Self, NetworkError> {
        let mut inner = websocket::Config::new(names);
        inner.set_tls_config(tls(reach)?);
        Ok(Self(inner))
    }
}

fn is_websocket(address: &Multiaddr) -> bool {
    let mut parts = address.iter();
    parts.any(|part| matches!(part, Protocol::Ws(_) | Protocol::Wss(_)))
}

impl Transport for WebSocket {
    type Output = <Inner as Transport>::Output;
    type Error = <Inner as Transport>::Error;
    type ListenerUpgrade = <Inner as Transport>::ListenerUpgrade;
    type Dial = <Inner as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        self.0.listen_on(id, address)
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.0.remove_listener(id)
    }

    fn dial(
        &mut self,
        address: Multiaddr,
        options: DialOpts,
    ) -> Result<Self::Dial, TransportError<Self::Error>> {
        if is_websocket(&address) {
            self.0.dial(address, options)
        } else {
            Err(TransportError::MultiaddrNotSupported(address))
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.0).poll(context)
    }
}

fn tls(reach: &Config) -> Result<websocket::tls::Config, NetworkError> {
    let mut tls = websocket::tls::Config::builder();
    for trusted in CertificateDer::pem_slice_iter(&reach.trust) {
        let trusted = websocket::tls::Certificate::new(trusted.map_err(wrong)?.to_vec());
        tls.add_trust(&trusted).map_err(wrong)?;
    }
    if let Some(Wss { certificate, key, .. }) = &reach.wss {
        let mut chain = Vec::new();
        for part in CertificateDer::pem_slice_iter(certificate) {
            chain.push(websocket::tls::Certificate::new(part.map_err(wrong)?.to_vec()));
        }
        if chain.is_empty() {
            return Err(wrong("the file has none"));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong(format!("its key: {error}")))?;
        let key = key.secret_der().to_vec();
        // The library's own check panics.
        PrivateKeyDer::try_from(key.clone()).map_err(|error| wrong(format!("its key: {error}")))?;
        tls.server(websocket::tls::PrivateKey::new(key), chain)
            .map_err(wrong)?;
    }
    Ok(tls.finish())
}

fn wrong(reason: impl ToString) -> NetworkError {
    NetworkError::Certificate(reason.to_string())
}
