//! Whether this computer's clock is right, going by what its peers say.
//!
//! The rule: the newest answer of each peer that is asked (`time`) counts once, and the estimate is the middle one; of an even number, the
//! mean of the two in the middle, if they agree within [`TOLERANCE`], and otherwise nothing is known. So one peer is taken
//! at its word, two must agree, and with more, as long as fewer than half of them are wrong, the estimate lies among the
//! honest ones, however wrong the others are. Identities cost nothing and peers may lie: an estimate may make a sentence for
//! the person at this computer, and must never set a clock or decide anything else.
//!
//! There is no I/O here; [`time`](crate::time) asks the peers.

use libp2p::PeerId;
use std::{
    collections::BTreeMap,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How far the two answers in the middle may be apart.
pub(crate) const TOLERANCE: Duration = Duration::from_secs(5);
/// The slowest answer that says anything: it may be wrong by half of its round trip.
pub(crate) const SLOWEST: Duration = Duration::from_secs(2);

/// The wall clock: the system's, unless a test wants another.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// This computer's clock.
    pub fn system() -> Self {
        Self::new(SystemTime::now)
    }

    /// A clock that shows what `now` says.
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Milliseconds since 1970; 0 before that.
    pub(crate) fn ms(&self) -> u64 {
        let since = (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&(self.0)()).finish()
    }
}

/// How far this computer's clock is from its peers'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockOffset {
    /// Milliseconds: positive when this computer is ahead.
    pub ms: i64,
    /// How many peers this goes by. Don't make much of one alone.
    pub peers: usize,
}

/// How far we are ahead of a peer, in milliseconds. It said `theirs` within the `round_trip` that ended at `ours`, both
/// in milliseconds since 1970; nothing follows from an answer that took too long.
pub(crate) fn ahead(ours: u64, round_trip: Duration, theirs: u64) -> Option<i64> {
    if round_trip > SLOWEST {
        return None;
    }
    let middle = i128::from(ours) - (round_trip.as_millis() / 2) as i128;
    let ahead = middle - i128::from(theirs);
    // Any number may arrive.
    Some(ahead.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
}

/// What each peer's newest answer says.
#[derive(Default)]
pub(crate) struct Estimator {
    ahead: BTreeMap<PeerId, i64>,
}

impl Estimator {
    /// Takes a peer's answer; `None` is an answer, too: the one before doesn't hold any more.
    pub(crate) fn note(&mut self, peer: PeerId, ahead: Option<i64>) {
        match ahead {
            Some(ahead) => self.ahead.insert(peer, ahead),
            None => self.ahead.remove(&peer),
        };
    }

    /// Forgets who is gone.
    pub(crate) fn retain(&mut self, connected: impl Fn(&PeerId) -> bool) {
        self.ahead.retain(|peer, _| connected(peer));
    }

    pub(crate) fn estimate(&self) -> Option<ClockOffset> {
        let mut sorted: Vec<i64> = self.ahead.values().copied().collect();
        sorted.sort_unstable();
        let peers = sorted.len();
        let upper = i128::from(*sorted.get(peers / 2)?);
        let lower = i128::from(*sorted.get(peers.checked_sub(1)? / 2)?);
        if upper - lower > TOLERANCE.as_millis() as i128 {
            return None;
        }
        // Between two that are an i64 each.
        let ms = (lower + (upper - lower) / 2) as i64;
        Some(ClockOffset { ms, peers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn estimate(answers: &[i64]) -> Option<ClockOffset> {
        let mut estimator = Estimator::default();
        for ahead in answers {
            estimator.note(PeerId::random(), Some(*ahead));
        }
        estimator.estimate()
    }

    #[test]
    fn nobody_knows_nothing_and_one_peer_is_taken_at_its_word() {
        assert_eq!(estimate(&[]), None);
        assert_eq!(estimate(&[35_000]), Some(ClockOffset { ms: 35_000, peers: 1 }));
    }

    #[test]
    fn two_peers_must_agree() {
        assert_eq!(estimate(&[-900_000, 0]), None);
        assert_eq!(
            estimate(&[35_000, 36_000]),
            Some(ClockOffset { ms: 35_500, peers: 2 })
        );
    }

    #[test]
    fn one_liar_among_three_changes_nothing() {
        for lie in [i64::MIN, -1, 0, 3_600_000, i64::MAX] {
            let ms = estimate(&[35_000, 35_010, lie]).map(|offset| offset.ms);
            assert!(matches!(ms, Some(35_000..=35_010)), "{lie}: {ms:?}");
        }
    }

    #[test]
    fn a_peer_counts_once_and_only_while_it_answers() {
        let (mut estimator, peer) = (Estimator::default(), PeerId::random());
        estimator.note(peer, Some(9));
        estimator.note(peer, Some(7));
        assert_eq!(estimator.estimate(), Some(ClockOffset { ms: 7, peers: 1 }));
        estimator.note(peer, None);
        assert_eq!(estimator.estimate(), None);
        estimator.note(peer, Some(7));
        estimator.retain(|other| *other != peer);
        assert_eq!(estimator.estimate(), None);
    }

    #[test]
    fn half_of_the_round_trip_is_the_way() {
        let trip = Duration::from_millis(200);
        assert_eq!(ahead(10_200, trip, 10_100), Some(0));
        assert_eq!(ahead(45_200, trip, 10_100), Some(35_000), "we are ahead");
        assert_eq!(ahead(10_200, trip, 45_100), Some(-35_000), "we are behind");
        assert_eq!(ahead(10_200, SLOWEST + Duration::from_millis(1), 10_100), None);
    }

    proptest! {
        #[test]
        fn fewer_than_half_can_only_move_it_among_the_honest(
            honest in prop::collection::vec(-100_000i64..100_000, 1..20),
            lies in prop::collection::vec(any::<i64>(), 0..20),
        ) {
            let lies = &lies[..lies.len().min(honest.len() - 1)];
            let all = [&honest[..], lies].concat();
            let (min, max) = (*honest.iter().min().unwrap(), *honest.iter().max().unwrap());
            match estimate(&all) {
                Some(ClockOffset { ms, peers }) => {
                    prop_assert!((min..=max).contains(&ms), "{ms} is not in {min}..={max}");
                    prop_assert_eq!(peers, all.len());
                }
                // The honest ones themselves are too far apart.
                None => prop_assert!(all.len() % 2 == 0 && max - min > TOLERANCE.as_millis() as i64),
            }
        }

        #[test]
        fn no_answer_overflows(ours: u64, theirs: u64, trip in 0u64..10_000) {
            let found = ahead(ours, Duration::from_millis(trip), theirs);
            prop_assert_eq!(found.is_some(), trip <= SLOWEST.as_millis() as u64);
        }
    }
}
