//! What an account owes, in each state of a round.

use super::helpers::*;
use crate::{Models, mock::*};
use codec::Encode;
use hydra_primitives::{
    duty::{
        Asks, Duty, DutySheet, MAX_BODY, ModelDescription, ModelDuties, NO_ACCOUNT, Standing, Task,
        VersionRecipe,
    },
    poll::Draw,
    proposal::version_poll,
    status::Phase,
};
use sp_core::crypto::AccountId32;

fn sheet(n: u8) -> DutySheet {
    Training::duty_sheet(&account(n))
}

fn model(n: u8) -> ModelDuties {
    sheet(n).models.remove(0)
}

fn task(index: u16, confirmed: bool) -> Task {
    let round = round();
    let terms = crate::ModelTerms::<Test>::get(0).unwrap();
    Task {
        base: confirmed.then(base),
        shard: Training::shard_of(0, &terms, &round, index),
        task_seed: Training::task_seed_of(0, &round, index),
    }
}

#[test]
fn while_a_round_trains_the_holders_of_its_places_owe_proposals() {
    with_nodes(4, || {
        let sheet = sheet(3);
        assert_eq!((sheet.standing, sheet.heartbeat), (Standing::Ready, Some(0)));
        assert_eq!(
            model(3).duties,
            [Duty::Train {
                place: 2,
                task: task(2, true)
            }]
        );
        propose([2]);
        assert!(model(3).duties.is_empty());
        let shards = crate::ModelTerms::<Test>::get(0).unwrap().shards;
        assert!((0..4).all(|index| task(index, true).shard < shards));
    });
}

#[test]
fn while_digests_are_taken_seats_owe_them_for_what_others_claim() {
    with_nodes(4, || {
        propose_all();
        next_block();
        let duties = model(1).duties;
        let wanted: Vec<_> = (1..4)
            .map(|index| Duty::Verify {
                poll: poll_of(index),
                task: task(index, true),
                claim: claim(index).update.hash,
                closes_at: 2 + 10,
            })
            .collect();
        assert_eq!(duties, wanted);
    });
}

#[test]
fn when_digests_are_closed_seats_may_open() {
    with_nodes(4, || {
        propose_all();
        next_block();
        let poll = poll_of(1);
        change(&poll, |poll| poll.closed = true);
        let duties = model(2).duties;
        assert_eq!(
            duties[0],
            Duty::Open {
                poll,
                draw: Draw::First,
                asks: Asks::Task(task(1, true)),
                opens_until: 100,
            }
        );
        assert_eq!(duties.len(), 4, "and it still owes the digests of the others");
    });
}

#[test]
fn a_version_in_question_is_attested_first_and_trained_from_by_its_recipe() {
    with_nodes(4, || {
        whole_round();
        let poll = round().question.unwrap();
        let model = model(2);
        assert_eq!(
            model.duties,
            [
                Duty::Attest {
                    poll,
                    closes_at: 3 + 10
                },
                Duty::Train {
                    place: 1,
                    task: task(1, false)
                }
            ]
        );
        assert_eq!((model.phase, model.confirmed.version), (Phase::Train, 0));
        let recipe = model.newest.expect("it is in question");
        assert_eq!((recipe.version, recipe.base), (1, INITIAL));
        let first = &recipe.updates[0];
        assert_eq!(first.update, claim(0).update);
        // Its holder, then those who found the same.
        let peers: Vec<_> = (1..=4).map(|n| vec![n; 32]).collect();
        assert_eq!(first.providers, peers);
        // Whoever has the sheet can name the poll.
        assert_eq!(
            version_poll(&Training::genesis(), 0, 1, &VersionRecipe::id(&recipe)),
            poll
        );
        change(&poll, |poll| poll.closed = true);
        assert!(matches!(
            self::model(2).duties[0],
            Duty::Open {
                asks: Asks::Version,
                ..
            }
        ));
        decide_version(found(1));
        next_block();
        let model = self::model(2);
        assert_eq!((model.newest, model.confirmed.version), (None, 1));
        assert_eq!(model.confirmed.providers.len(), 4);
    });
}

#[test]
fn a_paused_account_still_owes_what_it_was_drawn_for() {
    with_nodes(4, || {
        Paused::set(&vec![account(1)]);
        assert_eq!(sheet(1).standing, Standing::Paused);
        assert_eq!(model(1).duties.len(), 1);
    });
}

#[test]
fn standings_say_why_an_account_takes_no_part() {
    with_nodes(2, || {
        assert_eq!(sheet(9).standing, Standing::Unregistered);
        Out::set(&vec![account(1)]);
        assert_eq!(sheet(1).standing, Standing::Joining);
        Bonds::set(&Default::default());
        assert_eq!(sheet(1).standing, Standing::Unstaked);
    });
}

#[test]
fn whoever_takes_no_part_gets_the_models_and_owes_nothing() {
    with_nodes(2, || {
        propose_all();
        next_block();
        let onlooker = Training::duty_sheet(&AccountId32::new(NO_ACCOUNT));
        assert_eq!((onlooker.models.len(), onlooker.heartbeat), (1, None));
        assert!(onlooker.models[0].duties.is_empty());
        assert_eq!(onlooker.models[0].confirmed.weights, INITIAL);
    });
}

#[test]
fn a_sheet_names_descriptions_by_their_hash_and_carries_those_that_are_asked_for() {
    with_nodes(1, || {
        let info = Models::<Test>::get(0).unwrap();
        let description = ModelDescription {
            model: 0,
            spec: info.spec,
            dataset: info.dataset,
        };
        let mut sheet = sheet(1);
        assert_eq!(sheet.models[0].description, description.id());
        assert!(sheet.described.is_empty());
        Training::describe(&mut sheet, &[7, 0, 0]);
        assert_eq!(sheet.described, [description]);
    });
}

#[test]
fn no_sheet_is_larger_than_a_trainer_takes() {
    let mut large = spec();
    (large.roster, large.first_seats) = (256, 64);
    let mut shards = dataset();
    let mut many = shards.shards.clone().into_inner();
    many.resize(1_024, many[0]);
    shards.shards = sp_runtime::BoundedVec::truncate_from(many);
    let nodes: Vec<_> = (1..=250).map(account).collect();
    genesis_with(nodes, vec![(large, shards, INITIAL); 3]).execute_with(|| {
        next_block();
        let mut sheet = sheet(1);
        let without = sheet.encoded_size();
        Training::describe(&mut sheet, &[0, 1, 2]);
        assert_eq!(sheet.described.len(), 3);
        assert!(sheet.encoded_size() > without + 3 * 40 * 1_024);
        assert!(sheet.encoded_size() <= MAX_BODY);
        // A sheet that is full has no room for a description.
        let mut full = sheet.clone();
        full.described.clear();
        full.models[0].confirmed.providers = vec![vec![0; MAX_BODY - without - 100]];
        Training::describe(&mut full, &[0]);
        assert!(full.described.is_empty() && full.encoded_size() <= MAX_BODY);
    });
}
