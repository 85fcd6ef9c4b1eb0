//! Fault 1, and the first part of fault 10: who is paid, for what, and how much.

use hydra_primitives::{
    HYDRA,
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    model::{Architecture, PhaseLengths, SpecError},
    rewards::{BUCKET_PART, worth},
};
use hydra_runtime::HydraToken;

use super::{Finding, STAKE, honest, hydra, network, paid};
use crate::{
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
    let ended = simulation.rounds(20);
    let pay = hydra(paid(&simulation, 4..33)) / hydra(paid(&simulation, 0..33));
    Finding {
        number: 1,
        test: "pay_follows_weight_however_a_stake_is_split",
        seen: format!(
            "29 accounts of 1 HYDRA beside four of 100 have {:.1} % of the weight and take {:.1} % of the emission",
            100.0 * weight,
            100.0 * pay
        ),
        is_gone: ended && weight < 0.1 && pay < 0.12,
    }
}

/// Four nodes train a model that learns nothing.
pub fn endless_emission() -> Finding {
    let mut simulation = Simulation::new(Setup {
        learns: false,
        ..Setup::of(honest(4))
    });
    let mut ended = simulation.rounds(4);
    let first = simulation.number();
    ended &= simulation.rounds(18);
    let before = simulation.number();
    ended &= simulation.rounds(4);
    let last = simulation.number() - before;
    Finding {
        number: 1,
        test: "a_model_that_learns_nothing_is_trained_and_paid_ever_more_slowly",
        seen: format!(
            "while the loss stays what it is, the first four rounds take {first} blocks, the 23rd to the 26th {last}"
        ),
        is_gone: ended && last > 5 * first,
    }
}

/// 33 nodes train a model whose tasks are worth far more than anybody has bonded.
pub fn largest_spec() -> Finding {
    let mut spec = digits_spec();
    spec.task.batch_size = u32::MAX;
    let saturating = spec.validate(&digits_manifest());
    spec.architecture = Architecture::Mlp {
        layers: vec![64, 1_000, 10].try_into().expect("three layers"),
    };
    spec.task.steps = 10_000;
    spec.task.batch_size = 133;
    // As the chain asks of tasks of so much work.
    spec.phases = PhaseLengths {
        train: 14,
        verify: 19,
    };
    let worth = worth(spec.work());
    let mut simulation = Simulation::new(Setup {
        models: vec![(spec, digits_manifest(), DIGITS_INITIAL_WEIGHTS)],
        ..Setup::of(honest(33))
    });
    let bond = u128::from(STAKE) * HYDRA;
    let part = simulation.read(HydraToken::in_bucket) / BUCKET_PART;
    let ended = simulation.rounds(2);
    let minted = paid(&simulation, 0..33);
    // 32 places in each round; that of the second is paid in the third.
    let most = 32 * bond.min(part);
    Finding {
        number: 10,
        test: "a_place_earns_no_more_than_its_bond_and_a_thousandth_of_the_bucket",
        seen: format!(
            "a batch of 2³² − 1 is refused ({saturating:?}); a place worth {:.0} HYDRA earns {:.1} where the bond is {:.0} and a \
             thousandth of the bucket {:.0}",
            hydra(worth),
            hydra(minted) / 32.0,
            hydra(bond),
            hydra(part),
        ),
        is_gone: ended
            && saturating == Err(SpecError::TooManyValues)
            && worth > 100 * bond
            && minted > 0
            && minted <= most,
    }
}
