//! When a round opens, who trains, and when it closes.

use super::helpers::*;
use crate::{Confirmed, Error, Event, History, Versions, mock::*};
use codec::Encode;
use hydra_primitives::{
    H256, HYDRA,
    duty::DutyResult,
    electorate::Purpose,
    reputation::Deed,
    status::{Outcome, Phase, Waiting},
    traits::Models,
};

#[test]
fn a_round_of_four_makes_a_version_and_the_next_opens_in_the_same_block() {
    with_nodes(4, || {
        assert_eq!((round().phase, round().places), (Phase::Train, 4));
        propose_all();
        next_block();
        assert_eq!(round().phase, Phase::Verify);
        assert_eq!(Asked::get().len(), 4);
        accept(0..4);
        next_block();
        let next = round();
        assert_eq!((next.number, next.phase, next.places), (1, Phase::Train, 4));
        assert_eq!(next.opened_at, now() - 1);
        let version = Versions::<Test>::get(0).expect("a version is in question");
        assert_eq!(
            (
                version.version,
                version.base,
                version.round,
                version.updates.len()
            ),
            (1, INITIAL, 0, 4)
        );
        assert_eq!(Training::confirmed_version(0), Some(0));
        let right: Vec<_> = (1..=4).map(|n| (account(n), Some(Deed::Right))).collect();
        assert_eq!(finished(), right);
        decide_version(found(900_000));
        next_block();
        let confirmed = Confirmed::<Test>::get(0).expect("there is a version");
        assert_eq!((confirmed.version, confirmed.weights), (1, weights_of(1)));
        assert_eq!(confirmed.score, Some(score(900_000)));
        assert_eq!(
            confirmed.providers.to_vec(),
            (1..=4).map(account).collect::<Vec<_>>()
        );
        let record = History::<Test>::get(0, 0).expect("the round is on record");
        assert_eq!((record.version, record.weights), (1, Some(weights_of(1))));
        assert!(record.places.iter().all(|place| {
            place.outcome == Some(Outcome::Accepted)
                && place.reward > 0
                && place.holder == account(place.place as u8 + 1)
        }));
    });
}

#[test]
fn networks_of_one_and_of_two_run_like_any_other() {
    for nodes in [1, 2] {
        with_nodes(nodes, || {
            assert_eq!(round().places, u16::from(nodes));
            for version in 1..=3 {
                whole_round();
                assert_eq!(Versions::<Test>::get(0).expect("a version").version, version);
                decide_version(found(1_000_000 / version));
                next_block();
                assert_eq!(Training::confirmed_version(0), Some(version));
            }
        });
    }
}

#[test]
fn whoever_proposes_nothing_missed_it_where_at_least_half_proposed() {
    with_nodes(4, || {
        propose([0, 2]);
        let until = round().phase_ends_at;
        while now() < until {
            next_block();
            assert_eq!(round().phase, Phase::Train);
        }
        next_block();
        assert_eq!(round().phase, Phase::Verify);
        let missed = [account(2), account(4)].map(|who| (who, Some(Deed::Missed)));
        assert_eq!(Finished::get(), missed);
        accept([0, 2]);
        next_block();
        let version = Versions::<Test>::get(0).expect("a version is in question");
        let places: Vec<_> = version.updates.iter().map(|update| update.place).collect();
        assert_eq!(places, [0, 2]);
        let outcomes: Vec<_> = History::<Test>::get(0, 0)
            .unwrap()
            .places
            .iter()
            .map(|p| p.outcome)
            .collect();
        assert_eq!(
            outcomes,
            [Some(Outcome::Accepted), None, Some(Outcome::Accepted), None]
        );
    });
}

#[test]
fn nobody_missed_anything_where_most_proposed_nothing() {
    with_nodes(4, || {
        propose([1]);
        blocks(10);
        assert_eq!(round().phase, Phase::Verify);
        let unjudged = [account(1), account(3), account(4)].map(|who| (who, None));
        assert_eq!(Finished::get(), unjudged);
    });
}

