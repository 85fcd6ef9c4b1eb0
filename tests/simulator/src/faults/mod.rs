//! The faults of protocol 1, each as a short play on the real runtime that shows that it is gone: what is seen, and whether it is. The
//! crate's documentation has the list.

mod blocks;
mod branches;
mod identity;
mod laziness;
mod money;
mod scores;
mod standstill;
mod upkeep;

pub use blocks::{filled_blocks, lost_digest, starving_models, waiting_weight};
pub use branches::{ground_claims, reorganised_digest};
pub use identity::{squatted_place, taken_peer_id};
pub use laziness::{always_accepting, copied_versions, false_witness};
pub use money::{endless_emission, largest_spec, split_stake};
pub use scores::{bad_deeds, forging, newcomer, one_step, slow};
pub use standstill::{abstaining, kept_seed, near_tie, two_to_two};
pub use upkeep::storage_versions;

use hydra_primitives::HYDRA;
use hydra_runtime::Balance;
use std::ops::Range;

use crate::{
    ledger::Account,
    simulation::{Member, Setup, Simulation},
    strategy::{Honest, Strategy},
};

/// What a play has shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// The fault's number.
    pub number: u8,
    /// The test that shows it.
    pub test: &'static str,
    /// What was seen.
    pub seen: String,
    /// Whether the fault is gone.
    pub is_gone: bool,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let so = if self.is_gone { "yes" } else { "NO" };
        write!(f, "{:>2}  {}: {so}. {}", self.number, self.test, self.seen)
    }
}

/// Every play, in the order of the list.
pub const ALL: [fn() -> Finding; 24] = [
    split_stake,
    endless_emission,
    forging,
    newcomer,
    bad_deeds,
    always_accepting,
    copied_versions,
    false_witness,
    two_to_two,
    near_tie,
    kept_seed,
    abstaining,
    slow,
    filled_blocks,
    lost_digest,
    reorganised_digest,
    ground_claims,
    taken_peer_id,
    squatted_place,
    largest_spec,
    starving_models,
    waiting_weight,
    storage_versions,
    one_step,
];

/// What every node has bonded, in HYDRA, where nothing depends on it.
const STAKE: u32 = 100;

/// So many nodes that play alike.
fn nodes<S: Strategy + 'static>(count: usize, strategy: impl Fn(usize) -> S) -> Vec<Member> {
    (0..count)
        .map(|index| Member::node(strategy(index), STAKE))
        .collect()
}

/// So many honest nodes.
fn honest(count: usize) -> Vec<Member> {
    nodes(count, |_| Honest::named("honest"))
}

/// An account that is no node.
fn outsider(strategy: impl Strategy + 'static) -> Member {
    Member::node(strategy, 0)
}

/// A network of these accounts, which trains the digits.
fn network(groups: impl IntoIterator<Item = Vec<Member>>) -> Simulation {
    Simulation::new(Setup::of(groups.into_iter().flatten().collect()))
}

fn of(simulation: &Simulation, accounts: Range<usize>) -> &[Account] {
    simulation.ledger().accounts.get(accounts).unwrap_or_default()
}

/// What these accounts were paid together.
fn paid(simulation: &Simulation, accounts: Range<usize>) -> Balance {
    of(simulation, accounts).iter().map(|account| account.paid).sum()
}

/// What these accounts forfeited together.
fn forfeited(simulation: &Simulation, accounts: Range<usize>) -> Balance {
    let accounts = of(simulation, accounts).iter();
    accounts.map(|account| account.forfeited).sum()
}

/// What these accounts have more than at the beginning, or less, together, in HYDRA.
fn net(simulation: &Simulation, accounts: Range<usize>) -> f64 {
    let sum: i128 = of(simulation, accounts).iter().map(Account::net).sum();
    sum as f64 / HYDRA as f64
}

/// How often these accounts were blamed together: for something wrong, or for nothing.
fn blamed(simulation: &Simulation, accounts: Range<usize>) -> u32 {
    let accounts = of(simulation, accounts).iter();
    accounts.map(|account| account.wrong + account.missed).sum()
}

/// An amount in HYDRA.
fn hydra(amount: Balance) -> f64 {
    amount as f64 / HYDRA as f64
}
