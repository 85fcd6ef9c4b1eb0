//! Yamux, with frames and windows of our own choice.
//!
//! `libp2p-yamux` sends frames of 16 KiB, each encrypted, written and flushed by itself, and lets one connection's windows
//! grow to a gigabyte. This is the same protocol (`/yamux/1.0.0`), so that the other side needn't know, with frames that
//! fill the messages of the encryption below, and with a bound on what a peer can make us hold.
//!
//! Whoever waits for a stream is told when we close the connection ourselves: the library (0.13) wakes nobody then, and a fetch would
//! wait for a peer that has just been banned until its patience is over.

use futures::{AsyncRead, AsyncWrite, future, ready, task::AtomicWaker};
use libp2p::core::{
    muxing::{StreamMuxer, StreamMuxerEvent},
    upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo},
};
use std::{
    collections::VecDeque,
    io, iter,
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};
use yamux::{Connection, ConnectionError, Mode};

/// Bytes of content in a frame: with its header of 12 bytes, two of Noise's messages (64,511 bytes each) exactly.
pub(crate) const FRAME: usize = 2 * 64_511 - 12;
/// Bytes that a stream's window has from its start, as the protocol says.
const FIRST_WINDOW: usize = yamux::DEFAULT_CREDIT as usize;

/// How to speak Yamux.
#[derive(Debug, Clone)]
pub struct Config(yamux::Config, usize);

impl Config {
    /// `max_streams` on one connection, both directions together. `max_window` in bytes: what all of its streams together may
    /// be sent without our having read it; at least 256 KiB for each stream.
    pub fn new(max_streams: usize, max_window: usize) -> Self {
        let mut config = yamux::Config::default();
        let max_window = max_window.max(max_streams.saturating_mul(FIRST_WINDOW));
        // In an order in which the window is never too small for the streams.
        config.set_max_connection_receive_window(None);
        config.set_max_num_streams(max_streams);
        config.set_max_connection_receive_window(Some(max_window));
        config.set_split_send_size(FRAME);
        Self(config, max_streams)
    }

    fn muxer<C: AsyncRead + AsyncWrite + Unpin>(self, io: C, mode: Mode) -> Muxer<C> {
        Muxer {
            connection: Connection::new(io, self.0, mode),
            opened: VecDeque::new(),
            waiting: None,
            max_opened: self.1,
            ends: Vec::new(),
        }
    }
}

