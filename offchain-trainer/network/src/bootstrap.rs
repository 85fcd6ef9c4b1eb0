//! Staying connected to the bootstrap peers.
//!
//! A state machine without clock or sockets: it is told what happened and when, and says which addresses are due to
//! be dialled. Pauses double from attempt to attempt, so that a peer that is away for long costs nothing.

use crate::config::Limits;
use libp2p::{Multiaddr, PeerId, multiaddr::Protocol, swarm::ConnectionId};
use std::time::Duration;
use tokio::time::Instant;

/// After so many failures in a row, for the same reason, it is said again: half an hour at the longest pause.
const REMINDER: u32 = 64;

/// A connection that lasted for less was closed because there was no room, or its peer is in trouble: pauses grow.
const BRIEF: Duration = Duration::from_secs(60);
/// Pauses grow up to so many times the longest one between attempts.
const BRIEF_FACTOR: u32 = 4;
/// For so long a peer that isn't needed now is left alone.
const REST: Duration = Duration::from_secs(300);

/// A bootstrap peer that can't be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwayPeer {
    /// As it was given.
    pub address: Multiaddr,
    /// Why the last attempt failed.
    pub reason: String,
    /// How many attempts have failed since it was last connected.
    pub attempts: u32,
}

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
    /// Connections in a row that ended soon.
    brief: u32,
    /// Why the last attempt failed; empty while none has.
    reason: String,
}

#[derive(PartialEq)]
enum State {
    Due(Instant),
    Dialling(ConnectionId),
    Connected(Instant),
    /// It is our own address.
    Ourselves,
}

/// What became of an attempt to dial.
pub(crate) enum Dialled {
    Started(ConnectionId),
    /// Somebody else is dialling the peer.
    Busy,
    Ourselves,
    Failed(String),
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
                    brief: 0,
                    reason: String::new(),
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

    /// Who is away, in the order given.
    pub(crate) fn away(&self) -> Vec<AwayPeer> {
        let away = self.entries.iter().filter(|e| e.failures > 0);
        away.map(Entry::away).collect()
    }

    /// Dials what is due. Returns who is to be named in the log.
    pub(crate) fn dial_due(
        &mut self,
        now: Instant,
        mut dial: impl FnMut(&Multiaddr) -> Dialled,
    ) -> Vec<AwayPeer> {
        let (min, max) = (self.min, self.max);
        let mut named = Vec::new();
        for entry in &mut self.entries {
            if matches!(entry.state, State::Due(at) if at <= now) {
                match dial(&entry.address) {
                    Dialled::Started(id) => entry.state = State::Dialling(id),
                    Dialled::Busy => entry.state = State::Due(now + min),
                    Dialled::Ourselves => {
                        entry.state = State::Ourselves;
                        entry.failures = 0;
                    }
                    Dialled::Failed(reason) => named.extend(entry.retry(now, min, max, reason)),
                }
            }
        }
        named
    }

    /// A connection came up, whoever dialled it.
    pub(crate) fn connected(&mut self, id: ConnectionId, peer: PeerId, now: Instant) {
        for entry in &mut self.entries {
            if entry.state == State::Dialling(id) {
                entry.peer = Some(peer);
            }
            if entry.peer == Some(peer) && entry.state != State::Ourselves {
                if !matches!(entry.state, State::Connected(_)) {
                    entry.state = State::Connected(now);
                }
                entry.failures = 0;
                entry.reason.clear();
            }
        }
    }

    /// The last connection to `peer` is gone.
    pub(crate) fn disconnected(&mut self, peer: PeerId, now: Instant) {
        for entry in &mut self.entries {
            if let State::Connected(since) = entry.state
                && entry.peer == Some(peer)
            {
                // Even the first time not at once: it may be shutting down.
                let brief = now.saturating_duration_since(since) < BRIEF;
                if !brief {
                    entry.brief = 0;
                }
                let factor = 1u32 << entry.brief.min(16);
                let pause = self.min.saturating_mul(factor);
                entry.state = State::Due(now + pause.min(self.max.saturating_mul(BRIEF_FACTOR)));
                entry.brief = entry.brief.saturating_add(u32::from(brief));
            }
        }
    }

