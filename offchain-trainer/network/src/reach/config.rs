//! How reachability is started.

use crate::scope::Scope;
use libp2p::Multiaddr;
use std::{fmt, time::Duration};

/// What may be done so that others reach this PC. The default is what a PC at home needs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Listen on QUIC as well, on the UDP port with the TCP port's number.
    pub quic: bool,
    /// Ask the router to pass the port on (UPnP, PCP, NAT-PMP). Only done by who listens on more than loopback.
    pub port_mapping: bool,
    /// TCP ports of other programs on this PC that the router is to pass on as well, such as the node's.
    pub map_ports: Vec<u16>,
    /// Ask peers to try whether they reach us, and try it for them (AutoNAT v2).
    pub autonat: bool,
    /// Let relays introduce others to us while nobody reaches us directly.
    pub relay_client: bool,
    /// How many relays are to do so.
    pub relays: usize,
    /// Be a relay for others while we are reached directly.
    pub relay_server: bool,
    /// Get from a relayed connection to a direct one (DCUtR).
    pub dcutr: bool,
    /// Where a person says that this PC is reached: believed, not tried.
    pub external: Vec<Multiaddr>,
    /// Listen for WebSocket over TLS as well.
    pub wss: Option<Wss>,
    /// Certificates (PEM) that are believed besides the usual authorities', where others listen for WebSocket over TLS.
    pub trust: Vec<u8>,
    /// From where on an address counts as one of the internet, [`Scope::Public`]. Closed networks and tests lower it: then
    /// addresses that reach less far are told, tried and used as those of the internet are.
    pub internet: Scope,
    /// Others reach us wherever we listen; nobody is asked whether that is so. For closed networks and tests.
    pub assume_public: bool,
    /// The unit of most pauses, a second. For tests.
    pub pace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            quic: true,
            port_mapping: true,
            map_ports: Vec::new(),
            autonat: true,
            relay_client: true,
            relays: 2,
            relay_server: true,
            dcutr: true,
            external: Vec::new(),
            wss: None,
            trust: Vec::new(),
            internet: Scope::Public,
            assume_public: false,
            pace: Duration::from_secs(1),
        }
    }
}

impl Config {
    /// Whether an address is one of the internet; names are, since we chose them.
    pub(crate) fn is_internet(&self, address: &Multiaddr) -> bool {
        Scope::of(address).is_some_and(|scope| scope == Scope::Name || scope >= self.internet)
    }
}

/// WebSocket over TLS, for who gets out of its network on port 443 only.
#[derive(Clone)]
pub struct Wss {
    /// The TCP port.
    pub port: u16,
    /// The certificate and those that lead to its authority, PEM.
    pub certificate: Vec<u8>,
    /// Its key, PEM: PKCS#8, PKCS#1 or SEC1.
    pub key: Vec<u8>,
}

/// Without the key.
impl fmt::Debug for Wss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wss")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}
