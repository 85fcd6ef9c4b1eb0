//! Real networks on 127.0.0.1, and peers that misbehave.
#![allow(dead_code)] // Each test file uses its part.

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use hydra_blobs::{Availability, BlobStore, H256, SliceRange};
use hydra_network::{
    FetchError, Keypair, Limits, Multiaddr, Network, NetworkConfig, NetworkHandle, PeerFault, PeerId,
    PeerInfo, reach,
    wire::{
        PROTOCOL, REQUEST_HEAD, Request, RequestHead, Status, decode_head, decode_ranges,
        encode_availability, encode_found, encode_request, encode_status, ranges_len,
    },
};
use libp2p::{
    Stream, StreamProtocol, SwarmBuilder, multiaddr::Protocol, noise, swarm::SwarmEvent, tcp, yamux,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;

/// Long enough for a busy machine; reached only when something is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct Node {
    pub net: NetworkHandle,
    pub store: Arc<BlobStore>,
    pub dir: TempDir,
}

/// Nobody is given up; only hedging gets a blob past a silent peer.
pub fn endless_patience() -> Limits {
    let endless = Duration::from_secs(3600);
    Limits {
        stall: endless,
        request: endless,
        ..limits()
    }
}

pub fn limits() -> Limits {
    Limits {
        stall: Duration::from_secs(2),
        redial_min: Duration::from_millis(50),
        redial_max: Duration::from_millis(200),
        ..Limits::default()
    }
}

/// Whoever isn't introduced stays unknown: nobody is looked for.
pub fn config() -> NetworkConfig {
    NetworkConfig {
        listen: vec!["/ip4/127.0.0.1/tcp/0".parse().unwrap()],
        limits: limits(),
        // No router is asked for anything by a test.
        reach: reach::Config {
            port_mapping: false,
            ..reach::Config::default()
        },
        discovery: hydra_network::discovery::Config {
            kademlia: false,
            ..Default::default()
        },
        ..NetworkConfig::new(Keypair::generate_ed25519())
    }
}

pub async fn start(config: NetworkConfig) -> Node {
    let dir = TempDir::new().unwrap();
    let store = Arc::new(BlobStore::open(dir.path()).unwrap());
    let net = Network::start(config, store.clone()).await.unwrap();
    Node { net, store, dir }
}

pub async fn node() -> Node {
    start(config()).await
}

impl Node {
    pub fn id(&self) -> PeerId {
        self.net.local_peer_id()
    }

    pub fn address(&self) -> Multiaddr {
        self.net.listen_addresses().remove(0)
    }

    pub async fn connect(&self, other: &Node) {
        assert_eq!(self.net.dial(other.address()).await.unwrap(), other.id());
        other
            .until(|peers| peers.iter().any(|p| p.peer_id == self.id()))
            .await;
    }

    /// By its name: it isn't counted among all those at this address.
    pub async fn connect_by_name(&self, other: &Node) {
        let Some(Protocol::Tcp(port)) = other.address().iter().nth(1) else {
            panic!("{}", other.address())
        };
        let named = format!("/dns4/localhost/tcp/{port}").parse().unwrap();
        assert_eq!(self.net.dial(named).await.unwrap(), other.id());
        other
            .until(|peers| peers.iter().any(|p| p.peer_id == self.id()))
            .await;
    }

    /// Waits until the peers are as wanted.
    pub async fn until(&self, wanted: impl FnMut(&Vec<PeerInfo>) -> bool) -> Vec<PeerInfo> {
        let mut watch = self.net.watch_peers();
        let peers = tokio::time::timeout(PATIENCE, watch.wait_for(wanted)).await;
        peers.expect("peers didn't become as wanted").unwrap().clone()
    }
}

/// Bytes without repetition.
pub fn content(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new()
        .update(b"network")
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Gives nobody up, and soon asks others as well.
pub async fn patient_node() -> Node {
    start(NetworkConfig {
        limits: Limits {
            hedge: Duration::from_millis(200),
            ..endless_patience()
        },
        ..config()
    })
    .await
}

pub async fn with_honest_peer(bytes: &[u8]) -> (Node, Node, H256) {
    let (target, honest) = (node().await, node().await);
    target.connect(&honest).await;
    let hash = honest.store.put(bytes).unwrap();
    (target, honest, hash)
}

pub fn faults(result: Result<u64, FetchError>) -> Vec<PeerFault> {
    match result {
        Err(FetchError::Failed { faults, .. }) => faults.into_iter().map(|(_, fault)| fault).collect(),
        other => panic!("{other:?}"),
    }
}

/// One range of what a peer was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub hash: H256,
    pub range: SliceRange,
}

/// How a hostile peer answers; `false` closes the stream.
pub trait Behave: Send + Sync + 'static {
    /// One range of a request.
    fn answer(&self, stream: &mut Stream, asked: Asked, nth: usize) -> impl Future<Output = bool> + Send;

    /// What it says it has; nothing: it closes the stream.
    fn has(&self) -> impl Future<Output = Option<Availability>> + Send {
        async { None }
    }
}

