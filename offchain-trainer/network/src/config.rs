//! What a network is started with.

use crate::{
    clock::Clock, discovery::config as discovery, gossip::config as gossip, manager::config as manager,
    reach::config as reach,
};
use libp2p::{Multiaddr, identity::Keypair};
use std::{path::PathBuf, time::Duration};

/// How to start the network.
#[derive(Debug, Clone)]
pub struct NetworkConfig {
    /// Who we are; see [`data_plane_keypair`](crate::data_plane_keypair).
    pub keypair: Keypair,
    /// Where to listen, such as `/ip4/0.0.0.0/tcp/30400` and `/ip6/::/tcp/30400`; port 0 lets the system choose one, the
    /// same for all. A family that this computer doesn't have is left out if another one is left. None: only dial out.
    pub listen: Vec<Multiaddr>,
    /// Peers to stay connected to, such as `/ip4/203.0.113.7/tcp/30400/p2p/12D3…` or `/dns/pc.example.org/tcp/30400`. Our
    /// own address does no harm.
    pub bootstrap: Vec<Multiaddr>,
    /// What we tell others we are running; [`default_agent`] for the usual one.
    pub agent: String,
    /// What we tell peers the time by, and hold against theirs.
    pub clock: Clock,
    /// Timeouts and bounds.
    pub limits: Limits,
    /// Whom to keep as peers.
    pub manager: manager::Config,
    /// How to find peers and blobs.
    pub discovery: discovery::Config,
    /// How to hear and tell news.
    pub gossip: gossip::Config,
    /// How to be reached.
    pub reach: reach::Config,
    /// Where addresses of peers are remembered from run to run, such as `peers.json`; none: they aren't.
    pub book: Option<PathBuf>,
    /// What all randomness is drawn from; none: from the system. For tests that are to repeat themselves.
    pub seed: Option<u64>,
}

impl NetworkConfig {
    /// Listens nowhere, knows nobody, usual agent string and limits.
    pub fn new(keypair: Keypair) -> Self {
        Self {
            keypair,
            listen: Vec::new(),
            bootstrap: Vec::new(),
            agent: default_agent(),
            clock: Clock::system(),
            limits: Limits::default(),
            manager: manager::Config::default(),
            discovery: discovery::Config::default(),
            gossip: gossip::Config::default(),
            reach: reach::Config::default(),
            book: None,
            seed: None,
        }
    }
}

/// `hydra-trainer/<version>`.
pub fn default_agent() -> String {
    concat!("hydra-trainer/", env!("CARGO_PKG_VERSION")).into()
}

/// Timeouts and bounds. The defaults suit home connections; tests shorten the timeouts.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a transfer may make no progress (any when receiving, 256 KiB when sending) before the peer is given up.
    pub stall: Duration,
    /// How long one slice of at most 1 MiB may take altogether, on either side.
    pub request: Duration,
    /// Bytes a second that a slice must reach over all of its time, on either side, after a grace of `stall`; who is slower
    /// loses the request. What a limit of our own costs doesn't count.
    pub min_rate: u64,
    /// Bytes a second that go out to all peers together at the most, in turn among their addresses; none: as fast as it goes.
    pub upload_rate: Option<u64>,
    /// Bytes a second of blobs that come in at the most, what is more important first; none: as fast as it goes.
    pub download_rate: Option<u64>,
    /// How long a request may bring nothing before others are asked for the same as well. It goes on meanwhile.
    pub hedge: Duration,
    /// How long a fetch waits for providers that aren't connected (any more), once nobody else is left to ask.
    pub arrival: Duration,
    /// How long a peer may keep a stream open without asking for anything.
    pub idle_stream: Duration,
    /// How long a connection may take until both sides know each other, on either side; with the look-up of its name.
    pub handshake: Duration,
    /// Connections that others may have made to us.
    pub connections: u32,
    /// Connections to us at a time whose handshake isn't finished. Where there are as many, an old one of the network that has the most
    /// gives way.
    pub connections_pending: u32,
    /// Connections with one peer: it may come back before its old ones are known to be dead.
    pub connections_per_peer: u32,
    /// Connections that one IP address may have made to us, finished or not; for IPv6, one network of 2⁶⁴ addresses.
    pub connections_per_address: usize,
    /// Streams that one peer may have open to us.
    pub streams_per_peer: usize,
    /// Streams that all peers together may have open to us.
    pub streams: usize,
    /// Slices (about 1 MiB of memory each) that are being sent at a time at the most; fewer where [`upload_rate`](Self::upload_rate) would
    /// leave each of them less than 64 KiB a second, but two.
    pub slices_served: usize,
    /// How many of them may go to one peer, and how many requests to one peer are open at a time: a few peers alone can't take all. Where
    /// fewer than `slices_served` are sent, as small a part of those goes to one peer, but one.
    pub slices_per_peer: usize,
    /// How many of them may go to one IP address, whoever asks there; for IPv6, to one network of 2⁶⁴ addresses. It shrinks likewise. One of
    /// 2⁸⁰ addresses, as many customers have, gets half of all at the most.
    pub slices_per_address: usize,
    /// Bytes a second that go out on each stream at the most; none: as fast as it goes.
    pub pace: Option<u32>,
    /// Slices that one fetch asks for at a time at the most, not counting late ones, of which there may be as many; fewer where
    /// [`download_rate`](Self::download_rate) would leave each of them less than 64 KiB a second, but two.
    pub slices_fetched: usize,
    /// How often peers are asked for the time: those with a slot and, while these are few, others.
    pub ask_time: Duration,
    /// First pause before a lost bootstrap peer is dialled again; doubles up to `redial_max`.
    pub redial_min: Duration,
    /// Longest such pause.
    pub redial_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stall: Duration::from_secs(20),
            request: Duration::from_secs(120),
            min_rate: 8 * 1024,
            upload_rate: None,
            download_rate: None,
            hedge: Duration::from_secs(1),
            arrival: Duration::from_secs(1),
            idle_stream: Duration::from_secs(30),
            handshake: Duration::from_secs(10),
            connections: 192,
            connections_pending: 128,
            connections_per_peer: 4,
            connections_per_address: 32,
            streams_per_peer: 8,
            // All that one address can have are a quarter; one that waits takes little.
            streams: 1024,
            slices_served: 32,
            slices_per_peer: 4,
            slices_per_address: 8,
            pace: None,
            slices_fetched: 32,
            ask_time: Duration::from_secs(120),
            redial_min: Duration::from_millis(500),
            redial_max: Duration::from_secs(30),
        }
    }
}

