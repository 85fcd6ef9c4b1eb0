//! Who gets seats.

use super::*;
use crate::{Event, mock::*};
use frame_support::{assert_ok, weights::Weight};
use hydra_primitives::{
    electorate::SEATS_LAST,
    traits::{self, Electorate as _},
};

/// Every account's seats in a draw, in the order of accounts.
fn seats(draw: Draw) -> Vec<(AccountId32, u16)> {
    let mut seats: Vec<_> = Seats::<Test>::iter_prefix(POLL)
        .map(|(who, seat)| (who, *seat.seats.get(draw)))
        .collect();
    seats.sort();
    seats
}

fn taken(draw: Draw) -> u16 {
    seats(draw).iter().map(|(_, seats)| seats).sum()
}

#[test]
fn no_seat_is_drawn_in_the_block_in_which_a_poll_is_asked() {
    with_members(&FOUR, || {
        StakeVoting::ask(POLL, question(None));
        for _ in 0..3 {
            assert_eq!(advance(), PollProgress::Open);
            assert_eq!(stage(), Stage::Drawing(None));
        }
        assert_eq!(next(), PollProgress::Open);
        assert_eq!(taken(Draw::First), 20);
    });
}

#[test]
fn seats_depend_on_the_randomness_of_a_later_block_and_on_nothing_of_the_claim() {
    let drawn = |claim: Option<(u8, Opening)>, randomness| {
        let mut drawn = Vec::new();
        with_members(&[(1, 3), (2, 50), (3, 17), (4, 40), (5, 1), (6, 90)], || {
            StakeVoting::ask(POLL, question(claim));
            world(|world| world.randomness = randomness);
            next();
            drawn = seats(Draw::First);
        });
        drawn
    };
    let one = drawn(Some((2, TRUTH)), 1);
    assert_eq!(one, drawn(Some((2, LIE)), 1));
    assert_eq!(one, drawn(Some((3, LIE)), 1));
    assert_ne!(one, drawn(Some((2, TRUTH)), 2));
}

#[test]
fn a_poll_that_is_known_goes_on_when_it_is_asked_again() {
    with_members(&FOUR, || {
        ask(None);
        assert_ok!(give(1, TRUTH));
        StakeVoting::ask(POLL, question(None));
        assert!(matches!(stage(), Stage::Digests { .. }));
        assert_eq!(seat(1).digest, Some(digest_of(1, TRUTH)));
    });
}

#[test]
fn drawing_goes_on_over_several_blocks_as_if_it_were_one() {
    let members = [(1, 3), (2, 50), (3, 17), (4, 40), (5, 1), (6, 90)];
    let mut whole = Vec::new();
    with_members(&members, || {
        ask(None);
        whole = seats(Draw::First);
    });
    with_members(&members, || {
        StakeVoting::ask(POLL, question(None));
        for drawn in 1..=20 {
            next_block();
            let mut meter = meter(one_seat());
            assert_eq!(StakeVoting::advance(&POLL, now(), &mut meter), PollProgress::Open);
            assert!(meter.consumed().all_lte(meter.limit()));
            if drawn < 20 {
                let Stage::Drawing(Some(begun)) = stage() else {
                    panic!("it draws");
                };
                assert_eq!(begun.drawn, drawn);
            }
            // Another randomness by now: the seed was fixed when it began.
            world(|world| world.randomness += 1);
        }
        assert!(matches!(stage(), Stage::Digests { .. }));
        assert_eq!(seats(Draw::First), whole);
    });
}

#[test]
fn without_weight_for_a_seat_a_draw_does_not_begin() {
    with_members(&FOUR, || {
        StakeVoting::ask(POLL, question(None));
        next_block();
        let less = one_seat().saturating_sub(Weight::from_parts(1, 0));
        for mut meter in [meter(less), WeightMeter::with_limit(Weight::zero())] {
            assert_eq!(StakeVoting::advance(&POLL, now(), &mut meter), PollProgress::Open);
            assert_eq!(stage(), Stage::Drawing(None));
            assert!(meter.consumed().all_lte(meter.limit()));
        }
    });
}

