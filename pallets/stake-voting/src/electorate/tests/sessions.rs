//! What shows when.

use super::{Memory, appended, at, line, with};
use crate::electorate::{Electorate, Error};
use hydra_primitives::electorate::SLOTS;

#[test]
fn what_is_appended_shows_in_its_session_and_in_no_other() {
    let now = with(&[3, 2]);
    let next = appended(at(&now, 1), &[0, 1, 4]);
    assert_eq!(line(&at(&next, 0)), [0, 0, 0, 1, 1]);
    assert_eq!(line(&next), [1, 2, 2, 2, 2]);
    assert_eq!((at(&next, 0).len(), next.len()), (2, 3));
    for session in [2, 3, 100] {
        let later = at(&next, session);
        assert_eq!((later.total(), later.len()), (Ok(0), 0), "session {session}");
        assert!(later.is_empty());
    }
    next.check().unwrap();
}

#[test]
fn whoever_is_not_appended_again_is_not_in_the_next_electorate_and_no_rubbish_of_the_one_in_its_place_is() {
    // More than a leaf's worth, so that a second leaf and most of the first are left over.
    let first = with(&[7; 100]);
    let second = appended(at(&first, 1), &[1; 3]);
    let mut third = at(&second, 2);
    third.append(&50, 2).unwrap();
    assert_eq!(line(&third), [50, 50]);
    third.check().unwrap();
    assert_eq!(third.append(&51, 3), Ok(1));
    assert_eq!(line(&third), [50, 50, 51, 51, 51]);
    // What was in its place is gone, and says so by being empty.
    let gone = at(&third, 0);
    assert_eq!((gone.total(), gone.len()), (Ok(0), 0));
    assert_eq!(gone.at(0), Err(Error::BeyondTotal));
    assert_eq!(line(&at(&third, 1)), [0, 1, 2]);
    third.check().unwrap();
}

#[test]
fn nothing_is_appended_to_a_session_whose_place_is_taken() {
    let later = appended(at(&with(&[1]), 6), &[2, 3]);
    let mut earlier = at(&later, 4);
    let before = earlier.store.clone();
    assert_eq!(earlier.append(&9, 1), Err(Error::EarlierSession));
    assert_eq!(earlier.store.nodes, before.nodes);
    assert_eq!(earlier.store.lengths, before.lengths);
    assert_eq!(line(&later), [0, 0, 1, 1, 1]);
    later.check().unwrap();
}

#[test]
fn weights_that_do_not_fit_together_are_refused_and_nothing_stored() {
    let mut electorate = with(&[u64::MAX - 5, 0, 5]);
    assert_eq!(electorate.total(), Ok(u64::MAX));
    assert_eq!(electorate.append(&3, 1), Err(Error::TooHeavy));
    assert_eq!(electorate.len(), 3);
    assert_eq!(electorate.at(u64::MAX - 1).unwrap().who, 2);
    assert_eq!(electorate.at(u64::MAX), Err(Error::BeyondTotal));
    assert_eq!(electorate.append(&3, 0), Ok(3));
    electorate.check().unwrap();
}

#[test]
fn an_empty_electorate_has_no_weight_and_nobody_at_any_point() {
    let electorate: Electorate<Memory> = Electorate::new(Memory::default(), 3);
    assert_eq!(electorate.total(), Ok(0));
    assert_eq!(electorate.at(0), Err(Error::BeyondTotal));
    electorate.check().unwrap();
}

#[test]
fn the_last_session_of_all_has_an_electorate_too() {
    let mut electorate = at(&with(&[1]), u32::MAX);
    assert_eq!(electorate.append(&4, 2), Ok(0));
    assert_eq!(line(&electorate), [4, 4]);
    assert!(electorate.len() < SLOTS);
    electorate.check().unwrap();
}
