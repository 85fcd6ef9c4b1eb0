//! The same as a plain list does, over random sequences.

use super::{Memory, line, seed};
use crate::electorate::{
    Electorate, Error, Store,
    tree::{Cursor, with_weight},
};
use hydra_primitives::electorate::{SEATS_FIRST, SLOTS, point};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The electorates of all sessions, each a list that is walked from end to end.
#[derive(Default)]
struct Plain {
    lists: BTreeMap<u32, Vec<(u32, u64)>>,
}

impl Plain {
    fn append(&mut self, session: u32, who: u32, weight: u64) -> u32 {
        // Two of them are kept.
        if let Some(gone) = session.checked_sub(2) {
            self.lists
                .retain(|session, _| *session > gone || session % 2 != gone % 2);
        }
        let list = self.lists.entry(session).or_default();
        list.push((who, weight));
        u32::try_from(list.len()).unwrap() - 1
    }

    fn line(&self, session: u32) -> Vec<u32> {
        let list = self.lists.get(&session).into_iter().flatten();
        list.flat_map(|(who, weight)| (0..*weight).map(move |_| *who))
            .collect()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Sessions(u32),
    Append(u32, u64),
    Draw(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => (1u32..4).prop_map(Step::Sessions),
        6 => (any::<u32>(), 0u64..5).prop_map(|(who, weight)| Step::Append(who, weight)),
        2 => any::<u32>().prop_map(Step::Draw),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_does_what_a_plain_list_does(
        // Enough for more than a leaf.
        genesis in prop::collection::vec(0u64..3, 68), steps in prop::collection::vec(step(), 0..80),
    ) {
        let mut electorate = Electorate::new(Memory::<u32>::default(), 0);
        let mut plain = Plain::default();
        for (who, weight) in (0..).zip(genesis) {
            prop_assert_eq!(electorate.append(&who, weight), Ok(plain.append(0, who, weight)));
        }
        for step in steps {
            // As on chain: draws are made from the electorate of a session while that of the next is made.
            let now = electorate.session;
            match step {
                Step::Sessions(sessions) => electorate.session += sessions,
                Step::Append(who, weight) => {
                    electorate.session += 1;
                    prop_assert_eq!(electorate.append(&who, weight), Ok(plain.append(now + 1, who, weight)));
                    electorate.session = now;
                }
                Step::Draw(number) => {
                    let line = plain.line(now);
                    let total = u64::try_from(line.len()).unwrap();
                    let expected: Vec<Option<u32>> = (0..SEATS_FIRST)
                        .map(|seat| point(&seed(number), seat, 0, SEATS_FIRST, total))
                        .map(|point| point.map(|point| line[usize::try_from(point).unwrap()]))
                        .collect();
                    prop_assert_eq!(electorate.seats(&seed(number), SEATS_FIRST, |_| true), Ok(expected));
                }
            }
            for session in [electorate.session, electorate.session + 1] {
                let seen = Electorate::new(electorate.store.clone(), session);
                prop_assert_eq!(line(&seen), plain.line(session));
            }
        }
        prop_assert_eq!(electorate.check(), Ok(()));
    }

    #[test]
    fn every_slot_of_the_tree_is_found_where_its_weight_stands(
        slots in prop::collection::btree_map(0..SLOTS, 1u64..1 << 50, 1..40), session: u32,
    ) {
        let mut store = Memory::<u32>::default();
        for (slot, weight) in &slots {
            for (id, node) in with_weight(&store, session, *slot, *weight).unwrap() {
                store.set_node(id, node);
            }
            prop_assert_eq!(with_weight(&store, session, *slot, 1).err(), Some(Error::Slot(*slot)));
        }
        let mut cursor = Cursor::new(&store, session);
        let mut start = 0;
        for (slot, weight) in &slots {
            let end = start + weight;
            for point in [start, end - 1] {
                let found = cursor.find(point).unwrap();
                prop_assert_eq!((found.slot, found.start, found.weight), (*slot, start, *weight));
            }
            start = end;
        }
        prop_assert_eq!(cursor.total(), Ok(start));
        prop_assert_eq!(cursor.find(start), Err(Error::BeyondTotal));
    }
}