#[test]
fn a_round_without_any_proposal_ends_without_a_version_and_the_next_pauses_twice_as_long() {
    with_nodes(4, || {
        let mut pauses = Vec::new();
        for number in 0..12 {
            assert_eq!((round().number, round().phase), (number, Phase::Train));
            while round().phase == Phase::Train {
                next_block();
            }
            pauses.push(round().phase_ends_at + 1 - now());
            assert_eq!(round().waiting, Some(Waiting::Progress));
            while round().phase == Phase::Pause {
                next_block();
            }
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
        assert!(Finished::get().iter().all(|(_, deed)| deed.is_none()));
        assert_eq!(Versions::<Test>::get(0), None);
        assert_eq!(
            History::<Test>::iter_prefix(0).count(),
            4,
            "no more than HistoryDepth"
        );
        // The next version that is confirmed ends it.
        whole_round();
        decide_version(found(1));
        next_block();
        assert_eq!(round().pace.longest(), 0);
    });
}

#[test]
fn late_proposals_count_while_the_version_that_they_start_from_is_in_question() {
    with_nodes(4, || {
        whole_round();
        propose([0, 1, 2]);
        blocks(15);
        assert_eq!(round().phase, Phase::Train);
        propose([3]);
        decide_version(found(1));
        next_block();
        assert_eq!((round().phase, round().asked), (Phase::Verify, 4));
    });
}

#[test]
fn a_round_waits_until_somebody_is_there_and_says_why() {
    genesis(vec![]).execute_with(|| {
        let waits = |reason| {
            next_block();
            assert_eq!((round().phase, round().waiting), (Phase::Pause, Some(reason)));
            assert!(happened(&Event::RoundWaits {
                model: 0,
                round: 0,
                reason
            }));
        };
        waits(Waiting::Participants);
        System::reset_events();
        blocks(5);
        assert_eq!(System::events().len(), 0, "it is said once");
        Accounts::set(&vec![account(1)]);
        Bonds::set(&[(account(1), HYDRA)].into());
        NoRoom::set(&true);
        waits(Waiting::Room);
        NoRoom::set(&false);
        CanNotPay::set(&true);
        waits(Waiting::Payer);
        CanNotPay::set(&false);
        TooFew::set(&true);
        waits(Waiting::Participants);
        TooFew::set(&false);
        next_block();
        assert_eq!((round().phase, round().waiting), (Phase::Train, None));
    });
}

#[test]
fn nothing_is_verified_while_too_few_of_those_who_took_part_are_there() {
    with_nodes(4, || {
        propose_all();
        TooFew::set(&true);
        blocks(20);
        assert_eq!(
            (round().phase, round().waiting),
            (Phase::Train, Some(Waiting::Participants))
        );
        TooFew::set(&false);
        next_block();
        assert_eq!((round().phase, round().waiting), (Phase::Verify, None));
        // Nor is a version asked about.
        accept(0..4);
        TooFew::set(&true);
        blocks(3);
        assert_eq!(Versions::<Test>::get(0), None);
        assert_eq!(
            (round().phase, round().waiting),
            (Phase::Verify, Some(Waiting::Participants)),
            "and it says so"
        );
        TooFew::set(&false);
        next_block();
        assert!(Versions::<Test>::contains_key(0));
    });
}

#[test]
fn empty_seats_are_no_places_and_one_account_may_hold_several() {
    genesis(vec![account(1), account(2)]).execute_with(|| {
        Drawn::set(&Some(vec![
            Some(account(1)),
            None,
            Some(account(1)),
            Some(account(2)),
        ]));
        next_block();
        let holders: Vec<_> = (0..3).map(|index| place(index).holder).collect();
        assert_eq!(holders, [account(1), account(1), account(2)]);
        assert_eq!(round().places, 3);
        let seeds: Vec<_> = (0..3)
            .map(|index| Training::task_seed_of(0, &round(), index))
            .collect();
        assert!(seeds[0] != seeds[1] && seeds[1] != seeds[2]);
        propose_all();
        next_block();
        accept(0..3);
        next_block();
        assert_eq!(Versions::<Test>::get(0).expect("a version").updates.len(), 3);
        check_invariants();
    });
}

#[test]
fn where_nobody_who_was_drawn_can_train_others_are_drawn_after_a_pause() {
    genesis(vec![account(1), account(2)]).execute_with(|| {
        Out::set(&vec![account(1), account(2)]);
        next_block();
        assert_eq!((round().phase, round().extension), (Phase::Pause, 1));
        assert_eq!(round().waiting, Some(Waiting::Participants));
        blocks(2);
        assert_eq!(round().extension, 2);
        Out::set(&vec![account(1)]);
        while round().phase == Phase::Pause {
            next_block();
        }
        assert_eq!(round().places, 1);
        let purposes: Vec<_> = Draws::get().into_iter().map(|(purpose, ..)| purpose).collect();
        let wanted: Vec<_> = (0..purposes.len() as u32)
            .map(|extension| {
                let (model, round) = (0, 0);
                Purpose::Places {
                    model,
                    round,
                    extension,
                }
                .encode()
            })
            .collect();
        assert_eq!(purposes, wanted);
    });
}

#[test]
fn seeds_come_from_the_session_and_from_nothing_that_anybody_claims() {
    let seed_after = |session, claimed: u64| {
        let mut seed = H256::zero();
        with_nodes(4, || {
            Session::set(&session);
            let mut results = vec![proposal(0)];
            if let DutyResult::Propose { claim, .. } = &mut results[0] {
                claim.update.hash = H256::from_low_u64_be(claimed);
            }
            assert!(submit(&account(1), results).is_empty());
            propose([1, 2, 3]);
            next_block();
            accept(0..4);
            next_block();
            seed = round().seed;
        });
        seed
    };
    assert_eq!(seed_after(1, 1), seed_after(1, 2));
    assert_ne!(seed_after(1, 1), seed_after(2, 1));
}

#[test]
fn a_round_takes_as_many_blocks_as_its_holders_and_seats_need() {
    with_nodes(4, || {
        let opened = round().opened_at;
        whole_round();
        assert_eq!(round().opened_at - opened, 2);
    });
}

#[test]
fn a_place_belongs_to_who_was_drawn_and_is_proposed_for_once() {
    with_nodes(4, || {
        let refused = |who, result| {
            let refused = submit(&account(who), vec![result]);
            refused.first().expect("it is refused").1
        };
        assert_eq!(refused(2, proposal(0)), Error::<Test>::NotItsPlace.into());
        assert_eq!(refused(1, proposal(4)), Error::<Test>::NotItsPlace.into());
        propose([0]);
        assert_eq!(refused(1, proposal(0)), Error::<Test>::AlreadyProposed.into());
        let kept = place(0).claim;
        propose([1, 2, 3]);
        next_block();
        assert_eq!(refused(1, proposal(0)), Error::<Test>::NotInTrainPhase.into());
        assert_eq!(place(0).claim, kept);
        accept(0..4);
        let old = proposal(0);
        next_block();
        assert_eq!(refused(1, old), Error::<Test>::WrongRound.into());
    });
}
