//! Models that are added to a running chain.

use crate::{
    Error, Event, Models, Rounds,
    mock::{
        INITIAL, RuntimeEvent, RuntimeOrigin, System, Test, Training, account, dataset, next_block, spec,
        with_nodes,
    },
};
use frame_support::{assert_noop, assert_ok};
use hydra_primitives::{H256, status::Phase};
use sp_runtime::traits::BadOrigin;

const WEIGHTS: H256 = H256::repeat_byte(0xBB);

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
fn there_are_only_so_many_models() {
    with_nodes(1, || {
        let add = || Training::add_model(RuntimeOrigin::root(), spec(), dataset(), WEIGHTS);
        assert_ok!(add());
        assert_noop!(add(), Error::<Test>::TooManyModels);
        assert_eq!(Models::<Test>::count(), 2);
    });
}
