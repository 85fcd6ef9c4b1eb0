//! Reaches other nodes through this PC's trainer, as the node's own network has neither relays nor hole punching.
//!
//! Every few seconds the trainer is told who this node is and with whom it is connected, and says which ports of this PC lead to other
//! nodes. Those are dialled like reserved peers until they are connected; who answers has to prove that it is that node.
//! Must never be needed: without a trainer the node has the peers that it reaches by itself. Whoever lets in reserved peers alone
//! (`--reserved-only`) gets none.

use http_body_util::{BodyExt, Full, Limited};
use hydra_primitives::duty::TrainerLink;
use hydra_runtime::opaque::Block;
use hydra_trainer_api::{MAX_NODE_PEERS, NODE_PATH, NodeReport, NodeTunnels, TAG_HEADER, Tag};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use sc_network::{
    Multiaddr, PeerId, config::MultiaddrWithPeerId, multiaddr::Protocol, service::traits::NetworkService,
};
use sc_network_sync::SyncingService;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{MissedTickBehavior, interval, timeout},
};

/// How often the trainer is told.
const EVERY: Duration = Duration::from_secs(5);
/// The longest that telling may take: it is on this PC.
const PATIENCE: Duration = Duration::from_secs(2);
/// So often in a row nothing may be heard of the trainer before its ports are forgotten: it may be starting again.
const MISSES: u32 = 4;
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 16 * 1024;
/// So many ways are taken from the trainer.
const MOST: usize = 16;

/// Tells the trainer, and does as it says.
pub struct Tunnels {
    link: TrainerLink,
    network: Arc<dyn NetworkService>,
    sync: Arc<SyncingService<Block>>,
    /// Peers that the owner reserved: they are no trainer's to give up.
    reserved: BTreeSet<PeerId>,
}

/// Why the trainer named no ways.
#[derive(Debug, thiserror::Error)]
enum Unheard {
    #[error("it doesn't answer: {0}")]
    Away(#[from] std::io::Error),
    #[error("it doesn't speak HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("it took longer than {} s", PATIENCE.as_secs())]
    Slow,
    #[error("it refused: {0}")]
    Refused(StatusCode),
    #[error("its answer isn't what a trainer says: {0}")]
    Strange(String),
}

impl Tunnels {
    /// With the trainer behind `link`.
    pub fn new(
        link: TrainerLink,
        network: Arc<dyn NetworkService>,
        sync: Arc<SyncingService<Block>>,
        reserved: impl IntoIterator<Item = PeerId>,
    ) -> Self {
        Self {
            link,
            network,
            sync,
            reserved: reserved.into_iter().collect(),
        }
    }

