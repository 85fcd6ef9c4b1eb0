//! What follows from what the network found of a proposal.

use super::helpers::*;
use crate::{Error, Event, History, Payouts, Versions, mock::*};
use codec::Encode;
use hydra_primitives::{
    H256, HYDRA,
    duty::DutyResult,
    electorate::Purpose,
    poll::{Decision, Draw, Finding},
    proposal::{PlaceKey, proposal_poll},
    reputation::Deed,
    status::{Outcome, Phase},
    traits::Stakes as _,
};

/// Proposes something that was not trained from `base`, where that can be known.
fn propose_from(index: u16, base: H256) -> Vec<(u32, sp_runtime::DispatchError)> {
    let mut result = proposal(index);
    if let DutyResult::Propose { claim, .. } = &mut result {
        claim.base = base;
    }
    submit(&place(index).holder, vec![result])
}

fn outcome(index: usize) -> Option<Outcome> {
    History::<Test>::get(0, 0).expect("the round is on record").places[index].outcome
}

#[test]
fn a_poll_asks_for_the_whole_task_and_is_named_by_all_that_it_asks() {
    with_nodes(4, || {
        propose_all();
        next_block();
        let round = round();
        for index in 0..4 {
            let place = place(index);
            let claim = place.claim.unwrap();
            let key = PlaceKey {
                model: 0,
                round: 0,
                place: index,
            };
            let seed = Training::task_seed_of(0, &round, index);
            let name = proposal_poll(
                &Training::genesis(),
                &key,
                &place.holder.clone().into(),
                &seed,
                &claim,
            );
            let poll = Asked::get().remove(&name).expect("it has that name");
            let purpose = Purpose::Verification {
                model: 0,
                round: 0,
                extension: 0,
                place: u32::from(index),
                draw: Draw::First,
            };
            assert_eq!(poll.purpose, purpose.encode());
            assert_eq!((poll.first_seats, poll.window), (8, 10));
            assert_eq!(
                poll.claimant,
                Some((place.holder, Finding::Update(claim.update.hash).result()))
            );
        }
    });
}

#[test]
fn a_rejected_holder_forfeits_is_judged_and_leaves_while_the_others_go_on() {
    with_nodes(4, || {
        propose_all();
        next_block();
        accept(0..3);
        let right = vec![(account(1), 3), (account(2), 5)];
        let other = Decision::Found(Finding::Update(H256::repeat_byte(9)));
        decide(poll_of(3), other, right.clone());
        next_block();
        assert_eq!(outcome(3), Some(Outcome::Rejected));
        assert_eq!(Neighbours::bonded(&account(4)), 9 * HYDRA);
        assert_eq!(Shared::get(), [(HYDRA, right)]);
        assert_eq!(Left::get(), [account(4)]);
        assert!(Finished::get().contains(&(account(4), Some(Deed::Wrong))));
        assert_eq!(Versions::<Test>::get(0).expect("a version").updates.len(), 3);
        assert!(!Payouts::<Test>::contains_key(0, 3));
    });
}

#[test]
fn a_lie_costs_the_reward_where_that_is_more_than_the_minimum_stake() {
    with_nodes(4, || {
        Quote::set(&Some(7 * HYDRA));
        propose_all();
        next_block();
        assert!(Asked::get().values().all(|poll| poll.forfeit == 7 * HYDRA));
        for index in 0..4 {
            decide(poll_of(index), Decision::Found(Finding::NotFinite), vec![]);
        }
        next_block();
        assert_eq!(Neighbours::bonded(&account(1)), 3 * HYDRA);
        assert_eq!(Versions::<Test>::get(0), None);
    });
}

#[test]
fn what_a_lie_costs_is_fixed_when_it_is_asked_about_whatever_the_minimum_stake_becomes() {
    with_nodes(4, || {
        propose_all();
        next_block();
        Minimum::set(&(5 * HYDRA));
        let other = Decision::Found(Finding::Update(H256::repeat_byte(9)));
        for index in 0..4 {
            decide(poll_of(index), other, vec![]);
        }
        next_block();
        assert_eq!(Neighbours::bonded(&account(1)), 9 * HYDRA);
    });
}

#[test]
fn two_against_two_decide_nothing_judge_nobody_and_stop_nothing() {
    with_nodes(4, || {
        propose_all();
        next_block();
        for index in 0..4 {
            let poll = poll_of(index);
            change(&poll, |poll| {
                poll.outcome = Some((Decision::Undecided, Draw::Last, vec![]));
            });
        }
        next_block();
        assert!((0..4).all(|index| outcome(index) == Some(Outcome::Undecided)));
        assert!(Finished::get().iter().all(|(_, deed)| deed.is_none()));
        assert_eq!((Shared::get().len(), Left::get().len()), (0, 0));
        assert_eq!((round().number, round().phase), (1, Phase::Pause));
        next_block();
        assert_eq!((round().phase, round().places), (Phase::Train, 4));
        whole_round();
        assert!(Versions::<Test>::contains_key(0));
    });
}

#[test]
fn a_proposal_from_a_wrong_base_is_refused_where_the_base_is_known_and_else_a_missed_duty() {
    with_nodes(4, || {
        let refused = propose_from(0, H256::repeat_byte(5));
        assert_eq!(refused, only(Error::WrongBase));
        whole_round();
        // Version 1 is in question: nobody knows.
        assert!(propose_from(0, H256::repeat_byte(5)).is_empty());
        assert!(propose_from(1, INITIAL).is_empty());
        propose([2, 3]);
        decide_version(found(1));
        next_block();
        assert_eq!((round().phase, round().asked), (Phase::Verify, 2));
        assert_eq!(place(0).outcome, Some(Outcome::Dropped));
        assert_eq!(place(1).outcome, Some(Outcome::Dropped));
        let dropped = Finished::get().split_off(4);
        assert_eq!(dropped, [1, 2].map(|n| (account(n), Some(Deed::Missed))));
        assert!(
            Shared::get().is_empty() && Left::get().is_empty(),
            "it costs no stake"
        );
        accept([2, 3]);
        next_block();
        assert_eq!(Versions::<Test>::get(0).expect("a version").updates.len(), 2);
    });
}

#[test]
fn a_poll_that_needs_more_draws_makes_the_round_longer_and_says_so() {
    with_nodes(4, || {
        propose_all();
        next_block();
        accept(0..3);
        System::reset_events();
        let until = round().phase_ends_at;
        while now() <= until {
            next_block();
        }
        assert_eq!((round().decided, round().phase), (3, Phase::Verify));
        assert!(round().phase_ends_at > until);
        assert!(happened(&Event::RoundExtended {
            model: 0,
            round: 0,
            ends_at: round().phase_ends_at,
        }));
        accept([3]);
        next_block();
        assert_eq!(round().number, 1);
    });
}

#[test]
fn whoever_has_nothing_left_to_lose_proposes_nothing_more() {
    with_nodes(4, || {
        Bonds::set(&Default::default());
        let refused = submit(&account(1), vec![proposal(0)]);
        assert_eq!(refused, only(Error::NothingAtStake));
    });
}
