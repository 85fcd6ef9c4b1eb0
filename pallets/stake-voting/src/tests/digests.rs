//! Which digests are taken, and when they are closed.

use super::*;
use crate::mock::*;
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::reputation::Deed;

#[test]
fn digests_are_closed_with_the_last_block_of_the_window_and_not_earlier() {
    with_members(&FOUR, || {
        ask(None);
        let drawn = u32::try_from(System::block_number()).unwrap();
        assert_eq!(
            stage(),
            Stage::Digests {
                closes_at: drawn + WINDOW
            }
        );
        // Three quarters of the seats are more than enough to decide, and are not enough to close.
        for n in 1..=3 {
            assert_eq!(StakeVoting::owes_digest(&POLL, &account(n)), Some(drawn + WINDOW));
            assert_ok!(give(n, TRUTH));
            assert_eq!(StakeVoting::owes_digest(&POLL, &account(n)), None);
        }
        for _ in 1..WINDOW {
            assert_eq!(next(), PollProgress::Open);
            assert!(matches!(stage(), Stage::Digests { .. }));
        }
        // In the last block too.
        next_block();
        assert_ok!(give(4, TRUTH));
        assert_eq!(advance(), PollProgress::Open);
        assert!(is_opening(Draw::First));
    });
}

#[test]
fn digests_of_the_last_block_of_the_window_count_where_full_blocks_leave_the_closing_to_the_next_one() {
    with_members(&FOUR, || {
        ask(None);
        let Stage::Digests { closes_at } = stage() else {
            panic!("digests are taken");
        };
        for n in 1..=3 {
            assert_ok!(give(n, TRUTH));
        }
        while now() < closes_at {
            assert_eq!(late(), PollProgress::Open);
            assert!(matches!(stage(), Stage::Digests { .. }), "block {}", now());
        }
        // This block has begun, and counts.
        assert_ok!(give(4, TRUTH));
        assert_eq!(late(), PollProgress::Open);
        assert_eq!(
            stage(),
            Stage::Opening {
                closed_at: closes_at + 1
            }
        );
    });
}

#[test]
fn digests_after_closing_are_refused() {
    with_members(&FOUR, || {
        ask(None);
        for n in 1..=3 {
            assert_ok!(give(n, TRUTH));
        }
        wait_until(|| is_opening(Draw::First));
        assert_eq!(give(4, TRUTH), Err(Error::DigestsClosed));
        assert_eq!(StakeVoting::owes_digest(&POLL, &account(4)), None);
        assert_ok!(open(1, Draw::First, TRUTH));
        assert_eq!(give(4, TRUTH), Err(Error::DigestsClosed));
    });
}

#[test]
fn a_digest_after_the_window_is_refused_also_where_no_block_had_the_weight_to_close_it() {
    with_members(&FOUR, || {
        ask(None);
        for _ in 0..=WINDOW {
            next_block();
        }
        assert!(matches!(stage(), Stage::Digests { .. }));
        assert_eq!(give(1, TRUTH), Err(Error::DigestsClosed));
    });
}

#[test]
fn a_digest_can_be_given_once_and_by_who_has_a_seat_and_is_not_the_claimant() {
    with_members(&FOUR, || {
        assert_eq!(give(2, TRUTH), Err(Error::NoSuchPoll));
        StakeVoting::ask(POLL, question(Some((1, TRUTH))));
        assert_eq!(give(2, TRUTH), Err(Error::NoSeat), "seats are not drawn yet");
        next();
        assert_ok!(give(2, TRUTH));
        assert_noop!(give(2, LIE), Error::<Test>::DigestGiven);
        assert_noop!(give(1, LIE), Error::<Test>::DigestGiven);
        assert_noop!(give(9, TRUTH), Error::<Test>::NoSeat);
        assert_eq!(seat(2).digest, Some(digest_of(2, TRUTH)));
        assert_eq!(StakeVoting::owes_digest(&POLL, &account(1)), None);
        assert_eq!(StakeVoting::owes_digest(&POLL, &account(9)), None);
    });
}

#[test]
fn a_digest_given_in_a_later_draw_counts_for_the_account_s_seats_in_all_draws() {
    with_members(&FOUR, || {
        ask(Some((1, TRUTH)));
        assert_ok!(give(2, TRUTH));
        assert_ok!(give(3, LIE));
        let silent = |draw| {
            let poll = Polls::<Test>::get(POLL).unwrap();
            let tally = *poll.tallies.get(draw);
            (tally.accounts - tally.given, tally.taken - tally.acted)
        };
        assert_eq!(silent(Draw::First), (1, 5));
        wait_until(|| matches!(stage(), Stage::Digests { .. }) && seat(4).seats.appeal > 0);
        assert_eq!(silent(Draw::Appeal), (1, 64));
        assert_ok!(give(4, TRUTH));
        assert_eq!(silent(Draw::Appeal), (0, 0));
        assert_eq!(silent(Draw::First), (1, 5), "it was silent then");
        assert_eq!(next(), PollProgress::Open);
        assert_ok!(open(4, Draw::Appeal, TRUTH));
        let mut right = to_the_end().right;
        right.sort();
        assert_eq!(right, [2, 4].map(|n| (account(n), 5)));
        let finished = world(|world| world.finished.clone());
        assert!(finished.contains(&(account(4), Some(Deed::Right))));
    });
}

#[test]
fn who_has_no_seat_in_the_current_draw_gives_nothing_any_more() {
    with_members(&FOUR, || {
        ask(None);
        assert_ok!(give(1, TRUTH));
        assert_ok!(give(2, LIE));
        node(4, |node| node.out = true);
        wait_until(|| matches!(stage(), Stage::Digests { .. }) && seat(3).seats.appeal > 0);
        assert_eq!((seat(4).seats.first, seat(4).seats.appeal), (5, 0));
        assert_eq!(give(4, TRUTH), Err(Error::NoSeat));
        assert_ok!(give(3, TRUTH));
    });
}
