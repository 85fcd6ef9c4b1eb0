//! How discovery is started.

use super::record::Capabilities;

/// How it is started.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which network's peers are looked for: its chain spec's id; at most 32 of a–z, 0–9, - and _. PCs of
    /// networks with other names don't find each other. None: `hydra`.
    pub network: Option<String>,
    /// Whether to look for peers beyond those that are named and on the local network at all.
    pub kademlia: bool,
    /// Whether others may ask this PC. None: as soon as it knows that they can reach it.
    pub server: Option<bool>,
    /// Whether to look for peers on the local network.
    pub mdns: bool,
    /// What others are told that this PC can do; whether it is a relay, it finds out by itself.
    pub capabilities: Capabilities,
}

impl Default for Config {
    /// Kademlia, and no mDNS: networks of tests must not find each other.
    fn default() -> Self {
        Self {
            network: None,
            kademlia: true,
            server: None,
            mdns: false,
            capabilities: Capabilities::default(),
        }
    }
}

impl Config {
    /// The network's name, as far as it may be one.
    pub(crate) fn network(&self) -> String {
        let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(*c);
        let name: String = self
            .network
            .iter()
            .flat_map(|name| name.chars())
            .filter(allowed)
            .take(32)
            .collect();
        if name.is_empty() { "hydra".into() } else { name }
    }
}
