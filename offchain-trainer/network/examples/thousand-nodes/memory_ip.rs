//! A network in memory in which every node has an IPv4 address of its own, and peers are who they say they are.
//!
//! A node reaches another at `/ip4/…/tcp/…`; a stream is a pair of queues. Nothing is encrypted or signed: the one who made a node's
//! transport says who it is, and what is measured lies above.

use futures::{AsyncRead, AsyncWrite, FutureExt, future::BoxFuture};
use libp2p::{
    Multiaddr, PeerId, Transport,
    core::{
        StreamMuxer,
        muxing::{StreamMuxerBox, StreamMuxerEvent},
        transport::{DialOpts, ListenerId, TransportError, TransportEvent},
    },
    multiaddr::Protocol,
};
use std::{
    collections::{HashMap, VecDeque},
    future::{Ready, ready},
    io,
    net::{Ipv4Addr, SocketAddrV4},
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// Bytes that wait in one direction of a stream.
const WAITING: usize = 64 * 1024;
/// How long who dials a silent node waits.
const PATIENCE: Duration = Duration::from_secs(10);

type Output = (PeerId, StreamMuxerBox);

/// All that are in the network. Clones share it.
#[derive(Clone, Default)]
pub struct Hub {
    listeners: Arc<Mutex<HashMap<SocketAddrV4, Listener>>>,
    traffic: Arc<Traffic>,
}

/// Connections that were made and have ended, and how long those have lasted together.
#[derive(Default)]
struct Traffic {
    made: AtomicU64,
    ended: AtomicU64,
    lasted_ms: AtomicU64,
}

/// The same, at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Connections {
    pub made: u64,
    pub ended: u64,
    pub lasted: Duration,
}

struct Listener {
    peer: PeerId,
    /// None: it takes connections and says nothing.
    arrivals: Option<mpsc::UnboundedSender<Arrival>>,
}

struct Arrival {
    from: SocketAddrV4,
    peer: PeerId,
    muxer: Muxer,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// From now on whoever dials this address waits in vain.
    pub fn silence(&self, address: SocketAddrV4, peer: PeerId) {
        lock(&self.listeners).insert(address, Listener { peer, arrivals: None });
    }

    /// A node's way into the network.
    pub fn transport(&self, peer: PeerId, ip: Ipv4Addr) -> MemoryIp {
        MemoryIp {
            hub: self.clone(),
            peer,
            ip,
            next_port: 40_000,
            listener: None,
            events: VecDeque::new(),
        }
    }

    /// Of all nodes together.
    pub fn connections(&self) -> Connections {
        let Traffic {
            made,
            ended,
            lasted_ms,
        } = &*self.traffic;
        Connections {
            made: made.load(Ordering::Relaxed),
            ended: ended.load(Ordering::Relaxed),
            lasted: Duration::from_millis(lasted_ms.load(Ordering::Relaxed)),
        }
    }

    fn reach(&self, to: SocketAddrV4, from: SocketAddrV4, by: PeerId) -> Result<Option<Output>, io::Error> {
        let listeners = lock(&self.listeners);
        let listener = listeners.get(&to).ok_or(io::ErrorKind::ConnectionRefused)?;
        let Some(arrivals) = &listener.arrivals else {
            return Ok(None);
        };
        let (mut here, there) = Muxer::pair();
        let arrival = Arrival {
            from,
            peer: by,
            muxer: there,
        };
        arrivals
            .send(arrival)
            .map_err(|_| io::ErrorKind::ConnectionRefused)?;
        self.traffic.made.fetch_add(1, Ordering::Relaxed);
        here.counted = Some((Instant::now(), self.traffic.clone()));
        Ok(Some((listener.peer, StreamMuxerBox::new(here))))
    }
}

/// A node's way into the network. One listener.
pub struct MemoryIp {
    hub: Hub,
    peer: PeerId,
    ip: Ipv4Addr,
    next_port: u16,
    listener: Option<(ListenerId, SocketAddrV4, mpsc::UnboundedReceiver<Arrival>)>,
    events: VecDeque<TransportEvent<Ready<io::Result<Output>>, io::Error>>,
}

pub fn address(socket: SocketAddrV4) -> Multiaddr {
    Multiaddr::empty()
        .with(Protocol::Ip4(*socket.ip()))
        .with(Protocol::Tcp(socket.port()))
}

fn socket(address: &Multiaddr) -> Option<SocketAddrV4> {
    let mut parts = address.iter();
    match (parts.next()?, parts.next()?, parts.next()) {
        (Protocol::Ip4(ip), Protocol::Tcp(port), None | Some(Protocol::P2p(_))) => {
            Some(SocketAddrV4::new(ip, port))
        }
        _ => None,
    }
}

impl Transport for MemoryIp {
    type Output = Output;
    type Error = io::Error;
    type ListenerUpgrade = Ready<io::Result<Output>>;
    type Dial = BoxFuture<'static, io::Result<Output>>;

