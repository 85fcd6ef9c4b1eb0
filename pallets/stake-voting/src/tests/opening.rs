//! Who may open, when, and with what.

use super::*;
use crate::{Event, mock::*};
use frame_support::{assert_noop, assert_ok};

#[test]
fn an_opening_is_refused_before_the_digests_are_closed_and_after_the_poll_is_decided() {
    with_members(&FOUR, || {
        assert_eq!(open(1, Draw::First, TRUTH), Err(Error::NoSuchPoll));
        ask(Some((1, TRUTH)));
        for n in [2, 3] {
            assert_ok!(give(n, TRUTH));
        }
        assert_noop!(open(2, Draw::First, TRUTH), Error::<Test>::NotOpening);
        assert!(!StakeVoting::would_decide(
            &POLL,
            &account(2),
            Draw::First,
            &TRUTH
        ));
        assert_eq!(StakeVoting::may_open(&POLL, &account(2)), None);
        wait_until(|| is_opening(Draw::First));
        assert!(StakeVoting::would_decide(&POLL, &account(2), Draw::First, &TRUTH));
        assert_ok!(open(2, Draw::First, TRUTH));
        assert_noop!(open(3, Draw::First, TRUTH), Error::<Test>::NotOpening);
        assert_eq!(StakeVoting::may_open(&POLL, &account(3)), None);
    });
}

#[test]
fn a_false_opening_is_refused_and_changes_nothing() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        for n in 2..=4 {
            assert_ok!(give(n, TRUTH));
        }
        next();
        let other_witness = Opening {
            witness: LIE.witness,
            ..TRUTH
        };
        let other_finding = Opening {
            finding: LIE.finding,
            ..TRUTH
        };
        for opening in [LIE, other_witness, other_finding] {
            assert!(!StakeVoting::would_decide(
                &POLL,
                &account(2),
                Draw::First,
                &opening
            ));
            assert_noop!(open(2, Draw::First, opening), Error::<Test>::DoesNotDecide);
        }
        assert_ok!(open(2, Draw::First, TRUTH));
    });
}

#[test]
fn an_opening_by_a_stranger_is_refused() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        for n in 2..=4 {
            assert_ok!(give(n, TRUTH));
        }
        next();
        assert_noop!(open(9, Draw::First, TRUTH), Error::<Test>::NoSeat);
        assert_eq!(StakeVoting::may_open(&POLL, &account(9)), None);
        // Whose turn it is, is for the trainers: anybody with a seat may be first.
        assert_ok!(open(4, Draw::First, TRUTH));
        assert!(said().contains(&Event::PollOpened {
            poll: POLL,
            who: account(4),
            draw: Draw::First,
            finding: TRUTH.finding,
        }));
    });
}

#[test]
fn an_opening_of_another_draw_is_refused() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        for (n, opening) in [(2, TRUTH), (3, TRUTH), (4, LIE)] {
            assert_ok!(give(n, opening));
        }
        wait_until(|| is_opening(Draw::Appeal));
        assert_noop!(open(2, Draw::First, TRUTH), Error::<Test>::OtherDraw);
        assert_noop!(open(2, Draw::Last, TRUTH), Error::<Test>::OtherDraw);
        assert_ok!(open(2, Draw::Appeal, TRUTH));
    });
}

#[test]
fn who_may_open_doubles_from_block_to_block_and_those_of_earlier_draws_wait_for_the_last() {
    let may = || {
        let turns = (1..=4).map(|n| StakeVoting::may_open(&POLL, &account(n)));
        turns.flatten().collect::<Vec<_>>()
    };
    for randomness in 0..5 {
        with_members(&FOUR, || {
            world(|world| world.randomness = randomness);
            ask(None);
            for n in 1..=3 {
                assert_ok!(give(n, TRUTH));
            }
            assert_ok!(give(4, LIE));
            next();
            let closed = u32::try_from(System::block_number()).unwrap();
            let turn = (Draw::First, closed + OPENING_BLOCKS);
            assert_eq!(may(), [turn]);
            next();
            assert_eq!(may(), [turn; 2]);
            next();
            assert_eq!(may(), [turn; 4]);
            // Not in the appeal, and still able to open it in the end.
            node(4, |node| node.out = true);
            wait_until(|| is_opening(Draw::Appeal));
            let closed = u32::try_from(System::block_number()).unwrap();
            let turn = (Draw::Appeal, closed + OPENING_BLOCKS);
            for _ in 1..OPENING_BLOCKS {
                assert_eq!(StakeVoting::may_open(&POLL, &account(4)), None);
                next();
            }
            assert_eq!(may(), [turn; 4]);
        });
    }
}

#[test]
fn without_an_opening_the_next_draw_is_made_after_eight_blocks_and_not_earlier() {
    with_members(&FOUR, || {
        ask(None);
        for n in 1..=4 {
            assert_ok!(give(n, TRUTH));
        }
        next();
        let first_seed = Polls::<Test>::get(POLL).unwrap().seed;
        for _ in 1..OPENING_BLOCKS {
            next();
            assert!(is_opening(Draw::First));
        }
        // In the eighth block too.
        next_block();
        assert!(StakeVoting::would_decide(&POLL, &account(2), Draw::First, &TRUTH));
        assert_eq!(advance(), PollProgress::Open);
        let poll = Polls::<Test>::get(POLL).unwrap();
        assert_eq!(poll.draw, Draw::Appeal);
        assert_ne!(poll.seed, first_seed);
        // All digests are given, so they are closed at once.
        assert!(is_opening(Draw::Appeal));
        assert_eq!(open(1, Draw::First, TRUTH), Err(Error::OtherDraw));
        assert_ok!(open(1, Draw::Appeal, TRUTH));
    });
}

#[test]
fn an_opening_of_the_last_block_counts_where_full_blocks_leave_giving_up_to_the_next_one() {
    with_members(&FOUR, || {
        ask(None);
        for n in 1..=4 {
            assert_ok!(give(n, TRUTH));
        }
        next();
        let until = now() + OPENING_BLOCKS;
        while now() < until {
            assert_eq!(late(), PollProgress::Open);
            assert!(is_opening(Draw::First), "block {}", now());
        }
        assert_ok!(open(1, Draw::First, TRUTH));
        assert!(matches!(late(), PollProgress::Over(_)));
    });
}

#[test]
fn a_poll_that_finds_no_finite_number_is_decided_like_any_other() {
    let opening = Opening {
        finding: Finding::NotFinite,
        witness: H256::zero(),
    };
    with_members(&FOUR, || {
        ask(None);
        for n in 1..=4 {
            assert_ok!(give(n, opening));
        }
        next();
        assert_ok!(open(1, Draw::First, opening));
        assert_eq!(to_the_end().decision, Decision::Found(Finding::NotFinite));
    });
}
