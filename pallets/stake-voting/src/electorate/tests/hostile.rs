//! Stores that contradict themselves: a typed error, never a panic.

use super::{Memory, seed, with};
use crate::electorate::{Electorate, Error, Freed, Node, NodeId, Nodes, SlotBook, Slots};
use hydra_primitives::electorate::SLOTS;
use proptest::prelude::*;

const MIDDLE: NodeId = NodeId { level: 1, index: 0 };
const LEAF: NodeId = NodeId { level: 2, index: 0 };

fn change(electorate: &mut Electorate<Memory>, id: NodeId, change: impl FnOnce(&mut Node)) {
    let mut node = electorate.store.node(id);
    change(&mut node);
    electorate.store.set_node(id, node);
}

#[test]
fn a_root_that_says_more_than_its_children_weigh_is_found_out() {
    let mut electorate = with(&[5, 5]);
    change(&mut electorate, NodeId::ROOT, |root| {
        root.set_now(0, 12).unwrap();
        root.set_next(0, 12).unwrap();
    });
    assert_eq!(electorate.total(), Ok(12));
    for point in [0, 9, 10, 11] {
        assert_eq!(electorate.at(point), Err(Error::Tree(MIDDLE)), "at {point}");
    }
    assert_eq!(electorate.at(12), Err(Error::BeyondTotal));
    assert_eq!(electorate.seats(&seed(0), 20, |_| true), Err(Error::Tree(MIDDLE)));
    assert_eq!(
        electorate.distinct(&seed(0), 20, |_| true),
        Err(Error::Tree(MIDDLE))
    );
    assert_eq!(electorate.check(), Err(Error::Tree(MIDDLE)));
    // The next change makes the sums anew.
    electorate.enter_at_once(&2, 1).unwrap();
    assert_eq!(electorate.total(), Ok(11));
    electorate.check().unwrap();
}

#[test]
fn a_leaf_that_is_gone_is_found_out() {
    let mut electorate = with(&[5, 5]);
    electorate.store.nodes.remove(&LEAF);
    assert_eq!(electorate.at(3), Err(Error::Tree(LEAF)));
    assert_eq!(electorate.check(), Err(Error::Tree(LEAF)));
}

#[test]
fn a_disagreement_of_the_next_session_is_found_by_the_check_before_it_comes() {
    let mut electorate = with(&[5, 5]);
    change(&mut electorate, LEAF, |leaf| leaf.set_next(0, 7).unwrap());
    assert_eq!(electorate.at(3).unwrap().who, 0);
    assert_eq!(electorate.check(), Err(Error::Tree(LEAF)));
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    let mut electorate = with(&[5, 5]);
    change(&mut electorate, NodeId::ROOT, |root| {
        root.set_now(1, u64::MAX).unwrap();
        root.set_next(1, u64::MAX).unwrap();
    });
    assert_eq!(electorate.total(), Err(Error::Tree(NodeId::ROOT)));
    assert_eq!(electorate.at(0), Err(Error::Tree(NodeId::ROOT)));
    assert_eq!(electorate.set_weight(&0, 1), Err(Error::TooHeavy));
    assert_eq!(electorate.check(), Err(Error::Tree(NodeId::ROOT)));
}

#[test]
fn weight_in_a_slot_that_nobody_ever_had_is_found_out() {
    let mut electorate = with(&[5, 5]);
    electorate.store.book.used = 1;
    assert_eq!(electorate.check(), Err(Error::Slot(1)));
    // Nobody gets a slot that weighs something.
    assert_eq!(electorate.enter(&2, 1), Err(Error::Slot(1)));
}

#[test]
fn a_slot_without_its_owner_is_found_out() {
    let mut electorate = with(&[5, 5]);
    electorate.store.owners.remove(&0);
    assert_eq!(electorate.at(3), Err(Error::Slot(0)));
    assert_eq!(electorate.check(), Err(Error::Slot(0)));
}

#[test]
fn a_slot_beyond_the_tree_is_found_out() {
    let mut electorate = with(&[5, 5]);
    electorate.store.slots.insert(0, SLOTS);
    assert_eq!(electorate.weights(&0), Err(Error::NoSuchSlot(SLOTS)));
    assert_eq!(electorate.set_weight(&0, 1), Err(Error::NoSuchSlot(SLOTS)));
    assert_eq!(electorate.leave(&0), Err(Error::NoSuchSlot(SLOTS)));
    assert_eq!(electorate.check(), Err(Error::Slot(0)));
}

#[test]
fn a_free_slot_that_is_missing_or_is_not_free_is_not_given_away() {
    let mut electorate = with(&[5, 5]);
    electorate.session = 1;
    electorate.store.book.freed = 1;
    assert_eq!(electorate.enter(&2, 1), Err(Error::Book));
    assert_eq!(electorate.check(), Err(Error::Book));
    electorate.store.freed.insert(0, Freed { slot: 0, session: 0 });
    assert_eq!(electorate.enter(&2, 1), Err(Error::Slot(0)));
    assert_eq!(electorate.check(), Err(Error::Slot(0)));
    electorate.store.freed.insert(
        0,
        Freed {
            slot: SLOTS,
            session: 0,
        },
    );
    assert_eq!(electorate.enter(&2, 1), Err(Error::NoSuchSlot(SLOTS)));
    assert_eq!(electorate.store.slots.len(), 2);
}

