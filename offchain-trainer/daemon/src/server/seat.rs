//! A connection's place: what it has done with it, and when it has to be given up.
//!
//! A connection either waits, with nothing or a part of a request sent, or is being answered, or listens to events or for an
//! answer that was paid for. Only a request that is complete and shows that its sender knows the token makes a place safe, so
//! that nobody can keep others out with less.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};

/// How long a request may take to arrive, head and body, from its first byte on: it comes from this PC.
pub(super) const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection may be idle between two. No multiple of a block time: a node that asks again then must not meet
/// a connection that is just being closed.
const IDLE: Duration = Duration::from_secs(15);
/// How long a connection may listen to events. They come little by little, so that who doesn't read them is not noticed.
pub(super) const LISTENING: Duration = Duration::from_secs(290);

#[derive(Clone, Copy, Debug)]
enum State {
    /// For a complete request.
    Waiting {
        /// Since the connection was made, or the last request answered.
        since: Instant,
        /// When the first byte of the next one came.
        first_byte: Option<Instant>,
    },
    Answering,
    /// To events, of which there is no last one.
    Listening {
        /// Since it asked for them.
        since: Instant,
    },
}

impl State {
    fn waiting() -> Self {
        Self::Waiting {
            since: Instant::now(),
            first_byte: None,
        }
    }

    fn ends(&self) -> Option<Instant> {
        match *self {
            Self::Waiting {
                first_byte: Some(first),
                ..
            } => Some(first + REQUEST),
            Self::Waiting { since, .. } => Some(since + IDLE),
            Self::Answering => None,
            Self::Listening { since } => Some(since + LISTENING),
        }
    }
}

/// A connection's place.
#[derive(Debug)]
pub(super) struct Seat {
    state: watch::Sender<State>,
    proven: AtomicBool,
}

impl Seat {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: watch::Sender::new(State::waiting()),
            proven: AtomicBool::new(false),
        })
    }

    /// A complete request has come from somebody who knows the token. The place is safe until this is dropped.
    pub(super) fn prove(self: &Arc<Self>) -> Answering {
        self.proven.store(true, Ordering::Relaxed);
        self.state.send_replace(State::Answering);
        Answering(self.clone())
    }

    /// Somebody listens to events, or waits for an answer that was paid for, whoever it is: the place is as little worth as before.
    /// Until this is dropped.
    pub(super) fn listen(self: &Arc<Self>) -> Listening {
        self.state.send_replace(State::Listening {
            since: Instant::now(),
        });
        Listening(self.clone())
    }

    /// An answer is on its way, or a request was refused.
    pub(super) fn answered(&self) {
        self.state.send_if_modified(|state| match state {
            State::Waiting { .. } => {
                *state = State::waiting();
                true
            }
            // By a body that is still being sent.
            State::Answering | State::Listening { .. } => false,
        });
    }

    fn heard(&self) {
        self.state.send_if_modified(|state| match state {
            State::Waiting {
                first_byte: first @ None,
                ..
            } => {
                *first = Some(Instant::now());
                true
            }
            _ => false,
        });
    }

    /// How much the place is worth, the least first; `None` if it can't be taken away: strangers go before those who know
    /// the token, and of each who has been without a complete request for longest.
    pub(super) fn worth(&self) -> Option<(bool, Instant)> {
        match *self.state.borrow() {
            State::Waiting { since, .. } | State::Listening { since } => {
                Some((self.proven.load(Ordering::Relaxed), since))
            }
            State::Answering => None,
        }
    }

    /// Returns when the connection has taken too long.
    pub(super) async fn overdue(&self) {
        let mut changes = self.state.subscribe();
        loop {
            let ends = changes.borrow_and_update().ends();
            let over = async {
                match ends {
                    Some(ends) => sleep_until(ends).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = over => return,
                // The sender lives as long as this.
                _ = changes.changed() => {}
            }
        }
    }
}

/// While this lives, a request is being answered.
#[derive(Debug)]
pub(super) struct Answering(Arc<Seat>);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.state.send_replace(State::waiting());
    }
}

/// While this lives, events are being sent, or an answer is waited for.
#[derive(Debug)]
pub(super) struct Listening(Arc<Seat>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.state.send_replace(State::waiting());
    }
}

/// A stream that tells its seat when something arrives.
pub(super) struct Heard {
    pub(super) stream: TcpStream,
    pub(super) seat: Arc<Seat>,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.seat.heard();
        }
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(seat: &Seat) -> Option<Instant> {
        seat.state.borrow().ends()
    }

    #[test]
    fn a_request_has_a_deadline_from_its_first_byte_on_and_an_answer_has_none() {
        let seat = Seat::new();
        let idle = ends(&seat).unwrap();
        seat.heard();
        let first = ends(&seat).unwrap();
        assert!(first < idle);
        std::thread::sleep(Duration::from_millis(2));
        // Dripping bytes buys no time.
        seat.heard();
        assert_eq!(ends(&seat), Some(first));

        let answering = seat.prove();
        assert_eq!(ends(&seat), None);
        seat.heard();
        seat.answered();
        assert!(seat.worth().is_none(), "its body is still being sent");
        drop(answering);
        assert!(ends(&seat).unwrap() > idle);
    }

    #[test]
    fn who_listens_is_no_friend_and_does_not_listen_for_ever() {
        let seat = Seat::new();
        let listening = seat.listen();
        seat.answered();
        let end = ends(&seat).unwrap();
        assert!(end > Instant::now() + IDLE);
        assert!(seat.worth().is_some_and(|(proven, _)| !proven));
        // Nothing that is sent meanwhile makes it longer.
        seat.heard();
        assert_eq!(ends(&seat), Some(end));
        drop(listening);
        assert!(ends(&seat).unwrap() < end);
    }

    #[test]
    fn strangers_lose_their_place_first_and_those_who_waited_longest_before_others() {
        let friend = Seat::new();
        drop(friend.prove());
        std::thread::sleep(Duration::from_millis(2));
        let old = Seat::new();
        std::thread::sleep(Duration::from_millis(2));
        let new = Seat::new();
        assert!(old.worth() < new.worth());
        assert!(new.worth() < friend.worth());
        // What it sends in bits and pieces does not make it newer.
        old.heard();
        assert!(old.worth() < new.worth());
        old.answered();
        assert!(new.worth() < old.worth());
    }
}
