//! Figures as people read them.

use hydra_primitives::proposal::Score;
use std::time::Duration;

/// The share of right answers, if there were any questions.
pub fn accuracy(score: &Score) -> Option<f64> {
    (score.total > 0).then(|| f64::from(score.correct) / f64::from(score.total))
}

/// A share as people read it.
pub fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".into(), |share| format!("{:.2} %", share * 100.0))
}

/// The beginning of a hash, enough to compare by eye.
pub fn short_hash(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// A time as people say it: `4.2 s`, `35 s`, `15 min`, `3 h 5 min`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let minutes = (seconds / 60.0).round() as u64;
    match () {
        () if seconds < 10.0 => format!("{seconds:.1} s"),
        () if seconds < 120.0 => format!("{seconds:.0} s"),
        () if minutes < 120 => format!("{minutes} min"),
        () => format!("{} h {} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_exact_as_people_need_it() {
        let said = |milliseconds| duration(Duration::from_millis(milliseconds));
        assert_eq!(said(4_240), "4.2 s");
        assert_eq!(said(35_400), "35 s");
        assert_eq!(said(890_000), "15 min");
        assert_eq!(said(11_100_000), "3 h 5 min");
    }
}
