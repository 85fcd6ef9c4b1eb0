//! The same as a plain list does, over random sequences.

use super::{Memory, line, seed};
use crate::electorate::{
    Electorate, Error, Weights,
    tree::{Cursor, Onset, change},
};
use hydra_primitives::electorate::{SEATS_FIRST, SLOTS, point};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// A slot of the plain list.
struct Row {
    who: u32,
    now: u64,
    next: u64,
    /// Session and number of the leaving, where it was given back.
    left: Option<(u32, usize)>,
}

/// The electorate as a list that is walked from end to end.
#[derive(Default)]
struct Plain {
    session: u32,
    rows: Vec<Row>,
    leavings: usize,
}

impl Plain {
    fn row(&mut self, who: u32) -> Option<&mut Row> {
        self.rows
            .iter_mut()
            .find(|row| row.who == who && row.left.is_none())
    }

    fn pass_sessions(&mut self, sessions: u32) {
        self.session += sessions;
        for row in &mut self.rows {
            row.now = row.next;
        }
    }

    fn enter(&mut self, who: u32, now: u64, next: u64) -> Result<u32, Error> {
        if self.row(who).is_some() {
            return Err(Error::AlreadyIn);
        }
        let free = |row: &Row| row.left.filter(|(session, _)| *session < self.session);
        let oldest = (0..self.rows.len())
            .filter(|slot| free(&self.rows[*slot]).is_some())
            .min_by_key(|slot| self.rows[*slot].left);
        let row = Row {
            who,
            now,
            next,
            left: None,
        };
        let slot = match oldest {
            Some(slot) => {
                self.rows[slot] = row;
                slot
            }
            None => {
                self.rows.push(row);
                self.rows.len() - 1
            }
        };
        Ok(u32::try_from(slot).unwrap())
    }

    fn set_weight(&mut self, who: u32, weight: u64) -> Result<(), Error> {
        self.row(who).ok_or(Error::NotIn)?.next = weight;
        Ok(())
    }

    fn leave(&mut self, who: u32) -> Result<(), Error> {
        let left = Some((self.session, self.leavings));
        let row = self.row(who).ok_or(Error::NotIn)?;
        row.next = 0;
        row.left = left;
        self.leavings += 1;
        Ok(())
    }

    fn line(&self, weight: impl Fn(&Row) -> u64) -> Vec<u32> {
        self.rows
            .iter()
            .flat_map(|row| (0..weight(row)).map(move |_| row.who))
            .collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Sessions(u32),
    Enter(u32, u64),
    SetWeight(u32, u64),
    Leave(u32),
    Draw(u32),
}

fn step() -> impl Strategy<Value = Step> {
    // 68 accounts at genesis, so that leaves are crossed, and some that come and go.
    let who = || prop_oneof![0u32..6, 60u32..76];
    prop_oneof![
        2 => (1u32..3).prop_map(Step::Sessions),
        4 => (who(), 0u64..5).prop_map(|(who, weight)| Step::Enter(who, weight)),
        4 => (who(), 0u64..5).prop_map(|(who, weight)| Step::SetWeight(who, weight)),
        4 => who().prop_map(Step::Leave),
        2 => any::<u32>().prop_map(Step::Draw),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_does_what_a_plain_list_does(
        genesis in prop::collection::vec(0u64..3, 68), steps in prop::collection::vec(step(), 0..50),
    ) {
        let mut electorate = Electorate::new(Memory::<u32>::default(), 0);
        let mut plain = Plain::default();
        for (who, weight) in (0..).zip(genesis) {
            prop_assert_eq!(electorate.enter_at_once(&who, weight), plain.enter(who, weight, weight));
        }
        for step in steps {
            match step {
                Step::Sessions(sessions) => {
                    plain.pass_sessions(sessions);
                    electorate.session = plain.session;
                }
                Step::Enter(who, weight) => {
                    prop_assert_eq!(electorate.enter(&who, weight), plain.enter(who, 0, weight));
                }
                Step::SetWeight(who, weight) => {
                    prop_assert_eq!(electorate.set_weight(&who, weight), plain.set_weight(who, weight));
                }
                Step::Leave(who) => prop_assert_eq!(electorate.leave(&who), plain.leave(who)),
                Step::Draw(number) => {
                    let line = plain.line(|row| row.now);
                    let total = u64::try_from(line.len()).unwrap();
                    let expected: Vec<Option<u32>> = (0..SEATS_FIRST)
                        .map(|seat| point(&seed(number), seat, 0, SEATS_FIRST, total))
                        .map(|point| point.map(|point| line[usize::try_from(point).unwrap()]))
                        .collect();
                    prop_assert_eq!(electorate.seats(&seed(number), SEATS_FIRST, |_| true), Ok(expected));
                }
            }
            prop_assert_eq!(line(&electorate), plain.line(|row| row.now));
            let next = Electorate::new(electorate.store().clone(), plain.session + 1);
            prop_assert_eq!(line(&next), plain.line(|row| row.next));
        }
        prop_assert_eq!(electorate.check(), Ok(()));
    }

    #[test]
    fn every_slot_of_the_tree_is_found_where_its_weight_stands(
        steps in prop::collection::vec((0..SLOTS, 0usize..40, 0u64..1 << 50, 0u32..2, any::<bool>()), 1..40),
    ) {
        let mut store = Memory::<u32>::default();
        let mut known: BTreeMap<u32, Weights> = BTreeMap::new();
        let mut session = 0;
        for (slot, again, weight, sessions, at_once) in steps {
            session += sessions;
            if sessions > 0 {
                known.values_mut().for_each(|weights| weights.now = weights.next);
            }
            // Now and then a slot that was used before.
            let slot = known.keys().nth(again).copied().unwrap_or(slot);
            let onset = if at_once { Onset::Now } else { Onset::NextSession };
            let changed = change(&store, session, slot, weight, onset).unwrap();
            let weights = known.entry(slot).or_default();
            prop_assert_eq!(changed.before(), *weights);
            changed.store(&mut store);
            weights.next = weight;
            if at_once {
                weights.now = weight;
            }
            for later in [false, true] {
                let weight = |weights: Weights| if later { weights.next } else { weights.now };
                let mut cursor = Cursor::new(&store, session + u32::from(later));
                let mut start = 0;
                for (slot, weights) in &known {
                    let end = start + weight(*weights);
                    if end == start {
                        continue;
                    }
                    for point in [start, end - 1] {
                        let found = cursor.find(point).unwrap();
                        prop_assert_eq!((found.slot, found.start, found.weight), (*slot, start, end - start));
                    }
                    start = end;
                }
                prop_assert_eq!(cursor.total(), Ok(start));
                prop_assert_eq!(cursor.find(start), Err(Error::BeyondTotal));
            }
        }
    }
}
