//! Models that no duty sheet names any more.
//!
//! A full sheet leaves models out by turns, so one sheet says nothing. Sheets are counted in periods: a model that is in none of a
//! period's sheets was away for that period, and after [`GONE_AFTER`] of them in a row it is gone. Time while this PC is off, or on
//! another chain, counts for nothing.

use std::collections::{BTreeMap, BTreeSet};

use hydra_primitives::{H256, ModelId};

/// Sheets of a period: about an hour of blocks of 10 s.
pub(super) const PERIOD: u32 = 360;
/// Periods in a row after which a model is gone: about a week.
pub(super) const GONE_AFTER: u32 = 168;

/// Whose model.
pub(super) type Of = (H256, ModelId);

/// For how long which models were away.
#[derive(Debug, Default)]
pub(super) struct Absence {
    /// The chain whose sheets are counted.
    genesis: H256,
    sheets: u32,
    /// Models that this period's sheets named.
    named: BTreeSet<ModelId>,
    /// Periods that models have been away. None that is here is in the newest sheets.
    pub(super) away: BTreeMap<Of, u32>,
}

impl Absence {
    /// A sheet came. Returns whether a period is over, for [`end_period`](Self::end_period).
    pub(super) fn sheet(&mut self, genesis: H256, models: impl Iterator<Item = ModelId>) -> bool {
        if self.genesis != genesis {
            self.genesis = genesis;
            self.sheets = 0;
            self.named.clear();
        }
        self.named.extend(models);
        self.sheets = self.sheets.saturating_add(1);
        self.is_due()
    }

    /// Whether a period is over.
    pub(super) fn is_due(&self) -> bool {
        self.sheets >= PERIOD
    }

    /// Counts the period, if one is over, for `known` models: those of which there are blobs. Returns whose counts changed, and which
    /// models are gone.
    pub(super) fn end_period(&mut self, known: &BTreeSet<Of>) -> (Vec<Of>, Vec<Of>) {
        if !self.is_due() {
            return (Vec::new(), Vec::new());
        }
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for of in known.iter().filter(|of| of.0 == self.genesis) {
            if self.named.contains(&of.1) {
                continue;
            }
            let count = self.away.entry(*of).or_default();
            *count = count.saturating_add(1);
            changed.push(*of);
            if *count >= GONE_AFTER {
                gone.push(*of);
            }
        }
        // Those that are back, and those of which nothing is left.
        let over = |of: &Of| !known.contains(of) || of.0 == self.genesis && self.named.contains(&of.1);
        let over: Vec<Of> = self.away.keys().filter(|of| over(of)).copied().collect();
        for of in over {
            self.away.remove(&of);
            changed.push(of);
        }
        self.sheets = 0;
        self.named.clear();
        (changed, gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN: H256 = H256::repeat_byte(1);

    fn period(absence: &mut Absence, named: impl Fn(u32) -> Vec<ModelId>, known: &[ModelId]) -> Vec<ModelId> {
        let known = known.iter().map(|model| (CHAIN, *model)).collect();
        for sheet in 1..=PERIOD {
            let over = absence.sheet(CHAIN, named(sheet).into_iter());
            assert_eq!(over, sheet == PERIOD);
            if !over {
                assert!(absence.end_period(&known).0.is_empty());
            }
        }
        let (_, gone) = absence.end_period(&known);
        gone.into_iter().map(|(_, model)| model).collect()
    }

    #[test]
    fn a_model_that_sheets_leave_out_by_turns_is_not_away() {
        let mut absence = Absence::default();
        for _ in 0..2 * GONE_AFTER {
            let gone = period(&mut absence, |sheet| vec![sheet % 7], &[0, 3, 6]);
            assert!(gone.is_empty());
        }
        assert!(absence.away.is_empty());
    }

    #[test]
    fn a_model_that_no_sheet_names_for_long_is_gone_and_one_that_comes_back_is_not() {
        let mut absence = Absence::default();
        for _ in 1..GONE_AFTER {
            assert!(period(&mut absence, |_| vec![1], &[1, 2]).is_empty());
        }
        assert!(period(&mut absence, |_| vec![2], &[1, 2]).is_empty());
        assert_eq!(absence.away.get(&(CHAIN, 1)), Some(&1));
        for _ in 1..GONE_AFTER {
            assert!(period(&mut absence, |_| vec![1], &[1, 2]).is_empty());
        }
        assert_eq!(period(&mut absence, |_| vec![1], &[1, 2]), [2]);
        // Its blobs are deleted now.
        period(&mut absence, |_| vec![1], &[1]);
        assert!(absence.away.is_empty());
    }

    #[test]
    fn another_chain_s_sheets_count_for_nothing() {
        let mut absence = Absence::default();
        for _ in 1..PERIOD {
            assert!(!absence.sheet(CHAIN, [].into_iter()));
        }
        assert!(!absence.sheet(H256::repeat_byte(2), [].into_iter()));
        let known = BTreeSet::from([(CHAIN, 0)]);
        for _ in 1..PERIOD {
            absence.sheet(H256::repeat_byte(2), [].into_iter());
        }
        assert_eq!(absence.end_period(&known), (vec![], vec![]));
    }
}
