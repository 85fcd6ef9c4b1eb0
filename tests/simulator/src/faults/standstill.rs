//! Faults 4 and 5: how a model comes to stand still.

use hydra_runtime::Runtime;
use pallet_training_proposals::Rounds;

use super::{Finding, blamed, honest, network, nodes};
use crate::{
    duty::Kind,
    strategy::{Abstaining, Lying, Misfolding, Offline, Sometimes},
};

/// Two of five attest one version, two another one, and the fifth, which does everything else, none.
pub fn two_to_two() -> Finding {
    let mut simulation = network([
        honest(2),
        nodes(2, |_| Misfolding),
        nodes(1, |_| Abstaining::from(Kind::Fold)),
    ]);
    let first = simulation.rounds(1);
    simulation.steps(300);
    let rounds = simulation.ledger().of(0);
    let [confirmed, _] = rounds.confirmed;
    Finding {
        number: 4,
        test: "two_to_two_attestations_stop_a_model_for_ever",
        seen: format!(
            "300 blocks after a version was attested 2 : 2, with a fifth node that attests nothing, {confirmed} versions are \
             confirmed, {} rounds have ended, and the round was extended {} times",
            rounds.ended, rounds.extended
        ),
        is_there: first && confirmed == 0 && rounds.ended == 1 && rounds.extended >= 10,
    }
}

/// The two of four attest falsely that come last in the order of accounts, so that their own proposals were settled last.
pub fn near_tie() -> Finding {
    let mut simulation = network([honest(4)]);
    let mut order: Vec<usize> = (0..4).collect();
    order.sort_by_key(|account| simulation.id(*account));
    for account in order.iter().skip(2) {
        simulation.play(*account, Misfolding);
    }
    let first = simulation.rounds(1);
    let weights: Vec<u128> = order.iter().map(|account| simulation.weight(*account)).collect();
    let all: u128 = weights.iter().sum();
    let share = weights.iter().skip(2).sum::<u128>() as f64 / all as f64;
    simulation.steps(5);
    let [_, wrong] = simulation.ledger().of(0).confirmed;
    Finding {
        number: 4,
        test: "a_thousandth_of_the_weight_decides_between_two_halves",
        seen: format!(
            "four nodes alone are never 2 : 2: whose proposal is settled last weighs a little more, and two liars with {:.3} % of \
             the weight have confirmed {wrong} wrong versions",
            100.0 * share
        ),
        is_there: first && share < 0.51 && wrong == 1,
    }
}

/// A task that nobody can do: nobody proposes.
pub fn kept_seed() -> Finding {
    let mut simulation = network([nodes(4, |_| Offline)]);
    simulation.step();
    let before = simulation.read(|| Rounds::<Runtime>::get(0).map(|round| round.train_seed));
    simulation.steps(40);
    let after = simulation.read(|| Rounds::<Runtime>::get(0).map(|round| round.train_seed));
    let extended = simulation.ledger().of(0).extended;
    Finding {
        number: 4,
        test: "an_extended_round_keeps_the_seed_on_which_every_task_diverges",
        seen: format!(
            "a round without a proposal was extended {extended} times, and its seed is {}",
            if before == after {
                "the same"
            } else {
                "another one"
            }
        ),
        is_there: extended >= 3 && before.is_some() && before == after,
    }
}

/// Ten of 33 never vote, one votes against everything, and of 22 honest ones three or four are off in each round.
pub fn abstaining() -> Finding {
    let every = 7;
    let turns = |index: usize| Sometimes::by_turns(every, u32::try_from(index).unwrap_or_default() % every);
    let mut simulation = network([
        nodes(22, turns),
        nodes(10, |_| Abstaining::from(Kind::Check)),
        nodes(1, |_| Lying),
    ]);
    let ended = simulation.rounds(8);
    let [mut accepted, mut rejected] = [0, 0];
    for account in &simulation.ledger().accounts {
        let [yes, no, _] = account.claims;
        accepted += yes;
        rejected += no;
    }
    let undecided = simulation.ledger().undecided;
    let blame = blamed(&simulation, 22..33);
    let score = simulation.score(22);
    Finding {
        number: 5,
        test: "abstaining_makes_everything_undecided",
        seen: format!(
            "with 11 of 33 hostile, of whom 10 never vote, 8 rounds end with {accepted} claims accepted, {rejected} rejected and \
             {undecided} undecided; the hostile were blamed {blame} times and keep their score of {score:.2}"
        ),
        is_there: ended && accepted + rejected == 0 && undecided > 200 && blame == 0 && score == 0.1,
    }
}
