//! Fault 7, and the second part of fault 10: room in blocks.

use frame_support::dispatch::DispatchClass;
use hydra_primitives::digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec};
use hydra_runtime::{Runtime, System};

use super::{Finding, blamed, honest, hydra, network, nodes, outsider, paid};
use crate::{
    duty::{Kind, Stage},
    protocol,
    simulation::{Setup, Simulation},
    strategy::{Abstaining, Misfolding, Offline, Spamming},
};

/// Somebody who is no node fills the blocks in which 33 nodes verify, in three rounds.
pub fn filled_blocks() -> Finding {
    let mut simulation = network([honest(33), vec![outsider(Spamming::during(Stage::First))]]);
    let ended = simulation.rounds(3);
    let void = simulation.ledger().of(0).void;
    let fees = simulation
        .ledger()
        .accounts
        .last()
        .map_or(0, |account| account.fees);
    let blame = blamed(&simulation, 0..33);
    let pay = hydra(paid(&simulation, 0..33));
    Finding {
        number: 7,
        test: "filled_blocks_stop_no_duty",
        seen: format!(
            "{void} of 3 rounds are void though somebody pays {:.2} HYDRA to fill blocks; {blame} are blamed, {pay:.0} HYDRA paid",
            hydra(fees)
        ),
        is_gone: ended && void == 0 && blame == 0 && pay > 0.0 && fees > 0,
    }
}

/// One of four loses the transaction with its digests.
pub fn lost_digest() -> Finding {
    let mut simulation = network([honest(4)]);
    let mut lost = 0;
    for _ in 0..20 {
        if simulation.stage() == Stage::First {
            lost = simulation.lose(0);
        }
        if lost > 0 {
            break;
        }
        simulation.step();
    }
    let began = simulation.number();
    let ended = simulation.rounds(1);
    let lasted = simulation.number() - began;
    let blame = blamed(&simulation, 0..4);
    Finding {
        number: 7,
        test: "a_lost_digest_is_sent_again_within_its_phase",
        seen: format!(
            "digests that were lost on the way are sent again after {} blocks; the round was over after {lasted}, and {blame} are \
             blamed",
            protocol::IN_FLIGHT
        ),
        is_gone: ended && lost == 1 && lasted >= protocol::IN_FLIGHT && blame == 0,
    }
}

/// 16 models, nobody who trains them, and somebody who fills every block.
pub fn starving_models() -> Finding {
    let models = (0..16).map(|_| (digits_spec(), digits_manifest(), DIGITS_INITIAL_WEIGHTS));
    let mut members = nodes(4, |_| Offline);
    members.push(outsider(Spamming::during(Stage::Train)));
    let mut simulation = Simulation::new(Setup {
        models: models.collect(),
        ..Setup::of(members)
    });
    simulation.steps(150);
    let ended: Vec<u32> = (0..16).map(|model| simulation.ledger().of(model).ended).collect();
    let (least, most) = (
        ended.iter().min().copied().unwrap_or_default(),
        ended.iter().max().copied().unwrap_or_default(),
    );
    Finding {
        number: 10,
        test: "every_model_has_its_turn_in_full_blocks",
        seen: format!(
            "in 150 blocks, many of them full, each of 16 models came to the end of {least} to {most} rounds"
        ),
        is_gone: least >= 3 && most <= least + 2,
    }
}

/// A model that waits for its version to be found out, beside one that waits for a trainer.
pub fn waiting_weight() -> Finding {
    let mut idle = network([honest(3), nodes(1, |_| Offline)]);
    idle.steps(4);
    let mut stuck = network([
        honest(2),
        nodes(2, |_| Misfolding),
        nodes(1, |_| Abstaining::from(Kind::Fold)),
    ]);
    let first = stuck.rounds(1);
    // Digests are taken of all who give any; the poll waits for the one that doesn't.
    stuck.steps(4);
    let (waits, burns) = (mandatory(&mut idle), mandatory(&mut stuck));
    Finding {
        number: 10,
        test: "waiting_costs_next_to_nothing",
        seen: format!(
            "a block in which nothing moves, since a version is in question, pays {:.2} % of its weight for the pallets' hooks; one \
             that waits for a trainer {:.2} %",
            100.0 * burns,
            100.0 * waits
        ),
        is_gone: first && burns < waits + 0.01,
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
