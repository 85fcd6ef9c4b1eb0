//! When this PC's own record is made anew. Knows no socket and no clock of its own.
//!
//! A little after its addresses have changed, so that several changes are one, but sooner if there is only one more, since who
//! searches meanwhile may need just that one; again soon after it came into the network, when it knows
//! more of those who are to keep the record; and every hour, since they come and go. If nobody takes it, later and later: where all
//! are late already, who tries again soon makes them later.

use libp2p::Multiaddr;
use std::time::Duration;
use tokio::time::Instant;

/// From a change until it is told.
const SETTLED: Duration = Duration::from_secs(2);
/// The same for an address beside those told already: a second relay has said yes.
const GROWN: Duration = Duration::from_millis(200);
/// From coming into the network until it is told again.
const AGAIN: Duration = Duration::from_secs(30);
/// From one time to the next.
const EACH: Duration = Duration::from_secs(3600);
/// After it reached nobody; doubles each time, up to [`EACH`].
const RETRY: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Publisher {
    addresses: Vec<Multiaddr>,
    /// Those that the last record has, and when it was made.
    told: Vec<Multiaddr>,
    told_at: Option<Instant>,
    /// Somebody is there who could keep it.
    in_network: bool,
    due: Option<Instant>,
    again: bool,
    sequence: u64,
    /// When it is told again because nobody took it, and how often in a row that has been so.
    retry: Option<Instant>,
    failures: u32,
    /// The newest record that somebody took.
    kept: u64,
}

impl Publisher {
    /// These are the addresses now; none: there is nothing to tell.
    pub(super) fn addresses(&mut self, addresses: Vec<Multiaddr>, now: Instant) {
        if self.addresses == addresses {
            return;
        }
        let has_all = self.told.iter().all(|address| addresses.contains(address));
        let grown = !self.told.is_empty() && has_all && addresses.len() > self.told.len();
        self.addresses = addresses;
        self.again = true;
        let at = match self.told_at {
            Some(told_at) if grown => (now + GROWN).max(told_at + SETTLED),
            _ => now + SETTLED,
        };
        self.sooner(at);
    }

    /// Somebody is there who could keep it.
    pub(super) fn in_network(&mut self, now: Instant) {
        if !self.in_network {
            self.in_network = true;
            self.again = true;
            self.sooner(now + SETTLED);
        }
    }

    fn sooner(&mut self, at: Instant) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    pub(super) fn due(&self) -> Option<Instant> {
        let due = self.due.into_iter().chain(self.retry).min();
        due.filter(|_| self.in_network && !self.addresses.is_empty())
    }

    /// If it is time: the addresses to tell, and a sequence number above all before. `now_ms` is milliseconds since 1970, so that numbers
    /// go on rising after a restart.
    pub(super) fn take(&mut self, now: Instant, now_ms: u64) -> Option<(Vec<Multiaddr>, u64)> {
        if self.due()? > now {
            return None;
        }
        let next = if std::mem::take(&mut self.again) {
            AGAIN
        } else {
            EACH
        };
        (self.due, self.retry) = (Some(now + next), None);
        self.told.clone_from(&self.addresses);
        self.told_at = Some(now);
        self.sequence = now_ms.max(self.sequence.saturating_add(1));
        Some((self.addresses.clone(), self.sequence))
    }

    /// Nothing has been told yet.
    pub(super) fn is_first(&self) -> bool {
        self.told_at.is_none()
    }

    /// Somebody keeps a record of this PC with that number. If it is above all of this run, a run before had a clock that was ahead, and
    /// whoever keeps that one takes none of this run's until one is above it.
    pub(super) fn has_told(&mut self, sequence: u64, now: Instant) {
        if sequence > self.sequence {
            self.sequence = sequence;
            self.again = true;
            self.sooner(now + SETTLED);
        }
    }

    /// Somebody took it, in one of its places at least.
    pub(super) fn kept(&mut self) {
        self.kept = self.sequence;
        (self.failures, self.retry) = (0, None);
    }

    /// Nobody took it, in one of its places: it is told again unless somebody takes it in another.
    pub(super) fn failed(&mut self, now: Instant) {
        if self.kept == self.sequence || self.retry.is_some() {
            return;
        }
        let wait = RETRY.saturating_mul(2u32.saturating_pow(self.failures)).min(EACH);
        self.failures = self.failures.saturating_add(1);
        self.retry = Some(now + wait);
    }

