//! Yamux, with frames and windows of our own choice.
//!
//! `libp2p-yamux` sends frames of 16 KiB, each encrypted, written and flushed by itself, and lets one connection's windows
//! grow to a gigabyte. This is the same protocol (`/yamux/1.0.0`), so that the other side needn't know, with frames that
//! fill the messages of the encryption below, and with a bound on what a peer can make us hold.

use futures::{AsyncRead, AsyncWrite, future, ready};
use libp2p::core::{
    muxing::{StreamMuxer, StreamMuxerEvent},
    upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo},
};
use std::{
    collections::VecDeque,
    io, iter,
    pin::Pin,
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
    opened: VecDeque<yamux::Stream>,
    /// Who wants the next one.
    waiting: Option<Waker>,
    max_opened: usize,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    fn poll_opened(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<yamux::Stream>> {
        Poll::Ready(match ready!(self.connection.poll_next_inbound(cx)) {
            Some(opened) => opened.map_err(as_io),
            None => Err(as_io(ConnectionError::Closed)),
        })
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = yamux::Stream;
    type Error = io::Error;

    fn poll_inbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<yamux::Stream>> {
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

    fn poll_outbound(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<yamux::Stream>> {
        self.get_mut().connection.poll_new_outbound(cx).map_err(as_io)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().connection.poll_close(cx).map_err(as_io)
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

    #[test]
    fn a_window_too_small_for_its_streams_is_made_larger() {
        let Config(config, _) = Config::new(64, 0);
        assert!(format!("{config:?}").contains(&format!("Some({})", 64 * FIRST_WINDOW)));
        let Config(config, _) = Config::new(1000, 1 << 30);
        assert!(format!("{config:?}").contains(&format!("Some({})", 1 << 30)));
    }
}
