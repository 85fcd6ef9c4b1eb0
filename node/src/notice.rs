//! Saying what is wrong at once, and then no oftener than a person can stand; and saying when it is right again.

use std::{
    path::Path,
    time::{Duration, Instant},
};

/// How often what lasts is said again.
const AGAIN: Duration = Duration::from_secs(300);

/// What to say now.
#[derive(Debug, PartialEq, Eq)]
pub enum Say {
    /// That it is wrong.
    Wrong,
    /// That it is right again.
    Right,
    /// Nothing.
    Nothing,
}

/// What was said last.
#[derive(Debug, Default)]
pub struct Notice {
    said: Option<Instant>,
}

impl Notice {
    /// What to say, given whether something is wrong at the moment.
    pub fn look(&mut self, wrong: bool, now: Instant) -> Say {
        match (wrong, self.said) {
            (true, Some(said)) if now.saturating_duration_since(said) < AGAIN => Say::Nothing,
            (true, _) => {
                self.said = Some(now);
                Say::Wrong
            }
            (false, Some(_)) => {
                self.said = None;
                Say::Right
            }
            (false, None) => Say::Nothing,
        }
    }
}

/// A path as a shell takes it for one word, whatever is in it.
pub fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_a_command_is_one_word() {
        assert_eq!(quoted(Path::new("/home/o'brien/a b")), r"'/home/o'\''brien/a b'");
    }

    #[test]
    fn what_lasts_is_said_at_once_and_then_at_a_bounded_rate() {
        let mut notice = Notice::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(notice.look(false, at(0)), Say::Nothing);
        assert_eq!(notice.look(true, at(1)), Say::Wrong);
        let said = (2..1_001).filter(|second| notice.look(true, at(*second)) == Say::Wrong);
        assert_eq!(said.collect::<Vec<_>>(), [301, 601, 901]);
        assert_eq!(notice.look(false, at(1_001)), Say::Right);
        assert_eq!(notice.look(false, at(1_002)), Say::Nothing);
        assert_eq!(notice.look(true, at(1_003)), Say::Wrong);
    }
}