    /// There are others again.
    pub(super) fn back(&mut self, now: Instant) {
        self.failures = 0;
        if self.kept != self.sequence {
            self.again = true;
            self.sooner(now + SETTLED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_after_changes_have_settled_again_soon_and_then_each_hour() {
        let (mut publisher, start) = (Publisher::default(), Instant::now());
        let address = |port: u16| vec![format!("/ip4/192.0.2.1/tcp/{port}").parse::<Multiaddr>().unwrap()];
        publisher.addresses(address(1), start);
        assert_eq!(publisher.due(), None, "there is nobody to tell");
        publisher.in_network(start);
        publisher.addresses(address(2), start + SETTLED / 2);
        assert_eq!(publisher.take(start, 5), None);
        let mut times = Vec::new();
        for _ in 0..4 {
            let due = publisher.due().unwrap();
            times.push(due - start);
            let (addresses, sequence) = publisher.take(due, 5).unwrap();
            assert_eq!(
                (addresses, sequence),
                (address(2), 4 + times.len() as u64),
                "the clock stands still"
            );
        }
        assert_eq!(
            times,
            [
                SETTLED,
                SETTLED + AGAIN,
                SETTLED + AGAIN + EACH,
                SETTLED + AGAIN + 2 * EACH
            ]
        );
        let now = start + 2 * EACH;
        publisher.addresses(address(2), now);
        assert!(publisher.due().unwrap() > now + SETTLED, "nothing changed");
        publisher.failed(now);
        assert_eq!(publisher.due(), Some(now + RETRY));
        let mut waits = Vec::new();
        for _ in 0..10 {
            publisher.take(publisher.due().unwrap(), 5).unwrap();
            publisher.due = None;
            publisher.failed(now);
            publisher.failed(now + RETRY);
            waits.push(publisher.due().unwrap() - now);
        }
        assert_eq!(
            waits[..3],
            [2 * RETRY, 4 * RETRY, 8 * RETRY],
            "once for all its places"
        );
        assert_eq!(waits[9], EACH);
        publisher.back(now);
        assert_eq!(publisher.due(), Some(now + SETTLED), "others are here again");
        // In whatever order it is heard that one place of it is enough.
        for (kept_first, next) in [(false, AGAIN), (true, EACH)] {
            let now = publisher.due().unwrap();
            publisher.take(now, 5).unwrap();
            if kept_first {
                publisher.kept();
            }
            publisher.failed(now);
            publisher.kept();
            publisher.failed(now);
            assert_eq!(publisher.due(), Some(now + next));
        }
        let before = publisher.due();
        publisher.back(now);
        assert_eq!(publisher.due(), before, "it is kept");
        publisher.addresses(vec![], now);
        assert_eq!(publisher.due(), None, "nothing to tell");
    }

    #[test]
    fn after_a_clock_was_set_back_it_is_told_with_a_number_above_the_one_that_is_kept() {
        let (mut publisher, start) = (Publisher::default(), Instant::now());
        publisher.in_network(start);
        publisher.addresses(vec!["/ip4/192.0.2.1/tcp/1".parse().unwrap()], start);
        assert!(publisher.is_first());
        let told = start + SETTLED;
        assert_eq!(publisher.take(told, 5).map(|(_, sequence)| sequence), Some(5));
        assert!(!publisher.is_first());
        publisher.has_told(5, told);
        publisher.has_told(4, told);
        assert_eq!(
            publisher.due(),
            Some(told + AGAIN),
            "it is this run's own, or older"
        );
        publisher.has_told(900, told);
        publisher.has_told(800, told);
        assert_eq!(publisher.due(), Some(told + SETTLED));
        let sequence = publisher.take(told + SETTLED, 7).map(|(_, sequence)| sequence);
        assert_eq!(sequence, Some(901));
        // As long as this PC's clock is behind.
        publisher.has_told(901, told);
        let next = publisher.due().unwrap();
        assert_eq!(next, told + SETTLED + AGAIN);
        assert_eq!(publisher.take(next, 8).map(|(_, sequence)| sequence), Some(902));
    }

    #[test]
    fn one_more_address_is_told_sooner_but_not_after_each_other_and_other_ones_are_not() {
        let (mut publisher, start) = (Publisher::default(), Instant::now());
        let of = |ports: &[u16]| -> Vec<Multiaddr> {
            let address = |port| format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap();
            ports.iter().map(address).collect()
        };
        publisher.in_network(start);
        publisher.addresses(of(&[1]), start);
        let told = start + SETTLED;
        assert!(publisher.take(told, 5).is_some());
        let mut due_after = |ports: &[u16], after: Duration| {
            publisher.addresses(of(ports), told + after);
            let due = publisher.due().unwrap();
            publisher.due = Some(told + AGAIN);
            due - told
        };
        let second = Duration::from_secs(1);
        assert_eq!(due_after(&[2, 1], second), SETTLED, "one was made a moment ago");
        assert_eq!(due_after(&[1, 2, 3], 5 * second), 5 * second + GROWN);
        assert_eq!(due_after(&[1], 6 * second), 6 * second + SETTLED, "none is new");
        assert_eq!(
            due_after(&[2, 3], 7 * second),
            7 * second + SETTLED,
            "one is gone"
        );
    }
}
