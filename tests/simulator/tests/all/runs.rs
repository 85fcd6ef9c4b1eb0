//! Whole runs, short ones: that accounts play as nodes would, that a run can be made again, and that no way to play brings anything.

use frame_support::traits::fungible::Inspect;
use hydra_primitives::{HYDRA, duty};
use hydra_runtime::{AccountId, Balances, TrainingProposals};
use hydra_simulator::{
    duty::Kind,
    protocol::{self, Form, Sheet},
    report::{Report, report},
    scenario::{Settings, play, simulation},
    simulation::{Member, Setup, Simulation},
    strategy::{Honest, NAMES, Sometimes},
};
use std::collections::{BTreeMap, BTreeSet};

fn settings(strategy: &str, nodes: usize, rounds: u32) -> Settings {
    Settings {
        nodes,
        hostile: 0.33,
        offline: 0.0,
        strategy: strategy.into(),
        rounds,
        session: 1_440,
        seed: 1,
    }
}

fn honest(nodes: usize) -> Simulation {
    let members = (0..nodes).map(|_| Member::node(Honest::named("honest"), 100));
    Simulation::new(Setup::of(members.collect()))
}

/// What an account owes: what kind of thing, of which model, and about which poll or place.
type Owed = (Kind, u32, Vec<u8>);

/// The same as the pallet tells the account's trainer.
fn told(sheet: &duty::DutySheet) -> Vec<Owed> {
    let mut owed = Vec::new();
    owed.extend(sheet.heartbeat.map(|_| (Kind::Heartbeat, 0, Vec::new())));
    for model in &sheet.models {
        for duty in &model.duties {
            let (kind, about) = match duty {
                duty::Duty::Train { place, .. } => (Kind::Task, place.to_le_bytes().to_vec()),
                duty::Duty::Verify { poll, .. } => (Kind::Check, poll.as_bytes().to_vec()),
                duty::Duty::Attest { poll, .. } => (Kind::Fold, poll.as_bytes().to_vec()),
                duty::Duty::Open { poll, .. } => (Kind::Open, poll.as_bytes().to_vec()),
            };
            owed.push((kind, model.model, about));
        }
    }
    owed.sort();
    owed
}

/// What the simulation would ask of it.
fn asked(sheet: &Sheet) -> Vec<Owed> {
    let owed = sheet.owed.iter().map(|owed| {
        let about = match &owed.form {
            Form::Heartbeat(_) => Vec::new(),
            Form::Claim { key, .. } => key.place.to_le_bytes().to_vec(),
            Form::Digest { poll, .. } | Form::Open { poll, .. } => poll.as_bytes().to_vec(),
        };
        (owed.duty.kind, owed.duty.model, about)
    });
    let mut owed: Vec<Owed> = owed.collect();
    owed.sort();
    owed
}

