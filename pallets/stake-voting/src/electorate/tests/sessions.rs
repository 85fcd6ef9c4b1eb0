//! What shows when, and which slot becomes whose.

use super::{Memory, at, line, with};
use crate::electorate::{Electorate, Error, Weights};
use hydra_primitives::electorate::SLOTS;

#[test]
fn nothing_moves_the_line_within_a_session() {
    let mut electorate = at(&with(&[3, 2, 4, 1]), 1);
    let frozen = line(&electorate);
    assert_eq!(frozen, [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]);
    electorate.set_weight(&0, 5).unwrap();
    assert_eq!(line(&electorate), frozen, "a rise");
    electorate.set_weight(&2, 1).unwrap();
    assert_eq!(line(&electorate), frozen, "a fall");
    electorate.set_weight(&3, 0).unwrap();
    assert_eq!(line(&electorate), frozen, "a pause");
    electorate.leave(&1).unwrap();
    assert_eq!(line(&electorate), frozen, "a leaving");
    electorate.enter(&4, 2).unwrap();
    assert_eq!(line(&electorate), frozen, "an entering");
    for session in [2, 3, 100] {
        assert_eq!(
            line(&at(&electorate, session)),
            [0, 0, 0, 0, 0, 2, 4, 4],
            "session {session}"
        );
    }
    electorate.check().unwrap();
}

#[test]
fn a_change_in_a_later_session_does_not_bring_back_what_was_before() {
    let first = with(&[5, 5]);
    let mut second = at(&first, 1);
    second.set_weight(&0, 1).unwrap();
    let mut third = at(&second, 2);
    assert_eq!(third.total(), Ok(6));
    third.set_weight(&0, 2).unwrap();
    third.set_weight(&0, 3).unwrap();
    assert_eq!(third.total(), Ok(6));
    assert_eq!(third.weights(&0), Ok(Some(Weights { now: 1, next: 3 })));
    third.set_weight(&0, 1).unwrap();
    assert_eq!((third.total(), at(&third, 3).total()), (Ok(6), Ok(6)));
    third.check().unwrap();
}

#[test]
fn genesis_accounts_are_in_from_the_first_block_and_newcomers_from_the_next_session() {
    let mut electorate = with(&[2]);
    assert_eq!(line(&electorate), [0, 0]);
    electorate.enter(&1, 3).unwrap();
    assert_eq!(electorate.weights(&1), Ok(Some(Weights { now: 0, next: 3 })));
    electorate.enter_at_once(&2, 1).unwrap();
    assert_eq!(line(&electorate), [0, 0, 2]);
    assert_eq!(line(&at(&electorate, 1)), [0, 0, 1, 1, 1, 2]);
    electorate.check().unwrap();
}

#[test]
fn an_account_is_in_once_and_only_one_that_is_in_changes_or_leaves() {
    let mut electorate = with(&[1]);
    assert_eq!(electorate.enter(&0, 1), Err(Error::AlreadyIn));
    assert_eq!(electorate.enter_at_once(&0, 1), Err(Error::AlreadyIn));
    assert_eq!(electorate.set_weight(&1, 1), Err(Error::NotIn));
    assert_eq!(electorate.leave(&1), Err(Error::NotIn));
    assert_eq!(electorate.weights(&1), Ok(None));
    electorate.leave(&0).unwrap();
    assert_eq!(electorate.leave(&0), Err(Error::NotIn));
    electorate.check().unwrap();
}

