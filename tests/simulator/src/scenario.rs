//! A whole run: so many nodes of which some are hostile, for so many rounds, and what is seen.

use hydra_primitives::{
    HYDRA,
    digits::{DIGITS_INITIAL_WEIGHTS, digits_manifest, digits_spec},
    model::{Architecture, ModelSpec},
};
use hydra_runtime::Balance;

use crate::{
    protocol,
    simulation::{Member, Setup, Simulation},
    strategy::{Honest, Sometimes, Strategy, by_name},
};

/// What every node has bonded, in HYDRA, where shares don't ask for something else.
const STAKE: u32 = 100;
/// Where a strategy plays on reorganisations there is one in every so-manieth round.
const REORGANISE_EVERY: u32 = 10;
/// Blocks that a reorganisation takes back.
const DEPTH: u32 = 3;
/// Blocks of a round after which it may begin: each time another, so that every phase is met.
const REORGANISE_AT: u32 = 12;
/// What a sponsor of a model that is too small to be worth its rounds has deposited.
const DEPOSIT: Balance = 500 * HYDRA;

/// What is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Nodes in all.
    pub nodes: usize,
    /// The share of the weight that is hostile, at least 0 and below 1.
    pub hostile: f64,
    /// The share of the time for which an honest node is off.
    pub offline: f64,
    /// How the hostile play: one of [`NAMES`](crate::strategy::NAMES).
    pub strategy: String,
    /// Rounds of the first model.
    pub rounds: u32,
    /// Slots of a session.
    pub session: u64,
    /// What chance follows from.
    pub seed: u64,
}

/// Why there is nothing to run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadSettings(pub String);

impl std::fmt::Display for BadSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadSettings {}

/// The chain and the accounts that the settings ask for.
pub fn simulation(settings: &Settings) -> Result<Simulation, BadSettings> {
    let members = members(settings)?;
    let sponsor = (settings.strategy == "sponsoring").then(|| members.len() - 1);
    let digits = || (digits_spec(), digits_manifest(), DIGITS_INITIAL_WEIGHTS);
    let mut models = vec![digits()];
    if sponsor.is_some() {
        models.push((tiny(), digits_manifest(), DIGITS_INITIAL_WEIGHTS));
    }
    let mut simulation = Simulation::new(Setup {
        models,
        seed: settings.seed,
        session: settings.session,
        ..Setup::of(members)
    });
    if let Some(sponsor) = sponsor {
        let who = simulation.id(sponsor);
        simulation
            .change(|| protocol::sponsor(1, &who, DEPOSIT))
            .map_err(|error| BadSettings(format!("nobody can be made a sponsor: {error:?}")))?;
    }
    Ok(simulation)
}

/// A model whose task is next to nothing.
fn tiny() -> ModelSpec {
    let mut spec = digits_spec();
    spec.architecture = Architecture::Mlp {
        layers: vec![64, 10].try_into().unwrap_or_default(),
    };
    spec.task.steps = 1;
    spec.task.batch_size = 1;
    spec
}

/// Plays the rounds, as long as `go_on` says so after each; what is seen is in the simulation's ledger. False if the first model
/// stood still before they were over.
pub fn play(simulation: &mut Simulation, settings: &Settings, mut go_on: impl FnMut() -> bool) -> bool {
    let reorganises = settings.strategy == "equivocating";
    for round in 0..settings.rounds {
        if reorganises && round % REORGANISE_EVERY == REORGANISE_EVERY - 1 {
            simulation.steps(round / REORGANISE_EVERY % REORGANISE_AT);
            let before = simulation.snapshot();
            simulation.steps(DEPTH);
            simulation.reorganise(&before);
        }
        if !simulation.rounds(1) {
            return false;
        }
        if !go_on() {
            break;
        }
    }
    true
}

