//! Finding out that a port is taken before anything is started. Left to themselves the libraries would either take
//! another port in silence (JSON-RPC) or share it with the other program (peer-to-peer).

use crate::error::Error;
use sc_network::{Multiaddr, multiaddr::Protocol};
use sc_service::Configuration;
use std::{
    io::ErrorKind,
    net::{IpAddr, SocketAddr, TcpListener},
};

/// Checks that the configured ports are free, and forbids falling back to random ones.
pub fn claim(config: &mut Configuration) -> Result<(), Error> {
    for endpoint in config.rpc.addr.iter_mut().flatten() {
        endpoint.retry_random_port = false;
        // Optional ones (IPv6 where there is none) may fail.
        if !endpoint.is_optional {
            check(endpoint.listen_addr, "--rpc-port")?;
        }
    }
    for address in config.network.listen_addresses.iter().filter_map(tcp) {
        match check(address, "--port") {
            // The default is to listen on IPv6 as well, which a machine may not have.
            Err(Error::PortRefused { .. }) if address.is_ipv6() => {}
            other => other?,
        }
    }
    Ok(())
}

fn check(address: SocketAddr, option: &'static str) -> Result<(), Error> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(source) if source.kind() == ErrorKind::AddrInUse => Err(Error::PortTaken { address, option }),
        Err(source) => Err(Error::PortRefused {
            address,
            option,
            source,
        }),
    }
}

/// The socket that a plain TCP or WebSocket address stands for.
fn tcp(address: &Multiaddr) -> Option<SocketAddr> {
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
