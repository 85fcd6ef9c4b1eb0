//! Leads this PC's node to other PCs' nodes, through their trainers, as long as it reaches few by itself.
//!
//! The node says who it is and with whom it is connected, and is told where it may dial. A trainer that is connected is asked which node
//! stands beside it; a port of this PC then leads there. [`policy`] decides who is asked and which ways are closed again. Must never lead
//! the node to a node that it reaches by itself, nor go on when the node has gone.

mod grace;
mod policy;

use std::{
    collections::{BTreeMap, BTreeSet},
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
}

#[derive(Debug, Default)]
struct State {
    node: Option<Node>,
    open: Vec<Way>,
    /// Trainers that aren't asked again before then.
    rests: BTreeMap<PeerId, Instant>,
    /// When a way was last closed because there were enough.
    trimmed: Option<Instant>,
}

/// What the node said last.
#[derive(Debug)]
struct Node {
    own: OwnNode,
    peers: BTreeSet<PeerId>,
    at: Instant,
    grace: Grace,
}

#[derive(Debug)]
struct Way {
    tunnel: Tunnel,
    /// When the node was last connected with the one that it leads to, or it was opened.
    met: Instant,
}

impl Tunnels {
    /// Over the data plane.
    pub(crate) fn new(network: NetworkHandle) -> Self {
        Self {
            network,
            state: Mutex::default(),
            heard: Notify::new(),
        }
    }

    /// Hears what the node says, and tells where it may dial.
    ///
    /// # Errors
    /// [`BadReport`].
    pub(crate) fn hear(&self, report: &NodeReport) -> Result<NodeTunnels, BadReport> {
        let mut node = Node::read(report)?;
        self.network.set_own_node(Some(node.own));
        let mut state = lock(&self.state);
        if let Some(before) = state.node.as_ref().filter(|before| before.own == node.own) {
            let lost = !before.peers.is_subset(&node.peers);
            node.grace = before.grace.after(lost, node.at);
        }
        for way in &mut state.open {
            if node.peers.contains(&way.tunnel.node()) {
                way.met = node.at;
            }
        }
        state.node = Some(node);
        let tunnels = state.open.iter().map(|way| NodeTunnel {
            peer_id: way.tunnel.node().to_string(),
            port: way.tunnel.port(),
        });
        let tunnels = tunnels.collect();
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
            self.network.set_own_node(None);
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
                    let met = Instant::now();
                    state.open.push(Way { tunnel, met });
                }
                Ok(_) => state.rest(peer, now + policy::KNOWN),
                Err(error) => {
                    tracing::debug!("no way to another node: {error}");
                    state.rest(peer, now + policy::FAILED);
                }
            }
        }
    }

    /// Closes what is of no use, and says who is to be asked; `None` without a node.
    fn decide(&self, now: Instant) -> Option<(OwnNode, Vec<PeerId>)> {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if state.node.as_ref().is_none_or(|node| node.at + GONE <= now) {
            state.node = None;
            state.open.clear();
            return None;
        }
        let node = state.node.as_ref()?;
        state.rests.retain(|_, until| *until > now);
        let open: Vec<Open> = state.open.iter().map(|way| way.as_seen(now)).collect();
        let trainers = self.network.peers();
        let decision = policy::decide(&Situation {
            local: self.network.local_peer_id(),
            nodes: node.peers.len(),
            through_tunnels: open.iter().filter(|way| node.peers.contains(&way.node)).count(),
            open: &open,
            trainers: &trainers,
            rests: &|peer| state.rests.contains_key(peer),
            may_trim: state.trimmed.is_none_or(|at| at + policy::TRIMS <= now),
        });
        let (own, node_has_time) = (node.own, node.grace.holds(now));
        for (peer, why) in &decision.close {
            tracing::info!(trainer = %peer, "a way to another node is closed: {why}");
            if *why == policy::Why::Plenty {
                state.trimmed = Some(now);
            }
            state.rest(*peer, now + policy::CLOSED);
        }
        state
            .open
            .retain(|way| !decision.close.iter().any(|(peer, _)| *peer == way.tunnel.peer()));
        let ask = if node_has_time { Vec::new() } else { decision.ask };
        Some((own, ask))
    }

    /// A way to the node beside this trainer, unless the own node is connected with it already.
    async fn find(&self, own: OwnNode, peer: PeerId) -> Result<Option<Tunnel>, TunnelError> {
        let node = self.network.ask_node(peer).await?;
        let is_known = {
            let state = lock(&self.state);
            let connected = state
                .node
                .as_ref()
                .is_some_and(|node_here| node_here.peers.contains(&node));
            connected || state.leads_to(&node)
        };
        if is_known || node == own.peer {
            return Ok(None);
        }
        self.network.dig_tunnel(peer, node).await.map(Some)
    }
}

impl State {
    fn leads_to(&self, node: &PeerId) -> bool {
        self.open.iter().any(|way| way.tunnel.node() == *node)
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
            unused: self.tunnel.idle(),
            unmet: now.saturating_duration_since(self.met),
        }
    }
}

impl Node {
    fn read(report: &NodeReport) -> Result<Self, BadReport> {
        let peer = |text: &String| {
            text.parse()
                .map_err(|_| BadReport::PeerId(text.chars().take(80).collect()))
        };
        if report.port == 0 {
            return Err(BadReport::NoPort);
        }
        if report.peers.len() > MAX_NODE_PEERS {
            return Err(BadReport::TooMany(report.peers.len()));
        }
        let now = Instant::now();
        Ok(Self {
            own: OwnNode {
                peer: peer(&report.peer_id)?,
                port: report.port,
            },
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
            port: 30333,
            peers: vec![PeerId::random().to_string()],
        }
    }

    #[test]
    fn a_report_that_no_node_makes_is_refused() {
        let read = |report: &NodeReport| Node::read(report).map(|node| node.peers.len());
        assert_eq!(read(&report()), Ok(1));
        let mut bad = report();
        bad.port = 0;
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
