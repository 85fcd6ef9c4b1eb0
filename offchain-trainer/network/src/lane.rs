//! One stream to a peer, on which questions may follow each other before they are answered.
//!
//! Answers come in the order of the questions, so who asked first reads first. When somebody gives up in between, nobody
//! knows any more where the next answer begins: the lane is *broken*, and those who wait on it ask again on another one.

use crate::{error::PeerFault, progress::Progress};
use futures::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, FutureExt,
    io::{ReadHalf, WriteHalf},
};
use libp2p::Stream;
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{sync::OwnedMutexGuard, time::timeout};

/// An open stream.
pub(crate) struct Lane<S = Stream> {
    writer: tokio::sync::Mutex<WriteHalf<S>>,
    reader: Arc<tokio::sync::Mutex<ReadHalf<S>>>,
    users: AtomicUsize,
    /// The least important class among those who use it.
    class: AtomicUsize,
    broken: AtomicBool,
    used: Mutex<Instant>,
}

/// Somebody's use of a lane, from the first byte of the question to the last one of the answer.
pub(crate) struct Use<S = Stream> {
    lane: Arc<Lane<S>>,
    /// Something has been written, and not all of the answer read.
    is_open: bool,
    /// Set when it is our turn to read. Whoever is behind may only have it once the lane is known to be broken, if it is, so it goes
    /// with us.
    reader: Option<OwnedMutexGuard<ReadHalf<S>>>,
}

impl<S: AsyncRead + AsyncWrite> Lane<S> {
    pub(crate) fn new(stream: S) -> Arc<Self> {
        let (reader, writer) = stream.split();
        Arc::new(Self {
            writer: tokio::sync::Mutex::new(writer),
            reader: Arc::new(tokio::sync::Mutex::new(reader)),
            users: AtomicUsize::new(0),
            class: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            used: Mutex::new(Instant::now()),
        })
    }
}

impl<S> Lane<S> {
    /// How many questions are open on it.
    pub(crate) fn users(&self) -> usize {
        self.users.load(Ordering::Acquire)
    }

    /// Whether nobody is on it who is less important than `class`: who asks on it then waits for no such.
    pub(crate) fn is_for(&self, class: usize) -> bool {
        self.users() == 0 || self.class.load(Ordering::Acquire) <= class
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// It leads nowhere any more.
    pub(crate) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// For how long nobody has used it.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (self.users() == 0).then(|| used.elapsed())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Use<S> {
    /// For somebody of this class, the lower the more important.
    pub(crate) fn new(lane: Arc<Lane<S>>, class: usize) -> Self {
        match lane.users.fetch_add(1, Ordering::AcqRel) {
            0 => lane.class.store(class, Ordering::Release),
            _ => _ = lane.class.fetch_max(class, Ordering::AcqRel),
        }
        Self {
            lane,
            is_open: false,
            reader: None,
        }
    }

    /// Sends a question, and waits until the answers to those before have been read. `None` if the lane is broken.
    ///
    /// The peer has `patience` to take the question: it may grant us nothing to write with.
    pub(crate) async fn ask(
        &mut self,
        question: &[u8],
        patience: Duration,
        progress: &Progress,
    ) -> Result<Option<&mut ReadHalf<S>>, PeerFault> {
        progress.begin();
        let sent = timeout(patience, async {
            let mut writer = self.lane.writer.lock().await;
            if self.lane.is_broken() {
                return Ok(None);
            }
            self.is_open = true;
            writer.write_all(question).await?;
            writer.flush().await?;
            let mut turn = Box::pin(self.lane.reader.clone().lock_owned());
            // In the queue of readers before anybody else can write: in the order of the questions.
            let at_once = (&mut turn).now_or_never();
            Ok(Some((turn, at_once)))
        });
        let sent: io::Result<_> = sent.await.map_err(|_| PeerFault::Stalled(patience))?;
        let Some((turn, at_once)) = sent.map_err(lost)? else {
            return Ok(None);
        };
        let reader = match at_once {
            Some(reader) => reader,
            None => {
                progress.queue();
                let reader = turn.await;
                progress.begin();
                reader
            }
        };
        let reader = self.reader.insert(reader);
        Ok((!self.lane.is_broken()).then_some(&mut **reader))
    }

    /// All of the answer has been read.
    pub(crate) fn done(mut self) -> Arc<Lane<S>> {
        self.is_open = false;
        self.reader = None;
        self.lane.clone()
    }
}

impl<S> Drop for Use<S> {
    fn drop(&mut self) {
        if self.is_open {
            self.lane.give_up();
        }
        let mut used = self.lane.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = Instant::now();
        self.lane.users.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What it means for a request that its stream has failed.
pub(crate) fn lost(error: io::Error) -> PeerFault {
    PeerFault::Lost(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    /// Takes so many bytes, and says nothing.
    struct Takes(usize);

    impl AsyncRead for Takes {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Takes {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            match self.0.min(bytes.len()) {
                0 => Poll::Pending,
                taken => {
                    self.0 -= taken;
                    Poll::Ready(Ok(taken))
                }
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_takes_no_question_is_given_up_and_it_was_its_turn() {
        let lane = Lane::new(Takes(4));
        let (first, second) = (Progress::default(), Progress::default());
        let (mut one, mut other) = (Use::new(lane.clone(), 0), Use::new(lane.clone(), 0));
        let asks = async {
            let answer = one
                .ask(b"question", PATIENCE, &first)
                .await
                .map(|reader| reader.is_some());
            drop(one);
            answer
        };
        let waits = async {
            let answer = other.ask(b"question", 2 * PATIENCE, &second).await;
            answer.map(|reader| reader.is_some())
        };
        let began = tokio::time::Instant::now();
        let (asked, waited) = tokio::join!(asks, waits);
        assert_eq!(asked, Err(PeerFault::Stalled(PATIENCE)));
        assert_eq!(first.since(), Some(began));
        assert_eq!(
            waited,
            Ok(false),
            "the next one begins in the middle of a question"
        );
        assert!(lane.is_broken());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_behind_another_question_waits_for_us_and_is_told_if_that_one_is_given_up() {
        let lane = Lane::new(Takes(usize::MAX));
        let (first, second) = (Progress::default(), Progress::default());
        let mut one = Use::new(lane.clone(), 0);
        assert!(one.ask(b"question", PATIENCE, &first).await.unwrap().is_some());
        let mut other = Use::new(lane, 0);
        let mut behind = Box::pin(other.ask(b"question", PATIENCE, &second));
        assert!((&mut behind).now_or_never().is_none());
        assert!(first.since().is_some() && second.since().is_none());
        drop(one);
        assert!(behind.await.unwrap().is_none());
    }
}
