use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{
    HYDRA,
    reputation::{Deed, FOUNDER},
    traits::{Heartbeats, Nodes as _},
};

use crate::{Error, Event, heartbeat_time, mock::*};

fn owed() -> Option<u32> {
    Reputation::owed(&account(1))
}

fn beat() {
    assert_ok!(Reputation::beat(&account(1), Session::get()));
}

fn is_in() -> bool {
    Reputation::is_in(&account(1))
}

fn now() -> u32 {
    u32::try_from(System::block_number()).expect("a test is short")
}

fn miss() {
    miss_since(now());
}

fn miss_since(block: u32) {
    Reputation::finish(&account(1), Some(Deed::Missed), block);
}

fn later(blocks: u64) {
    System::set_block_number(System::block_number() + blocks);
}

fn left(until: Option<u32>) {
    System::assert_last_event(
        Event::Left {
            who: account(1),
            until,
        }
        .into(),
    );
}

#[test]
fn a_heartbeat_is_owed_once_a_session_at_a_time_of_its_own_while_they_are_taken() {
    with_chain(|| {
        for session in 0..4 {
            let due = heartbeat_time(&[1; 32], session);
            Progress::set(&due.saturating_sub(1));
            assert_eq!(owed(), None);
            Progress::set(&due);
            Taking::set(&false);
            assert_eq!(owed(), None);
            Taking::set(&true);
            assert_eq!(owed(), Some(session));
            for other in [session + 1, session.wrapping_sub(1)] {
                assert_noop!(
                    Reputation::beat(&account(1), other),
                    Error::<Test>::NoHeartbeatOwed
                );
            }
            beat();
            System::assert_last_event(
                Event::Heartbeat {
                    who: account(1),
                    session,
                }
                .into(),
            );
            assert!(stands_in(1, session + 1) && is_in());
            assert_eq!(owed(), None);
            assert_noop!(
                Reputation::beat(&account(1), session),
                Error::<Test>::NoHeartbeatOwed
            );
            next_session();
        }
    });
}

#[test]
fn whoever_gives_no_heartbeat_is_out_until_the_session_after_its_next() {
    with_chain(|| {
        beat();
        next_session();
        assert!(is_in());
        next_session();
        assert!(!is_in(), "it said nothing in session 1");
        beat();
        assert!(!is_in() && stands_in(1, 3));
        next_session();
        assert!(is_in());
        assert_eq!(
            Reputation::score(&account(1)),
            FOUNDER,
            "heartbeats and their want move no score"
        );
    });
}

#[test]
fn strangers_and_accounts_without_stake_owe_no_heartbeat_and_are_not_in() {
    with_chain(|| {
        assert_eq!(Reputation::owed(&account(9)), None);
        assert_noop!(Reputation::beat(&account(9), 0), Error::<Test>::NotRegistered);
        assert!(!Reputation::is_in(&account(9)));
        set_bond(&account(1), HYDRA - 1);
        assert!(!is_in() && owed().is_none());
        set_bond(&account(1), HYDRA);
        assert!(is_in() && owed().is_some());
    });
}

#[test]
fn a_first_miss_is_made_good_by_a_second_heartbeat_which_enters_no_electorate_again() {
    with_chain(|| {
        beat();
        miss();
        left(None);
        assert!(!is_in());
        // Whatever its time, and even if heartbeats no longer count for the next session.
        Progress::set(&0);
        Taking::set(&false);
        assert_eq!(owed(), Some(0));
        beat();
        System::assert_last_event(Event::Returned { who: account(1) }.into());
        assert!(is_in() && owed().is_none());
    });
}

#[test]
fn who_misses_before_its_heartbeat_returns_by_it() {
    with_chain(|| {
        Progress::set(&0);
        miss();
        assert_eq!(owed(), Some(0));
        beat();
        assert!(is_in() && stands_in(1, 1));
        assert_eq!(owed(), None);
    });
}

#[test]
fn each_further_absence_in_a_session_lasts_twice_as_long() {
    with_chain(|| {
        beat();
        miss();
        beat();
        // A session has a hundred blocks here, and a 64th of it is two.
        for wait in [2, 4, 8, 16, 32, 64, 100, 100] {
            assert!(is_in());
            miss();
            left(None);
            later(wait - 1);
            assert!(!is_in() && owed().is_none());
            later(1);
            assert_eq!(owed(), Some(0));
            beat();
            System::assert_last_event(Event::Returned { who: account(1) }.into());
        }
        next_session();
        miss();
        assert_eq!(owed(), Some(1), "each session begins anew");
    });
}

#[test]
fn who_is_kept_away_when_a_session_ends_is_so_in_the_next() {
    with_chain(|| {
        beat();
        miss();
        beat();
        miss();
        next_session();
        Progress::set(&0);
        assert!(stands_in(1, 1) && !is_in() && owed().is_none());
        Progress::set(&u16::MAX);
        beat();
        assert!(stands_in(1, 2), "it enters the next electorate in its time");
        assert!(!is_in() && owed().is_none());
        later(2);
        assert_eq!(owed(), Some(1));
        beat();
        assert!(is_in());
    });
}

#[test]
fn duties_missed_in_one_absence_count_as_one() {
    with_chain(|| {
        beat();
        (0..5).for_each(|_| Reputation::take_on(&account(1)));
        (0..4).for_each(|_| miss());
        beat();
        assert!(is_in());
        miss();
        left(None);
        assert!(owed().is_none(), "it is the second one");
        let events = System::events().len();
        miss();
        assert_eq!(
            System::events().len(),
            events + 1,
            "its score moves, and it doesn't leave again"
        );
    });
}

