//! Whether the clock is wrong, and the one sentence that says so.
//!
//! Pure, like the estimate.

use serde::Serialize;

/// A slow network or a busy PC makes blocks late, which looks like a clock that is ahead by as much.
const MAY_BE_LATENESS_MS: i64 = 5_000;

/// What is known of this PC's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// By how much it is ahead of the network's, in milliseconds; below zero, it is behind. `None` while nobody knows.
    pub offset_ms: Option<i64>,
    /// What is wrong and what to do, in one sentence; `None` if nothing is, as far as is known.
    pub warning: Option<String>,
}

/// Judges an estimate (see [`super::estimate`]) and how far the newest stored block's slot lies ahead of the clock.
///
/// One slot is what others put up with: a block further ahead is refused.
pub fn judge(estimate: Option<i64>, head_ahead_ms: i64, slot_ms: i64) -> Verdict {
    let correct = "set it right with  timedatectl set-ntp true  (or another NTP client)";
    if head_ahead_ms > slot_ms && estimate.is_none_or(|offset| offset.saturating_neg() <= head_ahead_ms) {
        return Verdict {
            offset_ms: Some(head_ahead_ms.saturating_neg()),
            warning: Some(format!(
                "the newest block lies about {} ahead of this PC's clock, so this node makes no blocks until then: \
                 {correct}; if the clocks of all PCs were set back, set all of them right",
                span(head_ahead_ms)
            )),
        };
    }
    let warning = match estimate {
        Some(offset) if offset > slot_ms.max(MAY_BE_LATENESS_MS) => Some(format!(
            "this PC's clock is about {} ahead of the network's, so other PCs refuse the blocks that it makes: {correct}",
            span(offset)
        )),
        Some(offset) if offset < -slot_ms => Some(format!(
            "this PC's clock is about {} behind the network's, so it refuses other PCs' blocks until they are older: \
             {correct}",
            span(offset)
        )),
        _ => None,
    };
    Verdict {
        offset_ms: estimate,
        warning,
    }
}

/// Whether a block on top of one of the slot that began at `head_start` can be made now: its slot must come later, or it
/// would be older than its parent.
pub fn may_follow(head_start_ms: i64, slot_ms: i64, wall_ms: i64) -> bool {
    head_start_ms <= 0 || head_start_ms.saturating_add(slot_ms) <= wall_ms
}

/// A length of time as a person says it.
fn span(ms: i64) -> String {
    let seconds = (ms.unsigned_abs() + 500) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOT: i64 = 10_000;

    fn warning(estimate: Option<i64>, head_ahead: i64) -> String {
        judge(estimate, head_ahead, SLOT).warning.unwrap_or_default()
    }

    #[test]
    fn a_clock_that_others_put_up_with_is_left_alone() {
        for offset in [None, Some(0), Some(SLOT), Some(-SLOT)] {
            let verdict = judge(offset, SLOT, SLOT);
            assert_eq!(verdict.warning, None, "{offset:?}");
            assert_eq!(verdict.offset_ms, offset);
        }
        // Short slots must not turn a busy PC into a wrong clock.
        assert_eq!(judge(Some(4_900), 0, 2_000).warning, None);
        assert!(judge(Some(5_100), 0, 2_000).warning.is_some());
        assert!(judge(Some(-2_100), 0, 2_000).warning.is_some());
    }

    #[test]
    fn a_wrong_clock_is_one_sentence_with_by_how_much_and_what_to_do() {
        let ahead = warning(Some(35_100), 0);
        assert!(
            ahead.starts_with("this PC's clock is about 35 s ahead of the network's"),
            "{ahead}"
        );
        let behind = warning(Some(-900_000), 0);
        assert!(
            behind.starts_with("this PC's clock is about 15 min behind the network's"),
            "{behind}"
        );
        for sentence in [ahead, behind, warning(None, 900_000)] {
            assert!(sentence.contains("timedatectl"), "{sentence}");
            assert!(!sentence.contains('\n') && !sentence.contains(". "), "{sentence}");
        }
    }

    #[test]
    fn a_head_that_lies_ahead_is_noticed_without_any_other_pc() {
        let verdict = judge(None, 900_000, SLOT);
        assert_eq!(verdict.offset_ms, Some(-900_000));
        assert!(
            verdict
                .warning
                .unwrap()
                .starts_with("the newest block lies about 15 min ahead")
        );
        // What others' new blocks say is nearer to the truth, when it says more.
        assert_eq!(judge(Some(-1_000_000), 900_000, SLOT).offset_ms, Some(-1_000_000));
    }

    #[test]
    fn no_block_is_made_before_the_newest_one_is_past() {
        let head = 1_800_000_000_000;
        assert!(may_follow(head, SLOT, head + SLOT));
        assert!(!may_follow(head, SLOT, head + SLOT - 1));
        assert!(!may_follow(head, SLOT, head - 900_000));
        // Genesis has no slot, and waits for nobody.
        assert!(may_follow(0, SLOT, 0));
    }

    #[test]
    fn spans_are_said_in_the_unit_that_fits() {
        let said = [
            0,
            499,
            500,
            119_400,
            120_000,
            899_000,
            7_200_000,
            172_800_000,
            -35_000,
        ]
        .map(span);
        assert_eq!(
            said,
            [
                "0 s", "0 s", "1 s", "119 s", "2 min", "15 min", "2 h", "2 days", "35 s"
            ]
        );
        assert!(span(i64::MIN).ends_with(" days"));
    }
}
