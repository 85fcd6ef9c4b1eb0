//! The last few things that went wrong, as sentences for the person in front of the screen.

use std::{collections::VecDeque, sync::Mutex};

use crate::lock;

/// How many sentences are kept.
const KEPT: usize = 8;

/// Remembers the last sentences, newest last. One that comes again moves to the end instead of filling the list.
#[derive(Debug, Default)]
pub struct ErrorLog(Mutex<VecDeque<String>>);

impl ErrorLog {
    /// Adds a sentence, and writes it to the program's log the first time.
    pub fn add(&self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        let mut kept = lock(&self.0);
        let before = kept.len();
        kept.retain(|other| *other != sentence);
        if kept.len() == before {
            tracing::warn!("{sentence}");
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(sentence);
    }

    /// The sentences, oldest first.
    pub fn list(&self) -> Vec<String> {
        lock(&self.0).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_few_and_each_once() {
        let log = ErrorLog::default();
        for i in 0..20 {
            log.add(format!("{i}"));
        }
        log.add("15");
        assert_eq!(log.list(), ["12", "13", "14", "16", "17", "18", "19", "15"]);
    }
}
