//! Carries bytes both ways between a socket of this PC and a stream to a peer.

use libp2p::Stream;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes},
    net::TcpStream,
    time::sleep,
};
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// What is held of each direction at a time, in bytes.
const BUFFER: usize = 16 * 1024;
/// A connection over which nothing goes for so long is one that a side has forgotten: nodes ping each other much more often.
const SILENCE: Duration = Duration::from_secs(120);

/// Carries them until both sides have ended, one has failed, or nothing has moved for [`SILENCE`].
pub(super) async fn carry(socket: TcpStream, stream: Stream) -> io::Result<()> {
    // What nodes say to each other is short, and blocks wait for it.
    socket.set_nodelay(true)?;
    let moved = Arc::new(AtomicU64::new(0));
    let mut socket = Counted {
        socket,
        moved: moved.clone(),
    };
    let mut stream = stream.compat();
    let carried = copy_bidirectional_with_sizes(&mut socket, &mut stream, BUFFER, BUFFER);
    tokio::select! {
        carried = carried => carried.map(|_| ()),
        () = silence(&moved) => Err(io::ErrorKind::TimedOut.into()),
    }
}

async fn silence(moved: &AtomicU64) {
    loop {
        let before = moved.load(Ordering::Relaxed);
        sleep(SILENCE).await;
        if moved.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// Counts what goes through a socket, either way.
struct Counted {
    socket: TcpStream,
    moved: Arc<AtomicU64>,
}

impl Counted {
    fn count(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        self.count(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            self.count(written);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
