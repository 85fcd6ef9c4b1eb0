//! Where tunnels begin: a port on 127.0.0.1 that leads to another PC's node.

use super::{
    PATIENCE, PROTOCOL,
    pipe::{End, carry},
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
/// How long a peer that isn't connected may take to be, with its answer: a node waits for no longer than 10 s. What has begun by then goes
/// on, so that the next time it is quick.
const ARRIVAL: Duration = Duration::from_secs(9);
/// An answer that didn't come is asked for again after this, once: a stream that came with many others may have been dropped.
const ONCE_MORE: Duration = Duration::from_millis(300);
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
    #[error("it leads to the node {0} now")]
    OtherNode(PeerId),
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
    /// One ended because nothing came from the peer any more.
    silent: bool,
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

    /// Whether a connection through it ended because nothing came from the peer any more, as when somebody in between keeps what it should pass on.
    pub fn fell_silent(&self) -> bool {
        self.used.borrow().silent
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

/// Opens a port that leads to a node beside a trainer, given as (trainer, node).
pub(super) async fn dig(
    network: NetworkHandle,
    control: Control,
    (peer, node): (PeerId, PeerId),
    port: Option<u16>,
) -> Result<Tunnel, TunnelError> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let listener = match bind(port.unwrap_or(0)).await {
        Err(error) if port.is_some() && error.kind() == io::ErrorKind::AddrInUse => bind(0).await,
        bound => bound,
    };
    let listener = listener.map_err(TunnelError::Listen)?;
    let port = listener.local_addr().map_err(TunnelError::Listen)?.port();
    let (shown, used) = watch::channel(Used {
        open: 0,
        last: Instant::now(),
        silent: false,
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
        let reached = timeout(ARRIVAL, self.reach()).await;
        let stream = match reached.unwrap_or(Err(TunnelError::Away(self.peer))) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::debug!(trainer = %self.peer, "can't pass through a tunnel: {error}");
                return;
            }
        };
        let using = Using::begin(&self.shown);
        let ended = carry(socket, stream).await;
        tracing::debug!(peer = %self.peer, ?ended, "a connection through a tunnel ended");
        drop(using);
        // When our own node is the silent one, the way is none the worse.
        if matches!(ended, Ok(End::FarSilent)) {
            self.shown.send_modify(|used| used.silent = true);
        }
    }

    async fn reach(&self) -> Result<Stream, TunnelError> {
        let peer = self.peer;
        let mut visits = self.network.visit(&[peer]).await;
        if !self.network.is_connected(&peer) && !visits.one_more().await {
            return Err(TunnelError::Away(peer));
        }
        let (stream, found) = open(self.control.clone(), peer, Question::Connect).await?;
        match found == self.node {
            true => Ok(stream),
            false => Err(TunnelError::OtherNode(found)),
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
            ..*used
        }
    });
}

/// Asks, and once more if no answer came; returns the stream with the node that answered.
async fn open(control: Control, peer: PeerId, question: Question) -> Result<(Stream, PeerId), TunnelError> {
    match open_once(control.clone(), peer, question).await {
        Err(TunnelError::Stream { source, .. }) if source.kind() == io::ErrorKind::UnexpectedEof => {
            sleep(ONCE_MORE).await;
            open_once(control, peer, question).await
        }
        opened => opened,
    }
}

async fn open_once(
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
