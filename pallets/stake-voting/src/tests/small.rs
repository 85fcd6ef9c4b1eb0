//! Networks of one to four, and some that don't agree: the same rules as for thousands.

use super::*;
use crate::{Event, mock::*};
use frame_support::assert_ok;
use hydra_primitives::{poll::SeatVerdict, reputation::Deed, traits::Stakes as _};

fn deed_of(n: u8) -> Option<Option<Deed>> {
    let deeds: Vec<_> = world(|world| {
        let of = world.finished.iter().filter(|(who, _)| *who == account(n));
        of.map(|(_, deed)| *deed).collect()
    });
    assert!(deeds.len() < 2, "each duty ends once: {deeds:?}");
    deeds.first().copied()
}

fn bonds() -> Vec<Balance> {
    [1, 2, 3, 4]
        .map(|n| StakeVoting::bonded(&account(n)) / HYDRA)
        .to_vec()
}

#[test]
fn four_equal_accounts_have_five_seats_each_and_agree() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        assert_eq!([1, 2, 3, 4].map(|n| seat(n).seats.first), [5; 4]);
        for n in 2..=4 {
            assert_ok!(give(n, TRUTH));
        }
        assert_eq!(next(), PollProgress::Open);
        assert!(is_opening(Draw::First), "all have given, so nobody is waited for");
        assert_ok!(open(3, Draw::First, TRUTH));
        let outcome = to_the_end();
        assert_eq!((outcome.decision, outcome.draw), (found(TRUTH), Draw::First));
        let mut right = outcome.right;
        right.sort();
        assert_eq!(right, [2, 3, 4].map(|n| (account(n), 5)));
        assert_eq!([2, 3, 4].map(deed_of), [Some(Some(Deed::Right)); 3]);
        assert_eq!(deed_of(1), None, "the claimant is not judged here");
        assert_eq!(bonds(), [10; 4]);
        assert!(world(|world| world.shared.is_empty()));
    });
}

#[test]
fn four_agree_with_one_absent_which_leaves() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        assert_ok!(give(2, TRUTH));
        assert_ok!(give(3, TRUTH));
        wait_until(|| is_opening(Draw::First));
        assert_ok!(open(1, Draw::First, TRUTH));
        let outcome = to_the_end();
        assert_eq!((outcome.decision, outcome.draw), (found(TRUTH), Draw::First));
        assert_eq!([2, 3].map(deed_of), [Some(Some(Deed::Right)); 2]);
        assert_eq!(deed_of(4), Some(Some(Deed::Missed)));
        assert_eq!(bonds(), [10; 4], "silence costs no stake");
        assert!(said().contains(&Event::SeatJudged {
            poll: POLL,
            who: account(4),
            verdict: SeatVerdict::Missed,
        }));
    });
}

#[test]
fn four_agree_with_one_lying_which_forfeits_for_each_of_its_first_seats() {
    with_members(&FOUR, || {
        let before = Balances::total_issuance();
        ask(Some((1, TRUTH)));
        for (n, opening) in [(2, TRUTH), (3, TRUTH), (4, LIE)] {
            assert_ok!(give(n, opening));
        }
        assert_eq!(next(), PollProgress::Open);
        assert_eq!(
            open(2, Draw::First, TRUTH),
            Err(Error::DoesNotDecide),
            "one digest differs"
        );
        wait_until(|| is_opening(Draw::Appeal));
        assert_eq!([1, 2, 3, 4].map(|n| seat(n).seats.appeal), [64; 4]);
        assert_eq!(open(4, Draw::Appeal, LIE), Err(Error::DoesNotDecide));
        assert_ok!(open(2, Draw::Appeal, TRUTH));
        let outcome = to_the_end();
        assert_eq!((outcome.decision, outcome.draw), (found(TRUTH), Draw::Appeal));
        assert_eq!([2, 3].map(deed_of), [Some(Some(Deed::Right)); 2]);
        assert_eq!(deed_of(4), Some(Some(Deed::Wrong)));
        assert_eq!(bonds(), [10, 10, 10, 5]);
        assert!(world(|world| world.left.contains(&account(4))));
        // Half of it went to those who were right in the first draw, the claimant among them, and half is burnt.
        let (amount, mut right) = world(|world| world.shared.pop()).expect("it was shared");
        right.sort();
        assert_eq!(
            (amount, right),
            (5 * HYDRA, [1, 2, 3].map(|n| (account(n), 5)).to_vec())
        );
        let third = 5 * HYDRA / 2 / 3;
        assert_eq!(before - Balances::total_issuance(), 5 * HYDRA - 3 * third);
        assert_eq!(Balances::free_balance(account(1)), 990 * HYDRA + third);
    });
}

