//! Stores that contradict themselves: a typed error, never a panic.

use super::{Memory, seed, with};
use crate::electorate::{Electorate, Error, Length, Node, NodeId, Store};
use hydra_primitives::electorate::SLOTS;
use proptest::prelude::*;

fn root() -> NodeId {
    NodeId::root(0)
}

fn middle() -> NodeId {
    NodeId::new(0, 1, 0)
}

fn leaf() -> NodeId {
    NodeId::new(0, 2, 0)
}

fn change(electorate: &mut Electorate<Memory>, id: NodeId, change: impl FnOnce(&mut Node)) {
    let mut node = electorate.store.node(id);
    change(&mut node);
    electorate.store.set_node(id, node);
}

fn set(electorate: &mut Electorate<Memory>, id: NodeId, child: u32, weight: u64) {
    change(electorate, id, |node| node.sums.set(child, weight).unwrap());
}

#[test]
fn a_root_that_says_more_than_its_children_weigh_is_found_out() {
    let mut electorate = with(&[5, 5]);
    set(&mut electorate, root(), 0, 12);
    assert_eq!(electorate.total(), Ok(12));
    for point in [0, 9, 10, 11] {
        assert_eq!(electorate.at(point), Err(Error::Tree(middle())), "at {point}");
    }
    assert_eq!(electorate.at(12), Err(Error::BeyondTotal));
    assert_eq!(
        electorate.seats(&seed(0), 20, |_| true),
        Err(Error::Tree(middle()))
    );
    assert_eq!(
        electorate.distinct(&seed(0), 20, |_| true),
        Err(Error::Tree(middle()))
    );
    assert_eq!(electorate.check(), Err(Error::Tree(middle())));
    // The next change makes the sums anew.
    electorate.append(&2, 1).unwrap();
    assert_eq!(electorate.total(), Ok(11));
    electorate.check().unwrap();
}

#[test]
fn a_leaf_that_is_gone_or_of_another_session_is_found_out() {
    for session in [None, Some(2), Some(u32::MAX)] {
        let mut electorate = with(&[5, 5]);
        match session {
            Some(session) => change(&mut electorate, leaf(), |leaf| leaf.session = session),
            None => drop(electorate.store.nodes.remove(&leaf())),
        }
        assert_eq!(electorate.at(3), Err(Error::Tree(leaf())), "{session:?}");
        assert_eq!(electorate.check(), Err(Error::Tree(leaf())), "{session:?}");
    }
}

#[test]
fn sums_that_do_not_fit_are_refused() {
    let mut electorate = with(&[5, 5]);
    set(&mut electorate, root(), 1, u64::MAX);
    assert_eq!(electorate.total(), Err(Error::Tree(root())));
    assert_eq!(electorate.at(0), Err(Error::Tree(root())));
    assert_eq!(electorate.append(&2, 1), Err(Error::TooHeavy));
    assert_eq!(electorate.check(), Err(Error::Tree(root())));
}

#[test]
fn weight_in_a_slot_that_nobody_has_is_found_out_and_given_to_nobody() {
    let mut electorate = with(&[5, 5]);
    electorate
        .store
        .lengths
        .insert(0, Length { session: 0, slots: 1 });
    assert_eq!(electorate.check(), Err(Error::Slot(1)));
    assert_eq!(electorate.append(&2, 1), Err(Error::Slot(1)));
}

#[test]
fn a_slot_without_its_account_is_found_out() {
    let mut electorate = with(&[5, 5]);
    electorate.store.accounts.remove(&(0, 0));
    assert_eq!(electorate.at(3), Err(Error::Slot(0)));
    assert_eq!(electorate.check(), Err(Error::Slot(0)));
}

#[test]
fn a_length_beyond_the_tree_is_found_out() {
    let mut electorate = with(&[5, 5]);
    for slots in [SLOTS + 1, u32::MAX] {
        electorate.store.lengths.insert(0, Length { session: 0, slots });
        assert_eq!(electorate.append(&2, 1), Err(Error::Full));
        assert_eq!(electorate.check(), Err(Error::Length));
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
    (0u8..2, prop_oneof![0u8..4, any::<u8>()], number()).prop_map(|(parity, level, index)| NodeId {
        parity,
        level,
        index,
    })
}

#[derive(Clone, Debug)]
enum Tampering {
    Session(NodeId, u32),
    Sum(NodeId, u32, u64),
    Length(u8, u32, u32),
    Account(u8, u32, u32),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        (id(), number()).prop_map(|(id, session)| Tampering::Session(id, session)),
        (id(), 0u32..65, weight()).prop_map(|(id, child, weight)| Tampering::Sum(id, child, weight)),
        (0u8..2, number(), number())
            .prop_map(|(parity, session, slots)| Tampering::Length(parity, session, slots)),
        (0u8..2, number(), 0u32..4).prop_map(|(parity, slot, who)| Tampering::Account(parity, slot, who)),
    ]
}

fn tamper(electorate: &mut Electorate<Memory>, with: Tampering) {
    match with {
        Tampering::Session(id, session) => change(electorate, id, |node| node.session = session),
        Tampering::Sum(id, child, weight) => change(electorate, id, |node| {
            // There is no sixty-fifth.
            assert_eq!(node.sums.set(child, weight).is_some(), child < 64);
        }),
        Tampering::Length(parity, session, slots) => {
            electorate.store.set_length(parity, Length { session, slots });
        }
        Tampering::Account(parity, slot, who) => electorate.store.set_account(parity, slot, &who),
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
        let _ = (electorate.total(), electorate.at(point), electorate.len());
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
        let _ = (changed.append(&9, 1), changed.append(&1, point));
        if electorate.check().is_ok() {
            for point in 0..electorate.total().unwrap().min(50) {
                prop_assert!(electorate.at(point).is_ok(), "at {}", point);
            }
        }
    }
}
