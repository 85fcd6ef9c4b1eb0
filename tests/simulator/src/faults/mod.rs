//! The faults of protocol 1, each as a short play on the real runtime: what is seen, and whether the fault is there. The crate's
//! documentation has the list. Protocol 2 turns the plays' ends round.

mod blocks;
mod branches;
mod identity;
mod laziness;
mod money;
mod scores;
mod standstill;
mod upkeep;

pub use blocks::{filled_blocks, lost_reveal, starving_models, waiting_weight};
pub use branches::reorganised_commitment;
pub use identity::{squatted_place, taken_peer_id};
pub use laziness::{always_accepting, copied_attestations};
pub use money::{endless_emission, largest_spec, split_stake};
pub use scores::{bad_deeds, early_end, forging, newcomer};
pub use standstill::{abstaining, kept_seed, near_tie, two_to_two};
pub use upkeep::storage_versions;

use hydra_primitives::HYDRA;
use hydra_runtime::Balance;
use std::ops::Range;

use crate::{
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
    /// Whether the fault is there.
    pub is_there: bool,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let there = if self.is_there { "is there" } else { "is NOT there" };
        write!(f, "{:>2}  {}: {there}. {}", self.number, self.test, self.seen)
    }
}

/// Every play, in the order of the list.
pub const ALL: [fn() -> Finding; 21] = [
    split_stake,
    endless_emission,
    forging,
    newcomer,
    bad_deeds,
    always_accepting,
    copied_attestations,
    two_to_two,
    near_tie,
    kept_seed,
    abstaining,
    early_end,
    filled_blocks,
    lost_reveal,
    reorganised_commitment,
    taken_peer_id,
    squatted_place,
    largest_spec,
    starving_models,
    waiting_weight,
    storage_versions,
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

/// What these accounts earned together.
fn earned(simulation: &Simulation, accounts: Range<usize>) -> Balance {
    let of = simulation.ledger().accounts.get(accounts).unwrap_or_default();
    of.iter().map(|account| account.earned).sum()
}

/// How often these accounts were blamed together.
fn blamed(simulation: &Simulation, accounts: Range<usize>) -> u32 {
    let of = simulation.ledger().accounts.get(accounts).unwrap_or_default();
    of.iter().map(|account| account.blamed).sum()
}

/// An amount in HYDRA.
fn hydra(amount: Balance) -> f64 {
    amount as f64 / HYDRA as f64
}
