//! Where tunnels begin: a port on 127.0.0.1 that leads to another PC's node.

use super::{
    PATIENCE, PROTOCOL,
    pipe::carry,
    wire::{Question, read_answer},
};
use crate::{handle::NetworkHandle, service::AbortOnDrop};
use futures::AsyncWriteExt;
use libp2p::{PeerId, Stream};
use libp2p_stream::{Control, OpenStreamError};
use std::{io, net::Ipv4Addr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

/// Connections through one tunnel at a time: the node's, and one that is still closing.
const AT_ONCE: usize = 2;
/// How long a peer that isn't connected may take to be.
const ARRIVAL: Duration = Duration::from_secs(20);
/// After the system refused a connection: it has no file left for one.
const BREATH: Duration = Duration::from_secs(1);

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// It isn't connected, and can't be.
    #[error("the trainer {0} isn't connected")]
    Away(PeerId),
    /// It knows nothing of tunnels.
    #[error("the trainer {0} has no tunnels: it is of an older release")]
    NoProtocol(PeerId),
    /// There is no node beside it, or no place for another tunnel.
    #[error("the trainer {0} leads to no node now")]
    NoNode(PeerId),
    /// Another node than before stands beside it.
    #[error("the trainer {peer} leads to the node {found} now")]
    OtherNode {
        /// The trainer.
        peer: PeerId,
        /// Its node.
        found: PeerId,
    },
    /// The stream failed.
    #[error("the trainer {peer} didn't answer: {source}")]
    Stream {
        /// The trainer.
        peer: PeerId,
        /// Why.
        source: io::Error,
    },
    /// This PC gives no port.
    #[error("no port on 127.0.0.1 could be opened: {0}")]
    Listen(io::Error),
}

/// A way to another PC's node, open until this is dropped.
#[derive(Debug)]
pub struct Tunnel {
    peer: PeerId,
    node: PeerId,
    port: u16,
    used: watch::Receiver<Used>,
    _task: AbortOnDrop,
}

/// How much a tunnel is used.
#[derive(Debug, Clone, Copy)]
struct Used {
    /// Connections that go through it.
    open: usize,
    /// When the last one began or ended.
    last: Instant,
}

impl Tunnel {
    /// The trainer that it leads through.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// The node that it leads to.
    pub fn node(&self) -> PeerId {
        self.node
    }

    /// The port on 127.0.0.1 where it begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// For how long nothing has gone through it: zero while a connection does.
    pub fn idle(&self) -> Duration {
        let used = *self.used.borrow();
        match used.open {
            0 => used.last.elapsed(),
            _ => Duration::ZERO,
        }
    }
}

/// Which node stands beside a connected trainer.
pub(super) async fn ask(control: Control, peer: PeerId) -> Result<PeerId, TunnelError> {
    let (_, node) = open(control, peer, Question::Who).await?;
    Ok(node)
}

/// Opens a port that leads to `node` beside the trainer `peer`.
pub(super) async fn dig(
    network: NetworkHandle,
    control: Control,
    peer: PeerId,
    node: PeerId,
) -> Result<Tunnel, TunnelError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(TunnelError::Listen)?;
    let port = listener.local_addr().map_err(TunnelError::Listen)?.port();
    let (shown, used) = watch::channel(Used {
        open: 0,
        last: Instant::now(),
    });
    let tunnel = Arc::new(Way {
        network,
        control,
        peer,
        node,
        shown,
    });
    let task = tokio::spawn(tunnel.lead(listener));
    Ok(Tunnel {
        peer,
        node,
        port,
        used,
        _task: AbortOnDrop(task.abort_handle()),
    })
}

/// What all connections through one tunnel share.
struct Way {
    network: NetworkHandle,
    control: Control,
    peer: PeerId,
    node: PeerId,
    shown: watch::Sender<Used>,
}

impl Way {
    async fn lead(self: Arc<Self>, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                Some(_) = connections.join_next() => continue,
                accepted = listener.accept() => accepted,
            };
            let socket = match accepted {
                Ok((socket, _)) => socket,
                Err(error) => {
                    tracing::debug!(%error, "a tunnel's entrance has trouble");
                    sleep(BREATH).await;
                    continue;
                }
            };
            // Whoever finds no place sees its connection close.
            if let Ok(place) = places.clone().try_acquire_owned() {
                let way = self.clone();
                connections.spawn(async move {
                    way.pass(socket).await;
                    drop(place);
                });
            }
        }
    }

    async fn pass(&self, socket: TcpStream) {
        let stream = match self.reach().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!("can't pass through a tunnel: {error}");
                return;
            }
        };
        let using = Using::begin(&self.shown);
        let ended = carry(socket, stream).await;
        tracing::debug!(peer = %self.peer, ?ended, "a connection through a tunnel ended");
        drop(using);
    }

    async fn reach(&self) -> Result<Stream, TunnelError> {
        let peer = self.peer;
        let mut visits = self.network.visit(&[peer]).await;
        if !self.network.is_connected(&peer) {
            let arrived = timeout(ARRIVAL, visits.one_more()).await;
            if !arrived.unwrap_or(false) {
                return Err(TunnelError::Away(peer));
            }
        }
        let (stream, found) = open(self.control.clone(), peer, Question::Connect).await?;
        match found == self.node {
            true => Ok(stream),
            false => Err(TunnelError::OtherNode { peer, found }),
        }
    }
}

/// One connection, counted as long as it is there.
struct Using<'a>(&'a watch::Sender<Used>);

impl<'a> Using<'a> {
    fn begin(shown: &'a watch::Sender<Used>) -> Self {
        note(shown, 1);
        Self(shown)
    }
}

impl Drop for Using<'_> {
    fn drop(&mut self) {
        note(self.0, -1);
    }
}

fn note(shown: &watch::Sender<Used>, change: isize) {
    shown.send_modify(|used| {
        *used = Used {
            open: used.open.saturating_add_signed(change),
            last: Instant::now(),
        }
    });
}

/// Asks, and returns the stream with the node that answered.
async fn open(
    mut control: Control,
    peer: PeerId,
    question: Question,
) -> Result<(Stream, PeerId), TunnelError> {
    let failed = |source| TunnelError::Stream { peer, source };
    let opening = async {
        let mut stream = match control.open_stream(peer, PROTOCOL).await {
            Ok(stream) => stream,
            Err(OpenStreamError::UnsupportedProtocol(_)) => return Err(TunnelError::NoProtocol(peer)),
            Err(OpenStreamError::Io(source)) => return Err(failed(source)),
            Err(error) => return Err(failed(io::Error::other(error.to_string()))),
        };
        stream.write_all(&question.encode()).await.map_err(failed)?;
        stream.flush().await.map_err(failed)?;
        match read_answer(&mut stream).await.map_err(failed)? {
            Some(node) => Ok((stream, node)),
            None => Err(TunnelError::NoNode(peer)),
        }
    };
    let opened = timeout(PATIENCE, opening).await;
    opened.unwrap_or_else(|_| Err(failed(io::ErrorKind::TimedOut.into())))
}
