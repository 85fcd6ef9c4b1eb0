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

/// A time in a word or two, for lines that are made anew each second: `2 s`, `15 min`, `3 h`, `2 d`.
pub fn brief(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A number with its thousands apart: `182,336`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// At most `width` characters of this, with a sign where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.into();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// The day of a time in milliseconds since 1970, in UTC: `2026-11-28`.
pub fn day(milliseconds: u64) -> String {
    // Howard Hinnant's `civil_from_days`, for days after 1970: years begin in March, and eras of 400 years are all alike.
    let days = milliseconds / 86_400_000 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(951_782_399_999), "2000-02-28");
        assert_eq!(day(951_782_400_000), "2000-02-29");
        assert_eq!(day(1_798_761_599_000), "2026-12-31");
        // Whatever a file says.
        assert!(!day(u64::MAX).is_empty());
    }

    #[test]
    fn a_brief_time_is_whole_and_thousands_are_apart() {
        let said = |seconds| brief(Duration::from_secs(seconds));
        assert_eq!(
            [said(0), said(119), said(120), said(7_200), said(172_800)],
            ["0 s", "119 s", "2 min", "2 h", "2 d"]
        );
        let shown = [0, 999, 1_000, 182_336, 1_000_000].map(count);
        assert_eq!(shown, ["0", "999", "1,000", "182,336", "1,000,000"]);
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("digits", 6), "digits");
        assert_eq!(cut("digits of all", 6), "digit…");
        assert_eq!(cut("äöü", 2), "ä…");
    }

    #[test]
    fn a_time_is_as_exact_as_people_need_it() {
        let said = |milliseconds| duration(Duration::from_millis(milliseconds));
        assert_eq!(said(4_240), "4.2 s");
        assert_eq!(said(35_400), "35 s");
        assert_eq!(said(890_000), "15 min");
        assert_eq!(said(11_100_000), "3 h 5 min");
    }
}
