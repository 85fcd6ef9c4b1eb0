//! A buffer under the encryption: Noise reads 8 KiB at a time, and each would be a call of the system.
//!
//! A quiet connection has no buffer, since there may be hundreds; one on which much arrives has a large one. What is
//! written goes through as it is: Noise and the multiplexer above collect it already.

use futures::{AsyncRead, AsyncWrite, ready};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

/// Bytes of the buffer.
const SIZE: usize = 256 * 1024;
/// Who reads that much at a time and gets it is likely to get more.
const MUCH: usize = 8 * 1024;
/// After so many reads in a row that brought less, there is no buffer any more.
const QUIET: u32 = 64;

/// Reads ahead.
#[derive(Debug)]
pub struct Buffered<S> {
    inner: S,
    /// Empty, or of its full size.
    buffer: Box<[u8]>,
    /// What has been read and not taken: from here
    start: usize,
    /// to here.
    end: usize,
    quiet: u32,
}

impl<S> Buffered<S> {
    /// Over `inner`.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            buffer: Box::default(),
            start: 0,
            end: 0,
            quiet: 0,
        }
    }

    /// Makes the buffer or does without it, as the last read of so many bytes says. Only while it is empty.
    fn adapt(&mut self, read: usize) {
        self.quiet = match read >= MUCH {
            true => 0,
            false => self.quiet.saturating_add(1),
        };
        if self.quiet == 0 && self.buffer.is_empty() {
            self.buffer = vec![0; SIZE].into();
        } else if self.quiet > QUIET {
            self.buffer = Box::default();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Buffered<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.start == this.end {
            // No buffer, or nothing to gain from a copy.
            if to.len() >= this.buffer.len() {
                let read = ready!(Pin::new(&mut this.inner).poll_read(cx, to))?;
                this.adapt(read);
                return Poll::Ready(Ok(read));
            }
            (this.start, this.end) = (0, 0);
            this.end = ready!(Pin::new(&mut this.inner).poll_read(cx, &mut this.buffer))?;
        }
        let there = &this.buffer[this.start..this.end];
        let count = there.len().min(to.len());
        to[..count].copy_from_slice(&there[..count]);
        this.start += count;
        if this.start == this.end {
            this.adapt(this.end);
        }
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Buffered<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, from)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write_vectored(cx, from)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{AsyncReadExt, executor::block_on, io::Cursor};

    #[test]
    fn what_is_read_is_what_was_sent_and_the_buffer_follows_the_traffic() {
        let sent: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
        let mut buffered = Buffered::new(Cursor::new(sent.clone()));
        let (mut got, mut part) = (Vec::<u8>::new(), vec![0; MUCH]);
        let mut largest = 0;
        loop {
            let read = block_on(buffered.read(&mut part)).unwrap();
            if read == 0 {
                break;
            }
            got.extend(&part[..read]);
            largest = largest.max(buffered.buffer.len());
        }
        assert!(got == sent);
        assert_eq!(largest, SIZE);
    }

    /// Gives ten bytes at a time.
    struct Drips;

    impl AsyncRead for Drips {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, to: &mut [u8]) -> Poll<io::Result<usize>> {
            to[..10].fill(7);
            Poll::Ready(Ok(10))
        }
    }

    #[test]
    fn a_quiet_connection_has_no_buffer() {
        let mut buffered = Buffered::new(Drips);
        buffered.buffer = vec![0; SIZE].into();
        for _ in 0..200 {
            block_on(buffered.read_exact(&mut [0; 10])).unwrap();
        }
        assert_eq!(buffered.buffer.len(), 0);
    }
}