#[test]
fn a_slot_is_used_again_in_a_later_session_only_the_longest_free_first() {
    let mut electorate = with(&[1, 1, 1, 1]);
    electorate.leave(&2).unwrap();
    electorate.leave(&0).unwrap();
    assert_eq!(electorate.enter(&10, 1), Ok(4), "not in this session");
    let mut electorate = at(&electorate, 1);
    electorate.leave(&3).unwrap();
    assert_eq!(electorate.enter(&11, 1), Ok(2), "free the longest");
    assert_eq!(electorate.enter(&12, 1), Ok(0));
    assert_eq!(
        electorate.enter(&13, 1),
        Ok(5),
        "slot 3 was given back in this session"
    );
    assert_eq!(line(&electorate), [1, 3, 10]);
    let mut electorate = at(&electorate, 2);
    assert_eq!(electorate.enter(&14, 1), Ok(3));
    assert_eq!(electorate.enter(&15, 1), Ok(6), "none is free");
    assert_eq!(line(&electorate), [12, 1, 11, 10, 13]);
    electorate.check().unwrap();
}

#[test]
fn whoever_comes_back_in_the_same_session_gets_another_slot_and_keeps_its_points() {
    let mut electorate = with(&[2, 1]);
    electorate.leave(&0).unwrap();
    assert_eq!(electorate.enter(&0, 5), Ok(2));
    assert_eq!(line(&electorate), [0, 0, 1]);
    electorate.check().unwrap();
    let mut electorate = at(&electorate, 1);
    assert_eq!(line(&electorate), [1, 0, 0, 0, 0, 0]);
    assert_eq!(electorate.enter(&7, 3), Ok(0));
    assert_eq!(line(&at(&electorate, 2)), [7, 7, 7, 1, 0, 0, 0, 0, 0]);
    electorate.check().unwrap();
}

#[test]
fn the_ring_of_free_slots_goes_round() {
    let mut electorate = with(&[1, 1, 1]);
    // Just before the ring's end.
    electorate.store.book.first = SLOTS - 1;
    for who in 0..3 {
        electorate.leave(&who).unwrap();
    }
    electorate.check().unwrap();
    let mut electorate = at(&electorate, 1);
    for who in 0..3 {
        assert_eq!(electorate.enter(&(10 + who), 1), Ok(who));
        electorate.check().unwrap();
    }
    assert!(electorate.store.freed.is_empty());
    assert_eq!(electorate.store.book.first, 2);
}

#[test]
fn an_earlier_session_is_refused_and_nothing_stored() {
    let mut electorate = at(&with(&[1, 1]), 5);
    electorate.set_weight(&0, 2).unwrap();
    let mut earlier = at(&electorate, 4);
    let before = earlier.store.nodes.clone();
    assert_eq!(earlier.total(), Err(Error::EarlierSession));
    assert_eq!(earlier.at(0), Err(Error::EarlierSession));
    assert_eq!(earlier.enter(&2, 1), Err(Error::EarlierSession));
    assert_eq!(earlier.set_weight(&0, 3), Err(Error::EarlierSession));
    assert_eq!(earlier.leave(&0), Err(Error::EarlierSession));
    assert_eq!(earlier.store.nodes, before);
    assert_eq!(earlier.store.slots.len(), 2);
    earlier.check().unwrap();
}

#[test]
fn weights_that_do_not_fit_together_are_refused_and_nothing_stored() {
    let mut electorate = with(&[u64::MAX - 5, 0, 5]);
    assert_eq!(electorate.total(), Ok(u64::MAX));
    assert_eq!(electorate.set_weight(&1, 1), Err(Error::TooHeavy));
    assert_eq!(electorate.enter(&3, 1), Err(Error::TooHeavy));
    assert_eq!(electorate.store.book.used, 3);
    assert_eq!(electorate.at(u64::MAX - 1).unwrap().who, 2);
    assert_eq!(electorate.at(u64::MAX), Err(Error::BeyondTotal));
    electorate.check().unwrap();
}

#[test]
fn an_empty_electorate_has_no_weight_and_nobody_at_any_point() {
    let electorate: Electorate<Memory> = Electorate::new(Memory::default(), 3);
    assert_eq!(electorate.total(), Ok(0));
    assert_eq!(electorate.at(0), Err(Error::BeyondTotal));
    electorate.check().unwrap();
}
