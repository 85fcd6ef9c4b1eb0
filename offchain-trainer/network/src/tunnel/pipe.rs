//! Carries bytes both ways between a socket of this PC and a stream to a peer.

use libp2p::Stream;
use std::{
    io,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy, split},
    net::TcpStream,
    time::{sleep, timeout},
};
use tokio_util::compat::FuturesAsyncReadCompatExt;

/// Nodes ping each other, so that bytes come from both many times in this time: a side from which none do has forgotten the connection,
/// or whoever carries its bytes keeps them.
const SILENCE: Duration = Duration::from_secs(60);
/// When one side has ended, the other one has so long to.
const LINGERS: Duration = Duration::from_secs(10);

/// Why nothing is carried any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Both sides have ended, or one has and the other took long.
    Ended,
    /// The program of this PC said nothing for one to two times [`SILENCE`].
    NearSilent,
    /// Nothing came from the peer for as long.
    FarSilent,
}

/// Carries them to the end.
///
/// # Errors
/// That one side failed.
pub(super) async fn carry(socket: TcpStream, stream: Stream) -> io::Result<End> {
    // What nodes say to each other is short, and blocks wait for it.
    socket.set_nodelay(true)?;
    let (near, far) = (AtomicU64::new(0), AtomicU64::new(0));
    let (from_socket, to_socket) = socket.into_split();
    let (from_stream, to_stream) = split(stream.compat());
    let mut out = Box::pin(pass(Counted(from_socket, &near), to_stream));
    let mut back = Box::pin(pass(Counted(from_stream, &far), to_socket));
    let first = tokio::select! {
        ended = &mut out => ended.map(|()| true),
        ended = &mut back => ended.map(|()| false),
        () = silence(&near) => return Ok(End::NearSilent),
        () = silence(&far) => return Ok(End::FarSilent),
    };
    let rest = match first? {
        true => timeout(LINGERS, back).await,
        false => timeout(LINGERS, out).await,
    };
    rest.unwrap_or(Ok(())).map(|()| End::Ended)
}

/// One way, and its end.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    copy(&mut from, &mut to).await?;
    to.shutdown().await
}

async fn silence(counter: &AtomicU64) {
    loop {
        let before = counter.load(Ordering::Relaxed);
        sleep(SILENCE).await;
        if counter.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

/// Counts what is read.
struct Counted<'a, R>(R, &'a AtomicU64);

impl<R: AsyncRead + Unpin> AsyncRead for Counted<'_, R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}
