//! Models that are added to a running chain.

use super::helpers::*;
use crate::{Error, Event, Models, mock::*};
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{H256, model::ModelSpec, status::Phase};
use sp_runtime::traits::BadOrigin;

const WEIGHTS: H256 = H256::repeat_byte(0xBB);

#[test]
fn a_model_that_is_added_trains_beside_the_first() {
    with_nodes(3, || {
        assert_ok!(Training::add_model(
            RuntimeOrigin::root(),
            spec(),
            dataset(),
            WEIGHTS
        ));
        assert!(happened(&Event::ModelAdded {
            model: 1,
            weights: WEIGHTS,
        }));
        next_block();
        let added = Training::model_status(1).unwrap();
        assert_eq!(
            (
                added.round,
                added.phase,
                added.version,
                added.weights,
                added.places
            ),
            (0, Phase::Train, 0, WEIGHTS, 3)
        );
        assert_eq!(round_of(1).opened_at, 2);
        // The first one is as it was.
        assert_eq!(Training::model_status(0).unwrap().weights, INITIAL);
        assert_eq!(round().opened_at, 1);
        assert_ne!(round_of(1).seed, round().seed);
    });
}

#[test]
fn an_account_can_not_add_a_model() {
    with_nodes(1, || {
        for origin in [RuntimeOrigin::signed(account(1)), RuntimeOrigin::none()] {
            assert_noop!(Training::add_model(origin, spec(), dataset(), WEIGHTS), BadOrigin);
        }
    });
}

#[test]
fn a_model_that_no_pc_could_train_is_refused() {
    with_nodes(1, || {
        let mut endless = spec();
        endless.task.steps = u32::MAX;
        assert_noop!(
            Training::add_model(RuntimeOrigin::root(), endless, dataset(), WEIGHTS),
            Error::<Test>::BadSpec
        );
    });
}

/// Whoever lied in a round must not have its stake back before that is found out.
#[test]
fn a_model_whose_round_may_outlast_unbonding_is_refused() {
    with_nodes(1, || {
        let add = || Training::add_model(RuntimeOrigin::root(), spec(), dataset(), WEIGHTS);
        UnbondingDelay::set(&(spec().phases.settled() - 1));
        assert_noop!(add(), Error::<Test>::PhasesTooLong);
        UnbondingDelay::set(&spec().phases.settled());
        assert_ok!(add());
    });
}

#[test]
fn a_model_whose_phases_are_too_short_to_act_in_is_refused() {
    with_nodes(1, || {
        let refused = |change: fn(&mut ModelSpec)| {
            let mut spec = spec();
            change(&mut spec);
            assert_noop!(
                Training::add_model(RuntimeOrigin::root(), spec, dataset(), WEIGHTS),
                Error::<Test>::PhasesTooShort
            );
        };
        refused(|spec| spec.phases.train = 4);
        refused(|spec| spec.phases.verify = 9);
        // A task of 8 × 10¹¹: both phases need 80 blocks more, since who verifies does all of it again.
        let mut enough = spec();
        enough.task.steps = 1_000_000;
        enough.task.batch_size = 35_000;
        let blocks = u32::try_from(enough.work() / 10_000_000_000).expect("few blocks") + 5;
        assert!(blocks > 50, "{blocks}");
        for (train, verify) in [(blocks - 1, blocks + 5), (blocks, blocks + 4)] {
            let mut short = enough.clone();
            (short.phases.train, short.phases.verify) = (train, verify);
            assert_noop!(
                Training::add_model(RuntimeOrigin::root(), short, dataset(), WEIGHTS),
                Error::<Test>::PhasesTooShort
            );
        }
        (enough.phases.train, enough.phases.verify) = (blocks, blocks + 5);
        UnbondingDelay::set(&enough.phases.settled());
        assert_ok!(Training::add_model(
            RuntimeOrigin::root(),
            enough,
            dataset(),
            WEIGHTS
        ));
    });
}

#[test]
#[should_panic(expected = "MaxModels")]
fn a_genesis_with_too_many_models_is_refused() {
    genesis_with(vec![account(1)], vec![(spec(), dataset(), INITIAL); 4]);
}

#[test]
#[should_panic(expected = "too short to act in")]
fn a_genesis_model_whose_phases_are_too_short_to_act_in_is_refused() {
    let mut short = spec();
    short.phases.verify = 9;
    genesis_with(vec![account(1)], vec![(short, dataset(), INITIAL)]);
}

#[test]
#[should_panic(expected = "unbondingDelay")]
fn a_genesis_model_whose_round_may_outlast_unbonding_is_refused() {
    let mut long = spec();
    long.phases.verify = 2_000;
    genesis_with(vec![account(1)], vec![(long, dataset(), INITIAL)]);
}

#[test]
fn there_are_only_so_many_models() {
    with_nodes(1, || {
        let add = || Training::add_model(RuntimeOrigin::root(), spec(), dataset(), WEIGHTS);
        assert_ok!(add());
        assert_ok!(add());
        assert_noop!(add(), Error::<Test>::TooManyModels);
        assert_eq!(Models::<Test>::count(), 3);
    });
}

#[test]
fn what_the_chain_says_of_itself_follows_the_round() {
    with_nodes(4, || {
        propose([0, 1, 2]);
        let status = Training::model_status(0).unwrap();
        assert_eq!((status.places, status.proposals, status.decided), (4, 3, 0));
        propose([3]);
        next_block();
        let poll = Training::poll_status(&poll_of(0)).expect("it is asked");
        assert_eq!(poll.seats, 8);
        accept(0..4);
        next_block();
        let status = Training::model_status(0).unwrap();
        assert_eq!((status.version, status.confirmed_version), (1, 0));
        assert_eq!(status.version_poll, round().question);
        let rounds = Training::rounds(0, 0, u32::MAX);
        assert_eq!(
            (rounds.len(), rounds[0].places.len(), rounds[0].version),
            (1, 4, 1)
        );
        assert_eq!((rounds[0].weights, rounds[0].given_up), (None, false));
        assert_eq!(Training::registered(None, 2), [1, 2].map(account));
        assert_eq!(Training::registered(Some(&account(2)), 9), [3, 4].map(account));
        let node = Training::node_status(&account(1));
        assert!(node.registered && node.active && !node.paused);
        assert_eq!((node.room, node.busy, node.weight), (4, 1, 9_000_000));
        assert_eq!(Training::electorate().accounts, 4);
    });
}

/// The chain keeps four rounds here. Whoever asks from the beginning gets what there is.
#[test]
fn rounds_are_told_from_the_oldest_on_record_on() {
    with_nodes(1, || {
        for version in 1..=6 {
            whole_round();
            decide_version(found(1_000_000 / version));
            next_block();
        }
        assert_eq!(round().number, 6);
        let numbers = |from, limit| -> Vec<_> {
            let rounds = Training::rounds(0, from, limit).into_iter();
            rounds.map(|round| round.round).collect()
        };
        assert_eq!(numbers(0, 2), [2, 3]);
        assert_eq!(numbers(3, 9), [3, 4, 5]);
        assert_eq!(numbers(6, 9), [0; 0]);
    });
}