#[test]
fn duties_are_those_of_the_pallets_own_sheets() {
    // Sessions are short, and some are off at times: so every kind of duty is owed, heartbeats of those who return, too.
    let members = (0..6).map(|account| Member::node(Sometimes::by_chance(0.2, 1, account), 100));
    let mut simulation = Simulation::new(Setup {
        session: 40,
        ..Setup::of(members.collect())
    });
    let mut kinds = BTreeSet::new();
    for _ in 0..120 {
        simulation.step();
        let sheets: BTreeMap<AccountId, Vec<Owed>> = simulation
            .owed(None)
            .iter()
            .map(|sheet| (sheet.who.clone(), asked(sheet)))
            .collect();
        for account in 0..6 {
            let id = simulation.id(account);
            let sheet = simulation.read(|| TrainingProposals::duty_sheet(&id));
            let ours = sheets.get(&id).cloned().unwrap_or_default();
            assert_eq!(
                ours,
                told(&sheet),
                "account {account} in block {}",
                simulation.number()
            );
            kinds.extend(ours.into_iter().map(|(kind, ..)| kind));
        }
    }
    let all = [Kind::Heartbeat, Kind::Open, Kind::Fold, Kind::Check, Kind::Task];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn what_the_events_tell_of_duties_is_what_the_state_says() {
    let settings = Settings {
        offline: 0.3,
        session: 60,
        ..settings("mixed", 27, 0)
    };
    let mut simulation = simulation(&settings).expect("good settings");
    for block in 0..150 {
        simulation.step();
        let mut anew = simulation.reload();
        let read = simulation.owed(Some(&mut anew));
        let kept = simulation.owed(None);
        assert_eq!(kept, read, "block {block}");
    }
}

#[test]
fn honest_nodes_are_all_paid_and_confirm_every_version() {
    let mut simulation = honest(4);
    assert!(simulation.rounds(5));
    let rounds = simulation.ledger().of(0);
    // The last version is in question in the round after it.
    assert_eq!(
        (rounds.void, rounds.confirmed, rounds.given_up, rounds.standstills),
        (0, [4, 0], 0, 0)
    );
    let ledger = simulation.ledger();
    for account in &ledger.accounts {
        // Each has a quarter of the places and of the seats: 1 HYDRA a round, but for what doesn't divide.
        assert!(
            account.paid <= 4 * HYDRA && account.paid > 4 * HYDRA - 1_000,
            "{}",
            account.paid
        );
        assert_eq!(
            (
                account.claims.accepted,
                account.wrong,
                account.missed,
                account.forfeited
            ),
            (5, 0, 0, 0)
        );
        assert_eq!(account.fees, 0, "an honest duty costs nothing");
    }
    assert_eq!(
        (
            ledger.right.accepted,
            ledger.right.undecided,
            ledger.wrong.accepted
        ),
        (20, 0, 0)
    );
    let [_, appeal, last, open] = ledger.endings;
    assert_eq!((appeal, last, open), (0, 0, 0));
}

#[test]
fn a_round_of_four_honest_nodes_takes_six_blocks() {
    let mut simulation = honest(4);
    assert!(simulation.rounds(2));
    let began = simulation.number();
    assert!(simulation.rounds(3));
    assert_eq!(simulation.number() - began, 18);
}

#[test]
fn a_run_with_the_same_seed_is_the_same_run_and_with_another_one_another() {
    let run = |seed| {
        let settings = Settings {
            offline: 0.3,
            seed,
            ..settings("mixed", 12, 3)
        };
        let mut simulation = simulation(&settings).expect("good settings");
        play(&mut simulation, &settings, || true);
        report(&mut simulation).json().expect("JSON")
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

/// What an account owns, whatever holds it.
fn owns(simulation: &mut Simulation, account: usize) -> u128 {
    let who = simulation.id(account);
    simulation.read(|| <Balances as Inspect<AccountId>>::total_balance(&who))
}

fn played(name: &str, nodes: usize, rounds: u32) -> (Simulation, Report) {
    let settings = settings(name, nodes, rounds);
    let mut simulation = simulation(&settings).expect("good settings");
    assert!(play(&mut simulation, &settings, || true), "{name}");
    let report = report(&mut simulation);
    (simulation, report)
}

#[test]
fn no_strategy_has_a_lie_accepted_or_an_honest_node_forfeit() {
    for name in NAMES.into_iter().filter(|name| *name != "mixed") {
        let (simulation, report) = played(name, 9, 3);
        let table = report.table();
        assert!(table.contains(&format!("| {name} |")), "{name}: {table}");
        let stake: f64 = report.strategies.iter().map(|row| row.stake_share).sum();
        assert!((stake - 1.0).abs() < 1e-9, "{name}: {stake}");
        let [lies, ..] = report.wrong;
        let [_, wrong] = report.confirmed;
        assert_eq!((lies, wrong), (0, 0), "{name}: {table}");
        let honest = simulation.ledger().accounts.iter().enumerate();
        let lost = honest.filter(|(index, _)| simulation.name(*index) == "honest");
        let lost: u128 = lost.map(|(_, account)| account.forfeited).sum();
        assert_eq!(lost, 0, "{name}: {table}");
        assert_eq!(report.right_decided, 1.0, "{name}: {table}");
    }
}

#[test]
fn what_the_ledger_says_of_an_account_is_what_it_has_more_or_less() {
    for (name, nodes, rounds) in [("mixed", 27, 6), ("spamming", 6, 2), ("equivocating", 9, 11)] {
        let settings = settings(name, nodes, rounds);
        let mut simulation = simulation(&settings).expect("good settings");
        let before: Vec<u128> = (0..nodes).map(|account| owns(&mut simulation, account)).collect();
        assert!(play(&mut simulation, &settings, || true), "{name}");
        for (account, before) in before.into_iter().enumerate() {
            let now = owns(&mut simulation, account);
            let found =
                i128::try_from(now).expect("not that much") - i128::try_from(before).expect("not that much");
            let said = simulation.ledger().accounts[account].net();
            assert_eq!(found, said, "{name}, account {account}");
        }
    }
}

#[test]
fn liars_and_the_lazy_end_below_what_they_began_with_and_nobody_above_the_honest() {
    for name in ["lying", "lazy", "forging", "forging-one-step"] {
        let (_, report) = played(name, 33, 6);
        let net = |name: &str| report.of(name).map(|row| row.net_per_round_and_percent);
        let (honest, hostile) = (net("honest").expect("some are"), net(name).expect("some are"));
        assert!(honest > 0.0 && hostile < 0.0, "{name}: {}", report.table());
    }
    for name in ["silent", "silent-every-other-time", "abstaining"] {
        let (_, report) = played(name, 33, 8);
        let net = |name: &str| report.of(name).map(|row| row.net_per_round_and_percent);
        let (honest, hostile) = (net("honest").expect("some are"), net(name).expect("some are"));
        assert!(hostile < honest, "{name}: {}", report.table());
    }
}

#[test]
fn whoever_pays_for_rounds_that_are_too_small_pays_more_than_they_earn() {
    let (mut simulation, report) = played("sponsoring", 9, 4);
    let [_, tiny] = report.burnt[..] else {
        panic!("there are two models: {:?}", report.burnt);
    };
    let rounds = simulation.ledger().of(1);
    assert!(rounds.ended > 0 && tiny > 0.0);
    // All places of all its rounds, at what they are worth.
    let worth = simulation.read(|| hydra_primitives::rewards::worth(protocol::task_work(1)));
    let earned = f64::from(rounds.ended) * 9.0 * worth as f64 / HYDRA as f64;
    assert!(
        tiny > 2.0 * earned,
        "burnt {tiny}, earned at the most {earned} HYDRA"
    );
}

#[test]
fn seats_follow_stakes_whatever_is_paused_bonded_or_withheld() {
    for name in ["grinding", "withholding"] {
        let (simulation, report) = played(name, 33, 15);
        let withheld = simulation.ledger().withheld;
        assert_eq!(withheld > 0, name == "withholding", "{name}: {withheld}");
        let row = report.of(name).expect("some do");
        // A third of some 10,000 seats: what withholding may bring is a few parts in a hundred of that.
        let ratio = row.seat_share / row.stake_share;
        assert!((0.8..1.15).contains(&ratio), "{name}: {ratio}");
        let [lies, ..] = report.wrong;
        assert_eq!((lies, report.confirmed[1]), (0, 0));
    }
}

#[test]
fn what_a_third_of_the_authors_leave_out_is_in_others_blocks_in_time() {
    let (simulation, report) = played("censoring", 33, 10);
    let (ledger, table) = (simulation.ledger(), report.table());
    // Duties of two thirds of the nodes, in a third of the blocks.
    assert!(ledger.left_out > 22, "{table}");
    let [lies, ..] = report.wrong;
    assert_eq!((lies, report.confirmed[1]), (0, 0), "{table}");
    assert!(
        report.confirmed[0] > 0 && report.right_decided >= 0.999,
        "{table}"
    );
    let honest = report.of("honest").expect("some are");
    assert_eq!((honest.forfeited, honest.wrong), (0.0, 0), "{table}");
    // Most of what they could train.
    let [accepted, rejected, undecided, _] = honest.claims;
    assert_eq!((rejected, undecided), (0, 0), "{table}");
    assert!(accepted > 10 * 22 / 2, "{table}");
}

#[test]
fn whoever_waits_for_a_good_draw_and_lies_then_loses_by_it() {
    // More than a third, so that a few rounds bring such a draw. Short sessions: in the first one those who play alike stand side by side,
    // and have hardly more seats than they weigh.
    let settings = Settings {
        hostile: 0.42,
        session: 40,
        seed: 3,
        ..settings("holding-back", 33, 6)
    };
    let mut simulation = simulation(&settings).expect("good settings");
    assert!(play(&mut simulation, &settings, || true));
    let report = report(&mut simulation);
    let table = report.table();
    let [accepted, rejected, undecided, _] = report.wrong;
    assert!(
        rejected > 0 && (accepted, undecided, report.confirmed[1]) == (0, 0, 0),
        "{table}"
    );
    let (honest, hostile) = (report.of("honest"), report.of("holding-back"));
    let (honest, hostile) = (honest.expect("some are"), hostile.expect("some are"));
    // What they had foreseen was drawn: they lied in their seats, too, and left out of their blocks what contradicted them.
    assert!(hostile.wrong > 5 && report.left_out > 0, "{table}");
    assert!(hostile.forfeited > 0.0, "{table}");
    assert_eq!(
        (hostile.missed, honest.wrong, honest.forfeited),
        (0, 0, 0.0),
        "{table}"
    );
    assert!(
        hostile.net_per_round_and_percent < honest.net_per_round_and_percent,
        "{table}"
    );
    assert_eq!(report.right_decided, 1.0, "{table}");
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
    assert!(ledger.accounts.iter().all(|account| account.claims.accepted == 3));
}

#[test]
fn a_thousand_nodes_take_no_more_of_a_block_than_a_hundred() {
    let fullest = |nodes| {
        let full = hydra_simulator::figures::fullness(nodes, false, 3).expect("a network");
        full.values().map(|used| used.fullest).fold(0.0, f64::max)
    };
    let (hundred, thousand) = (fullest(100), fullest(1_000));
    assert!(thousand < 1.5 * hundred, "{hundred} and {thousand}");
}
