//! What has to come to the right end: small networks with somebody absent, lying or both; a reorganisation between digest and opening;
//! false openings; seats that nobody was told of.

use hydra_primitives::HYDRA;
use hydra_runtime::Runtime;
use hydra_simulator::{
    duty::Stage,
    ledger::Ledger,
    protocol,
    simulation::{Member, Setup, Simulation},
    strategy::{Honest, Lying, Offline, OpeningFalsely, Watching},
};
use pallet_stake_voting::{
    Polls,
    poll::{Poll, Stage as PollStage},
};

const STAKE: u32 = 100;

fn network(members: Vec<Member>, session: u64) -> Simulation {
    Simulation::new(Setup {
        session,
        ..Setup::of(members)
    })
}

/// So many in all, of whom one may be off for good, and one may lie.
fn small(nodes: usize, absent: bool, lying: bool) -> Simulation {
    let mut members = Vec::new();
    if absent {
        members.push(Member::node(Offline, STAKE));
    }
    if lying {
        members.push(Member::node(Lying, STAKE));
    }
    while members.len() < nodes {
        members.push(Member::node(Honest::named("honest"), STAKE));
    }
    network(members, 40)
}

fn of_honest(simulation: &Simulation) -> impl Iterator<Item = usize> {
    (0..simulation.len()).filter(|account| simulation.name(*account) == "honest")
}

/// Whatever happened, no lie won, and nobody honest lost anything.
fn is_right(ledger: &Ledger, honest: impl Iterator<Item = usize>, what: &str) {
    let rounds = ledger.of(0);
    assert_eq!(ledger.wrong.accepted, 0, "{what}: a lie was accepted");
    assert_eq!(rounds.confirmed[1], 0, "{what}: a wrong version was confirmed");
    assert_eq!(ledger.right.rejected, 0, "{what}: what is right was rejected");
    for account in honest {
        let account = ledger.accounts[account];
        assert_eq!(
            (account.forfeited, account.wrong),
            (0, 0),
            "{what}: somebody honest lost"
        );
    }
}

#[test]
fn networks_of_one_to_four_decide_rightly_with_one_absent_one_lying_or_one_of_each() {
    for nodes in 1..=4usize {
        for (absent, lying) in [(false, false), (true, false), (false, true), (true, true)] {
            let others = usize::from(absent) + usize::from(lying);
            if others >= nodes {
                continue;
            }
            let what = format!("{nodes} nodes, absent: {absent}, lying: {lying}");
            let mut simulation = small(nodes, absent, lying);
            // The absent are gone with the first session that they aren't heard of in. Whoever lies is, too, where the honest are more
            // than half of those who are left: of two, neither can say which of them is right.
            let stands_alone = nodes - others == 1 && lying;
            let confirms = simulation.until(700, |simulation| {
                let [confirmed, _] = simulation.ledger().of(0).confirmed;
                confirmed >= 3
            });
            is_right(simulation.ledger(), of_honest(&simulation), &what);
            assert_eq!(confirms, !stands_alone, "{what}: {:?}", simulation.ledger().of(0));
            let lost = simulation.ledger().accounts.iter().map(|one| one.forfeited);
            let lost: u128 = lost.sum();
            assert_eq!(
                lost >= HYDRA,
                lying && !stands_alone,
                "{what}: {lost} was forfeited"
            );
        }
    }
}

/// Whether all polls on claims wait for an opening.
fn all_closed(simulation: &mut Simulation) -> bool {
    let polls: Vec<Poll<_>> = simulation.read(|| Polls::<Runtime>::iter_values().collect());
    !polls.is_empty()
        && polls
            .iter()
            .all(|poll| poll.claimant.is_some() && matches!(poll.stage, PollStage::Opening { .. }))
}

#[test]
fn a_reorganisation_between_digests_and_openings_ends_as_if_nothing_had_been_shown() {
    // One of four gives what it has seen in the pool: on the other branch that is the right witness.
    let mut members = vec![Member::node(Watching, STAKE)];
    members.extend((0..3).map(|_| Member::node(Honest::named("honest"), STAKE)));
    let mut simulation = network(members, 1_440);
    let drawn = simulation.until(40, |simulation| simulation.stage() == Stage::First);
    let fork = simulation.snapshot();
    let closed = simulation.until(40, all_closed);
    // The openings are in the pool now, or in a block that is gone soon.
    simulation.step();
    assert!(drawn && closed);
    simulation.reorganise(&fork);
    assert!(simulation.rounds(3));
    is_right(simulation.ledger(), 0..4, "a reorganisation");
    assert_eq!(simulation.ledger().right.undecided, 0);
    let rounds = simulation.ledger().of(0);
    assert!(rounds.void == 0 && rounds.confirmed[0] >= 2, "{rounds:?}");
}

#[test]
fn three_blocks_that_are_taken_back_change_nothing_wherever_they_are() {
    for after in 0..12 {
        let members = (0..4).map(|_| Member::node(Honest::named("honest"), STAKE));
        let mut simulation = network(members.collect(), 1_440);
        assert!(simulation.rounds(1));
        simulation.steps(after);
        let fork = simulation.snapshot();
        simulation.steps(3);
        simulation.reorganise(&fork);
        assert!(simulation.rounds(3));
        is_right(simulation.ledger(), 0..4, &format!("{after} blocks later"));
        let ledger = simulation.ledger();
        assert_eq!((ledger.of(0).void, ledger.right.undecided), (0, 0));
        assert!(
            ledger.accounts.iter().all(|account| account.missed == 0),
            "{after} blocks later somebody was blamed"
        );
    }
}

#[test]
fn false_openings_decide_nothing_and_cost_nobody_but_time() {
    let mut members: Vec<_> = (0..3).map(|_| Member::node(OpeningFalsely, STAKE)).collect();
    members.extend((0..6).map(|_| Member::node(Honest::named("honest"), STAKE)));
    let mut simulation = network(members, 1_440);
    assert!(simulation.rounds(4));
    is_right(simulation.ledger(), 0..9, "false openings");
    let ledger = simulation.ledger();
    // They were tried again and again, also by those whose turn it was, and no pool took one.
    let rash = ledger.rash;
    assert!(rash.in_turn > 0 && rash.sent > rash.in_turn, "{rash:?}");
    assert_eq!(rash.taken, 0, "{rash:?}");
    assert_eq!((ledger.right.undecided, ledger.of(0).void), (0, 0));
    assert!(ledger.accounts.iter().all(|account| account.missed == 0));
}

#[test]
fn whoever_says_nothing_for_a_session_is_not_drawn_in_the_next() {
    let mut members: Vec<_> = (0..3).map(|_| Member::node(Offline, STAKE)).collect();
    members.extend((0..6).map(|_| Member::node(Honest::named("honest"), STAKE)));
    let mut simulation = network(members, 30);
    assert_eq!(simulation.read(protocol::electorate), 9);
    simulation.steps(31);
    assert_eq!(simulation.read(protocol::electorate), 6);
    let seats = |simulation: &Simulation| -> u32 {
        let absent = simulation.ledger().accounts.iter().take(3);
        absent.map(|account| account.seats).sum()
    };
    // What was drawn from the first session's electorate may still be going on.
    let before = seats(&simulation);
    assert!(simulation.rounds(2));
    assert_eq!(seats(&simulation), before);
}