#[test]
fn a_draw_that_lasts_over_its_session_s_end_leaves_the_rest_of_its_seats_empty() {
    with_members(&FOUR, || {
        StakeVoting::ask(POLL, question(Some((1, TRUTH))));
        for _ in 0..12 {
            next_block();
            StakeVoting::advance(&POLL, now(), &mut meter(one_seat()));
        }
        let before = seats(Draw::First);
        assert_eq!(taken(Draw::First), 12);
        next_session(&[1, 2, 3, 4]);
        // With the first heartbeat in it, the electorate that it was drawn from is gone.
        StakeVoting::enter(&account(1), 3, 1).unwrap();
        assert_eq!(next(), PollProgress::Open);
        assert_eq!(seats(Draw::First), before);
        assert!(said().contains(&Event::SeatsDrawn {
            poll: POLL,
            draw: Draw::First,
            seats: 12,
            accounts: 3,
        }));
        // Twelve seats that agree are still more than half of twenty.
        for (who, _) in before {
            if who != account(1) {
                assert_ok!(StakeVoting::give(
                    &POLL,
                    &who,
                    digest(&POLL, &TRUTH.finding.result(), &TRUTH.witness, who.as_ref())
                ));
            }
        }
        next();
        assert!(StakeVoting::would_decide(&POLL, &account(2), Draw::First, &TRUTH));
    });
}

#[test]
fn the_next_draw_is_made_from_the_electorate_of_its_own_session() {
    with_members(&FOUR, || {
        ask(None);
        wait_until(|| is_opening(Draw::First));
        next_session(&[3, 4]);
        wait_until(|| Polls::<Test>::get(POLL).unwrap().draw == Draw::Appeal);
        assert_eq!([1, 2, 3, 4].map(|n| seat(n).seats.appeal), [0, 0, 128, 128]);
    });
}

#[test]
fn from_an_empty_electorate_all_seats_stay_empty_and_it_ends_undecided() {
    with_members(&[], || {
        StakeVoting::ask(POLL, question(None));
        for draw in [Draw::First, Draw::Appeal, Draw::Last] {
            // Each draw waits for somebody to be there, for a day of sessions.
            for _ in 0..=world(|world| world.per_day) {
                assert_eq!(next(), PollProgress::Open);
                assert_eq!(stage(), Stage::Drawing(None));
                next_session(&[]);
            }
            assert_eq!(next(), PollProgress::Open);
            // Nobody is waited for then, only for an opening.
            assert!(is_opening(draw));
            for _ in 1..OPENING_BLOCKS {
                assert_eq!(next(), PollProgress::Open);
                assert!(is_opening(draw));
            }
            if draw != Draw::Last {
                assert_eq!(next(), PollProgress::Open);
            }
        }
        let outcome = to_the_end();
        assert_eq!(
            (outcome.decision, outcome.draw),
            (Decision::Undecided, Draw::Last)
        );
        assert_eq!(outcome.right, []);
    });
}

/// Those who cut the others off, with a third of the weight or less, would otherwise be asked alone, and decide.
#[test]
fn no_draw_begins_while_a_third_or_less_of_the_last_day_takes_part() {
    with_members(&[(1, 10), (2, 20), (3, 30)], || {
        ask(Some((1, LIE)));
        wait_until(|| is_opening(Draw::First));
        next_session(&[1]);
        for session in 0..3 {
            while !matches!(stage(), Stage::Drawing(None)) {
                next();
            }
            next();
            assert_eq!(stage(), Stage::Drawing(None), "session {session}");
            assert_eq!(seat(1).seats.appeal, 0);
            next_session(&[1]);
        }
        // The others are back: it goes on at once, with all of them.
        next_session(&[1, 2, 3]);
        next();
        assert!(matches!(stage(), Stage::Digests { .. }));
        assert!((1..=3).all(|n| seat(n).seats.appeal > 0));
        assert_ok!(give(2, TRUTH));
        assert_ok!(give(3, TRUTH));
        next();
        assert_ok!(open(2, Draw::Appeal, TRUTH));
        assert_eq!(to_the_end().decision, found(TRUTH));
    });
}

#[test]
fn a_first_draw_too_waits_for_the_guard_and_a_poll_ends_if_it_never_gives_way() {
    with_members(&[(1, 10), (2, 30)], || {
        StakeVoting::ask(POLL, question(None));
        next_session(&[1]);
        // The larger weight is named again and again, as if others came and went.
        let mut blocks = 0;
        while let PollProgress::Open = next() {
            assert_eq!(seat(1).seats, Default::default(), "nobody is asked");
            let session = world(|world| world.session);
            crate::LargestWeights::<Test>::mutate(|largest| largest.note(session, 40_000_000, 24));
            next_session(&[1]);
            blocks += 1;
            assert!(blocks < 3 * (25 + LONGEST), "it never ends");
        }
        assert_eq!(Polls::<Test>::get(POLL), None);
    });
}

