//! Opening the listening sockets, and saying clearly why if that fails.
//!
//! Everything has one port number, so that a firewall or router can be told one: TCP's, and QUIC's beside it on UDP. Only
//! WebSocket has its own.

use crate::{
    behaviour::{Behaviour, BehaviourEvent},
    error::NetworkError,
    reach,
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

/// The system reports each listener's addresses at once; only a broken interface watcher could take longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Addresses of the internet, for documentation: nothing is sent there.
const ELSEWHERE: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];

/// Listens on all `addresses`, which are TCP's, and on what `reach` adds to them, without families that this computer doesn't have.
/// Returns the events that arrived meanwhile and still need handling.
///
/// A dial leaves from the port that is listened on only where the listener's address there is known by then. So this waits until each has
/// the one that leads to the internet: where it was dialled from tells a PC at home how it is reached, for as long as it is connected.
///
/// `sockets` says whether the addresses are this computer's; those of another transport mean nothing here.
///
/// # Errors
/// [`NetworkError`] as soon as one address can't be listened on.
pub(crate) async fn listen(
    swarm: &mut Swarm<Behaviour>,
    addresses: &[Multiaddr],
    reach: &reach::Config,
    sockets: bool,
) -> Result<Vec<SwarmEvent<BehaviourEvent>>, NetworkError> {
    let addresses = match sockets {
        true => on_sockets(addresses, reach)?,
        false => addresses.to_vec(),
    };
    let mut waiting: HashSet<(ListenerId, Option<IpAddr>)> = HashSet::new();
    for address in &addresses {
        let id = swarm
            .listen_on(address.clone())
            .map_err(|error| explain(address, error))?;
        waiting.insert((id, None));
        let ip = any_socket_address(address).map(|socket| socket.ip());
        let all = ip.filter(|ip| sockets && ip.is_unspecified());
        waiting.extend(all.and_then(way_out).map(|out| (id, Some(out))));
    }
    let mut events = Vec::new();
    let all_up = async {
        while !waiting.is_empty() {
            let event = swarm.select_next_some().await;
            match &event {
                SwarmEvent::NewListenAddr { listener_id, address } => {
                    let ip = any_socket_address(address).map(|socket| socket.ip());
                    waiting.remove(&(*listener_id, None));
                    waiting.remove(&(*listener_id, ip));
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    addresses: of,
                    reason: Err(error),
                } if waiting.iter().any(|(id, _)| id == listener_id) => {
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
        Err(_) => tracing::warn!("the system reports too few addresses of ours; others may not reach us"),
    }
    Ok(events)
}

/// This computer's address of the family of `ip` that what goes to the internet comes from; none where nothing gets there.
fn way_out(ip: IpAddr) -> Option<IpAddr> {
    let to = ELSEWHERE.into_iter().find(|to| to.is_ipv4() == ip.is_ipv4())?;
    let socket = UdpSocket::bind((ip, 0)).ok()?;
    // Of UDP this only asks the system for the way.
    socket.connect((to, 9)).ok()?;
    let out = socket.local_addr().ok()?.ip();
    (!out.is_loopback() && !out.is_unspecified()).then_some(out)
}

/// The addresses of all transports, with their ports; every one of them is free.
fn on_sockets(addresses: &[Multiaddr], reach: &reach::Config) -> Result<Vec<Multiaddr>, NetworkError> {
    // It would not have the TCP port's number.
    let is_udp = |address: &&Multiaddr| matches!(address.iter().nth(1), Some(Protocol::Udp(_)));
    if let Some(other) = addresses.iter().find(is_udp) {
        return Err(explain(
            other,
            TransportError::MultiaddrNotSupported(other.clone()),
        ));
    }
    let addresses = with_one_port(present(addresses, has_family), reach.quic)?;
    let websocket = reach.wss.as_ref().map(|wss| wss.port);
    let addresses = on_all_transports(addresses, reach.quic, websocket);
    // All probes before any listener: a probe on [::] would collide with our own listener on 0.0.0.0.
    addresses.iter().try_for_each(probe)?;
    Ok(addresses)
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

/// The TCP addresses, with QUIC beside each, and WebSocket over TLS on a port of its own.
fn on_all_transports(addresses: Vec<Multiaddr>, quic: bool, websocket: Option<u16>) -> Vec<Multiaddr> {
    let sockets: Vec<SocketAddr> = addresses.iter().filter_map(socket_address).collect();
    let start = |socket: &SocketAddr| Multiaddr::empty().with(socket.ip().into());
    let mut all = addresses;
    if quic {
        all.extend(sockets.iter().map(|socket| {
            start(socket)
                .with(Protocol::Udp(socket.port()))
                .with(Protocol::QuicV1)
        }));
    }
    if let Some(port) = websocket {
        let listening = sockets.iter().map(|socket| {
            start(socket)
                .with(Protocol::Tcp(port))
                .with(Protocol::Tls)
                .with(Protocol::Ws("/".into()))
        });
        for address in listening {
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
    all
}

/// Several addresses with port 0 get one port together, which is free for UDP, too, if QUIC needs it.
fn with_one_port(mut addresses: Vec<Multiaddr>, quic: bool) -> Result<Vec<Multiaddr>, NetworkError> {
    let is_open = |address: &Multiaddr| socket_address(address).is_some_and(|socket| socket.port() == 0);
    let open: Vec<usize> = (0..addresses.len())
        .filter(|at| is_open(&addresses[*at]))
        .collect();
    let [first, others @ ..] = &open[..] else {
        return Ok(addresses);
    };
    if others.is_empty() && !quic {
        return Ok(addresses);
    }
    let mut attempt = 0;
    loop {
        let port = free_port(&addresses[*first])?;
        let chosen = open.iter().map(|at| with_port(&addresses[*at], port));
        let chosen: Vec<Multiaddr> = chosen.collect();
        let probed = on_all_transports(chosen.clone(), quic, None);
        // What is free in one family or transport may be taken in the other.
        match probed.iter().try_for_each(probe) {
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
    let Some(socket) = any_socket_address(address).filter(|socket| socket.port() != 0) else {
        return Ok(());
    };
    let bound = match address.iter().nth(1) {
        Some(Protocol::Udp(_)) => UdpSocket::bind(socket).map(drop),
        _ => TcpListener::bind(socket).map(drop),
    };
    bound.map_err(|error| explain(address, TransportError::Other(error)))
}

fn explain(address: &Multiaddr, error: TransportError<io::Error>) -> NetworkError {
    match (error, any_socket_address(address)) {
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

/// Of a plain TCP address.
fn socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let tcp = matches!(address.iter().nth(1), Some(Protocol::Tcp(_)));
    any_socket_address(address).filter(|_| tcp && address.iter().count() == 2)
}

/// Of TCP or UDP, whatever follows.
fn any_socket_address(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) | Protocol::Udp(port) => Some(SocketAddr::new(ip, port)),
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
        let chosen = with_one_port(
            addresses(&[
                "/ip4/127.0.0.1/tcp/0",
                "/ip4/127.0.0.1/tcp/30400",
                "/ip4/127.0.0.2/tcp/0",
            ]),
            false,
        );
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
        assert_eq!(with_one_port(single.clone(), false).unwrap(), single);
    }

    #[test]
    fn quic_has_the_number_of_tcp_and_websocket_its_own() {
        let chosen = with_one_port(addresses(&["/ip4/127.0.0.1/tcp/0"]), true).unwrap();
        let port = socket_address(&chosen[0]).unwrap().port();
        assert_ne!(port, 0);
        assert_eq!(
            on_all_transports(chosen, true, Some(443)),
            addresses(&[
                &format!("/ip4/127.0.0.1/tcp/{port}"),
                &format!("/ip4/127.0.0.1/udp/{port}/quic-v1"),
                "/ip4/127.0.0.1/tcp/443/tls/ws",
            ])
        );
    }

    #[test]
    fn a_port_that_udp_has_is_taken_too() {
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let address = addresses(&[&format!("/ip4/127.0.0.1/udp/{port}/quic-v1")]).remove(0);
        assert!(matches!(probe(&address), Err(NetworkError::PortTaken { port: said, .. }) if said == port));
    }
}
