//! Finding out that a port is taken before anything is started. Left to themselves the libraries would either take
//! another port in silence (JSON-RPC) or share it with the other program (peer-to-peer).

use crate::error::Error;
use sc_network::{Multiaddr, multiaddr};
use sc_service::Configuration;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpListener},
};

/// How many may wait to be let in: as the standard library has it.
const BACKLOG: i32 = 128;

/// Checks that the configured ports are free, and forbids falling back to random ones. Metrics are no reason not to
/// start: their port is only warned about.
pub fn claim(config: &mut Configuration) -> Result<(), Error> {
    for endpoint in config.rpc.addr.iter_mut().flatten() {
        endpoint.retry_random_port = false;
        match check(endpoint.listen_addr, endpoint.is_optional, "--rpc-port") {
            // IPv6 where there is none.
            Err(Error::PortRefused { .. }) if endpoint.is_optional => {}
            other => other?,
        }
    }
    for address in config.network.listen_addresses.iter().filter_map(tcp) {
        match check(address, true, "--port") {
            // The default is to listen on IPv6 as well, which a machine may not have.
            Err(Error::PortRefused { .. }) if address.is_ipv6() => {}
            other => other?,
        }
    }
    if let Some(metrics) = &config.prometheus_config
        && let Err(error) = check(metrics.port, false, "--prometheus-port")
    {
        log::warn!("{error}. Until then there are no metrics");
    }
    Ok(())
}

/// What to say of an address that couldn't be listened on.
pub fn refused(address: SocketAddr, option: &'static str, source: std::io::Error) -> Error {
    match source.kind() {
        ErrorKind::AddrInUse => Error::PortTaken {
            address,
            option,
            holder: hydra_host::port_holder(address.port()),
        },
        _ => Error::PortRefused {
            address,
            option,
            source,
        },
    }
}

/// Whether another program listens there.
pub fn is_taken(error: &std::io::Error) -> bool {
    error.kind() == ErrorKind::AddrInUse
}

/// Listens on this address. `beside_ipv4`: the same port of IPv4 is listened on, too, so of IPv6 nothing but IPv6 is meant.
pub fn listen(address: SocketAddr, beside_ipv4: bool) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() && beside_ipv4 {
        socket.set_only_v6(true)?;
    }
    // As the standard library does: who has just stopped may start again.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn check(address: SocketAddr, beside_ipv4: bool, option: &'static str) -> Result<(), Error> {
    match listen(address, beside_ipv4) {
        Ok(_) => Ok(()),
        Err(source) => Err(refused(address, option, source)),
    }
}

/// The socket that a plain TCP or WebSocket address stands for.
fn tcp(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        multiaddr::Protocol::Ip4(ip) => IpAddr::V4(ip),
        multiaddr::Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        multiaddr::Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_said_with_who_holds_it() {
        let address: SocketAddr = ([127, 0, 0, 1], hydra_test_ports::free_ports(1)).into();
        let listener = TcpListener::bind(address).unwrap();
        let error = check(address, false, "--rpc-port").unwrap_err();
        let sentence = error.to_string();
        let us = format!("(process {})", std::process::id());
        assert!(matches!(error, Error::PortTaken { .. }));
        assert!(
            sentence.contains(&us) && sentence.contains("--rpc-port"),
            "{sentence}"
        );
        drop(listener);
        assert!(check(address, false, "--rpc-port").is_ok());
    }

    #[test]
    fn both_families_are_listened_on_with_one_port() {
        let four = listen("0.0.0.0:0".parse().unwrap(), true).unwrap();
        let port = four.local_addr().unwrap().port();
        match listen(format!("[::]:{port}").parse().unwrap(), true) {
            Ok(six) => {
                let again = listen(six.local_addr().unwrap(), true).unwrap_err();
                assert!(is_taken(&again), "{again}");
            }
            // A machine without IPv6.
            Err(error) => assert!(!is_taken(&error), "{error}"),
        }
    }

    #[test]
    fn tcp_and_websocket_addresses_of_both_families_are_looked_at() {
        let socket = |address: &str| tcp(&address.parse().unwrap()).map(|socket| socket.to_string());
        assert_eq!(socket("/ip4/0.0.0.0/tcp/30333").unwrap(), "0.0.0.0:30333");
        assert_eq!(socket("/ip6/::/tcp/30333/ws").unwrap(), "[::]:30333");
        assert_eq!(socket("/ip4/0.0.0.0/udp/30333/webrtc-direct"), None);
    }
}