/// Two of four that are right are not more than half. So nobody is judged, until the absent has left.
#[test]
fn four_with_one_absent_and_one_lying_agree_once_the_absent_gave_no_heartbeat() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        assert_ok!(give(2, TRUTH));
        assert_ok!(give(4, LIE));
        let outcome = to_the_end();
        assert_eq!(
            (outcome.decision, outcome.draw),
            (Decision::Undecided, Draw::Last)
        );
        assert_eq!([2, 3, 4].map(deed_of), [Some(None); 3]);
        assert_eq!(bonds(), [10; 4]);
        world(|world| world.finished.clear());

        next_session(&[1, 2, 4]);
        ask(Some((1, TRUTH)));
        assert_ok!(give(2, TRUTH));
        assert_ok!(give(4, LIE));
        wait_until(|| is_opening(Draw::Appeal));
        assert_ok!(open(1, Draw::Appeal, TRUTH));
        let lied = Balance::from(seat(4).seats.first);
        assert_eq!(to_the_end().decision, found(TRUTH));
        assert!(lied >= 6, "a third of twenty seats");
        assert_eq!(bonds(), [10, 10, 10, 10 - lied]);
    });
}

#[test]
fn a_network_of_one_accepts_itself() {
    with_members(&[(1, 10)], || {
        ask(Some((1, TRUTH)));
        assert_eq!(seat(1).seats.first, 20);
        assert!(is_opening(Draw::First), "its claim is its digest");
        assert!(StakeVoting::may_open(&POLL, &account(1)).is_some());
        assert_ok!(open(1, Draw::First, TRUTH));
        let outcome = to_the_end();
        assert_eq!(
            (outcome.decision, outcome.right),
            (found(TRUTH), vec![]),
            "its own seats are left out"
        );
        assert_eq!(bonds()[0], 10);
    });
}

#[test]
fn of_two_neither_can_punish_the_other() {
    with_members(&[(1, 10), (2, 10)], || {
        ask(Some((1, TRUTH)));
        assert_ok!(give(2, LIE));
        for draw in [Draw::First, Draw::Appeal, Draw::Last] {
            wait_until(|| is_opening(draw));
            assert_eq!(open(1, draw, TRUTH), Err(Error::DoesNotDecide));
            assert_eq!(open(2, draw, LIE), Err(Error::DoesNotDecide));
        }
        let outcome = to_the_end();
        assert_eq!(
            (outcome.decision, outcome.draw),
            (Decision::Undecided, Draw::Last)
        );
        assert_eq!(deed_of(2), Some(None));
        assert_eq!(bonds()[..2], [10, 10]);
    });
}

#[test]
fn two_that_agree_decide_and_one_of_two_does_not() {
    with_members(&[(1, 10), (2, 10)], || {
        ask(Some((1, TRUTH)));
        assert_ok!(give(2, TRUTH));
        assert_eq!(next(), PollProgress::Open);
        assert_ok!(open(2, Draw::First, TRUTH));
        assert_eq!(to_the_end().decision, found(TRUTH));

        ask(Some((1, TRUTH)));
        assert_eq!(to_the_end().decision, Decision::Undecided);
        assert_eq!(bonds()[..2], [10, 10]);
    });
}

#[test]
fn two_against_two_stays_undecided_after_the_last_draw_and_nobody_is_judged() {
    with_members(&FOUR, || {
        ask(None);
        for (n, opening) in [(1, TRUTH), (2, TRUTH), (3, LIE), (4, LIE)] {
            assert_ok!(give(n, opening));
        }
        for draw in [Draw::First, Draw::Appeal, Draw::Last] {
            wait_until(|| is_opening(draw));
            assert_eq!(open(1, draw, TRUTH), Err(Error::DoesNotDecide));
            assert_eq!(open(3, draw, LIE), Err(Error::DoesNotDecide));
        }
        let outcome = to_the_end();
        assert_eq!(
            (outcome.decision, outcome.draw),
            (Decision::Undecided, Draw::Last)
        );
        assert_eq!(outcome.right, []);
        assert_eq!([1, 2, 3, 4].map(deed_of), [Some(None); 4]);
        assert_eq!(bonds(), [10; 4]);
        assert!(world(|world| world.left.is_empty()));
    });
}

#[test]
fn a_lie_of_a_third_of_the_weight_cannot_win_while_the_honest_are_there() {
    for randomness in 0..10 {
        with_members(&[(1, 20), (2, 25), (3, 35), (4, 40)], || {
            world(|world| world.randomness = randomness);
            // 40 of 120, as claimant too.
            ask(Some((4, LIE)));
            for n in 1..=3 {
                assert_ok!(give(n, TRUTH));
            }
            for draw in [Draw::First, Draw::Appeal] {
                wait_until(|| is_opening(draw));
                assert!(!StakeVoting::would_decide(&POLL, &account(4), draw, &LIE));
                assert_eq!(open(4, draw, LIE), Err(Error::DoesNotDecide));
            }
            assert_ok!(open(1, Draw::Appeal, TRUTH));
            let outcome = to_the_end();
            assert_eq!(outcome.decision, found(TRUTH));
            assert_eq!(outcome.right.len(), 3);
            assert_eq!(bonds(), [20, 25, 35, 40], "whoever asked judges the claimant");
        });
    }
}

#[test]
fn where_everyone_is_silent_it_ends_and_nobody_is_judged() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        let begun = System::block_number();
        let outcome = to_the_end();
        assert_eq!(
            (outcome.decision, outcome.draw),
            (Decision::Undecided, Draw::Last)
        );
        assert_eq!(
            System::block_number() - begun,
            u64::from(3 * (WINDOW + OPENING_BLOCKS))
        );
        assert_eq!([2, 3, 4].map(deed_of), [Some(None); 3]);
        assert_eq!(bonds(), [10; 4]);
    });
}
