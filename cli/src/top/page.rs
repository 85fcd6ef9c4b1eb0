//! What a page is made of: rows of words, in panels. Whatever the words are, they are one line and steer no terminal.

use std::time::SystemTime;

use crate::{output, report::figures::brief};

/// Words, perhaps with the time since something between them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Words {
    before: String,
    since: Option<SystemTime>,
    width: usize,
    after: String,
}

impl Words {
    /// These words.
    pub fn said(text: impl AsRef<str>) -> Self {
        Self {
            before: line(text.as_ref()),
            ..Self::default()
        }
    }

    /// The time since then between these words.
    pub fn since(before: impl AsRef<str>, since: SystemTime, after: impl AsRef<str>) -> Self {
        Self {
            before: line(before.as_ref()),
            since: Some(since),
            width: 0,
            after: line(after.as_ref()),
        }
    }

    /// The same, the time in a column of this width.
    pub fn in_column(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// As they are now.
    pub fn text(&self, now: SystemTime) -> String {
        let Some(since) = self.since else {
            return self.before.clone();
        };
        // A clock that was set is no reason to show nonsense.
        let time = brief(now.duration_since(since).unwrap_or_default());
        format!("{}{time:>width$}{}", self.before, self.after, width = self.width)
    }
}

/// One line that does nothing but being read.
fn line(text: &str) -> String {
    output::harmless(text).replace('\n', " ")
}

/// How a row is meant. A colour repeats it; the words say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    /// As any other.
    #[default]
    Plain,
    /// Well.
    Good,
    /// Somebody should do something.
    Bad,
}

/// A line of a panel.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// What begins at its left.
    pub left: Words,
    /// What ends at its right, and is never cut for the left.
    pub right: Words,
    /// How it is meant.
    pub mood: Mood,
}

impl Row {
    /// Words at the left alone.
    pub fn said(left: impl AsRef<str>) -> Self {
        Self {
            left: Words::said(left),
            ..Self::default()
        }
    }

    /// Words at both sides.
    pub fn both(left: impl AsRef<str>, right: impl AsRef<str>) -> Self {
        Self {
            left: Words::said(left),
            right: Words::said(right),
            ..Self::default()
        }
    }

    /// The same, meant like this.
    pub fn meant(mut self, mood: Mood) -> Self {
        self.mood = mood;
        self
    }
}

/// Rows under a title.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Panel {
    /// The title.
    pub title: String,
    /// The rows, the most important first.
    pub rows: Vec<Row>,
    /// Whether whoever says this is away: then it is grey, and a notice says since when.
    pub stale: bool,
}

impl Panel {
    /// A panel.
    pub fn new(title: impl AsRef<str>, stale: bool, rows: Vec<Row>) -> Self {
        Self {
            title: line(title.as_ref()),
            rows,
            stale,
        }
    }
}

/// Something to know before everything else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice {
    /// What, and what to do.
    pub words: Words,
    /// How it is meant.
    pub mood: Mood,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn time_passes_between_words() {
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        let words = Words::since("away for ", then, ", it seems");
        assert_eq!(
            words.text(then + Duration::from_secs(5)),
            "away for 5 s, it seems"
        );
        assert_eq!(
            words.text(then - Duration::from_secs(5)),
            "away for 0 s, it seems"
        );
        assert_eq!(Words::since("", then, "").in_column(6).text(then), "   0 s");
    }

    #[test]
    fn nobody_who_is_quoted_steers_the_terminal_or_turns_the_line() {
        let text = Words::said("a\x1b[2Jb\nc\u{202e}d\u{9b}e\u{200b}f").text(SystemTime::UNIX_EPOCH);
        assert_eq!(text, "a [2Jb cd ef");
    }
}