#[test]
fn what_was_under_way_when_it_came_back_belongs_to_the_absence_before() {
    with_chain(|| {
        beat();
        let drawn = now();
        later(10);
        miss_since(drawn);
        left(None);
        later(1);
        beat();
        let events = System::events().len();
        (0..3).for_each(|_| miss_since(drawn));
        assert!(is_in());
        assert_eq!(System::events().len(), events + 3, "its score moves");
        miss_since(now());
        left(None);
        assert!(owed().is_none(), "the second one");
    });
}

#[test]
fn who_went_away_stays_out_in_later_sessions_until_it_is_heard_of() {
    with_chain(|| {
        beat();
        miss();
        next_session();
        assert!(stands_in(1, 1) && !is_in());
        Progress::set(&0);
        assert_eq!(owed(), Some(1));
        beat();
        assert!(is_in() && stands_in(1, 2));
    });
}

#[test]
fn who_leaves_after_its_heartbeat_is_out_of_both_electorates_that_know_its_weight() {
    with_chain(|| {
        beat();
        Reputation::leave(&account(1));
        left(Some(2));
        assert!(!is_in() && owed().is_none());
        next_session();
        assert!(!is_in(), "the electorate of session 1 knows its old weight");
        assert_eq!(owed(), Some(1));
        beat();
        assert!(!is_in());
        next_session();
        assert!(is_in());
    });
}

#[test]
fn who_leaves_before_its_heartbeat_gives_it_with_its_new_weight() {
    with_chain(|| {
        Reputation::leave(&account(1));
        left(Some(1));
        assert!(!is_in());
        beat();
        assert!(!is_in() && stands_in(1, 1));
        next_session();
        assert!(is_in());
    });
}

#[test]
fn leaving_twice_is_leaving_once() {
    with_chain(|| {
        beat();
        Reputation::finish(&account(1), Some(Deed::Wrong), 300);
        left(Some(2));
        let events = System::events().len();
        Reputation::leave(&account(1));
        assert_eq!(System::events().len(), events);
        Reputation::leave(&account(9));
        assert_eq!(System::events().len(), events);
    });
}

#[test]
fn who_forfeited_while_away_is_not_brought_back_by_a_heartbeat() {
    with_chain(|| {
        beat();
        miss();
        Reputation::leave(&account(1));
        assert_eq!(owed(), None);
        next_session();
        beat();
        assert!(!is_in());
        next_session();
        assert!(is_in());
    });
}

#[test]
fn a_paused_account_is_out_at_once_keeps_its_score_and_comes_back_when_resumed() {
    with_chain(|| {
        let who = || RuntimeOrigin::signed(account(1));
        assert_noop!(Reputation::resume(who()), Error::<Test>::NotPaused);
        assert_ok!(Reputation::pause(who()));
        System::assert_last_event(Event::Paused { who: account(1) }.into());
        assert!(!is_in() && owed().is_none());
        assert_noop!(Reputation::pause(who()), Error::<Test>::AlreadyPaused);
        assert_ok!(Reputation::resume(who()));
        System::assert_last_event(Event::Resumed { who: account(1) }.into());
        assert!(is_in(), "it stands in this session's electorate");
        beat();
        assert_ok!(Reputation::pause(who()));
        (0..5).for_each(|_| next_session());
        assert_ok!(Reputation::resume(who()));
        assert!(!is_in());
        beat();
        next_session();
        assert!(is_in());
        assert_eq!(Reputation::score(&account(1)), FOUNDER);
        assert_noop!(
            Reputation::pause(RuntimeOrigin::signed(account(9))),
            Error::<Test>::NotRegistered
        );
    });
}

#[test]
fn what_a_paused_account_was_drawn_for_still_counts() {
    with_chain(|| {
        Reputation::take_on(&account(1));
        assert_ok!(Reputation::pause(RuntimeOrigin::signed(account(1))));
        miss();
        assert!(Reputation::score(&account(1)) < FOUNDER);
        assert_eq!(owed(), None, "a pause ends by resuming alone");
        assert_ok!(Reputation::resume(RuntimeOrigin::signed(account(1))));
        assert!(!is_in());
        beat();
        assert!(is_in());
    });
}

#[test]
fn an_account_has_room_for_as_many_tasks_as_it_says_and_no_larger_ones() {
    with_chain(|| {
        let who = || RuntimeOrigin::signed(account(1));
        assert_noop!(Reputation::set_room(who(), 2, 0), Error::<Test>::NoRoom);
        assert_noop!(Reputation::set_room(who(), 16, 1), Error::<Test>::NoSuchSizeClass);
        assert_ok!(Reputation::set_room(who(), 2, 2));
        System::assert_last_event(
            Event::RoomChanged {
                who: account(1),
                size_class: 2,
                room: 2,
            }
            .into(),
        );
        let has_room = |size| Reputation::fits(&account(1), size) && Reputation::has_room(&account(1));
        assert!(has_room(0) && has_room(2) && !has_room(3));
        Reputation::take_on(&account(1));
        assert!(has_room(2));
        Reputation::take_on(&account(1));
        assert!(!has_room(0));
        Reputation::finish(&account(1), Some(Deed::Right), 300);
        assert!(has_room(2));
        (0..3).for_each(|_| Reputation::finish(&account(1), None, 300));
        assert_eq!(Reputation::entry(&account(1)).expect("registered").busy, 0);
        assert!(!Reputation::has_room(&account(9)) && !Reputation::fits(&account(9), 0));
    });
}

#[test]
fn a_heartbeat_that_finds_the_electorate_full_changes_nothing() {
    with_chain(|| {
        Full::set(&true);
        assert_noop!(Reputation::beat(&account(1), 0), Error::<Test>::ElectorateIsFull);
        assert_eq!(owed(), Some(0));
        Full::set(&false);
        beat();
    });
}
