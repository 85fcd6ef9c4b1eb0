//! Rounds of four PCs, from genesis to pay.

use crate::{
    chain::id,
    pcs::{Conduct, FOUNDERS, Network},
};
use frame_support::{dispatch::DispatchClass, traits::fungible::Inspect};
use frame_system::ConsumedWeight;
use hydra_primitives::{
    reputation::{FOUNDER, NEWCOMER},
    status::Outcome,
};
use hydra_runtime::{Balance, Balances, HYDRA, Runtime, RuntimeEvent, StakeVoting, TrainingProposals};
use pallet_training_proposals::{Event, ModelTerms};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave};

/// What each of the three others gets of a place's fifth: each has five of fifteen seats, and what doesn't divide belongs to nobody.
const VERIFIED: Balance = HYDRA / 5 / 3;
/// What each of four equals earns in a round: its place, and having verified the three others.
const EARNED: Balance = HYDRA - HYDRA / 5 + 3 * VERIFIED;
/// What each of the first four bonded.
const STAKE: Balance = 100 * HYDRA;

fn owned(network: &mut Network) -> [Balance; 4] {
    network.read(|| FOUNDERS.map(|who| Balances::total_balance(&id(who))))
}

fn outcome_of(network: &mut Network, who: Sr25519Keyring) -> Outcome {
    network.until("its place is settled", |event| match event {
        RuntimeEvent::TrainingProposals(Event::PlaceSettled { holder, outcome, .. })
            if *holder == id(who) =>
        {
            Some(*outcome)
        }
        _ => None,
    })
}

#[test]
fn four_honest_pcs_are_paid_for_their_first_round_in_the_eighth_block_to_the_last_unit() {
    let mut network = Network::of(4);
    let before = owned(&mut network);
    let paid = network.until("pay", |event| match event {
        RuntimeEvent::TrainingProposals(Event::RoundPaid { round: 0, paid, .. }) => Some(*paid),
        _ => None,
    });
    assert_eq!(network.now() - 1, 8, "round and version take four blocks each");
    assert_eq!(paid, 4 * EARNED);
    // Duties cost nothing.
    assert_eq!(owned(&mut network), before.map(|owned| owned + EARNED));
    network.read(|| {
        let rounds = TrainingProposals::rounds(0, 0, 1);
        assert_eq!((rounds[0].version, rounds[0].given_up), (1, false));
        assert!(rounds[0].weights.is_some() && rounds[0].score.is_some());
        let places = &rounds[0].places;
        assert_eq!(places.len(), 4, "each of four equals has a place");
        assert!(places.iter().all(
            |place| place.outcome == Some(Outcome::Accepted) && place.reward + place.verifiers == EARNED
        ));
    });
    for who in FOUNDERS {
        let node = network.node(who);
        assert!(node.reputation > FOUNDER && node.active, "{who:?}: {node:?}");
        assert_eq!(network.forfeited(who), 0);
    }
    assert_eq!(network.model().confirmed_version, 1);
    network.end();
}

#[test]
fn rounds_follow_each_other_without_delay_and_each_is_paid() {
    let mut network = Network::of(4);
    network.blocks(60);
    let model = network.model();
    // The first in eight blocks; a round trains while the version before it is attested, and takes six.
    assert_eq!(model.confirmed_version, 1 + (60 - 8) / 6, "{model:?}");
    assert_eq!(
        network.paid(),
        Balance::from(model.confirmed_version) * 4 * EARNED
    );
    network.end();
}

#[test]
fn what_is_booked_for_rounds_is_what_they_take_and_not_far_more() {
    const ROUNDS: u64 = 6;
    let mut network = Network::of(4);
    network.until_opened();
    let from = network.weights.len();
    for _ in 0..ROUNDS {
        assert_eq!(network.until_opened(), 4);
    }
    let blocks = &network.weights[from..];
    let hooks = |block: &ConsumedWeight| block.get(DispatchClass::Mandatory).ref_time();
    // What hooks take whether rounds move on or not.
    let idle = blocks.iter().map(hooks).min().expect("there are some");
    let duties =
        |block: &ConsumedWeight| block.get(DispatchClass::Operational).ref_time() + hooks(block) - idle;
    let taken: u64 = blocks.iter().map(duties).sum();
    let booked = network.read(|| {
        let terms = ModelTerms::<Runtime>::get(0).expect("there is a model");
        TrainingProposals::duties_weight(&terms, 4).ref_time()
    });
    assert!(taken <= ROUNDS * booked, "{taken} of {}", ROUNDS * booked);
    // Of twenty seats each of four PCs has five, and gives one digest for them: in a large network there are twenty.
    assert!(4 * taken >= ROUNDS * booked, "{taken} of {}", ROUNDS * booked);
    network.end();
}

#[test]
fn one_of_four_that_is_absent_loses_weight_and_no_stake_and_is_back_with_its_next_heartbeat() {
    let mut network = Network::of(4);
    network.conduct(Dave, Conduct::Absent);
    assert_eq!(network.until_opened(), 4);
    assert_eq!(network.until_confirmed(), 1);
    let dave = network.node(Dave);
    assert!(dave.reputation < FOUNDER && !dave.active, "{dave:?}");
    assert!(FOUNDERS.iter().all(|who| network.forfeited(*who) == 0));
    assert_eq!(network.until_opened(), 3, "nobody waits for who isn't there");

    network.conduct(Dave, Conduct::Honest);
    network.until("it returns", |event| match event {
        RuntimeEvent::Reputation(pallet_reputation::Event::Returned { who }) => {
            (*who == id(Dave)).then_some(())
        }
        _ => None,
    });
    assert!(network.node(Dave).active);
    assert_eq!(network.until_opened(), 4);
    network.end();
}

#[test]
fn one_of_four_that_lies_forfeits_for_each_seat_and_its_place_and_the_others_share_half() {
    let mut network = Network::of(4);
    network.conduct(Dave, Conduct::Lying);
    let before = owned(&mut network);
    assert_eq!(outcome_of(&mut network, Dave), Outcome::Rejected);
    // Five of the twenty seats of each of three polls, and its own claim.
    let lost = (3 * 5 + 1) * HYDRA;
    assert_eq!(network.forfeited(Dave), lost);
    assert_eq!(network.read(|| StakeVoting::stake_of(id(Dave))), STAKE - lost);
    let dave = network.node(Dave);
    assert!(dave.reputation == NEWCOMER && !dave.active, "{dave:?}");
    let now = owned(&mut network);
    let won: Balance = (0..3).map(|who| now[who] - before[who]).sum();
    assert!(
        won <= lost / 2 && won >= lost / 2 - 100,
        "{won}: half, less what doesn't divide"
    );

    assert_eq!(network.until_confirmed(), 1);
    for who in [Alice, Bob, Charlie] {
        assert_eq!(network.forfeited(who), 0);
        assert!(network.node(who).reputation > FOUNDER);
    }
    assert_eq!(network.until_opened(), 3);
    network.end();
}
