//! One stream to a peer, on which questions may follow each other before they are answered.
//!
//! Answers come in the order of the questions, so who asked first reads first. When somebody gives up in between, nobody
//! knows any more where the next answer begins: the lane is *broken*, and those who wait on it ask again on another one.

use futures::{
    AsyncReadExt, AsyncWriteExt, FutureExt,
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
use tokio::sync::OwnedMutexGuard;

/// An open stream.
pub(crate) struct Lane {
    writer: tokio::sync::Mutex<WriteHalf<Stream>>,
    reader: Arc<tokio::sync::Mutex<ReadHalf<Stream>>>,
    users: AtomicUsize,
    /// The least important class among those who use it.
    class: AtomicUsize,
    broken: AtomicBool,
    used: Mutex<Instant>,
}

/// Somebody's use of a lane, from the first byte of the question to the last one of the answer.
pub(crate) struct Use {
    lane: Arc<Lane>,
    /// Something has been written, and not all of the answer read.
    is_open: bool,
}

impl Lane {
    pub(crate) fn new(stream: Stream) -> Arc<Self> {
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

impl Use {
    /// For somebody of this class, the lower the more important.
    pub(crate) fn new(lane: Arc<Lane>, class: usize) -> Self {
        match lane.users.fetch_add(1, Ordering::AcqRel) {
            0 => lane.class.store(class, Ordering::Release),
            _ => _ = lane.class.fetch_max(class, Ordering::AcqRel),
        }
        Self { lane, is_open: false }
    }

    /// Sends a question, and waits until the answers to those before have been read. `None` if the lane is broken.
    pub(crate) async fn ask(
        &mut self,
        question: &[u8],
    ) -> io::Result<Option<OwnedMutexGuard<ReadHalf<Stream>>>> {
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
        drop(writer);
        let reader = match at_once {
            Some(reader) => reader,
            None => turn.await,
        };
        Ok((!self.lane.is_broken()).then_some(reader))
    }

    /// All of the answer has been read.
    pub(crate) fn done(mut self) -> Arc<Lane> {
        self.is_open = false;
        self.lane.clone()
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        if self.is_open {
            self.lane.give_up();
        }
        let mut used = self.lane.used.lock().unwrap_or_else(PoisonError::into_inner);
        *used = Instant::now();
        self.lane.users.fetch_sub(1, Ordering::AcqRel);
    }
}
