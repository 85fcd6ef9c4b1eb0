//! Fault 1, and the first part of fault 10: who is paid, for what, and how much.

use hydra_primitives::{
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    model::{Architecture, SpecError},
};

use super::{Finding, earned, honest, hydra, network};
use crate::{
    protocol,
    simulation::{Member, Setup, Simulation},
    strategy::Honest,
};

/// Four nodes with 100 HYDRA each, and one PC whose 29 HYDRA are on 29 accounts.
pub fn split_stake() -> Finding {
    let split = (0..29).map(|_| Member::node(Honest::named("splitting"), 1));
    let mut simulation = network([honest(4), split.collect()]);
    let weights: Vec<u128> = (0..33).map(|account| simulation.weight(account)).collect();
    let of_split: u128 = weights.iter().skip(4).sum();
    let weight = of_split as f64 / weights.iter().sum::<u128>() as f64;
    let ended = simulation.rounds(3);
    let pay = hydra(earned(&simulation, 4..33)) / hydra(earned(&simulation, 0..33));
    Finding {
        number: 1,
        test: "splitting_a_stake_multiplies_pay",
        seen: format!(
            "29 accounts of 1 HYDRA beside four of 100 have {:.1} % of the weight and take {:.1} % of the emission",
            100.0 * weight,
            100.0 * pay
        ),
        is_there: ended && weight < 0.1 && pay > 0.85,
    }
}

/// Four nodes train a model that learns nothing.
pub fn endless_emission() -> Finding {
    let mut simulation = network([honest(4)]);
    let mut before = 0;
    let mut pay = Vec::new();
    for _ in 0..3 {
        simulation.rounds(4);
        let now = earned(&simulation, 0..4);
        pay.push(now - before);
        before = now;
    }
    let same = pay.iter().all(|amount| *amount == 16 * hydra_primitives::HYDRA);
    Finding {
        number: 1,
        test: "a_model_that_learns_nothing_is_paid_in_every_round",
        seen: format!(
            "while the score stays what it is, four nodes are paid {:?} HYDRA in the first, second and third four rounds",
            pay.iter().map(|amount| hydra(*amount)).collect::<Vec<_>>()
        ),
        is_there: same,
    }
}

/// 33 nodes train the model with the most work that `validate` takes, more or less.
pub fn largest_spec() -> Finding {
    let mut spec = digits_spec();
    spec.task.batch_size = u32::MAX;
    let saturating = spec.validate(&digits_manifest());
    spec.architecture = Architecture::Mlp {
        layers: vec![64, 1_000, 10].try_into().expect("three layers"),
    };
    spec.task.steps = 1_000_000;
    spec.task.batch_size = 133;
    spec.task.checkpoint_every = 1_000_000;
    let mut simulation = Simulation::new(Setup {
        members: honest(33),
        models: vec![(spec, digits_manifest(), DIGITS_INITIAL_WEIGHTS)],
        seed: 1,
    });
    let ended = simulation.rounds(1);
    let minted = earned(&simulation, 0..33);
    let cap = simulation.read(protocol::emission_cap);
    let share = hydra(minted) / hydra(cap);
    Finding {
        number: 10,
        test: "validate_lets_a_spec_mint_the_cap",
        seen: format!(
            "no longer at once: a batch of 2³² − 1 is refused ({saturating:?}); but one round of 33 nodes on the largest task mints \
             {:.0} HYDRA, {:.1} % of the cap, so {:.0} rounds mint all of it",
            hydra(minted),
            100.0 * share,
            (1.0 / share).ceil()
        ),
        is_there: ended && saturating == Err(SpecError::TooManyValues) && share > 0.05,
    }
}
