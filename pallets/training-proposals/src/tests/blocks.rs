//! Full blocks, small blocks, and models that share them.

use super::helpers::*;
use crate::{Event, MovedOn, Queue, WeightInfo, mock::*};
use frame_support::{traits::Hooks, weights::Weight};
use hydra_primitives::{
    status::{Phase, Waiting},
    traits::Polls as _,
};

const NOTHING: Weight = Weight::zero();

/// A chain with so many models and nodes.
fn with_models(models: usize, nodes: u8, test: impl FnOnce()) {
    let models = vec![(spec(), dataset(), INITIAL); models];
    genesis_with((1..=nodes).map(account).collect(), models).execute_with(test);
}

#[test]
fn full_blocks_do_not_stop_a_round() {
    with_nodes(4, || {
        propose_all();
        end_block(NOTHING);
        assert_eq!(round().phase, Phase::Verify, "the next block begins with it");
        accept(0..4);
        end_block(NOTHING);
        assert_eq!(round().number, 1);
        end_block(NOTHING);
        assert_eq!(round().phase, Phase::Train);
        decide_version(found(1));
        end_block(NOTHING);
        assert_eq!(round().question, None);
        for _ in 0..3 {
            end_block(NOTHING);
        }
        assert_eq!(Paid::get().len(), 4);
    });
}

#[test]
fn full_blocks_stop_no_round_of_the_most_places_and_nobody_who_waits_for_it() {
    let mut large = spec();
    large.roster = 256;
    let models = vec![(large, dataset(), INITIAL), (spec(), dataset(), INITIAL)];
    genesis_with((0..=255).map(account).collect(), models).execute_with(|| {
        let mut places = [0, 0];
        for _ in 0..1_000 {
            end_block(NOTHING);
            for (model, places) in (0..).zip(&mut places) {
                *places = round_of(model).places.max(*places);
            }
        }
        assert_eq!(places, [256, spec().roster]);
    });
}

#[test]
fn full_blocks_stop_no_round_of_the_most_places_whose_base_is_in_question() {
    let mut large = spec();
    large.roster = 256;
    let nodes = (0..=255).map(account).collect();
    genesis_with(nodes, vec![(large, dataset(), INITIAL)]).execute_with(|| {
        // What looking at a poll is booked with.
        PollTakes::set(&Neighbours::weight(0, 1).ref_time());
        next_block();
        propose([0]);
        while round().phase == Phase::Train {
            next_block();
        }
        accept([0]);
        // Its version is asked about in the first of these blocks.
        for _ in 0..2 {
            end_block(NOTHING);
        }
        assert_eq!((round().phase, round().places), (Phase::Train, 256));
        assert!(round().question.is_some());
    });
}

#[test]
fn in_a_full_block_whoever_acts_in_the_last_one_of_a_phase_is_not_late() {
    with_nodes(4, || {
        propose([0, 1]);
        while now() < round().phase_ends_at {
            end_block(NOTHING);
        }
        // This block has begun, and counts.
        assert_eq!(round().phase, Phase::Train);
        propose([2, 3]);
        end_block(NOTHING);
        assert_eq!((round().phase, round().asked), (Phase::Verify, 4));
    });
}

#[test]
fn polls_are_told_which_block_s_results_all_count() {
    with_nodes(4, || {
        propose_all();
        next_block();
        for _ in 0..3 {
            // At the beginning of this block, those of the last one do.
            end_block(NOTHING);
            assert_eq!(Clock::get(), now() - 1);
            // At the end of a block, its own do.
            next_block();
            assert_eq!(Clock::get(), now() - 1);
        }
    });
}

#[test]
fn what_the_end_of_a_block_had_room_for_is_not_done_again_at_the_beginning_of_the_next() {
    with_nodes(4, || {
        assert_eq!(MovedOn::<Test>::get(), 1);
        assert_eq!(Training::on_initialize(2), <()>::hook());
        System::set_block_number(3);
        assert_ne!(Training::on_initialize(3), <()>::hook());
    });
}

#[test]
fn a_poll_that_takes_all_that_a_block_has_left_goes_on_at_the_beginning_of_the_next() {
    with_nodes(4, || {
        propose_all();
        next_block();
        accept(0..4);
        // Each needs more than this block has left, and less than what the next one begins with.
        PollTakes::set(&(Training::fallback_weight().ref_time() / 3 * 2));
        end_block(Weight::from_parts(10_000_000_000, u64::MAX));
        assert!(round().decided > 0, "{:?}", round());
        for _ in 0..4 {
            end_block(NOTHING);
        }
        assert_eq!(round().number, 1);
    });
}

#[test]
fn a_model_with_a_high_number_is_not_starved() {
    with_models(3, 4, || {
        // Room for one model's opening in each block, and no more.
        let left = <()>::hook()
            .saturating_add(<()>::look())
            .saturating_add(<()>::open_round(4));
        for _ in 0..6 {
            idle_block(left);
        }
        for model in 0..3 {
            assert_eq!(round_of(model).phase, Phase::Train, "model {model}");
        }
    });
}

#[test]
fn each_place_s_poll_has_its_turn_where_a_block_has_room_for_one() {
    with_nodes(4, || {
        propose_all();
        next_block();
        accept(0..4);
        let one = <()>::hook()
            .saturating_add(<()>::look())
            .saturating_add(<()>::look_at_place().saturating_mul(2))
            .saturating_add(<()>::settle_place(64));
        for _ in 0..20 {
            idle_block(one);
        }
        assert_eq!(round().number, 1);
    });
}

#[test]
fn models_wait_for_their_turn_while_duties_take_more_than_a_quarter_of_the_blocks() {
    let mut large = spec();
    (large.roster, large.first_seats) = (256, 64);
    let nodes: Vec<_> = (1..=250).map(account).collect();
    genesis_with(nodes, vec![(large, dataset(), INITIAL); 3]).execute_with(|| {
        next_block();
        let phases = || [0, 1, 2].map(|model| round_of(model).phase);
        let opened = |model: u32| round_of(model).phase == Phase::Train;
        let first = (0..3).find(|model| opened(*model)).expect("one opens");
        assert_eq!(
            phases()
                .into_iter()
                .filter(|phase| *phase == Phase::Train)
                .count(),
            1
        );
        let queue = Queue::<Test>::get();
        assert_eq!(queue.len(), 2);
        for model in queue.iter() {
            assert_eq!(round_of(*model).waiting, Some(Waiting::Turn));
        }
        assert!(happened(&Event::RoundWaits {
            model: queue[0],
            round: 0,
            reason: Waiting::Turn
        }));
        // They have it in the order in which they came, however often the first one asks again.
        let mut order = vec![first];
        for _ in 0..400 {
            next_block();
            for model in 0..3 {
                if opened(model) && !order.contains(&model) {
                    order.push(model);
                }
            }
        }
        let mut wanted = vec![first];
        wanted.extend(queue.iter());
        assert_eq!(order, wanted);
    });
}

#[test]
fn a_model_that_can_not_use_its_turn_stands_in_nobody_s_way() {
    with_models(2, 4, || {
        crate::DutyBacklog::<Test>::put(crate::Backlog {
            weight: 200 * 150_000_000_000,
            at: 1,
        });
        next_block();
        assert_eq!(Queue::<Test>::get().len(), 2);
        NoRoom::set(&true);
        next_block();
        assert!(Queue::<Test>::get().is_empty());
        assert!(round_of(1).waiting == Some(Waiting::Room));
    });
}
