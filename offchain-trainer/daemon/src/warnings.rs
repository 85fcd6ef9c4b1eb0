//! What will be a fault unless somebody does something: said in the log when it begins, and at `/v1/status` for as long
//! as it lasts.

use std::{collections::BTreeMap, sync::Mutex};

use hydra_network::ClockOffset;

use crate::lock;

/// A clock that is further from the peers' than this costs blocks.
const CLOCK_MS: u64 = 2_000;
/// And it is right again below this: near the limit, the log would otherwise fill.
const CLOCK_RIGHT_MS: u64 = 1_500;

/// What a warning is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Concern {
    /// Free space on the disk.
    Space,
    /// What the store may have.
    Quota,
    /// This PC's clock.
    Clock,
    /// Data sets that were imported.
    Data,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Severity {
    /// Nothing is lost yet.
    Warns,
    /// The trainer does less because of it.
    Stops,
}

/// The warnings that hold now: at most one of each concern.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Mutex<BTreeMap<Concern, (Severity, String)>>);

impl Warnings {
    /// How things are now; `None`: as they should be.
    pub(crate) fn set(&self, concern: Concern, now: Option<(Severity, String)>) {
        let mut current = lock(&self.0);
        let Some((severity, sentence)) = now else {
            if current.remove(&concern).is_some() {
                tracing::info!("{}", concern.over());
            }
            return;
        };
        let before = current.insert(concern, (severity, sentence.clone()));
        // The numbers in it may change from block to block; that is for the status, not for the log.
        if before.is_none_or(|(before, _)| before != severity) {
            tracing::warn!("{sentence}");
        }
    }

    /// Compares this PC's clock with its peers'.
    pub(crate) fn look_at_clock(&self, offset: Option<ClockOffset>) {
        let warned = lock(&self.0).contains_key(&Concern::Clock);
        // Who knows no peers' time knows nothing against the clock.
        let limit = if warned { CLOCK_RIGHT_MS } else { CLOCK_MS };
        let wrong = offset.filter(|offset| offset.ms.unsigned_abs() > limit);
        self.set(
            Concern::Clock,
            wrong.map(|offset| (Severity::Warns, clock_sentence(offset))),
        );
    }

    /// The sentences.
    pub(crate) fn list(&self) -> Vec<String> {
        lock(&self.0)
            .values()
            .map(|(_, sentence)| sentence.clone())
            .collect()
    }
}

impl Concern {
    fn over(self) -> &'static str {
        match self {
            Self::Space => "there is enough free space again",
            Self::Quota => "the store has no more than it may again",
            Self::Clock => "this PC's clock agrees with its peers' again",
            Self::Data => "the data sets that the network was founded with are here",
        }
    }
}

fn clock_sentence(ClockOffset { ms, peers }: ClockOffset) -> String {
    let seconds = ms.unsigned_abs().saturating_add(500) / 1000;
    let direction = if ms > 0 { "ahead of" } else { "behind" };
    let advice = "set it with NTP (for example  sudo timedatectl set-ntp true), or the network loses blocks and this PC rounds";
    match peers {
        1 => format!(
            "this PC's clock is about {seconds} s {direction} its only peer's, so one of the two is wrong: {advice}"
        ),
        peers => {
            format!("this PC's clock is about {seconds} s {direction} its {peers} peers': {advice}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(ms: i64, peers: usize) -> Option<ClockOffset> {
        Some(ClockOffset { ms, peers })
    }

    #[test]
    fn a_wrong_clock_is_one_sentence_until_it_is_right() {
        let warnings = Warnings::default();
        warnings.look_at_clock(None);
        warnings.look_at_clock(clock(2_000, 3));
        assert!(warnings.list().is_empty());
        warnings.look_at_clock(clock(35_200, 3));
        let said = warnings.list();
        assert!(
            matches!(said.as_slice(), [one] if one.contains("about 35 s ahead of its 3 peers'") && one.contains("NTP")),
            "{said:?}"
        );
        warnings.look_at_clock(clock(-900_000, 1));
        let said = warnings.list();
        assert!(
            matches!(said.as_slice(), [one] if one.contains("about 900 s behind its only peer's")),
            "{said:?}"
        );
        // Near the limit it does not come and go.
        warnings.look_at_clock(clock(1_600, 3));
        assert_eq!(warnings.list().len(), 1);
        warnings.look_at_clock(clock(1_000, 3));
        assert!(warnings.list().is_empty());
        warnings.look_at_clock(clock(i64::MIN, 3));
        assert_eq!(warnings.list().len(), 1);
        warnings.look_at_clock(None);
        assert!(warnings.list().is_empty());
    }

    #[test]
    fn each_concern_is_named_once_with_what_holds_now() {
        let warnings = Warnings::default();
        let some = |sentence: &str| Some((Severity::Warns, sentence.to_owned()));
        warnings.set(Concern::Clock, some("clock"));
        warnings.set(Concern::Space, some("2 GiB"));
        warnings.set(Concern::Space, some("1 GiB"));
        assert_eq!(warnings.list(), ["1 GiB", "clock"]);
        warnings.set(Concern::Space, None);
        assert_eq!(warnings.list(), ["clock"]);
    }
}
