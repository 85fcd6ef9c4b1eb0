//! What follows from a decision, and how long that may take.

use super::*;
use crate::{Unbonding, WeightInfo, mock::*};
use frame_support::assert_ok;
use hydra_primitives::{reputation::Deed, traits::Stakes as _};

/// A poll of four on the claim of 1, in which 4 lied, opened in the appeal.
fn decided_with_one_lying() {
    ask(Some((1, TRUTH)));
    for (n, opening) in [(2, TRUTH), (3, TRUTH), (4, LIE)] {
        assert_ok!(give(n, opening));
    }
    wait_until(|| is_opening(Draw::Appeal));
    assert_ok!(open(2, Draw::Appeal, TRUTH));
}

#[test]
fn judging_goes_on_over_several_blocks_and_shares_what_was_forfeited_once() {
    with_members(&FOUR, || {
        decided_with_one_lying();
        for judged in 1..=4 {
            next_block();
            let mut meter = meter(<()>::judge());
            assert_eq!(StakeVoting::advance(&POLL, now(), &mut meter), PollProgress::Open);
            assert!(meter.consumed().all_lte(meter.limit()));
            assert_eq!(Seats::<Test>::iter_prefix(POLL).count(), 4 - judged);
            assert!(world(|world| world.shared.is_empty()));
            StakeVoting::do_try_state().unwrap();
        }
        // Nobody is left, and there is no weight for sharing.
        next_block();
        let mut little = meter(<()>::judge());
        assert_eq!(
            StakeVoting::advance(&POLL, now(), &mut little),
            PollProgress::Open
        );
        next_block();
        let mut enough = meter(<()>::judge().saturating_add(<()>::share()));
        let PollProgress::Over(outcome) = StakeVoting::advance(&POLL, now(), &mut enough) else {
            panic!("it is over");
        };
        assert_eq!(outcome.decision, found(TRUTH));
        assert_eq!(outcome.right.len(), 2);
        let shared = world(|world| world.shared.clone());
        assert_eq!(shared.len(), 1);
        assert_eq!((shared[0].0, shared[0].1.len()), (5 * HYDRA, 3));
        assert_eq!(Polls::<Test>::get(POLL), None);
    });
}

#[test]
fn a_forfeit_takes_what_is_bonded_first_and_then_the_newest_of_what_is_unbonding() {
    with_members(&[(1, 10), (2, 10), (3, 10), (4, 10)], || {
        // Of 4's ten, one and a half stay bonded; three, four, and one and a half are on their way back.
        for amount in [3 * HYDRA, 4 * HYDRA, 3 * HYDRA / 2] {
            next_block();
            assert_ok!(StakeVoting::unbond(RuntimeOrigin::signed(account(4)), amount));
        }
        node(4, |node| node.out = false);
        decided_with_one_lying();
        to_the_end();
        // Five: one and a half bonded, one and a half and two of the four that came before.
        assert_eq!(StakeVoting::bonded(&account(4)), 0);
        let left: Vec<_> = Unbonding::<Test>::get(account(4))
            .iter()
            .map(|unbond| unbond.amount)
            .collect();
        assert_eq!(left, [3 * HYDRA, 2 * HYDRA]);
        assert_eq!(world(|world| world.shared[0].0), 5 * HYDRA);
    });
}

#[test]
fn no_more_is_forfeited_and_shared_than_there_is() {
    with_members(&[(1, 9), (2, 9), (3, 9), (4, 3)], || {
        let before = Balances::total_issuance();
        ask(None);
        for (n, opening) in [(1, TRUTH), (2, TRUTH), (3, TRUTH), (4, LIE)] {
            assert_ok!(give(n, opening));
        }
        // Two seats of twenty. The question says otherwise what one costs.
        assert_eq!(seat(4).seats.first, 2);
        Polls::<Test>::mutate(POLL, |poll| poll.as_mut().unwrap().forfeit = 2 * HYDRA);
        wait_until(|| is_opening(Draw::Appeal));
        assert_ok!(open(1, Draw::Appeal, TRUTH));
        to_the_end();
        assert_eq!(StakeVoting::bonded(&account(4)), 0);
        assert_eq!(Balances::free_balance(account(4)), 997 * HYDRA);
        assert_eq!(world(|world| world.shared[0].0), 3 * HYDRA);
        let minted = 3 * HYDRA / 2 / 3 * 3;
        assert_eq!(before - Balances::total_issuance(), 3 * HYDRA - minted);
    });
}

#[test]
fn who_was_silent_where_most_were_does_not_leave() {
    with_members(&[(1, 10), (2, 10), (3, 10), (4, 10), (5, 10)], || {
        // Nobody gives anything in the first draw but the claim. Then 4 is not drawn again, 2 and 3 are back, and 5 is not.
        ask(Some((1, TRUTH)));
        wait_until(|| is_opening(Draw::First));
        node(4, |node| node.out = true);
        wait_until(|| matches!(stage(), Stage::Digests { .. }));
        assert_ok!(give(2, TRUTH));
        assert_ok!(give(3, TRUTH));
        wait_until(|| is_opening(Draw::Appeal));
        assert_ok!(open(2, Draw::Appeal, TRUTH));
        assert_eq!(to_the_end().decision, found(TRUTH));
        let finished = world(|world| world.finished.clone());
        assert!(finished.contains(&(account(2), Some(Deed::Right))));
        assert!(finished.contains(&(account(4), None)), "most were silent with it");
        assert!(finished.contains(&(account(5), Some(Deed::Missed))));
    });
}
