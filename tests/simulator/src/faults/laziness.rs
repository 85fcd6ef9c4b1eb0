//! Fault 3: what it brings to work.

use std::ops::Range;

use super::{Finding, blamed, forfeited, honest, hydra, net, network, nodes};
use crate::{
    simulation::Simulation,
    strategy::{Lazy, Strategy, Telling, Trusting},
};

const HONEST: Range<usize> = 0..8;
const LAZY: Range<usize> = 8..12;
const ROUNDS: u32 = 4;

fn with_four<S: Strategy + 'static>(strategy: impl Fn(usize) -> S) -> (Simulation, bool) {
    let mut simulation = network([honest(HONEST.len()), nodes(LAZY.len(), strategy)]);
    let ended = simulation.rounds(ROUNDS);
    (simulation, ended)
}

/// What one of these has more than at the beginning, or less.
fn each(simulation: &Simulation, accounts: Range<usize>) -> f64 {
    net(simulation, accounts.clone()) / accounts.len() as f64
}

/// Four of twelve verify nothing.
pub fn always_accepting() -> Finding {
    let (simulation, ended) = with_four(|_| Lazy::everywhere());
    let (working, lazy) = (each(&simulation, HONEST), each(&simulation, LAZY));
    let lost = forfeited(&simulation, HONEST);
    let ledger = simulation.ledger();
    Finding {
        number: 3,
        test: "saying_yes_without_working_costs_stake",
        seen: format!(
            "in {ROUNDS} rounds a working node gains {working:.2} HYDRA and a lazy one {lazy:.2}; {} honest claims were rejected",
            ledger.right.rejected
        ),
        is_gone: ended && working > 0.0 && lazy < 0.0 && lost == 0 && ledger.right.rejected == 0,
    }
}

/// Four of twelve know from the names of blobs what a new version is, and fold nothing.
pub fn copied_versions() -> Finding {
    let (simulation, ended) = with_four(|_| Lazy::in_folds());
    let (working, lazy) = (each(&simulation, HONEST), each(&simulation, LAZY));
    let [confirmed, wrong] = simulation.ledger().of(0).confirmed;
    Finding {
        number: 3,
        test: "a_version_whose_name_is_known_can_not_be_attested_without_folding",
        seen: format!(
            "{confirmed} versions are confirmed, {wrong} of them wrong; a working node gains {working:.2} HYDRA, one that knows a \
             version's name and not its witness {lazy:.2}"
        ),
        is_gone: ended
            && confirmed > 0
            && wrong == 0
            && lazy < working
            && forfeited(&simulation, LAZY) > 0
            && forfeited(&simulation, HONEST) == 0,
    }
}

/// One of twelve tells a false witness of its right claims, and four others believe it.
pub fn false_witness() -> Finding {
    let mut simulation = network([
        honest(7),
        nodes(1, |_| Telling::falsely()),
        nodes(LAZY.len(), |_| Trusting),
    ]);
    let ended = simulation.rounds(ROUNDS);
    let lost = forfeited(&simulation, LAZY);
    let ledger = simulation.ledger();
    let got = ledger.accounts.get(7).map_or(0, |account| account.received);
    Finding {
        number: 3,
        test: "whoever_copies_a_witness_that_is_false_loses_to_who_told_it",
        seen: format!(
            "four that believe it forfeit {:.1} HYDRA in {ROUNDS} rounds, of which the one that tells a false witness gets {:.1}; it is \
             blamed {} times itself",
            hydra(lost),
            hydra(got),
            blamed(&simulation, 7..8),
        ),
        is_gone: ended
            && lost > 0
            && got > 0
            && blamed(&simulation, 0..8) == 0
            && forfeited(&simulation, 0..8) == 0,
    }
}
