//! Whole runs, short ones: that accounts play as nodes would, and that a run can be made again.

use hydra_primitives::{HYDRA, duty};
use hydra_runtime::TrainingProposals;
use hydra_simulator::{
    duty::Kind,
    protocol,
    report::report,
    scenario::{Settings, play, simulation},
    simulation::{Member, Setup, Simulation},
    strategy::{Honest, NAMES},
};

fn settings(strategy: &str, nodes: usize, rounds: u32) -> Settings {
    Settings {
        nodes,
        hostile: 0.33,
        offline: 0.0,
        strategy: strategy.into(),
        rounds,
        seed: 1,
    }
}

fn honest(nodes: usize) -> Simulation {
    let members = (0..nodes).map(|_| Member::node(Honest::named("honest"), 100));
    Simulation::new(Setup::of(members.collect()))
}

/// What an account owes: kind, model, and whose claim it is about.
type Owed = (Kind, u32, Option<[u8; 32]>);

/// The same as the pallet tells the account's trainer.
fn told(sheet: &duty::DutySheet) -> Vec<Owed> {
    let mut owed = Vec::new();
    for model in &sheet.models {
        for duty in &model.duties {
            let (kind, about) = match duty {
                duty::Duty::Attest => (Kind::Fold, None),
                duty::Duty::Train { .. } => (Kind::Task, None),
                duty::Duty::Verify(verify) => (Kind::Check, Some(verify.key.proposer)),
                duty::Duty::Reveal { verify, .. } => (Kind::Reveal, Some(verify.key.proposer)),
            };
            owed.push((kind, model.model, about));
        }
    }
    owed.sort();
    owed
}

#[test]
fn duties_are_those_of_the_pallets_own_sheets() {
    let mut simulation = honest(5);
    let mut kinds = Vec::new();
    for _ in 0..20 {
        simulation.step();
        let ids: Vec<_> = (0..5).map(|account| simulation.id(account)).collect();
        let seen = simulation.read(|| {
            let sheets = protocol::sheets();
            let mut seen = Vec::new();
            for id in ids {
                let here = sheets.iter().filter(|sheet| sheet.who == id);
                let mut owed: Vec<Owed> = here
                    .flat_map(|sheet| &sheet.owed)
                    .map(|owed| (owed.duty.kind, owed.duty.model, owed.proposer()))
                    .collect();
                owed.sort();
                assert_eq!(owed, told(&TrainingProposals::duty_sheet(&id)));
                seen.extend(owed.into_iter().map(|(kind, _, _)| kind));
            }
            seen
        });
        kinds.extend(seen);
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, [Kind::Task, Kind::Check, Kind::Reveal, Kind::Fold]);
}

#[test]
fn honest_nodes_are_all_paid_and_confirm_every_version() {
    let mut simulation = honest(4);
    assert!(simulation.rounds(5));
    let ledger = simulation.ledger();
    for account in &ledger.accounts {
        assert_eq!(
            (account.earned, account.claims, account.blamed),
            (5 * HYDRA, [5, 0, 0], 0)
        );
        assert!(account.fees > 0, "duties cost a fee");
    }
    let rounds = ledger.of(0);
    // The last version is attested in the round after it.
    assert_eq!(
        (rounds.void, rounds.confirmed, rounds.standstills),
        (0, [4, 0], 0)
    );
    assert_eq!(
        (ledger.honest_rejected, ledger.lies_accepted, ledger.undecided),
        (0, 0, 0)
    );
}

#[test]
fn a_run_with_the_same_seed_is_the_same_run_and_with_another_one_another() {
    let run = |seed| {
        let settings = Settings {
            offline: 0.3,
            seed,
            ..settings("mixed", 9, 4)
        };
        let mut simulation = simulation(&settings).expect("good settings");
        play(&mut simulation, &settings);
        report(&mut simulation).json().expect("JSON")
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn every_strategy_plays_a_round_and_is_in_the_report() {
    for name in NAMES.into_iter().filter(|name| *name != "mixed") {
        let settings = settings(name, 6, 2);
        let mut simulation = simulation(&settings).expect("good settings");
        assert!(play(&mut simulation, &settings), "{name}");
        let report = report(&mut simulation);
        let table = report.table();
        assert!(table.contains(&format!("| {name} |")), "{name}: {table}");
        let weight: f64 = report.strategies.iter().map(|row| row.weight_share).sum();
        assert!((weight - 1.0).abs() < 1e-9, "{name}: {weight}");
    }
}

#[test]
fn what_was_in_blocks_that_are_gone_is_in_a_block_again() {
    let mut simulation = honest(4);
    assert!(simulation.rounds(1));
    let fork = simulation.snapshot();
    simulation.steps(3);
    let gone = simulation.number();
    simulation.reorganise(&fork);
    assert_eq!(simulation.number(), gone - 3);
    assert!(simulation.rounds(2));
    let ledger = simulation.ledger();
    assert!(ledger.accounts.iter().all(|account| account.claims == [3, 0, 0]));
}
