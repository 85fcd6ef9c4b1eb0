//! What the parts of the network say of peers: what they did wrong, and what they were good for.
//!
//! Here it is only passed on, to the peer manager, which makes scores and bans of it. Must never wait and never grow: who reports is
//! serving or fetching, and a flood of faults says no more than the first few.

use libp2p::PeerId;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Reports that wait to be read.
const QUEUE: usize = 1024;

/// What a peer did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// It sent bytes that aren't part of the blob that was asked for.
    WrongData,
    /// What it sent isn't a message.
    BadMessage,
    /// It sends, or takes, so little that it keeps a place from others.
    Trickle,
    /// It asks or sends more than it may.
    Flood,
    /// It promised something and then didn't.
    Refused,
    /// A record or an announcement of its is wrong: signature, sequence, content.
    Invalid,
    /// It can't be reached where it says that it is.
    Unreachable,
}

/// Something reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// It did wrong.
    Fault(Fault),
    /// It delivered so many verified bytes.
    Useful(u64),
}

/// Where reports go. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Reports(Arc<mpsc::Sender<(PeerId, Report)>>);

impl Reports {
    /// The two ends.
    pub(crate) fn new() -> (Self, mpsc::Receiver<(PeerId, Report)>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Self(Arc::new(sender)), receiver)
    }

    pub(crate) fn fault(&self, peer: PeerId, fault: Fault) {
        tracing::debug!(%peer, ?fault, "a peer did wrong");
        self.send(peer, Report::Fault(fault));
    }

    pub(crate) fn useful(&self, peer: PeerId, bytes: u64) {
        self.send(peer, Report::Useful(bytes));
    }

    /// Where nobody reads any more, or too much waits, nothing is lost that matters.
    fn send(&self, peer: PeerId, report: Report) {
        let _ = self.0.try_send((peer, report));
    }
}
