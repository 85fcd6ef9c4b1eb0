//! Confirmation, giving up, payment, and the pace that follows.

use super::helpers::*;
use crate::{Confirmed, DuesState, Event, History, Payouts, Versions, WeightInfo, mock::*};
use frame_support::weights::Weight;
use hydra_primitives::{
    H256, HYDRA,
    poll::{Decision, Finding},
    status::{Phase, Waiting},
    traits::Models as _,
};

#[test]
fn work_is_paid_when_its_version_is_confirmed_and_not_before() {
    with_nodes(4, || {
        Quote::set(&Some(2 * HYDRA));
        whole_round();
        blocks(3);
        assert!(Paid::get().is_empty());
        decide_version(found(1));
        next_block();
        let paid = Paid::get();
        assert_eq!(paid.len(), 4);
        for (index, (holder, reward, right)) in paid.into_iter().enumerate() {
            assert_eq!((holder, reward), (account(index as u8 + 1), 2 * HYDRA));
            assert_eq!(right.len(), 3, "everybody else was right");
        }
        assert!(happened(&Event::RoundPaid {
            model: 0,
            round: 0,
            paid: 8 * HYDRA
        }));
        assert_eq!(QuotedFor::get(), 4, "the places of a round share");
        let record = History::<Test>::get(0, 0).expect("the round is on record");
        assert!(
            record
                .places
                .iter()
                .all(|place| (place.reward, place.verifiers) == (HYDRA * 8 / 5, HYDRA * 2 / 5)),
            "what the holder got, and what those who verified it got"
        );
        assert_eq!((round().dues, Payouts::<Test>::iter().count()), (None, 0));
        blocks(3);
        assert_eq!(Paid::get().len(), 4, "and once");
    });
}

#[test]
fn what_a_round_earned_is_paid_over_several_blocks_where_one_has_no_room_for_all() {
    with_nodes(4, || {
        whole_round();
        propose_all();
        decide_version(found(1));
        // Room to look, to confirm, and to pay two places or so.
        let left = <()>::hook()
            .saturating_add(<()>::look())
            .saturating_add(<()>::end_version(4))
            .saturating_add(<()>::begin_paying())
            .saturating_add(<()>::pay_place(3).saturating_mul(2))
            .saturating_add(<()>::look_at_place().saturating_mul(3));
        idle_block(left);
        let after_one = Paid::get().len();
        assert!((1..4).contains(&after_one), "{after_one}");
        assert_eq!(round().dues.expect("not all is paid").state, DuesState::Paying);
        // Nothing is verified before: its payouts would mix with these.
        assert_eq!(round().phase, Phase::Train);
        let mut blocks = 1;
        while round().dues.is_some() {
            idle_block(left);
            blocks += 1;
            assert!(blocks < 10, "never paid");
        }
        assert_eq!(Paid::get().len(), 4);
        let record = History::<Test>::get(0, 0).expect("the round is on record");
        assert!(record.places.iter().all(|place| place.reward > 0));
        next_block();
        assert_eq!(round().phase, Phase::Verify);
    });
}

/// Version 1 comes to nothing, while all four have proposed from it.
fn given_up(decision: Decision) {
    with_nodes(4, || {
        whole_round();
        propose_all();
        let seed = round().seed;
        decide_version(decision);
        next_block();
        assert_eq!(Versions::<Test>::get(0), None);
        assert_eq!(Training::confirmed_version(0), Some(0));
        assert!(
            History::<Test>::get(0, 0)
                .expect("the round is on record")
                .given_up
        );
        assert!(Paid::get().is_empty(), "what is given up is not paid");
        assert_eq!(Payouts::<Test>::iter().count(), 0);
        // What was proposed from it is dropped, and nobody is judged.
        let finished = Finished::get();
        let (right, dropped) = finished.split_at(4);
        assert!(right.iter().all(|(_, deed)| deed.is_some()));
        assert!(dropped.len() == 4 && dropped.iter().all(|(_, deed)| deed.is_none()));
        let again = round();
        assert_eq!((again.number, again.extension, again.phase), (1, 1, Phase::Pause));
        assert_eq!(again.pace.pause, 1);
        next_block();
        assert_eq!(
            (round().phase, round().places, round().extension),
            (Phase::Train, 4, 1)
        );
        assert_ne!(round().seed, seed);
        // Its number is not used again.
        whole_round();
        assert_eq!(Versions::<Test>::get(0).expect("a version").version, 2);
        assert_eq!(Versions::<Test>::get(0).expect("a version").base, INITIAL);
        decide_version(found(1));
        next_block();
        assert_eq!(Training::confirmed_version(0), Some(2));
        assert_eq!(Paid::get().len(), 4);
    });
}

