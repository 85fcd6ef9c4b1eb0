//! Leads this PC's node to other PCs' nodes, through their trainers, as long as it reaches few by itself.
//!
//! The node says who it is and with whom it is connected, and is told where it may dial. A trainer that is connected is asked which node
//! stands beside it; a port of this PC then leads there. [`policy`] decides who is asked and which ways are closed again. Must never lead
//! the node to a node that it reaches by itself, nor go on when the node has gone.

mod grace;
mod policy;

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, RandomState},
    sync::Mutex,
    time::Duration,
};

use futures::future::join_all;
use hydra_network::{NetworkHandle, OwnNode, PeerId, Tunnel, TunnelError};
use hydra_trainer_api::{MAX_NODE_PEERS, NodeReport, NodeTunnel, NodeTunnels};
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use crate::lock;
use grace::Grace;
use policy::{Open, Situation};

/// A node that says nothing for so long has gone: it does so every few seconds.
const GONE: Duration = Duration::from_secs(30);

/// What the node said can't be right.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadReport {
    /// An identity is none.
    #[error("{0:?} is no node's PeerId: use a node and a trainer of one release")]
    PeerId(String),
    /// It has no port.
    #[error("the node says that it listens on port 0: use a node and a trainer of one release")]
    NoPort,
    /// It names too many.
    #[error(
        "the node names {0} others, and may name {MAX_NODE_PEERS}: use a node and a trainer of one release"
    )]
    TooMany(usize),
}

/// The ways to other nodes.
#[derive(Debug)]
pub(crate) struct Tunnels {
    network: NetworkHandle,
    state: Mutex<State>,
    heard: Notify,
    /// In what order trainers are asked, which nobody else can know.
    order: RandomState,
}

#[derive(Debug, Default)]
struct State {
    node: Option<Node>,
    open: Vec<Way>,
    /// Trainers that aren't asked again before then.
    rests: BTreeMap<PeerId, Instant>,
    /// How often in a row a trainer led to no node.
    failures: BTreeMap<PeerId, u32>,
    /// Where ways began that are closed: nodes remember for long where they dialled, and tell others.
    ports: Vec<u16>,
    /// When a way was last closed because there were enough.
    trimmed: Option<Instant>,
}

/// What the node said last.
#[derive(Debug)]
struct Node {
    peer: PeerId,
    /// Where it listens, if it does so on 127.0.0.1.
    port: Option<u16>,
    peers: BTreeSet<PeerId>,
    at: Instant,
    grace: Grace,
}

#[derive(Debug)]
struct Way {
    tunnel: Tunnel,
    /// When the node was last connected with the one that it leads to, or was told of it again.
    met: Instant,
    /// Whether the node is told of it.
    named: bool,
    /// The trainer was away since then.
    was_away: bool,
}

impl Tunnels {
    /// Over the data plane.
    pub(crate) fn new(network: NetworkHandle) -> Self {
        Self {
            network,
            state: Mutex::default(),
            heard: Notify::new(),
            order: RandomState::new(),
        }
    }

    /// Hears what the node says, and tells where it may dial.
    ///
    /// # Errors
    /// [`BadReport`].
    pub(crate) fn hear(&self, report: &NodeReport) -> Result<NodeTunnels, BadReport> {
        let mut node = Node::read(report)?;
        let mut state = lock(&self.state);
        if let Some(before) = state.node.as_ref().filter(|before| before.peer == node.peer) {
            let lost = !before.peers.is_subset(&node.peers);
            node.grace = before.grace.after(lost, node.at);
        }
        // Nobody is led to a node that may still be found directly.
        let own = node.own().filter(|_| !node.grace.holds(node.at));
        self.network.set_own_node(own);
        // With enough of them nobody is dialled, and who is connected already stays named.
        let has_enough = policy::chosen(node.peers.len(), self.network.carried_nodes()) >= policy::ENOUGH;
        for way in &mut state.open {
            let connected = node.peers.contains(&way.tunnel.node());
            let named = connected || !has_enough;
            if connected || (named && !way.named) {
                way.met = node.at;
            }
            way.was_away &= !connected;
            way.named = named;
        }
        let named = state.open.iter().filter(|way| way.named);
        let tunnels = named.map(|way| NodeTunnel {
            peer_id: way.tunnel.node().to_string(),
            port: way.tunnel.port(),
        });
        let tunnels = tunnels.collect();
        state.node = Some(node);
        drop(state);
        self.heard.notify_one();
        Ok(NodeTunnels { tunnels })
    }

