//! How long a node that catches up still takes, told from how far it came in the last seconds. Where that can't be told, nothing is.

use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// How long ago counts.
const WINDOW: Duration = Duration::from_secs(30);
/// What was seen in less than this says too little.
const LEAST: Duration = Duration::from_secs(5);
/// Looks that follow each other more closely are one.
const APART: Duration = Duration::from_millis(500);
/// Nobody waits this long: whatever it was told from isn't so.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// How far a node came, and when.
#[derive(Debug, Default)]
pub struct Pace {
    seen: VecDeque<(Instant, u64)>,
}

impl Pace {
    /// It is at this block now.
    pub fn note(&mut self, now: Instant, block: u64) {
        if let Some((last, seen)) = self.seen.back() {
            if block < *seen {
                // Another node, or another branch: what was seen says nothing.
                self.seen.clear();
            } else if now.saturating_duration_since(*last) < APART {
                return;
            }
        }
        self.seen.push_back((now, block));
        let is_old = |(seen, _): &(Instant, u64)| now.saturating_duration_since(*seen) > WINDOW;
        while self.seen.front().is_some_and(is_old) {
            self.seen.pop_front();
        }
    }

    /// How long it takes from there to this block.
    pub fn left(&self, target: u64) -> Option<Duration> {
        let ((begin, from), (end, to)) = (self.seen.front()?, self.seen.back()?);
        let time = end.saturating_duration_since(*begin);
        let (done, left) = (to.saturating_sub(*from), target.saturating_sub(*to));
        if time < LEAST || done == 0 || left == 0 {
            return None;
        }
        let seconds = time.as_secs_f64() * left as f64 / done as f64;
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|left| *left <= LONGEST)
    }
}

/// That, as people say it: `about 4 min left`.
pub fn words(left: Duration) -> String {
    let minutes = left.as_secs().div_ceil(60);
    match minutes {
        0 | 1 => "less than a minute left".into(),
        2..120 => format!("about {minutes} min left"),
        _ => format!("about {} h left", minutes.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A node that was at these blocks after so many seconds.
    fn pace(looks: &[(u64, u64)]) -> Pace {
        let begin = Instant::now();
        let mut pace = Pace::default();
        for (seconds, block) in looks {
            pace.note(begin + Duration::from_secs(*seconds), *block);
        }
        pace
    }

    fn left(looks: &[(u64, u64)], target: u64) -> Option<u64> {
        pace(looks).left(target).map(|left| left.as_secs())
    }

    #[test]
    fn what_is_left_follows_from_the_last_seconds() {
        assert_eq!(left(&[(0, 1_000), (10, 2_000)], 8_000), Some(60));
        // It was faster a minute ago.
        let slower = [(0, 0), (60, 60_000), (70, 60_100)];
        assert_eq!(left(&slower, 60_200), Some(10));
    }

    #[test]
    fn nothing_is_told_where_nothing_can_be() {
        assert_eq!(left(&[], 100), None);
        assert_eq!(left(&[(0, 0)], 100), None);
        // Too short a look, a node that stands still, one that is there, and nonsense.
        assert_eq!(left(&[(0, 0), (4, 1_000)], 5_000), None);
        assert_eq!(left(&[(0, 7), (10, 7)], 5_000), None);
        assert_eq!(left(&[(0, 0), (10, 1_000)], 1_000), None);
        assert_eq!(left(&[(0, 0), (10, 1)], u64::MAX), None);
        // What came before another branch doesn't count, nor what is long ago.
        assert_eq!(left(&[(0, 0), (10, 1_000), (20, 500)], 5_000), None);
        assert_eq!(left(&[(0, 0), (100, 1_000)], 5_000), None);
    }

    #[test]
    fn looks_that_follow_closely_are_one() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        for milliseconds in 0..10_000 {
            pace.note(begin + Duration::from_millis(milliseconds), milliseconds);
        }
        assert_eq!(pace.seen.len(), 20);
    }

    #[test]
    fn it_is_said_in_minutes() {
        let said = |seconds| words(Duration::from_secs(seconds));
        assert_eq!(said(59), "less than a minute left");
        assert_eq!(said(61), "about 2 min left");
        assert_eq!(said(7_140), "about 119 min left");
        assert_eq!(said(7_141), "about 2 h left");
    }
}
