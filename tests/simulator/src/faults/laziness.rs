//! Fault 3: what it brings to work.

use hydra_runtime::Runtime;
use pallet_hydra_token::Shares;
use pallet_training_proposals::History;
use std::ops::Range;

use super::{Finding, earned, honest, hydra, network, nodes};
use crate::{protocol, simulation::Simulation, strategy::Lazy};

const HONEST: Range<usize> = 0..8;
const LAZY: Range<usize> = 8..12;
const ROUNDS: u32 = 10;

fn ten_rounds() -> (Simulation, bool) {
    let mut simulation = network([honest(HONEST.len()), nodes(LAZY.len(), |_| Lazy)]);
    let ended = simulation.rounds(ROUNDS);
    (simulation, ended)
}

/// What one of these has on average.
fn mean(accounts: Range<usize>, of: impl FnMut(usize) -> f64) -> f64 {
    let count = accounts.len() as f64;
    accounts.map(of).sum::<f64>() / count
}

/// Four of twelve verify nothing.
pub fn always_accepting() -> Finding {
    let (mut simulation, ended) = ten_rounds();
    let pay = |accounts: Range<usize>| {
        let count = accounts.len() as f64;
        hydra(earned(&simulation, accounts)) / count
    };
    let (pay_honest, pay_lazy) = (pay(HONEST), pay(LAZY));
    let work = |accounts| mean(accounts, |account| simulation.work(account) as f64);
    let ratio = work(LAZY) / work(HONEST);
    let mut shares = |accounts: Range<usize>| {
        mean(accounts, |account| {
            let who = simulation.id(account);
            simulation.read(|| Shares::<Runtime>::get(0, &who).shares as f64)
        })
    };
    let (shares_honest, shares_lazy) = (shares(HONEST), shares(LAZY));
    Finding {
        number: 3,
        test: "always_accepting_earns_as_much_as_working",
        seen: format!(
            "in {ROUNDS} rounds a working node earns {pay_honest:.1} HYDRA and {shares_honest:.0} shares, a lazy one {pay_lazy:.1} \
             and {shares_lazy:.0}, for {:.0} % of the work",
            100.0 * ratio
        ),
        is_there: ended && pay_lazy >= pay_honest && shares_lazy >= shares_honest && ratio < 0.15,
    }
}

/// The same four attest every version.
pub fn copied_attestations() -> Finding {
    let (mut simulation, ended) = ten_rounds();
    let lazy: Vec<_> = LAZY.map(|account| simulation.id(account)).collect();
    let (attested, task) = simulation.read(|| {
        // The newest version may not be attested yet.
        let rounds = (0..ROUNDS - 1).filter_map(|round| History::<Runtime>::get(0, round));
        let attested: usize = rounds
            .map(|record| {
                let by = record.attestations.iter().filter(|(who, _)| lazy.contains(who));
                by.count()
            })
            .sum();
        (attested, u128::from(protocol::task_work(0)))
    });
    let most = LAZY
        .map(|account| simulation.work(account))
        .max()
        .unwrap_or_default();
    let owed = LAZY.len() * (ROUNDS - 1) as usize;
    Finding {
        number: 3,
        test: "the_first_attestation_can_be_copied",
        seen: format!(
            "four nodes that fold nothing have attested {attested} of {owed} times, each time what another had said"
        ),
        is_there: ended && attested == owed && most <= u128::from(ROUNDS + 1) * task,
    }
}