    /// Opens and closes ways, for as long as it is let.
    pub(crate) async fn keep(&self) {
        loop {
            // Whether it says something or falls silent, it is looked after.
            let _ = timeout(GONE, self.heard.notified()).await;
            self.look_after().await;
        }
    }

    async fn look_after(&self) {
        let now = Instant::now();
        let Some((own, asked)) = self.decide(now) else {
            return;
        };
        let answers = asked.into_iter().map(|peer| async move {
            let found = self.find(own, peer).await;
            (peer, found)
        });
        for (peer, found) in join_all(answers).await {
            let mut state = lock(&self.state);
            match found {
                Ok(Some(tunnel)) if !state.leads_to(&tunnel.node()) => {
                    tracing::info!(
                        node = %tunnel.node(),
                        trainer = %peer,
                        "this PC's node reaches another one through that one's trainer from now on"
                    );
                    state.failures.remove(&peer);
                    state.open.push(Way {
                        tunnel,
                        met: Instant::now(),
                        named: false,
                        was_away: false,
                    });
                }
                Ok(found) => {
                    state.ports.extend(found.map(|tunnel| tunnel.port()));
                    state.failures.remove(&peer);
                    state.rest(peer, now + policy::KNOWN);
                }
                Err(error) => {
                    tracing::debug!("no way to another node: {error}");
                    let failures = state.failures.entry(peer).or_default();
                    *failures = failures.saturating_add(1);
                    let pause = policy::after_failures(*failures);
                    state.rest(peer, now + pause);
                }
            }
        }
    }

    /// Closes what is of no use, and says who is to be asked; `None` without a node.
    fn decide(&self, now: Instant) -> Option<(PeerId, Vec<PeerId>)> {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if state.node.as_ref().is_none_or(|node| node.at + GONE <= now) {
            state.node = None;
            state.close(|_| true);
            self.network.set_own_node(None);
            return None;
        }
        let node = state.node.as_ref()?;
        state.rests.retain(|_, until| *until > now);
        let trainers = self.network.peers();
        let is_here = |peer: &PeerId| trainers.iter().any(|trainer| trainer.peer_id == *peer);
        state.failures.retain(|peer, _| is_here(peer));
        for way in &mut state.open {
            way.was_away |= !is_here(&way.tunnel.peer());
        }
        let open: Vec<Open> = state.open.iter().map(|way| way.as_seen(now)).collect();
        let decision = policy::decide(&Situation {
            nodes: node.peers.len(),
            carried: self.network.carried_nodes(),
            through_tunnels: open.iter().filter(|way| node.peers.contains(&way.node)).count(),
            open: &open,
            trainers: &trainers,
            rests: &|peer| state.rests.contains_key(peer),
            order: &|peer| self.order.hash_one(peer.to_bytes()),
            may_trim: state.trimmed.is_none_or(|at| at + policy::TRIMS <= now),
        });
        let (own, node_has_time) = (node.peer, node.grace.holds(now));
        for (peer, why) in &decision.close {
            tracing::info!(trainer = %peer, "a way to another node is closed: {why}");
            if *why == policy::Why::Plenty {
                state.trimmed = Some(now);
            }
            state.rest(*peer, now + why.rests());
        }
        state.close(|way| decision.close.iter().any(|(peer, _)| *peer == way.tunnel.peer()));
        let ask = if node_has_time { Vec::new() } else { decision.ask };
        Some((own, ask))
    }

