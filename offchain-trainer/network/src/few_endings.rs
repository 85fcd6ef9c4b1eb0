//! Streams that say a few times that they have ended, and then nothing more.
//!
//! Handlers of libp2p read on after an error, for ever: that of AutoNAT's dial-backs (0.16, what was left of rust-libp2p #5816) asks a
//! stream that the other side has closed again and again, for five seconds, without letting anything else of its thread run. Whoever
//! opens such streams and closes them would stop this PC, and a network in which answers come late stops itself. So who is told that
//! often waits, until something else ends it. Must never keep back anything that can still be read.

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox, StreamMuxerEvent, SubstreamBox};
use std::{
    io::{self, IoSlice, IoSliceMut},
    pin::Pin,
    task::{Context, Poll},
};

/// Nobody who understands it asks as often, without writing anything: a relay reads again with whatever goes the other way.
const MOST: u8 = 16;

/// A connection whose streams are of this kind.
pub(crate) struct FewEndings(pub(crate) StreamMuxerBox);

/// One of them.
pub(crate) struct Stream {
    inner: SubstreamBox,
    /// In a row, with nothing written in between.
    endings: u8,
}

impl Stream {
    fn new(inner: SubstreamBox) -> Self {
        Self { inner, endings: 0 }
    }

    /// Does `read`, unless the end was told often enough. What reads nothing because there is no room for it, is no end.
    fn reading(
        &mut self,
        room: bool,
        read: impl FnOnce(Pin<&mut SubstreamBox>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.endings >= MOST {
            return Poll::Pending;
        }
        let polled = read(Pin::new(&mut self.inner));
        match &polled {
            Poll::Ready(Ok(0)) if room => self.endings += 1,
            Poll::Ready(Err(_)) => self.endings += 1,
            Poll::Ready(Ok(_)) => self.endings = 0,
            Poll::Pending => {}
        }
        polled
    }

    fn wrote(&mut self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(polled, Poll::Ready(Ok(1..))) {
            self.endings = 0;
        }
        polled
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.get_mut()
            .reading(!buffer.is_empty(), |inner| inner.poll_read(cx, buffer))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let room = buffers.iter().any(|buffer| !buffer.is_empty());
        self.get_mut()
            .reading(room, |inner| inner.poll_read_vectored(cx, buffers))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.inner).poll_write_vectored(cx, buffers);
        self.wrote(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}

impl StreamMuxer for FewEndings {
    type Substream = Stream;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        Pin::new(&mut self.0).poll_inbound(cx).map_ok(Stream::new)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Stream>> {
        Pin::new(&mut self.0).poll_outbound(cx).map_ok(Stream::new)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        Pin::new(&mut self.0).poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{AsyncReadExt, AsyncWriteExt, io::Cursor, poll};

    fn stream(content: &[u8]) -> Stream {
        Stream::new(SubstreamBox::new(Cursor::new(content.to_vec())))
    }

    #[tokio::test]
    async fn what_is_there_is_read_and_its_end_is_told_a_few_times() {
        let mut stream = stream(b"abc");
        let mut content = Vec::new();
        stream.read_to_end(&mut content).await.unwrap();
        assert_eq!(content, b"abc");
        let mut told = 0;
        while let Poll::Ready(read) = poll!(stream.read(&mut [0; 2])) {
            assert_eq!(read.unwrap(), 0);
            told += 1;
        }
        assert!((1..MOST).contains(&told), "{told}");
        assert!(poll!(stream.read(&mut [0; 2])).is_pending());
    }

    #[tokio::test]
    async fn who_still_writes_is_told_each_time() {
        let mut stream = stream(b"");
        for _ in 0..3 * MOST {
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
            stream.write_all(b"x").await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_has_no_room_for_anything_is_told_of_no_end() {
        let mut stream = stream(b"abc");
        for _ in 0..2 * MOST {
            assert_eq!(stream.read(&mut []).await.unwrap(), 0);
        }
        for byte in b"abc" {
            let mut read = [0];
            stream.read_exact(&mut read).await.unwrap();
            assert_eq!(read, [*byte]);
        }
    }
}
