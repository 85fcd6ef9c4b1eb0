//! What this trainer found, by poll: so that it can open a poll after a restart without computing again.
//!
//! What a digest was made of can't be taken back, so the first finding of a poll counts, and it is on disk before anybody is given
//! it. Only where it can't be written is it given all the same: what a restart forgets is computed again. Only the newest are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use hydra_primitives::poll::{Opening, PollId};

use super::salvage;

/// How many of the newest findings are kept, and survive a restart: far more than there are polls to be opened.
pub(super) const KEPT: usize = 10_000;

/// How a finding begins on disk, so that it is found again in a damaged file.
const MAGIC: &[u8] = b"\xf1hyd";

/// A finding with its number: they count up.
pub(super) type Entry = (u64, PollId, Opening);

/// As it is on disk.
pub(super) fn encode(entry: &Entry) -> Vec<u8> {
    // 8 bytes of a number, 32 each of poll, weights and witness, 12 of a score, and one that says what was found.
    salvage::seal(MAGIC, entry)
}

/// From disk.
pub(super) fn decode(bytes: &[u8]) -> Option<Entry> {
    let (entry, rest) = salvage::open(MAGIC, bytes)?;
    rest.is_empty().then_some(entry)
}

/// All whole findings among the bytes of a damaged file, the oldest first. Old pages may hold some that were forgotten: harmless.
pub(super) fn salvaged(bytes: &[u8]) -> Vec<Entry> {
    let (mut entries, _) = salvage::salvage(bytes, |bytes| salvage::open::<Entry>(MAGIC, bytes));
    entries.sort_by_key(|(number, poll, _)| (*number, *poll));
    entries
}

/// The findings.
#[derive(Debug, Default)]
pub(super) struct Findings {
    by_number: BTreeMap<u64, (PollId, Opening)>,
    numbers: HashMap<PollId, u64>,
    /// Not written yet, so nobody is given them.
    coming: HashSet<PollId>,
}

impl Findings {
    /// What was found of this poll.
    pub(super) fn get(&self, poll: &PollId) -> Option<Opening> {
        if self.coming.contains(poll) {
            return None;
        }
        self.row(*self.numbers.get(poll)?).map(|(_, _, opening)| opening)
    }

    /// Whether nothing was found of this poll, nor is being written.
    pub(super) fn is_new(&self, poll: &PollId) -> bool {
        !self.numbers.contains_key(poll)
    }

    /// Whether it is being written.
    pub(super) fn is_coming(&self, poll: &PollId) -> bool {
        self.coming.contains(poll)
    }

    /// The finding with this number.
    pub(super) fn row(&self, number: u64) -> Option<Entry> {
        let (poll, opening) = self.by_number.get(&number)?;
        Some((number, *poll, *opening))
    }

    /// The numbers of all.
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.by_number.keys().copied()
    }

    /// As it was on disk.
    pub(super) fn load(&mut self, (number, poll, opening): Entry) {
        if self.is_new(&poll) {
            self.by_number.insert(number, (poll, opening));
            self.numbers.insert(poll, number);
        }
    }

    /// Takes a finding of which [`is_new`](Self::is_new) is true. Returns its number.
    pub(super) fn add(&mut self, poll: PollId, opening: Opening) -> u64 {
        let last = self.by_number.last_key_value();
        let number = last.map_or(0, |(number, _)| number.saturating_add(1));
        self.load((number, poll, opening));
        number
    }

    /// From now on until [`written`](Self::written) nobody is given it.
    pub(super) fn hide(&mut self, poll: PollId) {
        self.coming.insert(poll);
    }

    /// It is on disk, or can't be.
    pub(super) fn written(&mut self, poll: &PollId) {
        self.coming.remove(poll);
    }

    /// Forgets all but the newest `kept`, and returns the numbers of those that it forgets.
    pub(super) fn trim(&mut self, kept: usize) -> BTreeSet<u64> {
        let mut forgotten = BTreeSet::new();
        while self.by_number.len() > kept
            && let Some((number, (poll, _))) = self.by_number.pop_first()
        {
            self.numbers.remove(&poll);
            self.coming.remove(&poll);
            forgotten.insert(number);
        }
        forgotten
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use hydra_primitives::{H256, poll::Finding, proposal::Score};
    use proptest::prelude::*;

    pub(in crate::database) fn poll(n: u64) -> PollId {
        let mut poll = H256::repeat_byte(7);
        poll.0[..8].copy_from_slice(&n.to_be_bytes());
        poll
    }

    pub(in crate::database) fn opening(n: u64) -> Opening {
        Opening {
            finding: Finding::Update(poll(n)),
            witness: H256::repeat_byte(9),
        }
    }

    #[test]
    fn the_first_finding_of_a_poll_counts_and_nobody_is_given_it_before_it_is_written() {
        let mut findings = Findings::default();
        findings.add(poll(1), opening(1));
        findings.hide(poll(1));
        assert!(!findings.is_new(&poll(1)) && findings.is_coming(&poll(1)));
        assert_eq!(findings.get(&poll(1)), None);
        findings.written(&poll(1));
        assert_eq!(findings.get(&poll(1)), Some(opening(1)));
        findings.load((9, poll(1), opening(2)));
        assert_eq!(findings.get(&poll(1)), Some(opening(1)));
    }

    #[test]
    fn the_newest_are_kept() {
        let mut findings = Findings::default();
        let numbers: Vec<u64> = (0..50).map(|n| findings.add(poll(n), opening(n))).collect();
        assert_eq!(findings.trim(3), numbers[..47].iter().copied().collect());
        assert_eq!(findings.all().collect::<Vec<_>>(), numbers[47..]);
        assert_eq!(findings.get(&poll(46)), None);
        assert_eq!(findings.get(&poll(49)), Some(opening(49)));
        assert_eq!(findings.add(poll(50), opening(50)), numbers[49] + 1);
    }

    #[test]
    fn the_longest_finding_fits_its_record() {
        let score = Score {
            correct: u32::MAX,
            total: u32::MAX,
            loss: u32::MAX,
        };
        let finding = Finding::Version {
            weights: H256::repeat_byte(4),
            score,
        };
        let witness = H256::repeat_byte(5);
        let entry = (u64::MAX, poll(1), Opening { finding, witness });
        assert_eq!(decode(&encode(&entry)), Some(entry));
        assert_eq!(decode(&[&encode(&entry)[..], b"more"].concat()), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_no_finding_and_hide_none(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            after in proptest::collection::vec(any::<u8>(), 0..300),
            n in any::<u64>(),
        ) {
            prop_assert_eq!(decode(&before), None);
            let entry = (n, poll(n), opening(n));
            let bytes = [&before[..], &encode(&entry), &after].concat();
            prop_assert_eq!(salvaged(&bytes), vec![entry]);
        }
    }
}
