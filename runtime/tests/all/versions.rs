//! Versions that the network can't agree on, or finds to be broken.

use crate::{
    chain::id,
    pcs::{Applied, Conduct, FOUNDERS, Network, submit},
};
use hydra_primitives::{
    H256, Version,
    duty::DutyResult,
    poll::{Decision, Finding},
    reputation::FOUNDER,
    status::Outcome,
};
use hydra_runtime::{HYDRA, RuntimeEvent, TrainingProposals};
use pallet_training_proposals::Event;
use sp_keyring::Sr25519Keyring::{Alice, Charlie, Dave};
use sp_runtime::transaction_validity::InvalidTransaction;

fn until_given_up(network: &mut Network) -> (Version, Decision) {
    network.until("a version that is given up", |event| match event {
        RuntimeEvent::TrainingProposals(Event::VersionGivenUp {
            version, decision, ..
        }) => Some((*version, *decision)),
        _ => None,
    })
}

/// Whoever was given up again and again gets on in the end.
fn heal(network: &mut Network) {
    for who in FOUNDERS {
        network.conduct(who, Conduct::Honest);
    }
    let version = network.until_confirmed();
    assert!(version > 1, "a number is never used twice: {version}");
    network.until("pay", |event| match event {
        RuntimeEvent::TrainingProposals(Event::RoundPaid { .. }) => Some(()),
        _ => None,
    });
    assert!(FOUNDERS.iter().all(|who| network.forfeited(*who) == 0));
}

#[test]
fn a_version_on_which_two_stand_against_two_is_given_up_unpaid_and_nobody_is_judged() {
    let mut network = Network::of(4);
    network
        .conduct(Charlie, Conduct::Astray)
        .conduct(Dave, Conduct::Astray);
    assert_eq!(until_given_up(&mut network), (1, Decision::Undecided));
    assert!(FOUNDERS.iter().all(|who| network.forfeited(*who) == 0));
    assert_eq!(network.paid(), 0);
    for who in FOUNDERS {
        // All of them did their places right.
        let node = network.node(who);
        assert!(node.reputation > FOUNDER && node.active, "{who:?}: {node:?}");
    }
    network.read(|| assert!(TrainingProposals::rounds(0, 0, 1)[0].given_up));
    let dropped = network.log.iter().any(|(_, event)| {
        matches!(
            event,
            RuntimeEvent::TrainingProposals(Event::RoundDropped {
                round: 1,
                extension: 1,
                ..
            })
        )
    });
    assert!(dropped, "the round that trained from it begins anew");
    assert_eq!(network.model().confirmed_version, 0);
    heal(&mut network);
    network.end();
}

#[test]
fn a_version_that_is_not_finite_is_given_up_at_once() {
    let mut network = Network::of(4);
    for who in FOUNDERS {
        network.conduct(who, Conduct::NotFinite);
    }
    assert_eq!(
        until_given_up(&mut network),
        (1, Decision::Found(Finding::NotFinite))
    );
    assert_eq!(network.now() - 1, 8);
    assert_eq!(network.paid(), 0);
    heal(&mut network);
    network.end();
}

#[test]
fn who_attests_other_weights_forfeits_and_what_it_trained_from_them_is_dropped_unjudged() {
    let mut network = Network::of(4);
    network.conduct(Dave, Conduct::Astray);
    let settled = network.until("its place is settled", |event| match event {
        RuntimeEvent::TrainingProposals(Event::PlaceSettled {
            place,
            holder,
            outcome,
            forfeited,
            ..
        }) if *holder == id(Dave) && place.round == 1 => Some((*outcome, *forfeited)),
        _ => None,
    });
    assert_eq!(settled, (Outcome::Dropped, 0));
    assert_eq!(network.model().confirmed_version, 1);
    // Its five seats in the poll on the version; nothing for its place.
    assert_eq!(network.forfeited(Dave), 5 * HYDRA);
    assert!(!network.node(Dave).active);
    assert_eq!(network.until_confirmed(), 2);
    network.end();
}

#[test]
fn while_no_version_is_in_question_an_update_of_another_base_is_refused() {
    let mut network = Network::of(4);
    network.block();
    let mut results = network.owed(Alice, Conduct::Honest);
    results.retain(|result| matches!(result, DutyResult::Propose { .. }));
    assert_eq!(results.len(), 1);
    for result in &mut results {
        if let DutyResult::Propose { claim, .. } = result {
            claim.base = H256::repeat_byte(9);
        }
    }
    assert_eq!(
        network.apply(Alice, submit(results), 0),
        Applied::Invalid(InvalidTransaction::Stale.into())
    );
    network.end();
}
