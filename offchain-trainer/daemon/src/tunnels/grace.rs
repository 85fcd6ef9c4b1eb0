//! How long a node has to find others by itself: at its start, and when it has lost somebody, who may just be starting again.
//!
//! What goes straight from node to node outlives either trainer, so it is better than any way through them.

use std::time::Duration;

use tokio::time::Instant;

/// It dials whom it knows at once, and who starts beside it may need some seconds more.
const LASTS: Duration = Duration::from_secs(30);
/// After one there is no other for so long, or a peer that comes and goes could keep a node without ways for ever.
const AGAIN: Duration = Duration::from_secs(60);

/// Until when it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grace {
    until: Instant,
}

impl Grace {
    /// The node has just been heard of.
    pub(super) fn begin(now: Instant) -> Self {
        Self { until: now + LASTS }
    }

    /// It was heard of again, and has lost somebody or not.
    pub(super) fn after(self, lost: bool, now: Instant) -> Self {
        match lost && self.until + AGAIN <= now {
            true => Self::begin(now),
            false => self,
        }
    }

    /// Whether it has time still.
    pub(super) fn holds(self, now: Instant) -> bool {
        now < self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_time_at_its_start_and_when_it_has_lost_somebody() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let grace = Grace::begin(start);
        assert!(grace.holds(at(29)) && !grace.holds(at(30)));
        let again = grace.after(false, at(100)).after(true, at(100));
        assert!(again.holds(at(129)) && !again.holds(at(130)));
    }

    #[test]
    fn whoever_comes_and_goes_keeps_no_node_without_ways() {
        let start = Instant::now();
        let mut grace = Grace::begin(start);
        let mut without = 0;
        for second in 0..900 {
            let now = start + Duration::from_secs(second);
            grace = grace.after(true, now);
            without += u64::from(grace.holds(now));
        }
        assert_eq!(without, 300);
    }
}
