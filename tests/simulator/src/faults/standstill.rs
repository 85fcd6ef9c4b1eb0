//! Faults 4 and 5: how a model would come to stand still.

use std::collections::BTreeSet;

use hydra_primitives::{H256, RoundNumber, status::Phase};
use hydra_runtime::Runtime;
use pallet_training_proposals::Rounds;

use super::{Finding, blamed, forfeited, honest, network, nodes};
use crate::{
    duty::Kind,
    simulation::Simulation,
    strategy::{Abstaining, Honest, Lying, Misfolding, Sometimes},
};

/// Two of five say that versions are others than they are, two say what they are, and the fifth, which does everything else, says
/// nothing. Later they come to their senses.
pub fn two_to_two() -> Finding {
    let mut simulation = network([
        honest(2),
        nodes(2, |_| Misfolding),
        nodes(1, |_| Abstaining::from(Kind::Fold)),
    ]);
    let gave_up = simulation.until(600, |simulation| simulation.ledger().of(0).given_up >= 2);
    let before = simulation.ledger().of(0);
    for account in 2..5 {
        simulation.play(account, Honest::named("honest"));
    }
    let goes_on = simulation.until(600, |simulation| {
        let [confirmed, _] = simulation.ledger().of(0).confirmed;
        confirmed > 0
    });
    let after = simulation.ledger().of(0);
    let lost = forfeited(&simulation, 0..5);
    Finding {
        number: 4,
        test: "a_split_attestation_is_given_up_and_the_model_goes_on",
        seen: format!(
            "with two against two {} versions are given up in {} blocks and {:?} confirmed (wrongly), nobody forfeits ({lost}), and \
             with all agreed {:?} are",
            before.given_up,
            simulation.number(),
            before.confirmed,
            after.confirmed,
        ),
        is_gone: gave_up && before.confirmed == [0, 0] && lost == 0 && goes_on && after.confirmed[1] == 0,
    }
}

/// Two of four attest falsely.
pub fn near_tie() -> Finding {
    let mut simulation = network([honest(2), nodes(2, |_| Misfolding)]);
    simulation.steps(200);
    let rounds = simulation.ledger().of(0);
    let [_, wrong] = rounds.confirmed;
    Finding {
        number: 4,
        test: "no_half_of_a_network_confirms_anything",
        seen: format!(
            "in 200 blocks in which two of four attest falsely {wrong} wrong versions are confirmed, and {} given up",
            rounds.given_up
        ),
        is_gone: rounds.confirmed == [0, 0] && rounds.given_up > 0,
    }
}

/// Makes blocks until the first model's round of this number has begun anew so often, and is open: its seed, if it comes to that.
fn seed_of(simulation: &mut Simulation, round: RoundNumber, extension: u32) -> Option<H256> {
    let open = |simulation: &mut Simulation| {
        let now = simulation.read(|| Rounds::<Runtime>::get(0))?;
        let is_it = (now.phase, now.number, now.extension) == (Phase::Train, round, extension);
        is_it.then_some(now.seed)
    };
    simulation.until(200, |simulation| open(simulation).is_some());
    open(simulation)
}

/// With the first seeds every task diverges: nobody has anything to propose, for as long as those are the seeds. Later nobody says what
/// the first version is, so that the round which trains beside it begins anew. Then all do what they should.
pub fn kept_seed() -> Finding {
    let mut simulation = network([nodes(4, |_| Abstaining::from(Kind::Task))]);
    let mut seeds = vec![seed_of(&mut simulation, 0, 0), seed_of(&mut simulation, 1, 0)];
    for account in 0..4 {
        simulation.play(account, Abstaining::from(Kind::Fold));
    }
    seeds.extend([seed_of(&mut simulation, 2, 0), seed_of(&mut simulation, 2, 1)]);
    for account in 0..4 {
        simulation.play(account, Honest::named("honest"));
    }
    let goes_on = simulation.until(200, |simulation| {
        let [confirmed, _] = simulation.ledger().of(0).confirmed;
        confirmed > 0
    });
    let others: BTreeSet<H256> = seeds.iter().flatten().copied().collect();
    let (rounds, blame) = (simulation.ledger().of(0), blamed(&simulation, 0..4));
    Finding {
        number: 4,
        test: "a_round_that_comes_to_nothing_is_followed_by_one_with_other_seeds",
        seen: format!(
            "of a round in which nobody can do its task, the next one, and one that begins anew, {} of {} have other seeds than those \
             before; then {} versions are confirmed, and {blame} are blamed",
            others.len(),
            seeds.len(),
            rounds.confirmed[0],
        ),
        is_gone: others.len() == seeds.len()
            && goes_on
            && (rounds.void, rounds.given_up, rounds.dropped) == (1, 1, 1)
            && rounds.confirmed[1] == 0
            && blame == 0,
    }
}

/// Ten of 33 never verify, one contradicts everything, and of 22 honest ones three or four are off at any time.
pub fn abstaining() -> Finding {
    let every = 7;
    let turns = |index: usize| Sometimes::by_turns(every, u32::try_from(index).unwrap_or_default() % every);
    let mut simulation = network([
        nodes(22, turns),
        nodes(10, |_| Abstaining::from(Kind::Check)),
        nodes(1, |_| Lying),
    ]);
    let ended = simulation.rounds(8);
    let right = simulation.ledger().right;
    let score = simulation.score(22);
    let (lost, unjust) = (forfeited(&simulation, 32..33), forfeited(&simulation, 0..32));
    Finding {
        number: 5,
        test: "silence_decides_nothing_and_costs_weight",
        seen: format!(
            "with 11 of 33 hostile, of whom 10 verify nothing, 8 rounds end after {} blocks with {} right claims accepted, {} rejected and \
             {} undecided; the silent are left with a score of {score:.2}",
            simulation.number(),
            right.accepted,
            right.rejected,
            right.undecided
        ),
        is_gone: ended
            && right.accepted > 50
            && right.rejected == 0
            && right.decided() >= 0.99
            && score < 0.9
            && lost > 0
            && unjust == 0,
    }
}
