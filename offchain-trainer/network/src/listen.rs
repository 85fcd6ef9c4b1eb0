//! Opening the listening sockets, and saying clearly why if that fails.

use crate::service::{Behaviour, BehaviourEvent};
use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm, TransportError, core::transport::ListenerId, multiaddr::Protocol, swarm::SwarmEvent,
};
use std::{
    collections::HashSet,
    io,
    net::{IpAddr, SocketAddr, TcpListener},
    time::Duration,
};

/// Why the network couldn't be started.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// Another program listens there.
    #[error(
        "port {port} on {ip} is already in use. Stop the program that uses it (perhaps a trainer that is still running), or listen on another port"
    )]
    PortTaken {
        /// The TCP port.
        port: u16,
        /// The local address.
        ip: IpAddr,
    },
    /// Any other reason why the address can't be listened on.
    #[error(
        "can't listen on {address}: {reason}. Use an address of this computer, such as /ip4/0.0.0.0/tcp/30400, and a port above 1023"
    )]
    Listen {
        /// The address asked for.
        address: Multiaddr,
        /// What the system said.
        reason: String,
    },
    /// The encrypted transport couldn't be set up.
    #[error("can't set up the encrypted transport: {0}. The data-plane key must be an Ed25519 key")]
    Transport(String),
}

/// The system reports an address for each listener at once; only a broken interface watcher could take longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens on all `addresses` and returns the events that arrived meanwhile and still need handling.
///
/// # Errors
/// [`NetworkError`] as soon as one address can't be listened on.
pub(crate) async fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
) -> Result<Vec<SwarmEvent<BehaviourEvent>>, NetworkError> {
    // All probes before any listener: a probe on [::] would collide with our own listener on 0.0.0.0.
    addresses.iter().try_for_each(probe)?;
    let mut waiting: HashSet<ListenerId> = HashSet::new();
    for address in addresses {
        let id = swarm
            .listen_on(address.clone())
            .map_err(|error| explain(address, error))?;
        waiting.insert(id);
    }
    let mut events = Vec::new();
    let all_up = async {
        while !waiting.is_empty() {
            let event = swarm.select_next_some().await;
            match &event {
                SwarmEvent::NewListenAddr { listener_id, .. } => {
                    waiting.remove(listener_id);
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    addresses: of,
                    reason: Err(error),
                } if waiting.contains(listener_id) => {
                    let address = of
                        .first()
                        .or(addresses.first())
                        .cloned()
                        .unwrap_or_else(Multiaddr::empty);
                    return Err(NetworkError::Listen {
                        address,
                        reason: error.to_string(),
                    });
                }
                _ => {}
            }
            events.push(event);
        }
        Ok(())
    };
    match tokio::time::timeout(PATIENCE, all_up).await {
        Ok(result) => result?,
        Err(_) => tracing::warn!("the system reports no address for a listener; others may not reach us"),
    }
    Ok(events)
}

/// libp2p listens with SO_REUSEPORT, with which a second trainer on the same port would start without complaint and
/// take half of the first one's connections. A plain bind tells.
fn probe(address: &Multiaddr) -> Result<(), NetworkError> {
    let Some(socket) = socket_address(address) else {
        return Ok(());
    };
    if socket.port() == 0 {
        return Ok(());
    }
    match TcpListener::bind(socket) {
        Ok(_) => Ok(()),
        Err(error) => Err(explain(address, TransportError::Other(error))),
    }
}

fn explain(address: &Multiaddr, error: TransportError<io::Error>) -> NetworkError {
    match (error, socket_address(address)) {
        (TransportError::Other(error), Some(socket)) if error.kind() == io::ErrorKind::AddrInUse => {
            NetworkError::PortTaken {
                port: socket.port(),
                ip: socket.ip(),
            }
        }
        (TransportError::Other(error), _) => NetworkError::Listen {
            address: address.clone(),
            reason: error.to_string(),
        },
        (TransportError::MultiaddrNotSupported(_), _) => NetworkError::Listen {
            address: address.clone(),
            reason: "it isn't an IP address with a TCP port".into(),
        },
    }
}

fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}