    fn listen_on(&mut self, id: ListenerId, wanted: Multiaddr) -> Result<(), TransportError<io::Error>> {
        let Some(at) = socket(&wanted).filter(|at| *at.ip() == self.ip) else {
            return Err(TransportError::MultiaddrNotSupported(wanted));
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        let listener = Listener {
            peer: self.peer,
            arrivals: Some(sender),
        };
        lock(&self.hub.listeners).insert(at, listener);
        self.listener = Some((id, at, receiver));
        self.events.push_back(TransportEvent::NewAddress {
            listener_id: id,
            listen_addr: wanted,
        });
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        let listener = self.listener.take_if(|(own, ..)| *own == id);
        if let Some((_, at, _)) = &listener {
            lock(&self.hub.listeners).remove(at);
        }
        listener.is_some()
    }

    fn dial(&mut self, to: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        let Some(to) = socket(&to) else {
            return Err(TransportError::MultiaddrNotSupported(to));
        };
        self.next_port = self.next_port.checked_add(1).unwrap_or(40_000);
        let (hub, peer) = (self.hub.clone(), self.peer);
        let from = SocketAddrV4::new(self.ip, self.next_port);
        Ok(async move {
            // Others go on meanwhile, as over a wire.
            tokio::task::yield_now().await;
            match hub.reach(to, from, peer)? {
                Some(connection) => Ok(connection),
                None => {
                    tokio::time::sleep(PATIENCE).await;
                    Err(io::ErrorKind::TimedOut.into())
                }
            }
        }
        .boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        if let Some(event) = self.events.pop_front() {
            return Poll::Ready(event);
        }
        let Some((id, at, arrivals)) = &mut self.listener else {
            return Poll::Pending;
        };
        match arrivals.poll_recv(cx) {
            Poll::Ready(Some(Arrival { from, peer, muxer })) => Poll::Ready(TransportEvent::Incoming {
                listener_id: *id,
                upgrade: ready(Ok((peer, StreamMuxerBox::new(muxer)))),
                local_addr: address(*at),
                send_back_addr: address(from),
            }),
            // Somebody silenced it.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// One side of a connection.
struct Muxer {
    inbound: Arc<Mutex<Opened>>,
    outbound: Arc<Mutex<Opened>>,
    /// At whoever dialled: since when, and where it is counted.
    counted: Option<(Instant, Arc<Traffic>)>,
}

/// Streams that one side has opened and the other hasn't taken yet.
#[derive(Default)]
struct Opened {
    streams: VecDeque<Pipe>,
    closed: bool,
    waker: Option<Waker>,
}

impl Opened {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Muxer {
    fn pair() -> (Self, Self) {
        let (one, other) = (Arc::<Mutex<Opened>>::default(), Arc::<Mutex<Opened>>::default());
        let here = Self {
            inbound: one.clone(),
            outbound: other.clone(),
            counted: None,
        };
        let there = Self {
            inbound: other,
            outbound: one,
            counted: None,
        };
        (here, there)
    }

    fn close(&self) {
        for side in [&self.inbound, &self.outbound] {
            let mut side = lock(side);
            side.closed = true;
            side.wake();
        }
    }
}

impl Drop for Muxer {
    fn drop(&mut self) {
        self.close();
        if let Some((since, traffic)) = self.counted.take() {
            let lasted = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            traffic.ended.fetch_add(1, Ordering::Relaxed);
            traffic.lasted_ms.fetch_add(lasted, Ordering::Relaxed);
        }
    }
}

impl StreamMuxer for Muxer {
    type Substream = Pipe;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Pipe>> {
        let mut inbound = lock(&self.inbound);
        if let Some(stream) = inbound.streams.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        if inbound.closed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        inbound.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_outbound(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<Pipe>> {
        let mut outbound = lock(&self.outbound);
        if outbound.closed {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let (here, there) = Pipe::pair();
        outbound.streams.push_back(there);
        outbound.wake();
        Poll::Ready(Ok(here))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.close();
        Poll::Ready(Ok(()))
    }

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Poll::Pending
    }
}

/// One side of a stream.
struct Pipe {
    read: Arc<Mutex<Direction>>,
    write: Arc<Mutex<Direction>>,
}

#[derive(Default)]
struct Direction {
    bytes: VecDeque<u8>,
    /// No more comes.
    ended: bool,
    /// Nobody reads any more.
    abandoned: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    fn pair() -> (Self, Self) {
        let (one, other) = (
            Arc::<Mutex<Direction>>::default(),
            Arc::<Mutex<Direction>>::default(),
        );
        let here = Self {
            read: one.clone(),
            write: other.clone(),
        };
        let there = Self {
            read: other,
            write: one,
        };
        (here, there)
    }

    fn end(&self) {
        let mut write = lock(&self.write);
        write.ended = true;
        if let Some(reader) = write.reader.take() {
            reader.wake();
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.end();
        let mut read = lock(&self.read);
        read.abandoned = true;
        if let Some(writer) = read.writer.take() {
            writer.wake();
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = lock(&self.read);
        if read.bytes.is_empty() {
            if read.ended {
                return Poll::Ready(Ok(0));
            }
            read.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = io::Read::read(&mut read.bytes, into)?;
        if let Some(writer) = read.writer.take() {
            writer.wake();
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut write = lock(&self.write);
        if write.abandoned || write.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = WAITING.saturating_sub(write.bytes.len());
        if room == 0 && !bytes.is_empty() {
            write.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let count = room.min(bytes.len());
        write.bytes.extend(bytes.iter().take(count));
        if let Some(reader) = write.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end();
        Poll::Ready(Ok(()))
    }
}