#[test]
fn three_accounts_hold_the_1024_seats_of_a_last_draw() {
    with_members(&[(1, 10), (2, 10), (3, 10)], || {
        ask(None);
        wait_until(|| is_opening(Draw::Last));
        let held = seats(Draw::Last);
        assert_eq!(held.len(), 3);
        assert_eq!(taken(Draw::Last), 1_024);
        assert!(
            held.iter().all(|(_, seats)| (340..=342).contains(seats)),
            "{held:?}"
        );
        let status = <StakeVoting as traits::Polls<_>>::status(&POLL).unwrap();
        assert_eq!(
            (status.draw, status.seats, status.given),
            (Draw::Last, SEATS_LAST, 0)
        );
        assert_eq!(status.accounts.len(), 3);
        assert_eq!(
            status.accounts.iter().map(|(_, seats, _)| seats).sum::<u32>(),
            20 + 256 + 1_024
        );
    });
}

#[test]
fn who_is_out_or_has_no_room_gets_no_seat() {
    with_members(&FOUR, || {
        node(1, |node| node.out = true);
        node(2, |node| node.busy = node.room);
        node(3, |node| node.size = 1);
        ask(None);
        assert_eq!([1, 2, 3, 4].map(|n| seat(n).seats.first), [0, 0, 0, 5]);
        assert_eq!(taken(Draw::First), 5);
    });
}

/// Eleven of 33 keep themselves free, and the others have enough to do.
#[test]
fn seats_of_the_busy_stay_empty_instead_of_going_to_whoever_keeps_itself_free() {
    let members: Vec<(u8, u128)> = (1..=33).map(|n| (n, 10)).collect();
    with_members(&members, || {
        for n in 1..=33 {
            node(n, |node| {
                if n % 3 != 0 {
                    node.busy = node.room;
                }
            });
        }
        ask(None);
        assert!(taken(Draw::First) <= 10, "{}", taken(Draw::First));
        let tally = |draw| *Polls::<Test>::get(POLL).unwrap().tallies.get(draw);
        assert_eq!(tally(Draw::First).busy + taken(Draw::First), 20);
        // They agree on a lie, and nobody contradicts it. It decides nothing: not in the first draw, as most were busy, and later
        // as they have a third of the seats.
        let free: Vec<u8> = (1..=33).filter(|n| n % 3 == 0).collect();
        for draw in [Draw::First, Draw::Appeal, Draw::Last] {
            wait_until(|| {
                for n in &free {
                    if StakeVoting::owes_digest(&POLL, &account(*n)).is_some() {
                        assert_ok!(give(*n, LIE));
                    }
                }
                is_opening(draw)
            });
            let tries = free.iter().map(|n| open(*n, draw, LIE));
            assert!(tries.clone().any(|tried| tried == Err(Error::DoesNotDecide)));
            assert!(tries.clone().all(|tried| tried.is_err()));
        }
    });
}

#[test]
fn who_has_the_poll_s_task_already_needs_no_more_room_and_the_claimant_none_at_all() {
    with_members(&FOUR, || {
        node(1, |node| node.room = 0);
        ask(Some((1, TRUTH)));
        assert_eq!([1, 2, 3, 4].map(|n| seat(n).seats.first), [5; 4]);
        let busy = || world(|world| [1, 2, 3, 4].map(|n| world.nodes[&account(n)].busy));
        assert_eq!(busy(), [0, 1, 1, 1], "one task each, and none for the claimant");
        wait_until(|| is_opening(Draw::Appeal));
        assert_eq!([1, 2, 3, 4].map(|n| seat(n).seats.appeal), [64; 4]);
        assert_eq!(busy(), [0, 1, 1, 1]);
        to_the_end();
        assert_eq!(busy(), [0; 4]);
    });
}

#[test]
fn a_poll_that_nobody_asked_is_over() {
    with_members(&FOUR, || {
        let PollProgress::Over(outcome) = advance() else {
            panic!("there is nothing to wait for");
        };
        assert_eq!(outcome.decision, Decision::Undecided);
        assert_eq!(<StakeVoting as traits::Polls<_>>::status(&POLL), None);
    });
}