/// The next request on a stream; `None` when it ends.
pub async fn read_request(stream: &mut Stream) -> Option<Request> {
    let mut head = [0; REQUEST_HEAD];
    stream.read_exact(&mut head).await.ok()?;
    let hash = match decode_head(&head).unwrap() {
        RequestHead::Have { hash } => return Some(Request::Have { hash }),
        RequestHead::Get { hash } => hash,
    };
    let mut count = [0];
    stream.read_exact(&mut count).await.ok()?;
    let mut ranges = vec![0; ranges_len(count[0]).unwrap()];
    stream.read_exact(&mut ranges).await.ok()?;
    let ranges = decode_ranges(&ranges).unwrap();
    Some(Request::Get { hash, ranges })
}

/// The request for the first slice of a blob.
pub fn first_of(hash: H256) -> Vec<u8> {
    encode_request(&Request::Get {
        hash,
        ranges: vec![SliceRange::first()],
    })
}

/// A peer that speaks the protocol, but answers as it likes.
pub struct Hostile {
    pub id: PeerId,
    task: tokio::task::JoinHandle<()>,
}

impl Hostile {
    /// Connects to `node` and waits until `node` knows it.
    pub async fn meet(node: &Node, behave: impl Behave) -> Self {
        Self::meet_as(Keypair::generate_ed25519(), node, behave).await
    }

    pub async fn meet_as(keypair: Keypair, node: &Node, behave: impl Behave) -> Self {
        let mut swarm = raw_swarm(keypair);
        let id = *swarm.local_peer_id();
        let mut control = swarm.behaviour().new_control();
        let mut incoming = control.accept(PROTOCOL).unwrap();
        swarm.dial(node.address()).unwrap();
        let behave = Arc::new(behave);
        let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = swarm.select_next_some() => {}
                    Some((_, mut stream)) = incoming.next() => {
                        let (behave, count) = (behave.clone(), count.clone());
                        tokio::spawn(async move {
                            while let Some(request) = read_request(&mut stream).await {
                                let Request::Get { hash, ranges } = request else {
                                    let Some(has) = behave.has().await else { return };
                                    let answer = encode_availability(&has);
                                    let sent = async {
                                        stream.write_all(&answer).await?;
                                        stream.flush().await
                                    };
                                    sent.await.unwrap();
                                    continue;
                                };
                                for range in ranges {
                                    let nth = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                                    let asked = Asked { hash, range };
                                    if !behave.answer(&mut stream, asked, nth).await {
                                        return;
                                    }
                                }
                            }
                        });
                    }
                }
            }
        });
        node.until(|peers| peers.iter().any(|p| p.peer_id == id)).await;
        Self { id, task }
    }

    pub fn vanish(&self) {
        self.task.abort();
    }

    pub fn aborter(&self) -> tokio::task::AbortHandle {
        self.task.abort_handle()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.vanish();
    }
}

pub fn raw_swarm(keypair: Keypair) -> libp2p::Swarm<libp2p_stream::Behaviour> {
    SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .unwrap()
        .with_swarm_config(|c| c.with_idle_connection_timeout(Duration::MAX))
        .build()
}

/// A raw stream to `node`'s server, and the task that keeps its swarm going.
pub async fn raw_streams(node: &Node, count: usize) -> (Vec<Stream>, tokio::task::JoinHandle<()>) {
    raw_streams_for(node, PROTOCOL, count).await
}

pub async fn raw_streams_for(
    node: &Node,
    protocol: StreamProtocol,
    count: usize,
) -> (Vec<Stream>, tokio::task::JoinHandle<()>) {
    let mut swarm = raw_swarm(Keypair::generate_ed25519());
    let mut control = swarm.behaviour().new_control();
    swarm.dial(node.address()).unwrap();
    while !matches!(
        swarm.select_next_some().await,
        SwarmEvent::ConnectionEstablished { .. }
    ) {}
    let task = tokio::spawn(async move {
        loop {
            swarm.select_next_some().await;
        }
    });
    let mut streams = Vec::new();
    for _ in 0..count {
        streams.push(control.open_stream(node.id(), protocol.clone()).await.unwrap());
    }
    (streams, task)
}

/// Sends what an honest peer would, of `bytes`.
pub async fn answer_honestly(stream: &mut Stream, bytes: &[u8], range: SliceRange) -> bool {
    let dir = TempDir::new().unwrap();
    let store = BlobStore::open(dir.path()).unwrap();
    let hash = store.put(bytes).unwrap();
    let slice = store.encode_slice(hash, range).unwrap().unwrap();
    send_found(stream, slice.total_size, &slice.bytes).await
}

pub async fn send_found(stream: &mut Stream, total_size: u64, slice: &[u8]) -> bool {
    let sent = async {
        stream.write_all(&encode_found(total_size)).await?;
        stream.write_all(slice).await?;
        stream.flush().await
    };
    sent.await.is_ok()
}

pub async fn send_status(stream: &mut Stream, status: Status) -> bool {
    stream.write_all(&[encode_status(status)]).await.is_ok() && stream.flush().await.is_ok()
}

pub fn absent() -> H256 {
    H256::repeat_byte(0xAB)
}

/// An address of 127.0.0.1 where nobody else listens.
pub fn free_address() -> Multiaddr {
    Multiaddr::empty()
        .with(Protocol::Ip4([127, 0, 0, 1].into()))
        .with(Protocol::Tcp(hydra_test_ports::free_ports(1)))
}

/// Whether this computer has IPv6: tests of it say otherwise what happens where it is missing.
pub fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}