    /// A way to the node beside this trainer, unless the own node is connected with it already.
    async fn find(&self, own: PeerId, peer: PeerId) -> Result<Option<Tunnel>, TunnelError> {
        let node = self.network.ask_node(peer).await?;
        let (is_known, port) = {
            let mut state = lock(&self.state);
            let connected = state
                .node
                .as_ref()
                .is_some_and(|node_here| node_here.peers.contains(&node));
            match connected || state.leads_to(&node) || node == own {
                true => (true, None),
                false => (false, state.ports.pop()),
            }
        };
        if is_known {
            return Ok(None);
        }
        self.network.dig_tunnel(peer, node, port).await.map(Some)
    }
}

impl State {
    fn leads_to(&self, node: &PeerId) -> bool {
        self.open.iter().any(|way| way.tunnel.node() == *node)
    }

    fn close(&mut self, closes: impl Fn(&Way) -> bool) {
        let (closed, open): (Vec<Way>, Vec<Way>) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|way| closes(way));
        self.open = open;
        self.ports.extend(closed.iter().map(|way| way.tunnel.port()));
        self.ports.truncate(policy::MOST);
    }

    fn rest(&mut self, peer: PeerId, until: Instant) {
        self.rests.insert(peer, until);
    }
}

impl Way {
    fn as_seen(&self, now: Instant) -> Open {
        Open {
            peer: self.tunnel.peer(),
            node: self.tunnel.node(),
            silent: self.tunnel.fell_silent(),
            was_away: self.was_away,
            unused: self.tunnel.idle(),
            unmet: now.saturating_duration_since(self.met),
        }
    }
}

impl Node {
    /// As others may be led to it.
    fn own(&self) -> Option<OwnNode> {
        let peer = self.peer;
        self.port.map(|port| OwnNode { peer, port })
    }

    fn read(report: &NodeReport) -> Result<Self, BadReport> {
        let peer = |text: &String| {
            text.parse()
                .map_err(|_| BadReport::PeerId(text.chars().take(80).collect()))
        };
        if report.port == Some(0) {
            return Err(BadReport::NoPort);
        }
        if report.peers.len() > MAX_NODE_PEERS {
            return Err(BadReport::TooMany(report.peers.len()));
        }
        let now = Instant::now();
        Ok(Self {
            peer: peer(&report.peer_id)?,
            port: report.port,
            peers: report.peers.iter().map(peer).collect::<Result<_, _>>()?,
            at: now,
            grace: Grace::begin(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> NodeReport {
        NodeReport {
            peer_id: PeerId::random().to_string(),
            port: Some(30333),
            peers: vec![PeerId::random().to_string()],
        }
    }

    #[test]
    fn a_report_that_no_node_makes_is_refused() {
        let read = |report: &NodeReport| Node::read(report).map(|node| node.peers.len());
        assert_eq!(read(&report()), Ok(1));
        let mut outside = report();
        outside.port = None;
        assert_eq!(Node::read(&outside).unwrap().own(), None, "it listens elsewhere");
        let mut bad = report();
        bad.port = Some(0);
        assert_eq!(read(&bad), Err(BadReport::NoPort));
        let mut bad = report();
        bad.peer_id = "nobody".into();
        assert_eq!(read(&bad), Err(BadReport::PeerId("nobody".into())));
        let mut bad = report();
        bad.peers = (0..=MAX_NODE_PEERS)
            .map(|_| PeerId::random().to_string())
            .collect();
        assert_eq!(read(&bad), Err(BadReport::TooMany(MAX_NODE_PEERS + 1)));
        bad.peers = vec!["x".repeat(1000)];
        let said = read(&bad).unwrap_err().to_string();
        assert!(said.len() < 200, "{said}");
    }
}