impl UpgradeInfo for Config {
    type Info = &'static str;
    type InfoIter = iter::Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> InboundConnectionUpgrade<C> for Config {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = future::Ready<io::Result<Muxer<C>>>;

    fn upgrade_inbound(self, io: C, _: Self::Info) -> Self::Future {
        future::ready(Ok(self.muxer(io, Mode::Server)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> OutboundConnectionUpgrade<C> for Config {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = future::Ready<io::Result<Muxer<C>>>;

    fn upgrade_outbound(self, io: C, _: Self::Info) -> Self::Future {
        future::ready(Ok(self.muxer(io, Mode::Client)))
    }
}

/// One connection with its streams.
#[derive(Debug)]
pub struct Muxer<C> {
    connection: Connection<C>,
    /// Streams that the peer has opened and nobody has taken yet. Bytes only move while new streams are asked for, so some
    /// turn up when nobody wants them.
    opened: VecDeque<Substream>,
    /// Who wants the next one.
    waiting: Option<Waker>,
    max_opened: usize,
    /// Of all streams that somebody has.
    ends: Vec<Weak<End>>,
}

/// One of them.
#[derive(Debug)]
pub struct Substream {
    inner: yamux::Stream,
    end: Arc<End>,
}

/// Whether we have closed the connection, and who is to know that.
#[derive(Debug, Default)]
struct End {
    has_come: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

impl End {
    /// What pends has failed if the end has come; otherwise `waker` is told when it does.
    fn or<T>(
        &self,
        polled: Poll<io::Result<T>>,
        waker: &AtomicWaker,
        cx: &Context<'_>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            return polled;
        }
        // In this order: the end may come between the two.
        waker.register(cx.waker());
        match self.has_come.load(Ordering::SeqCst) {
            true => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            false => Poll::Pending,
        }
    }
}

impl AsyncRead for Substream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let Self { inner, end } = self.get_mut();
        let polled = Pin::new(inner).poll_read(cx, buffer);
        end.or(polled, &end.reader, cx)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [io::IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let Self { inner, end } = self.get_mut();
        let polled = Pin::new(inner).poll_read_vectored(cx, buffers);
        end.or(polled, &end.reader, cx)
    }
}

impl AsyncWrite for Substream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { inner, end } = self.get_mut();
        let polled = Pin::new(inner).poll_write(cx, bytes);
        end.or(polled, &end.writer, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, end } = self.get_mut();
        let polled = Pin::new(inner).poll_flush(cx);
        end.or(polled, &end.writer, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { inner, end } = self.get_mut();
        let polled = Pin::new(inner).poll_close(cx);
        end.or(polled, &end.writer, cx)
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    fn poll_opened(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        Poll::Ready(match ready!(self.connection.poll_next_inbound(cx)) {
            Some(opened) => opened.map(|inner| self.stream(inner)).map_err(as_io),
            None => Err(as_io(ConnectionError::Closed)),
        })
    }

    fn stream(&mut self, inner: yamux::Stream) -> Substream {
        // Those that are gone are forgotten whenever they may be half of all.
        if self.ends.len() >= self.ends.capacity() {
            self.ends.retain(|end| end.strong_count() > 0);
            self.ends.reserve(self.ends.len().max(8));
        }
        let end = Arc::<End>::default();
        self.ends.push(Arc::downgrade(&end));
        Substream { inner, end }
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = Substream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        let this = self.get_mut();
        if let Some(stream) = this.opened.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        let polled = this.poll_opened(cx);
        if polled.is_pending() {
            this.waiting = Some(cx.waker().clone());
        }
        polled
    }

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Substream>> {
        let this = self.get_mut();
        let opened = ready!(this.connection.poll_new_outbound(cx));
        Poll::Ready(opened.map(|inner| this.stream(inner)).map_err(as_io))
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        for end in this.ends.drain(..).filter_map(|end| end.upgrade()) {
            end.has_come.store(true, Ordering::SeqCst);
            end.reader.wake();
            end.writer.wake();
        }
        this.connection.poll_close(cx).map_err(as_io)
    }

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        let this = self.get_mut();
        let stream = ready!(this.poll_opened(cx))?;
        // One too many is dropped, which resets it.
        if this.opened.len() < this.max_opened {
            this.opened.push_back(stream);
            if let Some(waiting) = this.waiting.take() {
                waiting.wake();
            }
        }
        // There may be more; others first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn as_io(error: ConnectionError) -> io::Error {
    match error {
        ConnectionError::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{AsyncReadExt, future::poll_fn};
    use libp2p::tcp::tokio::TcpStream;
    use std::time::Duration;
    use tokio::{net::TcpListener, task::yield_now, time::timeout};

    #[tokio::test]
    async fn who_reads_is_told_when_we_close_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let ours = tokio::net::TcpStream::connect(address).await.unwrap();
        let _theirs = listener.accept().await.unwrap();
        let mut muxer = Config::new(8, 0).muxer(TcpStream(ours), Mode::Client);
        let opened = poll_fn(|cx| Pin::new(&mut muxer).poll_outbound(cx)).await;
        let mut stream = opened.unwrap();
        let reading = tokio::spawn(async move { stream.read(&mut [0]).await });
        // It waits when the end comes.
        for _ in 0..3 {
            yield_now().await;
        }
        poll_fn(|cx| Pin::new(&mut muxer).poll_close(cx)).await.unwrap();
        let read = timeout(Duration::from_secs(5), reading).await;
        assert!(read.expect("it waits for ever").unwrap().is_err());
    }

    #[test]
    fn a_window_too_small_for_its_streams_is_made_larger() {
        let Config(config, _) = Config::new(64, 0);
        assert!(format!("{config:?}").contains(&format!("Some({})", 64 * FIRST_WINDOW)));
        let Config(config, _) = Config::new(1000, 1 << 30);
        assert!(format!("{config:?}").contains(&format!("Some({})", 1 << 30)));
    }
}
