//! What is thought of peers, from what other parts report of them. It fades: half of it is forgotten in ten minutes.
//!
//! Must never make an enemy of a peer that is merely slow or away: only deeds that no honest PC does add up to a ban.

use crate::reports::{Fault, Report};
use libp2p::PeerId;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// In this time half of a score is forgotten.
const HALF_LIFE: Duration = Duration::from_secs(600);
/// The best score.
const BEST: f64 = 50.0;
/// With this score a peer is banned.
const BANNED: f64 = -100.0;
/// Below this score nobody has a slot.
pub(super) const DISGRACED: f64 = -20.0;
/// Being slow or away makes a score no worse than this.
const SLOW: f64 = -60.0;
/// What a mebibyte is worth.
const PER_MIB: f64 = 0.5;
/// The most that one report of usefulness is worth.
const MOST_USEFUL: f64 = 5.0;
/// So many peers have a score; that of anybody else is 0.
const MOST: usize = 4096;

/// What a fault costs, and whether it alone can lead to a ban.
fn cost(fault: Fault) -> (f64, bool) {
    match fault {
        // Whoever serves checks what it serves: this is no accident, or bad memory.
        Fault::WrongData => (60.0, true),
        Fault::BadMessage => (30.0, true),
        Fault::Invalid => (25.0, true),
        Fault::Flood => (20.0, true),
        Fault::Trickle => (12.0, false),
        Fault::Refused => (3.0, false),
        Fault::Unreachable => (1.0, false),
    }
}

/// All scores.
#[derive(Debug, Default)]
pub(super) struct Scores(BTreeMap<PeerId, Score>);

#[derive(Debug, Clone, Copy)]
struct Score {
    value: f64,
    at: Instant,
}

impl Score {
    fn now(&self, now: Instant) -> f64 {
        let halves = now.saturating_duration_since(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        self.value * 0.5f64.powf(halves)
    }
}

impl Scores {
    /// Takes a report. Returns whether the peer is to be banned.
    pub(super) fn report(&mut self, peer: PeerId, report: Report, now: Instant) -> bool {
        let before = self.of(&peer, now);
        let (value, ban) = match report {
            Report::Useful(bytes) => {
                let kibibytes = u32::try_from(bytes >> 10).unwrap_or(u32::MAX);
                let gain = (f64::from(kibibytes) / 1024.0 * PER_MIB).min(MOST_USEFUL);
                ((before + gain).min(BEST), false)
            }
            Report::Fault(fault) => {
                let (cost, bans) = cost(fault);
                let after = before - cost;
                match bans {
                    true => (after, after <= BANNED),
                    // As it was, if it was worse already.
                    false => (after.max(SLOW.min(before)), false),
                }
            }
        };
        if !self.0.contains_key(&peer) && self.0.len() >= MOST {
            self.make_room(now);
        }
        // Half way to the next ban, once this one is over.
        let value = if ban { BANNED / 2.0 } else { value };
        self.0.insert(peer, Score { value, at: now });
        ban
    }

    /// A peer's score: from −100 to 50.
    pub(super) fn of(&self, peer: &PeerId, now: Instant) -> f64 {
        self.0.get(peer).map_or(0.0, |score| score.now(now))
    }

    /// Forgets the half that says least.
    fn make_room(&mut self, now: Instant) {
        let mut all: Vec<(PeerId, f64)> = self
            .0
            .iter()
            .map(|(peer, score)| (*peer, score.now(now).abs()))
            .collect();
        all.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        for (peer, _) in all.into_iter().take(MOST / 2) {
            self.0.remove(&peer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn a_score_fades_by_half_in_ten_minutes() {
        let (mut scores, peer, now) = (Scores::default(), PeerId::random(), Instant::now());
        scores.report(peer, Report::Fault(Fault::Invalid), now);
        assert!((scores.of(&peer, now) + 25.0).abs() < 1e-9);
        assert!((scores.of(&peer, now + HALF_LIFE) + 12.5).abs() < 1e-9);
        assert!(scores.of(&peer, now + HALF_LIFE * 20).abs() < 1e-3);
        assert!(scores.of(&PeerId::random(), now).abs() < f64::EPSILON);
    }

    #[test]
    fn who_sends_wrong_data_twice_is_banned_and_who_does_so_once_is_not() {
        let (mut scores, peer, now) = (Scores::default(), PeerId::random(), Instant::now());
        let wrong = Report::Fault(Fault::WrongData);
        assert!(!scores.report(peer, wrong, now));
        assert!(scores.of(&peer, now) < DISGRACED, "but it loses its slot");
        assert!(scores.report(peer, wrong, now + Duration::from_secs(60)));
        // Half a day later it has a new chance.
        let later = now + Duration::from_secs(43_200);
        assert!(!scores.report(peer, wrong, later));
    }

    #[test]
    fn who_is_slow_or_away_is_never_banned_but_has_no_slot() {
        let (mut scores, peer, now) = (Scores::default(), PeerId::random(), Instant::now());
        for fault in [Fault::Trickle, Fault::Refused, Fault::Unreachable]
            .into_iter()
            .cycle()
            .take(300)
        {
            assert!(!scores.report(peer, Report::Fault(fault), now));
        }
        assert!(scores.of(&peer, now) < DISGRACED && scores.of(&peer, now) >= SLOW);
    }

    #[test]
    fn being_useful_makes_up_for_little() {
        let (mut scores, peer, now) = (Scores::default(), PeerId::random(), Instant::now());
        for _ in 0..1000 {
            scores.report(peer, Report::Useful(100 * MIB), now);
        }
        assert!((scores.of(&peer, now) - BEST).abs() < 1e-9);
        let bans = (0..3).filter(|_| scores.report(peer, Report::Fault(Fault::WrongData), now));
        assert_eq!(
            bans.count(),
            1,
            "a good name lasts for two wrong answers, not more"
        );
    }

    #[test]
    fn the_table_stays_bounded_and_keeps_what_says_most() {
        let (mut scores, worst, now) = (Scores::default(), PeerId::random(), Instant::now());
        scores.report(worst, Report::Fault(Fault::WrongData), now);
        for _ in 0..2 * MOST {
            scores.report(PeerId::random(), Report::Useful(1), now);
        }
        assert!(scores.0.len() <= MOST);
        assert!(scores.of(&worst, now) < DISGRACED);
    }

    proptest! {
        #[test]
        fn scores_stay_in_their_range(reports in prop::collection::vec((0..8u8, any::<u64>(), 0..3600u64), 0..60)) {
            let faults = [
                Fault::WrongData, Fault::BadMessage, Fault::Trickle, Fault::Flood, Fault::Refused, Fault::Invalid,
                Fault::Unreachable,
            ];
            let (mut scores, peer, mut now) = (Scores::default(), PeerId::random(), Instant::now());
            for (kind, bytes, pause) in reports {
                now += Duration::from_secs(pause);
                let report = faults.get(usize::from(kind)).map_or(Report::Useful(bytes), |f| Report::Fault(*f));
                scores.report(peer, report, now);
                let score = scores.of(&peer, now);
                prop_assert!((BANNED..=BEST).contains(&score), "{score}");
            }
        }
    }
}
