//! Opening the listening sockets, and saying clearly why if that fails.

use crate::{
    behaviour::{Behaviour, BehaviourEvent},
    error::NetworkError,
};
use futures::StreamExt;
use libp2p::{
    Multiaddr, Swarm, TransportError, core::transport::ListenerId, multiaddr::Protocol, swarm::SwarmEvent,
};
use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    time::Duration,
};

/// The system reports an address for each listener at once; only a broken interface watcher could take longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens on all `addresses`, without families that this computer doesn't have, and returns the events that arrived meanwhile and still need handling.
///
/// `sockets` says whether the addresses are this computer's; those of another transport mean nothing here.
///
/// # Errors
/// [`NetworkError`] as soon as one address can't be listened on.
pub(crate) async fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
    sockets: bool,
) -> Result<Vec<SwarmEvent<BehaviourEvent>>, NetworkError> {
    let addresses = match sockets {
        true => with_one_port(present(addresses, has_family))?,
        false => addresses.to_vec(),
    };
    if sockets {
        // All probes before any listener: a probe on [::] would collide with our own listener on 0.0.0.0.
        addresses.iter().try_for_each(probe)?;
    }
    let mut waiting: HashSet<ListenerId> = HashSet::new();
    for address in &addresses {
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

/// Without "all of a family" for families that this computer doesn't have, unless nothing would be left.
fn present(addresses: &[Multiaddr], has: impl Fn(IpAddr) -> bool) -> Vec<Multiaddr> {
    let missing = |address: &&Multiaddr| {
        let ip = socket_address(address).map(|socket| socket.ip());
        ip.is_some_and(|ip| ip.is_unspecified() && !has(ip))
    };
    let (missing, present): (Vec<_>, Vec<_>) = addresses.iter().partition(missing);
    if present.is_empty() {
        return addresses.to_vec();
    }
    for address in missing {
        let (absent, other) = match socket_address(address) {
            Some(SocketAddr::V4(_)) => ("IPv4", "IPv6"),
            _ => ("IPv6", "IPv4"),
        };
        tracing::warn!(
            "this computer has no {absent}, so the trainer listens on {other} only: who has {absent} only can't reach it"
        );
    }
    present.into_iter().cloned().collect()
}

/// Whether this computer has the family of `ip`: where it is switched off, its loopback address is missing, too, though
/// listening on all of its no addresses might succeed.
fn has_family(ip: IpAddr) -> bool {
    let loopback: IpAddr = match ip {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    UdpSocket::bind((loopback, 0)).is_ok()
}

/// Several addresses with port 0 get one port together, so that a firewall or router can be told one number.
fn with_one_port(mut addresses: Vec<Multiaddr>) -> Result<Vec<Multiaddr>, NetworkError> {
    let is_open = |address: &Multiaddr| socket_address(address).is_some_and(|socket| socket.port() == 0);
    let open: Vec<usize> = (0..addresses.len())
        .filter(|at| is_open(&addresses[*at]))
        .collect();
    let [first, others @ ..] = &open[..] else {
        return Ok(addresses);
    };
    if others.is_empty() {
        return Ok(addresses);
    }
    let mut attempt = 0;
    loop {
        let port = free_port(&addresses[*first])?;
        let chosen = open.iter().map(|at| with_port(&addresses[*at], port));
        let chosen: Vec<Multiaddr> = chosen.collect();
        // What is free in one family may be taken in the other.
        match chosen.iter().try_for_each(probe) {
            Err(NetworkError::PortTaken { .. }) if attempt < 16 => attempt += 1,
            Err(error) => return Err(error),
            Ok(()) => {
                for (at, address) in open.iter().zip(chosen) {
                    addresses[*at] = address;
                }
                return Ok(addresses);
            }
        }
    }
}

fn free_port(address: &Multiaddr) -> Result<u16, NetworkError> {
    let Some(socket) = socket_address(address) else {
        return Ok(0);
    };
    let bound = TcpListener::bind(socket).and_then(|listener| listener.local_addr());
    let bound = bound.map_err(|error| explain(address, TransportError::Other(error)))?;
    Ok(bound.port())
}

fn with_port(address: &Multiaddr, port: u16) -> Multiaddr {
    let parts = address.iter().map(|part| match part {
        Protocol::Tcp(_) => Protocol::Tcp(port),
        other => other,
    });
    parts.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<Multiaddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_family_that_is_missing_is_left_out_while_another_one_is_left() {
        let both = addresses(&["/ip4/0.0.0.0/tcp/30400", "/ip6/::/tcp/30400"]);
        assert_eq!(present(&both, |_| true), both);
        assert_eq!(present(&both, |ip| ip.is_ipv4()), both[..1]);
        assert_eq!(present(&both, |ip| ip.is_ipv6()), both[1..]);
        assert_eq!(
            present(&both[1..], |_| false),
            both[1..],
            "the system says what is wrong"
        );
        let named = addresses(&["/ip4/0.0.0.0/tcp/30400", "/ip6/2001:db8::1/tcp/30400"]);
        assert_eq!(
            present(&named, |ip| ip.is_ipv4()),
            named,
            "it was asked for by name"
        );
    }

    #[test]
    fn several_open_ports_become_one_that_is_free() {
        let chosen = with_one_port(addresses(&[
            "/ip4/127.0.0.1/tcp/0",
            "/ip4/127.0.0.1/tcp/30400",
            "/ip4/127.0.0.2/tcp/0",
        ]));
        let ports: Vec<u16> = chosen
            .unwrap()
            .iter()
            .map(|address| socket_address(address).unwrap().port())
            .collect();
        assert!(
            ports[0] == ports[2] && ports[0] != 0 && ports[1] == 30400,
            "{ports:?}"
        );
        let single = addresses(&["/ip4/127.0.0.1/tcp/0"]);
        assert_eq!(with_one_port(single.clone()).unwrap(), single);
    }
}
