//! Staying connected to the bootstrap peers.
//!
//! A state machine without clock or sockets: it is told what happened and when, and says which addresses are due to
//! be dialled. Pauses double from attempt to attempt, so that a peer that is away for long costs nothing.

use crate::Limits;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};
use std::time::Duration;
use tokio::time::Instant;

/// All bootstrap peers.
pub(crate) struct Bootstrap {
    entries: Vec<Entry>,
    min: Duration,
    max: Duration,
}

struct Entry {
    address: Multiaddr,
    /// From the address, or learned by connecting.
    peer: Option<PeerId>,
    state: State,
    failures: u32,
}

#[derive(PartialEq)]
enum State {
    Due(Instant),
    Dialling(ConnectionId),
    Connected,
    /// It is our own address.
    Ourselves,
}

/// What became of an attempt to dial.
pub(crate) enum Dialled {
    Started(ConnectionId),
    Ourselves,
    Failed,
}

impl Bootstrap {
    pub(crate) fn new(addresses: &[Multiaddr], local: PeerId, limits: &Limits, now: Instant) -> Self {
        let entries = addresses
            .iter()
            .map(|address| {
                let peer = peer_in(address);
                let state = if peer == Some(local) {
                    State::Ourselves
                } else {
                    State::Due(now)
                };
                Entry {
                    address: address.clone(),
                    peer,
                    state,
                    failures: 0,
                }
            })
            .collect();
        Self {
            entries,
            min: limits.redial_min,
            max: limits.redial_max,
        }
    }

    /// When to look again; `None` while nothing is due.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        let due = self.entries.iter().filter_map(|e| match e.state {
            State::Due(at) => Some(at),
            _ => None,
        });
        due.min()
    }

    /// Dials what is due.
    pub(crate) fn dial_due(&mut self, now: Instant, mut dial: impl FnMut(&Multiaddr) -> Dialled) {
        let (min, max) = (self.min, self.max);
        for entry in &mut self.entries {
            if matches!(entry.state, State::Due(at) if at <= now) {
                match dial(&entry.address) {
                    Dialled::Started(id) => entry.state = State::Dialling(id),
                    Dialled::Ourselves => entry.state = State::Ourselves,
                    Dialled::Failed => entry.retry(now, min, max),
                }
            }
        }
    }

    /// A connection came up, whoever dialled it.
    pub(crate) fn connected(&mut self, id: ConnectionId, peer: PeerId) {
        for entry in &mut self.entries {
            if entry.state == State::Dialling(id) {
                entry.peer = Some(peer);
            }
            if entry.peer == Some(peer) && entry.state != State::Ourselves {
                entry.state = State::Connected;
                entry.failures = 0;
            }
        }
    }

    /// The last connection to `peer` is gone.
    pub(crate) fn disconnected(&mut self, peer: PeerId, now: Instant) {
        for entry in &mut self.entries {
            if entry.peer == Some(peer) && entry.state == State::Connected {
                // Even the first time not at once: it may be shutting down.
                entry.state = State::Due(now + self.min);
            }
        }
    }

    /// Dialling failed. Returns the address if this is the first failure in a row, for the log.
    pub(crate) fn failed(&mut self, id: ConnectionId, now: Instant) -> Option<&Multiaddr> {
        let (min, max) = (self.min, self.max);
        let entry = self.entries.iter_mut().find(|e| e.state == State::Dialling(id))?;
        entry.retry(now, min, max);
        (entry.failures == 1).then_some(&entry.address)
    }

    /// The address turned out to be our own.
    pub(crate) fn is_ourselves(&mut self, id: ConnectionId) {
        for entry in self.entries.iter_mut().filter(|e| e.state == State::Dialling(id)) {
            entry.state = State::Ourselves;
        }
    }
}

impl Entry {
    fn retry(&mut self, now: Instant, min: Duration, max: Duration) {
        let pause = min.saturating_mul(1 << self.failures.min(16)).min(max);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Due(now + pause);
    }
}

/// The PeerId at the end of an address, if it names one.
pub(crate) fn peer_in(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last()? {
        Protocol::P2p(peer) => Some(peer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: fn(usize) -> ConnectionId = ConnectionId::new_unchecked;

    fn one(address: &str) -> (Bootstrap, PeerId, Instant) {
        let now = Instant::now();
        let local = PeerId::random();
        (
            Bootstrap::new(&[address.parse().unwrap()], local, &Limits::default(), now),
            local,
            now,
        )
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let (mut bootstrap, _, mut now) = one("/ip4/127.0.0.1/tcp/1");
        let mut pauses = Vec::new();
        for id in 0..9 {
            bootstrap.dial_due(now, |_| Dialled::Started(ID(id)));
            assert_eq!(bootstrap.next_due(), None, "it is being dialled");
            assert_eq!(bootstrap.failed(ID(id), now).is_some(), id == 0, "logged once");
            let due = bootstrap.next_due().unwrap();
            pauses.push((due - now).as_millis());
            bootstrap.dial_due(now, |_| panic!("not due yet"));
            now = due;
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    }

    #[test]
    fn a_lost_peer_is_dialled_again_and_pauses_start_over() {
        let (mut bootstrap, _, now) = one("/ip4/127.0.0.1/tcp/1");
        let peer = PeerId::random();
        bootstrap.dial_due(now, |_| Dialled::Started(ID(1)));
        bootstrap.failed(ID(1), now);
        let now = bootstrap.next_due().unwrap();
        bootstrap.dial_due(now, |_| Dialled::Started(ID(2)));
        bootstrap.connected(ID(2), peer);
        assert_eq!(bootstrap.next_due(), None);
        bootstrap.disconnected(PeerId::random(), now);
        assert_eq!(bootstrap.next_due(), None, "that was somebody else");
        bootstrap.disconnected(peer, now);
        assert_eq!(bootstrap.next_due(), Some(now + Duration::from_millis(500)));
    }

    #[test]
    fn a_peer_that_connected_to_us_needs_no_dialling() {
        let peer = PeerId::random();
        let (mut bootstrap, _, now) = one(&format!("/ip4/127.0.0.1/tcp/1/p2p/{peer}"));
        bootstrap.connected(ID(9), peer);
        assert_eq!(bootstrap.next_due(), None);
        bootstrap.dial_due(now, |_| panic!("connected"));
    }

    #[test]
    fn our_own_address_is_left_alone() {
        let (mut bootstrap, _, now) = one("/ip4/127.0.0.1/tcp/1");
        bootstrap.dial_due(now, |_| Dialled::Started(ID(1)));
        bootstrap.is_ourselves(ID(1));
        assert_eq!(bootstrap.next_due(), None);
        let local = PeerId::random();
        let address = format!("/ip4/127.0.0.1/tcp/1/p2p/{local}").parse().unwrap();
        assert_eq!(
            Bootstrap::new(&[address], local, &Limits::default(), now).next_due(),
            None
        );
    }
}