#[test]
fn counts_of_slots_that_contradict_each_other_are_refused() {
    let mut electorate = with(&[5, 5]);
    for book in [
        SlotBook {
            used: SLOTS + 1,
            first: 0,
            freed: 0,
        },
        SlotBook {
            used: 2,
            first: 0,
            freed: 2,
        },
        SlotBook {
            used: 2,
            first: u32::MAX,
            freed: 1,
        },
    ] {
        electorate.store.book = book;
        assert_eq!(electorate.leave(&0), Err(Error::Book), "{book:?}");
        assert_eq!(electorate.check(), Err(Error::Book), "{book:?}");
    }
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![
        0u32..4,
        62u32..66,
        Just(SLOTS - 1),
        Just(SLOTS),
        Just(u32::MAX),
        any::<u32>()
    ]
}

fn weight() -> impl Strategy<Value = u64> {
    prop_oneof![0u64..4, Just(u64::MAX), any::<u64>()]
}

fn id() -> impl Strategy<Value = NodeId> {
    (prop_oneof![0u8..4, any::<u8>()], number()).prop_map(|(level, index)| NodeId { level, index })
}

#[derive(Clone, Debug)]
enum Tampering {
    Begin(NodeId, u32),
    Now(NodeId, u32, u64),
    Next(NodeId, u32, u64),
    Book(u32, u32, u32),
    Freed(u32, u32, u32),
    Slot(u32, u32),
    Owner(u32, u32),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (id(), number()).prop_map(|(id, session)| Tampering::Begin(id, session)),
        (id(), number(), weight()).prop_map(|(id, child, weight)| Tampering::Now(id, child, weight)),
        (id(), number(), weight()).prop_map(|(id, child, weight)| Tampering::Next(id, child, weight)),
        (number(), number(), number()).prop_map(|(used, first, freed)| Tampering::Book(used, first, freed)),
        (number(), number(), number()).prop_map(|(at, slot, session)| Tampering::Freed(at, slot, session)),
        (0u32..4, number()).prop_map(|(who, slot)| Tampering::Slot(who, slot)),
        (number(), 0u32..4).prop_map(|(slot, who)| Tampering::Owner(slot, who)),
    ]
}

fn tamper(electorate: &mut Electorate<Memory>, with: Tampering) {
    // What the tree has no place for is left as it was.
    match with {
        Tampering::Begin(id, session) => change(electorate, id, |node| {
            node.begin(session);
        }),
        Tampering::Now(id, child, weight) => change(electorate, id, |node| {
            node.set_now(child, weight);
        }),
        Tampering::Next(id, child, weight) => change(electorate, id, |node| {
            node.set_next(child, weight);
        }),
        Tampering::Book(used, first, freed) => electorate.store.set_book(SlotBook { used, first, freed }),
        Tampering::Freed(place, slot, session) => {
            electorate.store.set_freed(place, Some(Freed { slot, session }));
        }
        Tampering::Slot(who, slot) => electorate.store.set_slot(&who, Some(slot)),
        Tampering::Owner(slot, who) => electorate.store.set_owner(slot, &who),
    }
}

proptest! {
    #[test]
    fn a_hostile_store_makes_no_panic_and_what_the_check_lets_pass_can_be_drawn_from(
        tamperings in prop::collection::vec(tampering(), 0..6), session in number(), point: u64, seats in 0u32..30,
    ) {
        let mut electorate = with(&[3, 1, 2]);
        for tampering in tamperings {
            tamper(&mut electorate, tampering);
        }
        electorate.session = session;
        let _ = (electorate.total(), electorate.at(point), electorate.weights(&0));
        if let Ok(drawn) = electorate.seats(&seed(seats), seats, |who| *who != 1) {
            prop_assert_eq!(drawn.len(), usize::try_from(seats).unwrap());
        }
        if let Ok(members) = electorate.distinct(&seed(seats), seats, |who| *who != 1) {
            let mut different = members.clone();
            different.sort();
            different.dedup();
            prop_assert_eq!(different.len(), members.len());
        }
        let mut changed = electorate.clone();
        let _ = (changed.set_weight(&0, 7), changed.leave(&1), changed.enter(&9, 1), changed.enter_at_once(&1, point));
        if electorate.check().is_ok() {
            let total = electorate.total();
            prop_assert!(matches!(total, Ok(_) | Err(Error::EarlierSession)));
            for point in 0..total.unwrap_or(0).min(50) {
                prop_assert!(electorate.at(point).is_ok(), "at {}", point);
            }
        }
    }
}