/// The accounts that the settings ask for: first the honest, then the others.
fn members(settings: &Settings) -> Result<Vec<Member>, BadSettings> {
    let Settings {
        nodes,
        hostile,
        offline,
        ref strategy,
        seed,
        ..
    } = *settings;
    if nodes == 0 {
        return Err(BadSettings("a network needs a node: --nodes 1 or more".into()));
    }
    let most = protocol::max_nodes();
    if u32::try_from(nodes).unwrap_or(u32::MAX) > most {
        return Err(BadSettings(format!(
            "a network of this protocol has at most {most} nodes: --nodes {most} or fewer"
        )));
    }
    if !(0.0..1.0).contains(&hostile) || !(0.0..=1.0).contains(&offline) {
        return Err(BadSettings(
            "--hostile is a share from 0 to below 1, --offline one from 0 to 1".into(),
        ));
    }
    if settings.session < 10 {
        return Err(BadSettings("--session has at least 10 slots".into()));
    }
    let (bad, (good_stake, bad_stake)) = if strategy == "splitting" {
        split(nodes, hostile)
    } else {
        let bad = (nodes as f64 * hostile).round() as usize;
        (bad.min(nodes - 1), (STAKE, STAKE))
    };
    let hydra = |amount: u32| Balance::from(amount) * HYDRA;
    let mut members = Vec::new();
    for index in 0..nodes - bad {
        let account = u32::try_from(index).unwrap_or(u32::MAX);
        let strategy: Box<dyn Strategy> = if offline > 0.0 {
            Box::new(Sometimes::by_chance(offline, seed, account))
        } else {
            Box::new(Honest::named("honest"))
        };
        members.push(Member {
            strategy,
            stake: hydra(good_stake),
        });
    }
    for index in 0..bad {
        let strategy = by_name(strategy, index)
            .ok_or_else(|| BadSettings(format!("there is no strategy {strategy:?}: --help names them")))?;
        members.push(Member {
            strategy,
            stake: hydra(bad_stake),
        });
    }
    Ok(members)
}

/// One PC's stake on as many accounts as it can have, each with the least, beside a few honest ones with all the other weight:
/// how many accounts it has, and the stakes of an honest one and of one of its own.
fn split(nodes: usize, hostile: f64) -> (usize, (u32, u32)) {
    let honest = (nodes / 8).max(1);
    let bad = if hostile > 0.0 { nodes - honest } else { 0 };
    let others = bad as f64 * (1.0 - hostile) / hostile.max(f64::EPSILON);
    let stake = (others / honest as f64).round().clamp(1.0, 10_000.0) as u32;
    (bad, (stake, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(strategy: &str) -> Settings {
        Settings {
            nodes: 33,
            hostile: 0.33,
            offline: 0.0,
            strategy: strategy.into(),
            rounds: 1,
            session: 100,
            seed: 1,
        }
    }

    #[test]
    fn the_hostile_have_the_share_of_the_weight_that_was_asked_for() {
        for strategy in ["lazy", "splitting", "mixed"] {
            for nodes in [33, 1_000] {
                let members = members(&Settings {
                    nodes,
                    ..settings(strategy)
                })
                .expect("good settings");
                assert_eq!(members.len(), nodes);
                let sum = |honest: bool| -> u128 {
                    let of = members
                        .iter()
                        .filter(|member| (member.strategy.name() == "honest") == honest);
                    of.map(|member| member.stake).sum()
                };
                let share = sum(false) as f64 / (sum(true) + sum(false)) as f64;
                assert!((0.3..0.36).contains(&share), "{strategy}: {share}");
            }
        }
    }

    #[test]
    fn the_model_that_somebody_sponsors_for_nothing_is_a_valid_one() {
        assert_eq!(tiny().validate(&digits_manifest()), Ok(()));
        assert!(tiny().work() < digits_spec().work() / 1_000);
    }

    #[test]
    fn settings_that_make_no_network_are_refused() {
        for bad in [
            Settings {
                nodes: 0,
                ..settings("lazy")
            },
            Settings {
                nodes: 300_000,
                ..settings("lazy")
            },
            Settings {
                hostile: 1.0,
                ..settings("lazy")
            },
            Settings {
                session: 9,
                ..settings("lazy")
            },
            settings("unheard-of"),
        ] {
            assert!(members(&bad).is_err(), "{bad:?}");
        }
    }
}
