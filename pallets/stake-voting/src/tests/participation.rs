//! Who enters the electorate, when nothing may be asked, and draws that are no poll's.

use crate::{LargestWeights, mock::*};
use hydra_primitives::{
    H256, HYDRA, Perbill,
    electorate::{Purpose, SEATS_MAX},
    traits::{Electorate, Stakes as _},
};
use sp_core::crypto::AccountId32;

const PLACES: Purpose = Purpose::Places {
    model: 0,
    round: 0,
    extension: 0,
};

/// A draw in which whoever has room at all has room for whatever it gets.
fn draw_for(purpose: &Purpose, byte: u8, k: u32, size: u8) -> Vec<Option<AccountId32>> {
    let before = world(|world| world.nodes.clone());
    world(|world| {
        for node in world.nodes.values_mut().filter(|node| node.busy < node.room) {
            node.room = u32::MAX;
        }
    });
    let drawn = StakeVoting::draw(purpose, &H256::repeat_byte(byte), k, size);
    world(|world| world.nodes = before);
    drawn
}

fn draw(k: u32, size: u8) -> Vec<Option<AccountId32>> {
    draw_for(&PLACES, 5, k, size)
}

fn of(drawn: &[Option<AccountId32>], n: u8) -> usize {
    drawn.iter().filter(|who| **who == Some(account(n))).count()
}

#[test]
fn genesis_is_the_first_electorate_and_heartbeats_make_the_next() {
    with_members(&[(1, 10), (2, 30)], || {
        assert_eq!(StakeVoting::accounts(), 2);
        let drawn = draw(8, 2);
        assert_eq!((of(&drawn, 1), of(&drawn, 2)), (2, 6));
        StakeVoting::enter(&account(2), 3, 1).unwrap();
        assert_eq!(draw(8, 2), drawn, "this session's electorate doesn't change");
        let status = StakeVoting::electorate_status();
        assert_eq!((status.session, status.accounts, status.next_accounts), (0, 2, 1));
        assert_eq!(
            (status.weight, status.largest, status.registered),
            (40_000_000, 40_000_000, 2)
        );
        next_session(&[]);
        assert_eq!(StakeVoting::accounts(), 1);
        assert_eq!(of(&draw(8, 2), 2), 8);
        next_session(&[]);
        assert_eq!(StakeVoting::accounts(), 0);
        assert_eq!(draw(8, 2), vec![None; 8]);
        assert_eq!(draw(u32::MAX, 2).len(), SEATS_MAX as usize);
    });
}

#[test]
fn an_account_enters_with_the_weight_that_it_has_then() {
    with_members(&[(1, 10), (2, 10)], || {
        node(1, |node| node.score = Perbill::from_percent(20));
        StakeVoting::enter(&account(1), 3, 1).unwrap();
        node(1, |node| node.score = Perbill::one());
        StakeVoting::enter(&account(2), 3, 1).unwrap();
        next_session(&[]);
        let drawn = draw(6, 2);
        assert_eq!((of(&drawn, 1), of(&drawn, 2)), (1, 5));
        assert_eq!(StakeVoting::electorate_status().weight, 12_000_000);
    });
}

#[test]
fn a_bond_counts_from_the_next_heartbeat_on() {
    with_members(&[(1, 10)], || {
        StakeVoting::bond(RuntimeOrigin::signed(account(1)), HYDRA).unwrap();
        assert_eq!(StakeVoting::electorate_status().weight, 10_000_000);
        next_session(&[1]);
        assert_eq!(StakeVoting::electorate_status().weight, 11_000_000);
    });
}

#[test]
fn who_left_or_has_no_room_is_passed_over_by_every_draw() {
    with_members(&FOUR, || {
        node(1, |node| node.out = true);
        node(2, |node| node.busy = 1);
        node(3, |node| node.size = 1);
        let drawn = draw(20, 2);
        assert_eq!([1, 2, 3, 4].map(|n| of(&drawn, n)), [0, 0, 0, 5]);
        let mut found =
            StakeVoting::distinct(&PLACES, &H256::zero(), 10, |who: &AccountId32| *who != account(4));
        found.sort();
        assert_eq!(found, [1, 2, 3].map(account));
        StakeVoting::forfeit(&account(4), 10 * HYDRA);
        node(4, |node| node.out = false);
        assert_eq!(of(&draw(20, 2), 4), 0, "it has nothing left to lose");
    });
}