    /// Those that are due aren't needed now.
    pub(crate) fn rest(&mut self, now: Instant) {
        for entry in &mut self.entries {
            if matches!(entry.state, State::Due(at) if at <= now) {
                entry.state = State::Due(now + REST);
            }
        }
    }

    /// Whose address is being dialled with this connection.
    pub(crate) fn dialling(&self, id: ConnectionId) -> Option<&Multiaddr> {
        let entry = self.entries.iter().find(|e| e.state == State::Dialling(id))?;
        Some(&entry.address)
    }

    /// Dialling failed. Returns who it was if that is to be said in the log: the first time, when the reason changes, and
    /// now and then.
    pub(crate) fn failed(&mut self, id: ConnectionId, now: Instant, reason: String) -> Option<AwayPeer> {
        let (min, max) = (self.min, self.max);
        let entry = self.entries.iter_mut().find(|e| e.state == State::Dialling(id))?;
        entry.retry(now, min, max, reason)
    }

    /// The address turned out to be our own.
    pub(crate) fn is_ourselves(&mut self, id: ConnectionId, now: Instant) {
        let max = self.max;
        for entry in self.entries.iter_mut().filter(|e| e.state == State::Dialling(id)) {
            // A name may lead elsewhere the next time: it has several addresses, or will have another.
            entry.state = match names_a_host(&entry.address) {
                true => State::Due(now + max),
                false => State::Ourselves,
            };
            // Nobody is away.
            entry.failures = 0;
            entry.reason.clear();
        }
    }
}

impl Entry {
    fn retry(&mut self, now: Instant, min: Duration, max: Duration, reason: String) -> Option<AwayPeer> {
        let pause = min.saturating_mul(1 << self.failures.min(16)).min(max);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Due(now + pause);
        let news = self.reason != reason || self.failures.is_multiple_of(REMINDER);
        self.reason = reason;
        news.then(|| self.away())
    }

    fn away(&self) -> AwayPeer {
        AwayPeer {
            address: self.address.clone(),
            reason: self.reason.clone(),
            attempts: self.failures,
        }
    }
}