#[test]
fn a_version_that_stays_undecided_is_given_up_with_all_that_was_made_from_it() {
    given_up(Decision::Undecided);
}

#[test]
fn a_version_that_is_not_finite_is_given_up_with_all_that_was_made_from_it() {
    given_up(Decision::Found(Finding::NotFinite));
}

#[test]
fn a_version_that_is_said_to_be_an_update_is_given_up_with_all_that_was_made_from_it() {
    given_up(Decision::Found(Finding::Update(H256::repeat_byte(1))));
}

#[test]
fn versions_that_are_given_up_one_after_the_other_slow_the_model_down() {
    with_nodes(4, || {
        for pause in [1, 2, 4, 8] {
            whole_round();
            decide_version(Decision::Undecided);
            next_block();
            assert_eq!(round().phase_ends_at + 1 - now(), pause);
            assert_eq!(round().waiting, Some(Waiting::Progress));
            blocks(pause);
        }
        whole_round();
        decide_version(found(1));
        next_block();
        assert_eq!(round().pace.longest(), 0);
    });
}

#[test]
fn a_model_that_learns_nothing_rests_longer_and_longer_until_it_does() {
    with_nodes(1, || {
        // Confirms a version with this loss, and says how long the model paused after it.
        let confirm = |loss| {
            while round().phase == Phase::Pause {
                next_block();
            }
            whole_round();
            decide_version(found(loss));
            next_block();
            round().pace.rest
        };
        assert_eq!(confirm(1_000_000), 0);
        let rests: Vec<_> = (0..20).map(|_| confirm(999_500)).collect();
        assert_eq!(rests[..15], [0; 15]);
        assert_eq!(rests[15..], [1, 2, 4, 8, 16]);
        // The next version is confirmed while the model rests: that ends it.
        while round().phase == Phase::Pause {
            next_block();
        }
        whole_round();
        assert_eq!(
            (round().phase, round().waiting),
            (Phase::Pause, Some(Waiting::Progress))
        );
        decide_version(found(900_000));
        next_block();
        assert_eq!((round().phase, round().pace.rest), (Phase::Train, 0));
    });
}

#[test]
fn whoever_found_a_version_is_named_for_it_and_else_those_whose_updates_are_in_it() {
    with_nodes(4, || {
        whole_round();
        decide(round().question.unwrap(), found(1), vec![(account(3), 1)]);
        next_block();
        let providers = Confirmed::<Test>::get(0).unwrap().providers;
        assert_eq!(providers.to_vec(), [3, 1, 2, 4].map(account));
        let weights = Confirmed::<Test>::get(0).unwrap().weights;
        assert_eq!(weights, weights_of(1));
    });
}

#[test]
fn the_block_space_of_duties_is_paid_for_when_a_round_opens() {
    with_nodes(4, || {
        let terms = crate::ModelTerms::<Test>::get(0).unwrap();
        let one: Weight = Training::duties_weight(&terms, 4);
        assert_eq!(Burnt::get(), u128::from(one.ref_time()));
        whole_round();
        assert_eq!(Burnt::get(), 2 * u128::from(one.ref_time()));
    });
}
