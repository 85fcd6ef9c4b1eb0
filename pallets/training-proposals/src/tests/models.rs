//! Models that are added to a running chain.

use crate::{
    Error, Event, Models, Rounds,
    mock::{
        INITIAL, Reputation, RuntimeEvent, RuntimeOrigin, System, Test, Training, account, dataset,
        genesis_with, next_block, proposal, with_nodes,
    },
};
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{H256, model::ModelSpec, status::Phase, traits::Reputation as _};
use sp_runtime::traits::BadOrigin;

const WEIGHTS: H256 = H256::repeat_byte(0xBB);

/// The model of the genesis, with time to act in.
fn spec() -> ModelSpec {
    let mut spec = crate::mock::spec();
    spec.phases.reveal = 5;
    spec
}

#[test]
fn a_model_that_is_added_trains_beside_the_first() {
    with_nodes(3, || {
        next_block();
        assert_ok!(Training::add_model(
            RuntimeOrigin::root(),
            spec(),
            dataset(),
            WEIGHTS
        ));
        System::assert_has_event(RuntimeEvent::Training(Event::ModelAdded {
            model: 1,
            weights: WEIGHTS,
        }));
        let added = Training::model_status(1).unwrap();
        assert_eq!(
            (added.round, added.phase, added.version, added.weights),
            (0, Phase::Train, 0, WEIGHTS)
        );
        assert_eq!(Rounds::<Test>::get(1).unwrap().opened_at, 2);
        // The first one is as it was.
        assert_eq!(Training::model_status(0).unwrap().weights, INITIAL);
        next_block();
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
        refused(|spec| spec.phases.verify = 4);
        refused(|spec| spec.phases.reveal = 4);
        // A task of 8 × 10¹¹: train and verify need 80 blocks more.
        let mut enough = spec();
        enough.task.steps = 1_000_000;
        enough.task.checkpoint_every = 1_000;
        enough.task.batch_size = 35_000;
        let blocks = u32::try_from(enough.work() / 10_000_000_000).expect("few blocks") + 5;
        assert!(blocks > 50, "{blocks}");
        for (train, verify) in [(blocks - 1, blocks), (blocks, blocks - 1)] {
            let mut short = enough.clone();
            (short.phases.train, short.phases.verify) = (train, verify);
            assert_noop!(
                Training::add_model(RuntimeOrigin::root(), short, dataset(), WEIGHTS),
                Error::<Test>::PhasesTooShort
            );
        }
        (enough.phases.train, enough.phases.verify) = (blocks, blocks);
        assert_ok!(Training::add_model(
            RuntimeOrigin::root(),
            enough,
            dataset(),
            WEIGHTS
        ));
    });
}

#[test]
fn nobody_is_absent_in_a_model_that_never_had_a_proposal() {
    with_nodes(3, || {
        let mut quick = spec();
        quick.phases.train = 5;
        assert_ok!(Training::add_model(
            RuntimeOrigin::root(),
            quick,
            dataset(),
            WEIGHTS
        ));
        // A sign of life by one, so that the others might be to blame, in a round of the first model that is long.
        Rounds::<Test>::mutate(0, |round| round.as_mut().unwrap().phase_ends_at = 1_000);
        next_block();
        let round = Rounds::<Test>::get(0).unwrap();
        assert_ok!(Training::propose(
            RuntimeOrigin::signed(account(1)),
            0,
            0,
            Training::task_seed_of(0, &round, &account(1)),
            proposal(1)
        ));
        for _ in 0..30 {
            next_block();
        }
        let second = Rounds::<Test>::get(1).unwrap();
        assert!(second.number == 0 && second.phase_ends_at > 30, "{second:?}");
        assert!((1..=3).all(|n| Reputation::is_active(&account(n))));
    });
}

#[test]
#[should_panic(expected = "MaxModels")]
fn a_genesis_with_too_many_models_is_refused() {
    genesis_with(vec![account(1)], vec![(spec(), dataset(), INITIAL); 3]);
}

#[test]
fn there_are_only_so_many_models() {
    with_nodes(1, || {
        let add = || Training::add_model(RuntimeOrigin::root(), spec(), dataset(), WEIGHTS);
        assert_ok!(add());
        assert_noop!(add(), Error::<Test>::TooManyModels);
        assert_eq!(Models::<Test>::count(), 2);
    });
}
