//! Fault 7, and the second part of fault 10: room in blocks.

use frame_support::{dispatch::DispatchClass, traits::Get};
use hydra_primitives::digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec};
use hydra_runtime::{Runtime, System};

use super::{Finding, blamed, earned, honest, hydra, network, nodes, outsider};
use crate::{
    duty::Kind,
    protocol,
    simulation::{Setup, Simulation},
    strategy::{Abstaining, Misfolding, Offline, Spamming},
};

/// Somebody who is no node fills the blocks in which 33 nodes would reveal, in two rounds.
pub fn filled_blocks() -> Finding {
    let mut simulation = network([honest(33), vec![outsider(Spamming::during(Kind::Reveal))]]);
    let ended = simulation.rounds(2);
    let void = simulation.ledger().of(0).void;
    let fees = simulation
        .ledger()
        .accounts
        .last()
        .map_or(0, |account| account.fees);
    let (price, blame) = (hydra(fees) / 2.0, blamed(&simulation, 0..33));
    Finding {
        number: 7,
        test: "filled_blocks_void_a_round",
        seen: format!(
            "{void} of 2 rounds worth 33 HYDRA each are void for {price:.2} HYDRA a round, and those who had committed are blamed \
             {blame} times"
        ),
        is_there: ended
            && void == 2
            && earned(&simulation, 0..33) == 0
            && blame == 2 * 33 * 32
            && price < 0.5,
    }
}

/// One of four loses the transaction with its reveals.
pub fn lost_reveal() -> Finding {
    let mut simulation = network([honest(4)]);
    let reveals = simulation.until(30, |simulation| simulation.stage() == Kind::Reveal);
    let began = simulation.number();
    let lost = simulation.lose(0);
    let ended = simulation.rounds(1);
    let lasted = simulation.number() - began;
    let (blame, of_others) = (blamed(&simulation, 0..1), blamed(&simulation, 1..4));
    Finding {
        number: 7,
        test: "a_lost_reveal_is_not_sent_again_before_the_phase_is_over",
        seen: format!(
            "reveals that were lost on the way are held back for {} blocks; the phase was over after {lasted}, and the node is \
             blamed {blame} times",
            protocol::IN_FLIGHT
        ),
        is_there: reveals && ended && lost == 1 && lasted >= 4 && blame == 3 && of_others == 0,
    }
}

/// 16 models, nobody who trains them, and somebody who fills every block.
pub fn starving_models() -> Finding {
    let models = (0..16).map(|_| (digits_spec(), digits_manifest(), DIGITS_INITIAL_WEIGHTS));
    let mut members = nodes(4, |_| Offline);
    members.push(outsider(Spamming::during(Kind::Task)));
    let mut simulation = Simulation::new(Setup {
        members,
        models: models.collect(),
        seed: 1,
    });
    simulation.steps(120);
    let extended = |model| simulation.ledger().of(model).extended;
    let (first, last) = (extended(0), extended(15));
    Finding {
        number: 10,
        test: "models_with_high_numbers_starve_in_full_blocks",
        seen: format!(
            "in 120 full blocks the round of model 0 came {first} times to the end of its phase, that of model 15 {last} times"
        ),
        is_there: first >= 11 && last < first,
    }
}

/// A model that waits for the confirmation of a version that never comes, beside one that waits for a trainer.
pub fn waiting_weight() -> Finding {
    let mut idle = network([honest(3), nodes(1, |_| Offline)]);
    idle.steps(4);
    let mut stuck = network([
        honest(2),
        nodes(2, |_| Misfolding),
        nodes(1, |_| Abstaining::from(Kind::Fold)),
    ]);
    let first = stuck.rounds(1);
    stuck.steps(4);
    let (waits, burns) = (mandatory(&mut idle), mandatory(&mut stuck));
    Finding {
        number: 10,
        test: "waiting_for_a_confirmation_costs_as_much_as_moving",
        seen: format!(
            "a block in which nothing moves, for want of a confirmation, pays {:.1} % of its weight for the pallets' hooks; one that \
             waits for a trainer {:.1} %",
            100.0 * burns,
            100.0 * waits
        ),
        is_there: first && burns > waits + 0.03,
    }
}

/// The share of the newest block's weight that hooks and inherents took.
fn mandatory(simulation: &mut Simulation) -> f64 {
    simulation.read(|| {
        let weights = System::block_weight();
        let whole = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
        weights.get(DispatchClass::Mandatory).ref_time() as f64 / whole.ref_time() as f64
    })
}