/// Whether an address begins with a name that is looked up.
fn names_a_host(address: &Multiaddr) -> bool {
    matches!(
        address.iter().next(),
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) | Protocol::Dnsaddr(_))
    )
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
            let named = bootstrap.failed(ID(id), now, "refused".into());
            assert_eq!(named.is_some(), id == 0, "logged once");
            let due = bootstrap.next_due().unwrap();
            pauses.push((due - now).as_millis());
            bootstrap.dial_due(now, |_| panic!("not due yet"));
            now = due;
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    }

    #[test]
    fn a_peer_that_somebody_else_dials_is_looked_at_again_and_isnt_away() {
        let (mut bootstrap, _, now) = one("/ip4/127.0.0.1/tcp/1");
        assert!(bootstrap.dial_due(now, |_| Dialled::Busy).is_empty());
        assert_eq!(bootstrap.next_due(), Some(now + Limits::default().redial_min));
        assert!(bootstrap.away().is_empty());
    }

    #[test]
    fn a_lost_peer_is_dialled_again_and_pauses_start_over() {
        let (mut bootstrap, _, now) = one("/ip4/127.0.0.1/tcp/1");
        let peer = PeerId::random();
        bootstrap.dial_due(now, |_| Dialled::Started(ID(1)));
        bootstrap.failed(ID(1), now, "refused".into());
        assert_eq!(bootstrap.away().len(), 1);
        let now = bootstrap.next_due().unwrap();
        bootstrap.dial_due(now, |_| Dialled::Started(ID(2)));
        bootstrap.connected(ID(2), peer, now);
        assert_eq!((bootstrap.next_due(), bootstrap.away()), (None, vec![]));
        bootstrap.disconnected(PeerId::random(), now);
        assert_eq!(bootstrap.next_due(), None, "that was somebody else");
        bootstrap.disconnected(peer, now);
        assert_eq!(bootstrap.next_due(), Some(now + Duration::from_millis(500)));
    }

    #[test]
    fn who_is_away_is_named_with_the_reason_when_it_changes_and_now_and_then() {
        let (mut bootstrap, _, mut now) = one("/dns4/pc.example.org/tcp/1");
        let mut named = Vec::new();
        for id in 0..2 * REMINDER {
            bootstrap.dial_due(now, |_| Dialled::Started(ID(id as usize)));
            let reason = if id < 3 { "no such name" } else { "refused" };
            named.extend(bootstrap.failed(ID(id as usize), now, reason.into()));
            now = bootstrap.next_due().unwrap();
        }
        let named: Vec<_> = named
            .iter()
            .map(|away| (away.attempts, away.reason.as_str()))
            .collect();
        assert_eq!(
            named,
            [
                (1, "no such name"),
                (4, "refused"),
                (64, "refused"),
                (128, "refused")
            ]
        );
        let away = bootstrap.away();
        assert_eq!(away[0].address, "/dns4/pc.example.org/tcp/1".parse().unwrap());
        assert_eq!((away[0].attempts, away.len()), (128, 1));
    }

    #[test]
    fn a_peer_that_connected_to_us_needs_no_dialling() {
        let peer = PeerId::random();
        let (mut bootstrap, _, now) = one(&format!("/ip4/127.0.0.1/tcp/1/p2p/{peer}"));
        bootstrap.connected(ID(9), peer, now);
        assert_eq!(bootstrap.next_due(), None);
        bootstrap.dial_due(now, |_| panic!("connected"));
    }

    #[test]
    fn who_has_no_room_for_us_is_dialled_less_and_less_often() {
        let peer = PeerId::random();
        let (mut bootstrap, _, mut now) = one(&format!("/ip4/127.0.0.1/tcp/1/p2p/{peer}"));
        let mut pauses = Vec::new();
        for lasts in [10, 10, 10, 100, 10, 10].into_iter().chain([10; 9]) {
            bootstrap.dial_due(now, |_| Dialled::Started(ID(1)));
            bootstrap.connected(ID(1), peer, now);
            // A second connection with it is nothing new.
            bootstrap.connected(ID(2), peer, now + Duration::from_secs(lasts - 1));
            now += Duration::from_secs(lasts);
            bootstrap.disconnected(peer, now);
            let due = bootstrap.next_due().unwrap();
            pauses.push((due - now).as_millis());
            now = due;
        }
        assert_eq!(&pauses[..3], &[500, 1000, 2000]);
        assert_eq!(&pauses[3..7], &[500, 500, 1000, 2000], "it had room once");
        assert_eq!(pauses.last(), Some(&120_000));
    }

    #[test]
    fn who_is_not_needed_is_left_alone_for_a_while() {
        let (mut bootstrap, _, now) = one("/ip4/127.0.0.1/tcp/1");
        bootstrap.rest(now);
        assert_eq!(bootstrap.next_due(), Some(now + REST));
        assert!(bootstrap.away().is_empty());
        bootstrap.rest(now);
        assert_eq!(bootstrap.next_due(), Some(now + REST), "it wasn't due");
    }

    #[test]
    fn our_own_address_is_left_alone() {
        let (mut bootstrap, _, now) = one("/ip4/127.0.0.1/tcp/1");
        bootstrap.dial_due(now, |_| Dialled::Started(ID(1)));
        bootstrap.is_ourselves(ID(1), now);
        assert_eq!(bootstrap.next_due(), None);
        // A name that leads here now may lead elsewhere later.
        let (mut bootstrap, _, now) = one("/dns/boot.example.org/tcp/1");
        bootstrap.dial_due(now, |_| Dialled::Started(ID(1)));
        bootstrap.is_ourselves(ID(1), now);
        assert_eq!(bootstrap.next_due(), Some(now + Limits::default().redial_max));
        let local = PeerId::random();
        let address = format!("/ip4/127.0.0.1/tcp/1/p2p/{local}").parse().unwrap();
        assert_eq!(
            Bootstrap::new(&[address], local, &Limits::default(), now).next_due(),
            None
        );
    }
}