    /// Goes on for as long as the node does.
    pub async fn keep(self) {
        // Those that are reserved now.
        let mut ways: BTreeMap<PeerId, u16> = BTreeMap::new();
        let mut every = interval(EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut missed = 0u32;
        loop {
            every.tick().await;
            let Some(connected) = self.connected().await else {
                continue;
            };
            let report = self.report(&connected);
            let told = timeout(PATIENCE, tell(&self.link, &report)).await;
            match told.unwrap_or(Err(Unheard::Slow)) {
                Ok(tunnels) => {
                    missed = 0;
                    self.take(&mut ways, wanted(read(&tunnels), &connected));
                }
                Err(error) => {
                    log::debug!("no way to other nodes through the trainer: {error}");
                    missed = missed.saturating_add(1);
                    if missed >= MISSES {
                        self.take(&mut ways, BTreeMap::new());
                    }
                }
            }
        }
    }

    /// Who is connected. Fails only while the node ends.
    async fn connected(&self) -> Option<BTreeSet<PeerId>> {
        let peers = self.sync.peers_info().await.ok()?;
        Some(peers.into_iter().map(|(peer, _)| peer).collect())
    }

    fn report(&self, connected: &BTreeSet<PeerId>) -> NodeReport {
        NodeReport {
            peer_id: self.network.local_peer_id().to_string(),
            port: self.network.listen_addresses().iter().find_map(local_port),
            peers: connected
                .iter()
                .take(MAX_NODE_PEERS)
                .map(ToString::to_string)
                .collect(),
        }
    }

    /// Reserves these peers in the place of those before.
    fn take(&self, ways: &mut BTreeMap<PeerId, u16>, mut now: BTreeMap<PeerId, u16>) {
        now.retain(|peer, _| !self.reserved.contains(peer));
        for peer in ways.keys().filter(|peer| !now.contains_key(*peer)) {
            self.network.remove_reserved_peer(*peer);
        }
        for (peer, port) in &now {
            if ways.get(peer) == Some(port) {
                continue;
            }
            let multiaddr = Multiaddr::empty()
                .with(Protocol::Ip4(Ipv4Addr::LOCALHOST))
                .with(Protocol::Tcp(*port));
            let way = MultiaddrWithPeerId {
                multiaddr,
                peer_id: *peer,
            };
            if let Err(error) = self.network.add_reserved_peer(way) {
                log::debug!("the way to {peer} through the trainer can't be taken: {error}");
            }
        }
        *ways = now;
    }
}

/// The port of an address at which programs of this PC connect over TCP.
fn local_port(address: &Multiaddr) -> Option<u16> {
    let parts: Vec<Protocol> = address.iter().collect();
    match parts.as_slice() {
        [Protocol::Ip4(ip), Protocol::Tcp(port)]
        | [Protocol::Ip4(ip), Protocol::Tcp(port), Protocol::P2p(_)]
            if ip.is_loopback() || ip.is_unspecified() =>
        {
            Some(*port)
        }
        _ => None,
    }
}

/// The ways to nodes that aren't connected. Only those are reserved, so that they are dialled before all others: from a reserved peer Substrate
/// never parts, even if it doesn't answer any more.
fn wanted(mut ways: BTreeMap<PeerId, u16>, connected: &BTreeSet<PeerId>) -> BTreeMap<PeerId, u16> {
    ways.retain(|peer, _| !connected.contains(peer));
    ways
}

/// Those that can be dialled.
fn read(told: &NodeTunnels) -> BTreeMap<PeerId, u16> {
    let ways = told.tunnels.iter().take(MOST);
    ways.filter(|way| way.port != 0)
        .filter_map(|way| Some((way.peer_id.parse().ok()?, way.port)))
        .collect()
}

async fn tell(link: &TrainerLink, report: &NodeReport) -> Result<NodeTunnels, Unheard> {
    let strange = |error: &dyn std::fmt::Display| Unheard::Strange(error.to_string());
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, link.port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the sender.
    tokio::spawn(connection);
    let body = serde_json::to_vec(report).map_err(|error| strange(&error))?;
    let tag = Tag::of_body(&link.token, &body);
    let request = Request::post(NODE_PATH)
        .header(header::HOST, format!("127.0.0.1:{}", link.port))
        .header(header::CONTENT_TYPE, "application/json")
        .header(TAG_HEADER, tag.header())
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| strange(&error))?;
    let response = sender.send_request(request).await?;
    let (parts, body) = response.into_parts();
    if parts.status != StatusCode::OK {
        return Err(Unheard::Refused(parts.status));
    }
    let body = Limited::new(body, MAX_ANSWER).collect().await;
    let body = body.map_err(|error| strange(&error))?.to_bytes();
    let given = parts
        .headers
        .get(TAG_HEADER)
        .map(|value| Tag::parse(value.as_bytes()));
    // Whoever else has got hold of the port can't lead this node anywhere.
    if given != Some(Ok(tag.of_answer(&link.token, &body))) {
        return Err(strange(&"its tag is wrong"));
    }
    serde_json::from_slice(&body).map_err(|error| strange(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hydra_trainer_api::NodeTunnel;
    use proptest::prelude::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    #[test]
    fn the_port_is_one_that_leads_to_this_node_from_this_pc() {
        let port = |text: &str| local_port(&text.parse().unwrap());
        assert_eq!(port("/ip4/0.0.0.0/tcp/30333"), Some(30333));
        assert_eq!(port("/ip4/127.0.0.1/tcp/30333"), Some(30333));
        let named = format!("/ip4/127.0.0.1/tcp/30333/p2p/{}", PeerId::random());
        assert_eq!(port(&named), Some(30333));
        // Another program may be there on 127.0.0.1.
        assert_eq!(port("/ip4/192.168.1.5/tcp/30333"), None);
        assert_eq!(port("/ip6/::/tcp/30333"), None);
        assert_eq!(port("/ip4/0.0.0.0/tcp/30334/ws"), None);
        assert_eq!(port("/memory/7"), None);
    }

    #[test]
    fn only_who_is_not_connected_is_reserved() {
        let [here, away] = [(); 2].map(|()| PeerId::random());
        let ways = BTreeMap::from([(here, 1), (away, 2)]);
        assert_eq!(wanted(ways, &BTreeSet::from([here])), BTreeMap::from([(away, 2)]));
    }

    #[test]
    fn a_way_that_can_not_be_dialled_is_left_out_and_many_are_cut_short() {
        let peer = PeerId::random();
        let way = |peer_id: String, port| NodeTunnel { peer_id, port };
        let tunnels = vec![
            way("nobody".into(), 7),
            way(peer.to_string(), 40_000),
            way(PeerId::random().to_string(), 0),
        ];
        assert_eq!(read(&NodeTunnels { tunnels }), BTreeMap::from([(peer, 40_000)]));
        let tunnels = (0..1000).map(|_| way(PeerId::random().to_string(), 7)).collect();
        assert_eq!(read(&NodeTunnels { tunnels }).len(), MOST);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_ways_or_none(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(told) = serde_json::from_slice::<NodeTunnels>(&bytes) {
                let _ = read(&told);
            }
        }
    }

    /// Answers one request with `answer`, as it is tagged with `token`.
    async fn trainer(token: [u8; 32], answer: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut bytes, mut text) = (vec![0; 4096], String::new());
            while !text.ends_with('}') {
                let length = socket.read(&mut bytes).await.unwrap();
                assert!(length > 0, "{text}");
                text += &String::from_utf8_lossy(&bytes[..length]);
            }
            let asked = text
                .lines()
                .find_map(|line| line.strip_prefix(&format!("{TAG_HEADER}: ")));
            let asked = Tag::parse(asked.unwrap().as_bytes()).unwrap();
            let tag = asked.of_answer(&token, answer.as_bytes()).header();
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\n{TAG_HEADER}: {tag}\r\ncontent-length: {length}\r\n\r\n");
            socket.write_all((head + answer).as_bytes()).await.unwrap();
        });
        port
    }

    async fn heard(token: [u8; 32], answer: &'static str) -> Result<NodeTunnels, Unheard> {
        let link = TrainerLink {
            port: trainer(token, answer).await,
            token: [7; 32],
            started: 0,
        };
        let report = NodeReport {
            peer_id: PeerId::random().to_string(),
            port: Some(30333),
            peers: Vec::new(),
        };
        tell(&link, &report).await
    }

    #[tokio::test]
    async fn only_the_trainer_that_knows_the_token_leads_the_node() {
        let told = r#"{"tunnels":[{"peer_id":"12D3KooW","port":7}]}"#;
        let heard_it = heard([7; 32], told).await.unwrap();
        assert_eq!(heard_it.tunnels[0].port, 7);
        let other = heard([8; 32], told).await;
        assert!(matches!(other, Err(Unheard::Strange(_))), "{other:?}");
        let strange = heard([7; 32], "{}").await;
        assert!(matches!(strange, Err(Unheard::Strange(_))), "{strange:?}");
    }
}