/// A round may have 256 places: one account could not count what it would be given.
#[test]
fn nobody_gets_more_seats_of_a_draw_than_it_has_room_for_and_each_makes_it_busier() {
    with_members(&[(1, 90), (2, 10)], || {
        node(1, |node| (node.room, node.busy) = (5, 2));
        node(2, |node| node.room = 255);
        let drawn = StakeVoting::draw(&PLACES, &H256::zero(), 256, 2);
        assert_eq!(of(&drawn, 1), 3);
        assert!(of(&drawn, 2) >= 25, "a tenth of the line");
        let busy = world(|world| [1, 2].map(|n| world.nodes[&account(n)].busy));
        assert_eq!(busy.map(usize::try_from), [Ok(5), Ok(of(&drawn, 2))]);
    });
}

/// What the committee is drawn with when a session begins was known while its electorate was still being made.
#[test]
fn different_accounts_are_drawn_from_the_electorate_of_the_session_before() {
    with_members(&[(1, 10), (2, 10), (3, 10)], || {
        let drawn = || {
            let mut drawn = StakeVoting::distinct(&PLACES, &H256::zero(), 10, |_| true);
            drawn.sort();
            drawn
        };
        let all = [1, 2, 3].map(account);
        assert_eq!(drawn(), all, "genesis, in session 0");
        // Whatever was entered in session 0: session 1 draws from genesis once more, session 2 from what was entered.
        next_session(&[1, 2]);
        assert_eq!(StakeVoting::accounts(), 2);
        assert_eq!(drawn(), all);
        next_session(&[3]);
        assert_eq!(StakeVoting::accounts(), 1);
        assert_eq!(drawn(), all[..2]);
        next_session(&[]);
        assert_eq!(drawn(), all[2..]);
    });
}

#[test]
fn a_draw_depends_on_chain_purpose_and_randomness() {
    with_members(&[(1, 3), (2, 50), (3, 17), (4, 40), (5, 1), (6, 90)], || {
        let drawn = |purpose, byte| draw_for(&purpose, byte, 40, 0);
        let one = drawn(PLACES, 1);
        assert_eq!(one, drawn(PLACES, 1));
        assert_ne!(one, drawn(PLACES, 2));
        let later = Purpose::Places {
            model: 0,
            round: 1,
            extension: 0,
        };
        assert_ne!(one, drawn(later, 1));
    });
}

#[test]
fn a_model_runs_while_nine_tenths_of_the_weight_take_its_tasks() {
    with_members(&[(1, 80), (2, 10), (3, 10)], || {
        assert!(StakeVoting::has_room(3));
        assert!(!StakeVoting::has_room(4));
        // 2 takes smaller tasks, 3 none at all.
        StakeVoting::enter(&account(1), 3, 1).unwrap();
        StakeVoting::enter(&account(2), 1, 4).unwrap();
        StakeVoting::enter(&account(3), 15, 0).unwrap();
        assert!(StakeVoting::has_room(3), "not in this session");
        next_session(&[]);
        assert!(StakeVoting::has_room(1), "exactly nine tenths");
        assert!(!StakeVoting::has_room(2));
        next_session(&[]);
        assert!(!StakeVoting::has_room(0), "nobody is there");
    });
}

#[test]
fn nothing_is_asked_while_a_third_or_less_of_the_last_day_takes_part() {
    with_members(&[(1, 10), (2, 11), (3, 12)], || {
        assert!(StakeVoting::may_ask());
        // 11 of 33 is a third, 12 more than that.
        next_session(&[2]);
        assert!(!StakeVoting::may_ask());
        assert_eq!(StakeVoting::electorate_status().largest, 33_000_000);
        next_session(&[3]);
        assert!(StakeVoting::may_ask());
        // The first is forgotten after a day, of 24 sessions in this test.
        for session in 3..=24 {
            next_session(&[2]);
            assert_eq!(world(|world| world.session), session);
            assert!(!StakeVoting::may_ask(), "session {session}");
        }
        next_session(&[2]);
        assert!(StakeVoting::may_ask(), "only 12 and 11 are left");
        next_session(&[]);
        assert!(!StakeVoting::may_ask(), "nobody is there");
        assert!(LargestWeights::<Test>::get().within_a_day(26, 24) > 0);
    });
}

#[test]
fn splitting_a_stake_gains_no_seat() {
    let seats = |members: &[(u8, u128)], mine: &[u8]| {
        let mut sum = 0;
        with_members(members, || {
            for number in 0..200u8 {
                let drawn = draw_for(&PLACES, number, 20, 2);
                sum += mine.iter().map(|n| of(&drawn, *n)).sum::<usize>();
            }
        });
        sum
    };
    let whole = seats(&[(1, 30), (2, 47), (3, 23)], &[1]);
    let split = seats(
        &[(1, 3), (4, 9), (2, 47), (5, 11), (3, 23), (6, 7)],
        &[1, 4, 5, 6],
    );
    // 30 of 100: 1,200 of 4,000 seats, with a deviation below 30.
    for seats in [whole, split] {
        assert!((1_050..=1_350).contains(&seats), "{seats}");
    }
}