/// Bytes a second that each of several slices at a time is to have of a limit: well above what makes a peer count as late or too slow.
const EACH: u64 = 64 * 1024;

impl Limits {
    /// Slices that are being sent at a time.
    pub(crate) fn served_at_once(&self) -> usize {
        at_once(self.upload_rate, self.slices_served)
    }

    /// How many of these may go to one peer.
    pub(crate) fn served_to_peer(&self) -> usize {
        // Each asks for two at a time, and finds whoever lets the second wait slow.
        let least = if self.served_at_once() >= 4 { 2 } else { 1 };
        self.share(self.slices_per_peer)
            .max(least.min(self.slices_per_peer))
    }

    /// How many to one address.
    pub(crate) fn served_to_address(&self) -> usize {
        let least = self.served_to_peer().min(self.slices_per_address);
        self.share(self.slices_per_address).max(least)
    }

    /// How many to addresses that one customer may have.
    pub(crate) fn served_to_site(&self) -> usize {
        (self.served_at_once() / 2).max(self.served_to_address())
    }

    /// What is left of a share of `slices_served`.
    fn share(&self, most: usize) -> usize {
        let scaled = most.saturating_mul(self.served_at_once());
        scaled.div_ceil(self.slices_served.max(1)).min(most)
    }

    /// Slices that one fetch asks for at a time.
    pub(crate) fn fetched_at_once(&self) -> usize {
        at_once(self.download_rate, self.slices_fetched)
    }
}

fn at_once(rate: Option<u64>, most: usize) -> usize {
    let by_rate = |rate: u64| usize::try_from(rate / EACH).unwrap_or(usize::MAX).max(2);
    rate.map_or(most, |rate| by_rate(rate).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_goes_to_few_slices_at_a_time() {
        let of = |rate| {
            let limits = Limits {
                upload_rate: rate,
                download_rate: rate,
                ..Limits::default()
            };
            (limits.served_at_once(), limits.fetched_at_once())
        };
        assert_eq!(of(None), (32, 32));
        assert_eq!(of(Some(100 << 20)), (32, 32));
        assert_eq!(of(Some(256 * 1024)), (4, 4));
        assert_eq!(of(Some(10 * 1024)), (2, 2));
        let one = Limits {
            slices_served: 1,
            upload_rate: Some(1),
            ..Limits::default()
        };
        assert_eq!(one.served_at_once(), 1, "never more than was allowed");
    }

    #[test]
    fn of_few_slices_nobody_gets_all() {
        let of = |rate| {
            let limits = Limits {
                upload_rate: rate,
                ..Limits::default()
            };
            let (peer, address) = (limits.served_to_peer(), limits.served_to_address());
            (limits.served_at_once(), peer, address, limits.served_to_site())
        };
        assert_eq!(of(None), (32, 4, 8, 16));
        assert_eq!(of(Some(1024 * 1024)), (16, 2, 4, 8));
        assert_eq!(of(Some(7 * EACH)), (7, 2, 2, 3));
        assert_eq!(of(Some(4 * EACH)), (4, 2, 2, 2));
        assert_eq!(of(Some(1)), (2, 1, 1, 1));
    }
}
